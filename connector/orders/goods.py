"""Which goods a parcel holds, whatever the store calls their lines today. Pure.

Stores give a line another id when its group is split or moved, or when it was taken off the order and added again:
goods are known by their variant or SKU, and parcels follow their lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.catalogue.product import key_of
from connector.orders.plan import goods_of
from connector.store import FulfilmentGroup, OrderLine

Contents = tuple[tuple[str, int], ...]


def key_of_line(line: OrderLine) -> str:
    """What the goods of an order's line are known by."""
    return key_of(line.variant_id, line.sku) if line.variant_id or line.sku else f"name:{line.name[:120]}"


def wanted_in(group: FulfilmentGroup) -> Counter[str]:
    """The units that wait in a group, by goods."""
    waiting, found = goods_of(group), Counter[str]()
    for line in group.lines:
        if line.id in waiting:
            found[key_of_line(line)] += line.quantity
    return found


def shipped_by_hand(group: FulfilmentGroup, told: Mapping[str, int]) -> Counter[str]:
    """The units, by goods, that the store counts as shipped beyond those that we `told` it of (by line)."""
    found = Counter[str]()
    for line in group.shipped:
        if line.requires_shipping:
            found[key_of_line(line)] += max(0, line.quantity - told.get(line.id, 0))
    return +found


def contents_of(row: Any, names: Mapping[str, str]) -> Contents:
    """A parcel's goods and units. `names`: the goods of every line that the order has now, by its id."""
    declared = (row.declared or {}).get("lines", {})
    found: Counter[str] = Counter()
    for line, units in row.contents:
        name, sku = (row.goods or {}).get(line, ("", ""))
        key = names.get(line) or declared.get(line, {}).get("key", "")
        if not key or key == "sku:":
            key = f"sku:{sku}" if sku else f"name:{name}" if name else f"line:{line}"
        found[key] += units
    return tuple(sorted(found.items()))


def names_in(groups: Iterable[FulfilmentGroup]) -> dict[str, str]:
    """The goods of every line of these groups, by the line's id."""
    return {line.id: key_of_line(line) for group in groups for line in (*group.shipped, *group.lines)}


def share_out(
    group: FulfilmentGroup, parcels: Sequence[tuple[str, Sequence[tuple[str, int]], Contents]]
) -> dict[str, Contents]:
    """The contents of parcels (id, contents by line, contents by goods) in the lines that the group has now.

    A parcel keeps its lines as far as they are there; what has no line any more keeps its old one.
    """
    free = dict(goods_of(group))
    keys = names_in([group])
    kept: dict[str, dict[str, int]] = {}
    for parcel_id, contents, _ in parcels:
        mine = kept.setdefault(parcel_id, {})
        for line, units in contents:
            taken = min(units, free.get(line, 0))
            if taken:
                mine[line] = taken
                free[line] -= taken
    shared: dict[str, Contents] = {}
    for parcel_id, contents, goods in parcels:
        mine = kept[parcel_id]
        for key, units in goods:
            missing = units - sum(each for line, each in mine.items() if keys.get(line) == key)
            for line in [each for each, found in keys.items() if found == key]:
                taken = min(missing, free.get(line, 0))
                if taken > 0:
                    mine[line] = mine.get(line, 0) + taken
                    free[line] -= taken
                    missing -= taken
        whole = sum(mine.values()) == sum(units for _, units in contents)
        shared[parcel_id] = tuple((line, each) for line, each in (mine.items() if whole else contents))
    return shared


def only(group: FulfilmentGroup, plan: Mapping[str, int], taken: Contents) -> FulfilmentGroup:
    """The group with just the units of `plan` (by goods), without what other parcels hold of its lines (`taken`)."""
    left, free = dict(plan), goods_of(group)
    for line_id, units in taken:
        if line_id in free:
            free[line_id] = max(0, free[line_id] - units)
    lines = []
    for line in group.lines:
        key = key_of_line(line)
        units = min(left.get(key, 0), free.get(line.id, 0))
        if units:
            left[key] -= units
            lines.append(replace(line, quantity=units))
    return replace(group, lines=tuple(lines))
