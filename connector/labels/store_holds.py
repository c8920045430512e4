"""Which of our holds the store shows: those that somebody who opens the order there should know of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connector.directory import ShopEntry
from connector.labels.tables import parcels
from connector.store import HoldReason
from connector.tracking.holding import Shown, want
from connector.words.reason import Reason
from connector.work.port import Work

REASONS: dict[str, HoldReason] = {
    "address_refused": "address",
    "address_undeliverable": "address",
    "address_corrected": "address",
    "address_unverified": "address",
    "not_in_stock": "stock",
    "customs_missing": "other",
    "rule_hold": "other",
    "over_value": "other",
    "country_by_hand": "other",
}
"""Holds that are shown, and as what; of the others the store knows itself, or need not know."""

_NOTE = 250


def tell_of_holds(connection: Connection, work: Work, shop: ShopEntry, order_id: str, now: datetime) -> None:
    """Have the store show what holds the groups of an order, or no hold of ours any more; our id of the order.

    A group is held in the store only while all its parcels are: a hold there would stop the others as well.
    """
    if not shop.store.capabilities.hold:
        return
    groups: dict[str, list[Any]] = {}
    for row in connection.execute(parcels.select(shop.id).where(parcels.c.order_id == order_id)).all():
        groups.setdefault(row.group_id, []).append(row)
    for group_id, rows in sorted(groups.items()):
        shown = _shown(row for row in rows if row.state != "cancelled")
        want(connection, work, shop.id, group_id, shown if shop.settings.buying.tell_store else None, now)


def tell_of_parcel(connection: Connection, work: Work, shop: ShopEntry, parcel_id: str, now: datetime) -> None:
    """The same, for the order of a parcel."""
    if shop.store.capabilities.hold:
        chosen = parcels.select(shop.id, parcels.c.order_id).where(parcels.c.id == parcel_id)
        order_id = connection.execute(chosen).scalar()
        if order_id is not None:
            tell_of_holds(connection, work, shop, order_id, now)


def _shown(live: Iterable[Any]) -> Shown | None:
    whys = [Reason.from_json(row.why) if row.state == "held" and row.why else None for row in live]
    told = [why for why in whys if why is not None and why.code in REASONS]
    if not told or None in whys:
        return None
    return Shown(REASONS[told[0].code], told[0].say()[:_NOTE])
