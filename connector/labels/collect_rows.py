"""How manifests and pick-ups move from state to state, and what a booked driver costs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.money import Money
from connector.attention.board import need_person, settled
from connector.labels.amounts import book
from connector.labels.desk_tables import manifest_labels, manifests, pickups
from connector.words.reason import Reason


def move_manifest(connection: Connection, row: Any, now: datetime, **values: Any) -> None:
    """Note where a manifest stands."""
    mine = manifests.update(row.shop_id).where(manifests.c.id == row.id)
    connection.execute(mine.values(changed_at=now, **values))


def refuse_manifest(connection: Connection, row: Any, said: str, now: datetime) -> None:
    """The carrier made none: its labels are free for another one, and a person is told."""
    why = Reason("manifest_refused", {"carrier": row.carrier, "said": said})
    move_manifest(connection, row, now, state="refused", why=why.to_json())
    connection.execute(manifest_labels.delete(row.shop_id).where(manifest_labels.c.manifest_id == row.id))
    need_person(connection, row.shop_id, row.id, why, now)


def refuse_pickup(connection: Connection, row: Any, said: str, now: datetime) -> None:
    """No driver comes, and the carrier says why."""
    change(connection, row, now, state="refused", why=Reason("pickup_refused", {"said": said}).to_json())


def booked(connection: Connection, row: Any, confirmation: str, now: datetime) -> None:
    """The driver is booked, and the price that was agreed to is owed."""
    if change(connection, row, now, state="booked", confirmation=confirmation[:120], why=None):
        book(connection, row.shop_id, "driver", _price(row), order_id="", cause=row.id, now=now)
    settled(connection, row.shop_id, row.id, now)


def sent_home(connection: Connection, row: Any, now: datetime) -> None:
    """The driver does not come, and the price is back."""
    if change(connection, row, now, state="cancelled"):
        book(connection, row.shop_id, "driver_back", _price(row), order_id="", cause=row.id, now=now)


def _price(row: Any) -> Money:
    """What was agreed to when the driver was booked."""
    return Money(row.minor, row.currency)


def change(connection: Connection, row: Any, now: datetime, **values: Any) -> bool:
    """Change a pick-up that is as it was read; False if it was moved meanwhile."""
    mine = pickups.update(row.shop_id).where(pickups.c.id == row.id, pickups.c.version == row.version)
    return connection.execute(mine.values(changed_at=now, version=row.version + 1, **values)).rowcount == 1
