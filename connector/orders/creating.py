"""Make the parcels of a group: planned, priced as they were quoted, and bought by the shop's rules or held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carriers.money import Money
from connector.attention.board import need_person, settled
from connector.labels.amounts import book
from connector.labels.points import point_of
from connector.labels.tables import parcels
from connector.orders.addresses import goes_abroad, keep_person
from connector.orders.buying import buy_by_rule
from connector.orders.declared import declared
from connector.orders.goods import Contents
from connector.orders.holds import why_held
from connector.orders.marks import held_by_rule, not_taken
from connector.orders.parcels import Planned, parcel_price, plan_group
from connector.orders.promised import keep_window
from connector.orders.quote_of import Linked, link_of, priced_again, quote_of
from connector.orders.taken import Taken
from connector.packing.plan import PlannedParcel, Unplannable
from connector.storage.ids import new_id
from connector.store import FulfilmentGroup
from connector.words.reason import Reason

EDITS = ("goods_edited", "address_edited", "goods_moved")
"""Why the label of a parcel was taken out of use when its order was edited."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What new parcels come after (`before`, the newest last) and stand beside (`live`, of the whole order).

    `edited`: other goods are wanted than before; `covered`: a label for some of these goods exists.
    """

    before: Sequence[Any] = ()
    live: Sequence[Any] = ()
    edited: bool = False
    covered: bool = False


def create(taken: Taken, group: FulfilmentGroup, beside: Beside) -> None:
    """Plan all the units of the group, which may be a part of the store's group only."""
    connection, shop, now = taken.connection, taken.shop, taken.now
    before = beside.before or _replaced(taken)
    here = [row for row in beside.live if row.group_id == group.id]
    linked = quote_of(connection, shop.id, taken.order, group) or link_of(connection, [*before, *here])
    planned = plan_group(connection, shop, group, linked, now)
    if isinstance(planned, Unplannable):
        need_person(connection, shop.id, taken.order_id, Reason("cannot_plan", {"why": planned.why.say()}), now)
        return
    settled(connection, shop.id, taken.order_id, now, "cannot_plan")
    person_id = keep_person(connection, taken.keyring, shop.id, taken.order, group, now)
    hold = _hold(taken, group, beside, before) or held_by_rule(linked, before)
    bought_as = _bought_as(taken, group, linked, beside.live)
    count = len(here) + len(planned.plan.parcels)
    numbers = _free(here, count)
    _book_quoted(taken, group, linked)
    for position, parcel in enumerate(planned.plan.parcels, 1):
        price = None if bought_as is None else parcel_price(bought_as, planned, position)
        values = goods_values(group, parcel.contents) | _values(taken, group, planned, parcel, linked)
        parcel_id = _insert(
            taken,
            values
            | {
                "number": numbers[position - 1],
                "count": count,
                "person_id": person_id,
                "bought_as": price,
                "pickup_point": point_of(price),
                "state": "held" if hold else "planned",
                "why": hold.to_json() if hold else None,
            },
        )
        keep_window(connection, shop, taken.order, taken.order_id, group, linked, parcel_id, now)
        for wish in not_taken(shop, linked):
            need_person(connection, shop.id, parcel_id, wish, now)
        if hold is not None:
            need_person(connection, shop.id, parcel_id, hold, now)
        else:
            buy_by_rule(connection, taken.work, shop, parcel_id, now)
    _count(taken, here, count)


def _hold(taken: Taken, group: FulfilmentGroup, beside: Beside, before: Sequence[Any]) -> Reason | None:
    """Why only a person has these parcels bought; the first reason."""
    shop_id = taken.shop.id
    edited = beside.edited or goes_abroad(taken.connection, taken.keyring, shop_id, group, before)
    if any(row.state == "voided" for row in beside.before):  # A person took that label out of use, not the edit.
        return Reason("label_was_voided")
    if beside.covered:
        return Reason("label_exists_already")
    return why_held(taken.connection, taken.shop, taken.order_id, taken.order, edited=edited)


def _replaced(taken: Taken) -> list[Any]:
    """The parcels whose labels an edit took out of use before the store gave their goods back; the newest last."""
    chosen = parcels.select(taken.shop.id).where(
        parcels.c.order_id == taken.order_id, parcels.c.state == "cancelled", parcels.c.why.is_not(None)
    )
    rows = taken.connection.execute(chosen.order_by(parcels.c.changed_at, parcels.c.id)).all()
    edited = [row for row in rows if (row.why or {}).get("code") in EDITS]
    return [row for row in edited if row.changed_at == edited[-1].changed_at]


def _bought_as(
    taken: Taken, group: FulfilmentGroup, linked: Linked | None, live: Sequence[Any]
) -> dict[str, Any] | None:
    """What the parcels are bought as: of the quoted price, what the order's other parcels leave of it."""
    if linked is None:
        whole = priced_again(taken.order, group)
        beside = [row.bought_as for row in live if row.bought_as and row.bought_as.get("how") == "offer"]
    else:
        whole = None if linked.offer.bought_as is None else linked.offer.bought_as.whole()
        mine = (linked.quote.id, linked.offer.code)
        beside = [row.bought_as for row in live if row.bought_as and (row.quote_id, row.offer_code) == mine]
    if whole is None:
        return None
    spent = sum(each["minor"] for each in beside if each["currency"] == whole["currency"])
    return whole if not spent else whole | {"minor": max(0, whole["minor"] - spent), "parts": ()}


def _free(here: Sequence[Any], count: int) -> list[int]:
    """The numbers that the group's parcels do not have yet, the smallest first."""
    taken = {row.number for row in here}
    return [number for number in range(1, count + len(taken) + 1) if number not in taken]


def _count(taken: Taken, here: Sequence[Any], count: int) -> None:
    """How many parcels there are now, on those that stay."""
    stay = [row.id for row in here if row.count != count]
    if stay:
        mine = parcels.update(taken.shop.id).where(parcels.c.id.in_(stay))
        taken.connection.execute(mine.values(count=count))


def _values(
    taken: Taken, group: FulfilmentGroup, planned: Planned, parcel: PlannedParcel, linked: Linked | None
) -> dict[str, Any]:
    shop = taken.shop
    location = next((each for each in shop.locations if each.external_id == group.location_id), None)
    default = shop.quoting.default_origin()
    return {
        "order_id": taken.order_id,
        "order_external_id": taken.order.id,
        "group_id": group.id,
        "grams": parcel.gross.grams,
        "size_mm": [parcel.size.length, parcel.size.width, parcel.size.height] if parcel.size else None,
        "plan_id": planned.plan.id,
        "packaging": parcel.packaging,
        "carton": parcel.carton[:60],
        "location_id": location.id if location else (default.id if default else ""),
        "store_location_id": group.location_id,
        "currency": taken.order.currency,
        "quote_id": None if linked is None else linked.quote.id,
        "offer_code": "" if linked is None else linked.offer.code,
        "marks": dict(linked.offer.marks) if linked is not None and linked.offer.marks else None,
    }


def goods_values(group: FulfilmentGroup, contents: Contents) -> dict[str, Any]:
    """The columns of a parcel that say what is in it: contents by line, names and SKUs, and what customs is told."""
    inside = {line for line, _ in contents}
    return {
        "contents": [list(each) for each in contents],
        "goods": {line.id: [line.name[:120], line.sku[:60]] for line in group.lines if line.id in inside},
        "declared": declared(group, inside),
    }


def _insert(taken: Taken, values: Mapping[str, Any]) -> str:
    parcel_id = new_id("par", taken.now)
    taken.connection.execute(
        parcels.insert(taken.shop.id, id=parcel_id, created_at=taken.now, changed_at=taken.now, **values)
    )
    return parcel_id


def _book_quoted(taken: Taken, group: FulfilmentGroup, linked: Linked | None) -> None:
    """Book what the offer was made from, before its first parcels: stores make new groups for the same goods."""
    if linked is None or linked.offer.bought_as is None:
        return
    of_offer = parcels.select(taken.shop.id, parcels.c.id).where(
        parcels.c.order_id == taken.order_id,
        parcels.c.quote_id == linked.quote.id,
        parcels.c.offer_code == linked.offer.code,
    )
    if taken.connection.execute(of_offer.limit(1)).first() is not None:
        return
    as_bought = linked.offer.bought_as
    book(
        taken.connection,
        taken.shop.id,
        "quoted",
        Money(as_bought.minor, as_bought.currency),
        order_id=taken.order_id,
        cause=f"{linked.quote.id}:{group.id}"[:160],
        now=taken.now,
    )
