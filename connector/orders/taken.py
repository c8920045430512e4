"""What taking in a reading of an order works with, and which parcels of it stand how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connector.directory import ShopEntry
from connector.labels.collect_rows import on_lists
from connector.labels.tables import LIVE, labels
from connector.orders.addresses import astray
from connector.orders.goods import contents_of, names_in
from connector.orders.plan import Elsewhere, Standing, Told
from connector.orders.tables import orders
from connector.storage.secrets import Keyring
from connector.store import FulfilmentGroup, Order
from connector.tracking.tables import trackings
from connector.work.port import Work

_MADE = frozenset({"buying", "unknown", "bought"})
"""A carrier has their shipment, with the address of its time."""

_DONE = "done"
_UNTOLD = frozenset({"waits", "due", "refused"})


@dataclass(frozen=True, slots=True)
class Taken:
    """A reading of an order, in the transaction that takes it in; `order_id` is ours.

    `told_before`: the labels that the store had been told of when it was asked, so that the reading counts their units.
    """

    connection: Connection
    keyring: Keyring
    work: Work
    shop: ShopEntry
    order_id: str
    order: Order
    now: datetime
    told_before: frozenset[str]


@dataclass(frozen=True, slots=True)
class Held:
    """The live labels of an order's parcels and what the store and the carrier know of them, by parcel.

    `units` are those that the store was told of, by its lines.
    """

    labels: Mapping[str, Any]
    told: Mapping[str, Told]
    fulfil: Mapping[str, str]
    left: frozenset[str]
    delivered: frozenset[str]
    units: Mapping[str, int]


def told_of(connection: Connection, shop_id: str, external_id: str) -> frozenset[str]:
    """The labels of the store's order that the store has been told of; read before the store is asked."""
    ours = orders.select(shop_id, orders.c.id).where(orders.c.external_id == external_id).scalar_subquery()
    chosen = trackings.select(shop_id, trackings.c.label_id).where(
        trackings.c.order_id == ours, trackings.c.fulfil_state == _DONE
    )
    return frozenset(connection.execute(chosen).scalars())


def held_of(taken: Taken, rows: Sequence[Any]) -> Held:
    """Look the labels up, behind the parcels' locks."""
    shop_id, connection = taken.shop.id, taken.connection
    mine = [row.id for row in rows]
    if not mine:
        return Held({}, {}, {}, frozenset(), frozenset(), {})
    live = connection.execute(
        labels.select(shop_id).where(labels.c.parcel_id.in_(mine), labels.c.state.in_(LIVE))
    ).all()
    by_parcel = {row.parcel_id: row for row in live}
    label_ids = [row.id for row in live]
    followed = connection.execute(trackings.select(shop_id).where(trackings.c.label_id.in_(label_ids))).all()
    on_list = on_lists(connection, shop_id, label_ids)
    return Held(
        labels=by_parcel,
        told={row.parcel_id: _told(taken, row) for row in followed},
        fulfil={row.parcel_id: row.fulfil_state for row in followed},
        left=frozenset(row.parcel_id for row in followed if row.handed_over_at is not None)
        | {row.parcel_id for row in live if row.id in on_list},
        delivered=frozenset(row.parcel_id for row in followed if row.delivered_at is not None),
        units=_told_units(row for row in followed if _told(taken, row) == "yes"),
    )


def standing_in(taken: Taken, group: FulfilmentGroup, rows: Sequence[Any], held: Held) -> list[Standing]:
    """How each of these parcels stands towards its group."""
    names = names_in(taken.order.groups)
    made = [row for row in rows if row.state in _MADE]
    away = astray(taken.connection, taken.keyring, taken.shop, group, made)
    found = []
    for row in rows:
        label = held.labels.get(row.id)
        told = held.told.get(row.id, "no") if row.state == "bought" else "no"
        elsewhere: Elsewhere = "location" if is_moved(row, group) and told != "yes" else ""
        if row.id in away and row.id not in held.delivered:
            elsewhere = "address"
        found.append(
            Standing(
                row.id,
                row.state,
                contents_of(row, names),
                (row.why or {}).get("code", ""),
                told,
                left=row.id in held.left,
                sent=row.state == "unknown" or (label is not None and label.state in {"sent", "unknown"}),
                elsewhere=elsewhere,
                unused=held.fulfil.get(row.id) == "waits",
            )
        )
    return found


def is_moved(row: Any, group: FulfilmentGroup) -> bool:
    """Whether a parcel's goods wait at another location now."""
    return bool(row.store_location_id and group.location_id and row.store_location_id != group.location_id)


def is_untold(held: Held, parcel_id: str) -> bool:
    """Whether the store was told nothing of a parcel yet, so that what it will be told can still change."""
    return held.fulfil.get(parcel_id, "waits") in _UNTOLD


def _told_units(followed: Iterable[Any]) -> Counter[str]:
    units = Counter[str]()
    for row in followed:
        for line, count in row.lines:
            units[line] += count
    return units


def _told(taken: Taken, row: Any) -> Told:
    """What the reading knows of a label: one that was told while the store was being asked may be missing in it."""
    if row.fulfil_state == _DONE:
        return "yes" if row.label_id in taken.told_before else "maybe"
    return "maybe" if row.fulfil_state in {"due", "sent"} else "no"
