"""Labels whose parcels still wait for a carrier: what a list or a driver is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.labels.by_hand import BY_HAND
from connector.labels.desk_tables import manifest_labels
from connector.labels.tables import labels, parcels
from connector.storage.database import in_parts
from connector.tracking.tables import trackings

MOST = 1000
"""The most labels of one list or one driver."""

_FRESH = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Ready:
    """Labels that wait for a carrier: of one account, carrier and location."""

    account_id: str
    carrier: str
    location_id: str
    labels: tuple[tuple[str, str, str], ...]


def ready(connection: Connection, shop_id: str, now: datetime) -> list[Ready]:
    """Labels of the last days that are on no list, and whose parcels no carrier has seen."""
    chosen = labels.select(shop_id).where(
        labels.c.state == "bought",
        labels.c.account_id != BY_HAND,
        labels.c.settled_at >= now - _FRESH,
        labels.c.id.not_in(manifest_labels.select(shop_id, manifest_labels.c.label_id)),
        labels.c.id.in_(trackings.select(shop_id, trackings.c.label_id).where(trackings.c.handed_over_at.is_(None))),
    )
    found: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {}
    rows = connection.execute(chosen.order_by(labels.c.settled_at, labels.c.id)).all()
    places = _places(connection, shop_id, [row.parcel_id for row in rows])
    for row in rows:
        carrier = (row.booked_rate or {}).get("carrier") or row.carrier
        key = (row.account_id, carrier, places.get(row.parcel_id, ""))
        found.setdefault(key, []).append((row.id, row.booked_handle or row.handle, row.tracking_code))
    return [Ready(*key, tuple(some)) for key, some in found.items()]


def waiting_at(
    connection: Connection, shop_id: str, account_id: str, location_id: str, now: datetime
) -> list[tuple[str, str, str]]:
    """Labels of an account whose parcels wait at a location; those on a list too."""
    chosen = labels.select(shop_id).where(
        labels.c.state == "bought",
        labels.c.account_id == account_id,
        labels.c.settled_at >= now - _FRESH,
        labels.c.id.in_(trackings.select(shop_id, trackings.c.label_id).where(trackings.c.handed_over_at.is_(None))),
    )
    rows = connection.execute(chosen.order_by(labels.c.settled_at, labels.c.id).limit(MOST)).all()
    places = _places(connection, shop_id, [row.parcel_id for row in rows])
    return [
        (row.id, row.booked_handle or row.handle, row.tracking_code)
        for row in rows
        if places.get(row.parcel_id) == location_id
    ]


def _places(connection: Connection, shop_id: str, parcel_ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in in_parts(parcel_ids):
        chosen = parcels.select(shop_id, parcels.c.id, parcels.c.location_id).where(parcels.c.id.in_(part))
        found |= {row.id: row.location_id for row in connection.execute(chosen).all()}
    return found
