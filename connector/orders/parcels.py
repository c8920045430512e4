"""The parcels of an order's group: those of its quote, as long as the goods are the same; else planned anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carriers.money import Money
from connector.catalogue import keep
from connector.catalogue.product import key_of
from connector.directory import ShopEntry
from connector.orders.quote_of import Linked
from connector.packing.plan import Plan, Unplannable
from connector.quotes.facts import settings_of
from connector.quotes.kept_plans import keep_plans, load_plan
from connector.quotes.parcels import Line, base_key, goods_in, plan_lines
from connector.store import FulfilmentGroup, OrderLine


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan, its contents by the order's line ids; `quoted` says that it is the very plan of the quote."""

    plan: Plan
    quoted: bool = False


def plan_group(
    connection: Connection, shop: ShopEntry, group: FulfilmentGroup, linked: Linked | None, now: datetime
) -> Planned | Unplannable:
    """The parcels of the units that wait in the group."""
    lines = [line for line in group.lines if line.requires_shipping and line.quantity > 0]
    if linked is not None and linked.plan_id:
        plan = load_plan(connection, shop.id, linked.plan_id)
        if plan is not None and goods_in(plan) == _goods(lines):
            return Planned(_by_line(plan, lines), quoted=True)
    settings = shop.settings if linked is None else settings_of(linked.quote.facts)
    account = None if linked is None or linked.offer.bought_as is None else linked.offer.bought_as.account_id
    entry = shop.accounts.get(account or "")
    known = keep.products(connection, shop.id, {key for line in lines for key in _keys(line)})
    wanted = [
        Line(
            _key(line),
            line.sku or line.name,
            line.quantity,
            None if line.weight is None else line.weight.grams,
            next((known[key].for_quote() for key in _keys(line) if key in known), None),
        )
        for line in lines
    ]
    planned = plan_lines(wanted, settings, account or "", "" if entry is None else entry.kind.name)
    if isinstance(planned, Unplannable):
        return planned
    keep_plans(connection, shop.id, {planned.id: planned}, now)
    quoted = linked is not None and planned.id == linked.plan_id
    return Planned(_by_line(planned, lines), quoted=quoted)


def parcel_price(bought_as: dict[str, Any], planned: Planned, number: int) -> dict[str, Any]:
    """What the parcel of this number (from 1) is bought as: at its own quoted price where that is known.

    The offer's price is for all parcels together; else each is compared with its share by weight.
    """
    parcels, parts = planned.plan.parcels, bought_as.get("parts") or ()
    alone = {**bought_as, "parts": ()}
    if len(parcels) == 1:
        return alone
    if planned.quoted and len(parts) == len(parcels) and sum(parts) == bought_as["minor"]:
        return {**alone, "minor": parts[number - 1]}
    total = Money(bought_as["minor"], bought_as["currency"])
    return {**alone, "minor": total.share_out([each.gross.grams for each in parcels])[number - 1].minor}


def _key(line: OrderLine) -> str:
    return key_of(line.variant_id, line.sku) if line.variant_id or line.sku else f"name:{line.name}"


def _keys(line: OrderLine) -> tuple[str, ...]:
    """Where the catalogue may know it: by variant, by SKU."""
    return (_key(line), f"sku:{line.sku}") if line.sku else (_key(line),)


def _goods(lines: Sequence[OrderLine]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        found[_key(line)] = found.get(_key(line), 0) + line.quantity
    return found


def _by_line(plan: Plan, lines: Sequence[OrderLine]) -> Plan:
    """The plan with the order's lines in place of the goods' keys."""
    waiting: dict[str, list[list[Any]]] = {}
    for line in lines:
        waiting.setdefault(_key(line), []).append([line.id, line.quantity])
    order = {line.id: position for position, line in enumerate(lines)}
    parcels = []
    for parcel in plan.parcels:
        inside: dict[str, int] = {}
        for key, units in parcel.contents:
            left = units
            for entry in waiting[base_key(key)]:
                taken = min(left, entry[1])
                if taken:
                    inside[entry[0]] = inside.get(entry[0], 0) + taken
                    entry[1] -= taken
                    left -= taken
        ordered = sorted(inside.items(), key=lambda pair: order[pair[0]])
        parcels.append(replace(parcel, contents=tuple(ordered)))
    return replace(plan, parcels=tuple(parcels))
