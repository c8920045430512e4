"""An order that left by hand: which of its parcels the typed number stands for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connector.attention.board import settled
from connector.labels import record
from connector.labels.by_hand import NotByHand, Shipped, Typed, is_by_hand, ship
from connector.labels.tables import parcels
from connector.orders.tables import orders
from connector.orders.view import find
from connector.storage.audit import Actor
from connector.storage.ids import new_id
from connector.words.reason import Reason
from connector.work.port import Work


def ship_by_hand(
    connection: Connection,
    work: Work,
    shop_id: str,
    reference: str,
    typed: Typed,
    actor: Actor,
    now: datetime,
    *,
    notify_buyer: bool,
    parcel_id: str | None = None,
) -> Shipped:
    """Note that an order, or one parcel of it, left under a number that a person typed; the store is told once.

    Without a parcel, all that waits for a label went together: its parcels become one. The same number again changes
    nothing. Raises NoSuchOrder, or NotByHand with the reason.
    """
    row = find(connection, shop_id, reference)
    connection.execute(orders.select(shop_id, orders.c.id).where(orders.c.id == row.id).with_for_update())
    known = connection.execute(
        parcels.select(shop_id)
        .where(parcels.c.order_id == row.id, parcels.c.state != "cancelled")
        .order_by(parcels.c.group_id, parcels.c.number)
        .with_for_update()
    ).all()
    if parcel_id is None:
        parcel_id = _one_parcel(connection, known, typed, row.name, now)
    elif parcel_id not in {parcel.id for parcel in known}:
        raise NotByHand("This order has no such parcel that is still wanted.", detail=parcel_id)
    return ship(connection, work, shop_id, parcel_id, typed, actor, now, notify_buyer=notify_buyer)


def typed_label(connection: Connection, shop_id: str, reference: str, parcel_id: str | None = None) -> Any:
    """The live label of a typed number: the parcel's, or the order's only one. Raises NoSuchOrder, NotByHand."""
    row = find(connection, shop_id, reference)
    chosen = parcels.select(shop_id, parcels.c.id).where(parcels.c.order_id == row.id, parcels.c.state != "cancelled")
    if parcel_id is not None:
        chosen = chosen.where(parcels.c.id == parcel_id)
    live = [record.live_label(connection, shop_id, each.id) for each in connection.execute(chosen).all()]
    typed = [label for label in live if label is not None and is_by_hand(label)]
    if not typed:
        raise NotByHand("Nothing of this order went by hand.", detail=row.name)
    if len(typed) > 1:
        raise NotByHand("Several parcels of this order went by hand: name one.", detail="parcel")
    return typed[0]


def _one_parcel(connection: Connection, known: Sequence[Any], typed: Typed, name: str, now: datetime) -> str:
    """The parcel that stands for all that waits; its id."""
    waiting = []
    for parcel in known:
        label = record.live_label(connection, parcel.shop_id, parcel.id)
        if label is None:
            waiting.append(parcel)
        elif is_by_hand(label) and label.tracking_code == typed.number:
            return str(parcel.id)
    if not waiting:
        raise NotByHand("No parcel of this order waits for a label.", detail=name)
    if len({parcel.group_id for parcel in waiting}) > 1:
        raise NotByHand("This order leaves in several parts: type a number for each parcel.", detail="parcel")
    if len(waiting) == 1:
        return str(waiting[0].id)
    return _merged(connection, known, waiting, now)


def _merged(connection: Connection, known: Sequence[Any], waiting: Sequence[Any], now: datetime) -> str:
    """One new parcel in the place of several, with all their units."""
    first = waiting[0]
    units: dict[str, int] = {}
    for parcel in waiting:
        for line, quantity in parcel.contents:
            units[line] = units.get(line, 0) + quantity
        record.set_parcel(connection, first.shop_id, parcel.id, "cancelled", now, Reason("went_together"))
        settled(connection, first.shop_id, parcel.id, now)
    bought_as = first.bought_as
    if bought_as is not None:
        bought_as = bought_as | {"minor": sum((parcel.bought_as or bought_as)["minor"] for parcel in waiting)}
    parcel_id = new_id("par", now)
    count = sum(parcel.group_id == first.group_id for parcel in known) - len(waiting) + 1
    values = {column.name: getattr(first, column.name) for column in parcels.c} | {
        "id": parcel_id,
        "count": count,
        "state": "planned",
        "why": None,
        "contents": [[line, quantity] for line, quantity in units.items()],
        "goods": {line: named for parcel in waiting for line, named in (parcel.goods or {}).items()},
        "grams": sum(parcel.grams for parcel in waiting),
        "size_mm": None,
        "plan_id": "by_hand",
        "bought_as": bought_as,
        "created_at": now,
        "changed_at": now,
    }
    connection.execute(parcels.insert(values.pop("shop_id"), **values))
    return parcel_id
