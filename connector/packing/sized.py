"""Plan a cart whose products have sizes: several cartons, and what to do where a size or a carton is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from carriers.measure import Size, Weight
from connector.packing import plan
from connector.packing.carton import Carton
from connector.packing.goods import Extents, Goods
from connector.packing.pack import pack
from connector.packing.plan import Item, Plan, PlannedParcel, Unplannable, identity, plan_parcels
from connector.packing.result import Left, PackedCarton, Packing
from connector.packing.rules import Rules
from connector.words.reason import Reason

_DEFAULT = plan.Carton("default")


@dataclass(frozen=True, slots=True)
class Missing:
    """What is done where something is not known or does not fit.

    `weight` is assumed for a unit without one (None: the cart cannot be planned). A unit without size is taken for a
    cube of `density` kg/m3; with `density` None such units go by weight into `carton`. What fits no carton ships in its
    own box, or is withheld.
    """

    weight: Weight | None = None
    density: int | None = None
    carton: plan.Carton = _DEFAULT
    unfit: Literal["own_box", "withhold"] = "withhold"


def plan_sized(items: Sequence[Item], cartons: Sequence[Carton], rules: Rules, missing: Missing) -> Plan | Unplannable:
    """The parcels of a cart, packed. What had to be assumed stands in the plan's notes, what cannot be is returned.

    Raises PackingError for sizes and weights that cannot be.
    """
    notes: list[Reason] = []
    goods: list[Goods] = []
    unsized: list[Item] = []
    for item in items:
        weight = item.weight
        if weight is None:
            if missing.weight is None:
                return Unplannable(Reason("weight_missing", {"item": item.called}))
            weight = missing.weight
            notes.append(Reason("weight_assumed", {"item": item.called, "grams": weight.grams}))
        size = item.size
        if size is None and missing.density is not None:
            size = cube(weight, missing.density)
            notes.append(Reason("size_assumed", {"item": item.called, "mm": size.depth}))
        if size is None:
            unsized.append(replace(item, weight=weight))
            notes.append(Reason("size_missing", {"item": item.called}))
        else:
            goods.append(Goods(item.key, item.quantity, size, weight.grams, item.handling))
    packing = _packed(goods, cartons, rules, missing, {item.key: item.called for item in items}, notes)
    if isinstance(packing, Unplannable):
        return packing
    pieces = {item.key: (item.line, item.units) for item in items}
    order = {item.line: position for position, item in enumerate(items)}
    parcels = [_parcel(parcel, pieces, order) for parcel in packing.cartons]
    if unsized:
        by_weight = plan_parcels(unsized, missing.carton, None)
        if isinstance(by_weight, Unplannable):
            return by_weight
        parcels += by_weight.parcels
    return Plan(identity(parcels), tuple(parcels), tuple(notes), packing)


def _packed(
    goods: Sequence[Goods],
    cartons: Sequence[Carton],
    rules: Rules,
    missing: Missing,
    names: dict[str, str],
    notes: list[Reason],
) -> Packing | Unplannable:
    """The goods packed; what fits no carton is noted and boxed by itself, or makes the cart unplannable."""
    packing = pack(goods, cartons, rules)
    if not packing.left:
        return packing
    why = [_named(left, names) for left in packing.left]
    if missing.unfit == "withhold":
        return Unplannable(why[0])
    notes += why
    packing = pack(_boxed(goods, packing), cartons, rules)
    return Unplannable(_named(packing.left[0], names)) if packing.left else packing


def cube(weight: Weight, density: int) -> Extents:
    """The cube that a unit of that density (kg/m3) fills, its edge rounded up to whole mm."""
    volume = 1_000_000 * max(weight.grams, 1) / density
    edge = max(1, round(volume ** (1 / 3)))
    while edge**3 < volume:
        edge += 1
    return Extents(edge, edge, edge)


def _boxed(goods: Sequence[Goods], packing: Packing) -> list[Goods]:
    """The goods again, what fitted no carton in its own box."""
    unfit = {left.key for left in packing.left}
    return [
        replace(each, handling=replace(each.handling, own_box=True)) if each.key in unfit else each for each in goods
    ]


def _named(left: Left, names: dict[str, str]) -> Reason:
    return Reason(left.why.code, {**left.why.params, "item": names[left.key]})


def _parcel(parcel: PackedCarton, pieces: dict[str, tuple[str, int]], order: dict[str, int]) -> PlannedParcel:
    units: dict[str, int] = {}
    for placed in parcel.placed:
        line, in_piece = pieces[placed.key]
        units[line] = units.get(line, 0) + placed.units * in_piece
    return PlannedParcel(
        carton="own box" if parcel.own_box else parcel.carton.name,
        contents=tuple(sorted(units.items(), key=lambda pair: order[pair[0]])),
        gross=Weight(parcel.gross),
        tare=Weight(parcel.carton.tare),
        size=Size(parcel.outer.length, parcel.outer.width, parcel.outer.depth),
        billed=parcel.billed,
    )
