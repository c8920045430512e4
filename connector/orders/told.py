"""What the store was told of a parcel, and takes back: so that an order that is read again is understood."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from connector.orders.plan import Told
from connector.tracking.tables import trackings


def told_of(connection: Connection, row: Any) -> Told:
    """Whether the store counts a parcel's units as shipped already."""
    if row.state != "bought":
        return "no"
    chosen = trackings.select(row.shop_id, trackings.c.fulfil_state).where(trackings.c.parcel_id == row.id)
    states = {each.fulfil_state for each in connection.execute(chosen).all()}
    if "done" in states:
        return "yes"
    return "maybe" if states & {"due", "sent"} else "no"


def is_being_withdrawn(connection: Connection, shop_id: str, parcel_id: str) -> bool:
    """Whether the store is still taking back what it was told of a parcel."""
    found = connection.execute(
        trackings.select(shop_id, trackings.c.label_id).where(
            trackings.c.parcel_id == parcel_id, trackings.c.fulfil_state == "withdrawn"
        )
    )
    return found.first() is not None
