"""What a restored backup cannot know: the labels that were bought after it was made.

An order that was there before the backup was restored may have a label that nobody here knows of, unless the store
says that its goods have left. So its new parcels wait for a person, who looks at the carrier first.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector.orders.tables import sweeps
from connector.storage.database import insert_new
from connector.words.reason import Reason

WHY = Reason("restored_backup")
_NAME = "restored"


def note(connection: Connection, shop_id: str, now: datetime) -> None:
    """A backup was restored at this moment."""
    if not insert_new(connection, sweeps.insert(shop_id, name=_NAME, reached_at=now)):
        connection.execute(sweeps.update(shop_id).where(sweeps.c.name == _NAME).values(reached_at=now))


def is_uncertain(connection: Connection, shop_id: str, placed_at: datetime) -> bool:
    """Whether an order was placed before the last restore."""
    restored = connection.execute(sweeps.select(shop_id, sweeps.c.reached_at).where(sweeps.c.name == _NAME)).scalar()
    return restored is not None and placed_at < restored
