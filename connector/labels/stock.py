"""Which goods of a parcel its location has too little of: whoever ordered first gets what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from connector.catalogue import keep
from connector.labels.tables import parcels
from connector.tracking.tables import trackings

_WAITING = ("planned", "held", "refused", "buying", "unknown")


def short_of(connection: Connection, shop_id: str, parcel: Any) -> list[str]:
    """The names of those goods; only of what is counted at the parcel's location.

    A store takes units off when they are sold, so that its count falls below nothing by what was sold too often: the
    newest orders go without. The merchant's own table counts what lies there: it serves the oldest parcels that have
    not left.
    """
    known = keep.products(connection, shop_id, {key for key, _ in _units(parcel)})
    beside: list[Any] | None = None
    short = []
    for line, units in parcel.contents:
        key = _key(parcel, line)
        product = known.get(key)
        place = None if product is None else product.places.get(parcel.store_location_id)
        if product is None or place is None or place.stock is None:
            continue
        own = product.source("places") == "own"
        if not own and place.stock >= 0:
            continue
        beside = _beside(connection, parcel) if beside is None else beside
        first = [row for row in beside if (row.created_at, row.id) < (parcel.created_at, parcel.id)]
        if own:
            is_short = _of(key, first) + units > place.stock
        else:
            later = [row for row in beside if row not in first and row.state in _WAITING]
            is_short = _of(key, later) < -place.stock
        if is_short:
            short.append((parcel.goods or {}).get(line, (line, ""))[0] or line)
    return short


def _beside(connection: Connection, parcel: Any) -> list[Any]:
    """The other parcels whose goods lie at the same location still."""
    left = trackings.select(parcel.shop_id, trackings.c.parcel_id).where(trackings.c.handed_over_at.is_not(None))
    chosen = parcels.select(parcel.shop_id).where(
        parcels.c.id != parcel.id,
        parcels.c.store_location_id == parcel.store_location_id,
        parcels.c.state.in_((*_WAITING, "bought")),
        parcels.c.id.not_in(left),
    )
    return list(connection.execute(chosen).all())


def _key(parcel: Any, line: str) -> str:
    return str((parcel.declared or {}).get("lines", {}).get(line, {}).get("key", ""))


def _units(parcel: Any) -> Iterable[tuple[str, int]]:
    return ((_key(parcel, line), units) for line, units in parcel.contents)


def _of(key: str, rows: Iterable[Any]) -> int:
    return sum(units for row in rows for each, units in _units(row) if each == key)
