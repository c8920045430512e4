"""What the store still has to take back: so that an order that is read again is understood."""

from __future__ import annotations

from sqlalchemy import Connection

from connector.tracking.tables import trackings


def is_being_withdrawn(connection: Connection, shop_id: str, parcel_id: str) -> bool:
    """Whether the store is still taking back what it was told of a parcel."""
    found = connection.execute(
        trackings.select(shop_id, trackings.c.label_id).where(
            trackings.c.parcel_id == parcel_id, trackings.c.fulfil_state == "withdrawn"
        )
    )
    return found.first() is not None


def is_withdrawing(connection: Connection, shop_id: str, order_id: str) -> bool:
    """Whether the store is still taking back a label of this order (our id)."""
    found = connection.execute(
        trackings.select(shop_id, trackings.c.label_id).where(
            trackings.c.order_id == order_id, trackings.c.fulfil_state == "withdrawn"
        )
    )
    return found.first() is not None
