"""Judges a packing by the rules of the trade alone: written apart from the packer, it knows only what goes in and out.

`faults` returns one sentence for each rule that a packing breaks; none means that a person could pack it like that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, permutations

from connector.packing.carton import Carton
from connector.packing.goods import Goods
from connector.packing.result import PackedCarton, Packing, Placed
from connector.packing.rules import Rules

_SLACK = 1e-9


def faults(goods: Sequence[Goods], cartons: Iterable[Carton], rules: Rules, packing: Packing) -> list[str]:
    """Everything that is wrong with the packing of these goods into these cartons."""
    by_key = {each.key: each for each in goods}
    known = list(cartons)
    found = list(_conserved(goods, packing))
    for number, parcel in enumerate(packing.cartons):
        where = f"parcel {number} ({parcel.carton.name})"
        unknown = [each.key for each in parcel.placed if each.key not in by_key]
        if unknown:
            found.append(f"{where}: holds {unknown}, which nobody ordered")
            continue
        checks = [_weights, _company, _shapes, _walls, _apart, _pressure]
        if rules.support:
            checks.append(_support)
        found += [f"{where}: {fault}" for check in checks for fault in check(parcel, by_key, rules)]
        if not parcel.own_box:
            found += [f"{where}: {fault}" for fault in _carton(parcel, known, rules)]
    return found


def _conserved(goods: Sequence[Goods], packing: Packing) -> Iterator[str]:
    """Nothing lost, nothing twice."""
    ordered: Counter[str] = Counter()
    for each in goods:
        ordered[each.key] += each.quantity
    there: Counter[str] = Counter()
    for parcel in packing.cartons:
        if not parcel.placed:
            yield f"an empty {parcel.carton.name} is shipped"
        for placed in parcel.placed:
            there[placed.key] += placed.units
    for left in packing.left:
        there[left.key] += left.units
    for key in sorted(ordered.keys() | there.keys()):
        if ordered[key] != there[key]:
            yield f"{key}: {ordered[key]} ordered, {there[key]} answered for"


def _weights(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """Gross, greatest gross, billed; the carrier's limits."""
    gross = sum(goods[each.key].weight * each.units for each in parcel.placed) + parcel.carton.tare
    if gross != parcel.gross:
        yield f"weighs {gross} g, not {parcel.gross} g"
    most = parcel.carton.max_gross
    if most is not None and gross > most:
        yield f"weighs {gross} g, more than {most} g"
    sides = sorted(parcel.outer)
    girth = sides[2] + 2 * (sides[0] + sides[1])
    limits = rules.limits
    if limits.gross is not None and gross > limits.gross:
        yield f"weighs {gross} g, the carrier takes {limits.gross} g"
    if limits.longest is not None and sides[2] > limits.longest:
        yield f"is {sides[2]} mm long, the carrier takes {limits.longest} mm"
    if limits.length_and_girth is not None and girth > limits.length_and_girth:
        yield f"has length and girth {girth} mm, the carrier takes {limits.length_and_girth} mm"
    volume = sides[0] * sides[1] * sides[2]
    counted: float = gross if rules.divisor is None else max(gross, volume / rules.divisor)
    for mark in limits.oversize:
        passed = (
            (mark.longest is not None and sides[2] > mark.longest)
            or (mark.length_and_girth is not None and girth > mark.length_and_girth)
            or (mark.gross is not None and gross > mark.gross)
        )
        if passed:
            counted = max(counted, mark.least_billed)
    if parcel.carton.flat_rate:
        counted = 0
    if not counted <= parcel.billed < counted + rules.rounding + _SLACK or parcel.billed % rules.rounding:
        yield f"is billed {parcel.billed} g for {counted} g"


def _company(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """Ship-alone, own box, separation groups."""
    handlings = [goods[each.key].handling for each in parcel.placed]
    units = sum(each.units for each in parcel.placed)
    if units > 1 and any(handling.alone for handling in handlings):
        yield "holds something that ships alone, and more"
    if any(handling.own_box for handling in handlings):
        if not parcel.own_box or units != 1 or sorted(parcel.outer) != sorted(goods[parcel.placed[0].key].size):
            yield "holds something that ships in its own box"
    elif parcel.own_box:
        yield "ships something without a carton that has no box of its own"
    groups = {handling.group for handling in handlings if handling.group}
    if len(groups) > 1:
        yield f"mixes {sorted(groups)}"


def _shapes(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """Every unit lies in a turn that it may take; only what nests is stacked into itself."""
    for placed in parcel.placed:
        each = goods[placed.key]
        grown = list(each.size)
        if placed.units > 1:
            if each.handling.nests_by is None:
                yield f"{placed.key}: {placed.units} units in one place"
                continue
            grown[2] += (placed.units - 1) * each.handling.nests_by
        lies = (placed.width, placed.length, placed.depth)
        turns = [(grown[i], grown[j], grown[k]) for i, j, k in permutations(range(3)) if each.handling.may_stand[k]]
        if lies not in turns:
            yield f"{placed.key}: lies as {lies}, may lie as {sorted(set(turns))}"


def _walls(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """Everything lies inside, padding kept free."""
    gap = 0 if parcel.own_box else parcel.carton.padding
    for placed in parcel.placed:
        low = (placed.x, placed.y, placed.z)
        high = (placed.x + placed.width, placed.y + placed.length, placed.z + placed.depth)
        for name, start, end, inner in zip("xyz", low, high, parcel.inner, strict=True):
            if start < gap or end > inner - gap:
                yield f"{placed.key}: {name} from {start} to {end} of {inner} with {gap} kept free"


def _carton(parcel: PackedCarton, known: Sequence[Carton], rules: Rules) -> Iterator[str]:
    """The carton is one of the merchant's, in stock, and has the sizes it is said to have."""
    carton = parcel.carton
    if carton not in known or not carton.in_stock:
        yield "is no carton in stock"
    if carton.carriers and rules.carrier and rules.carrier not in carton.carriers:
        yield f"is not taken by {rules.carrier}"
    if carton.bulge is None:
        if tuple(parcel.inner) != tuple(carton.inner) or tuple(parcel.outer) != tuple(carton.outer):
            yield f"measures {parcel.inner} in {parcel.outer}"
        return
    thick = parcel.outer[2]
    if thick > carton.bulge:
        yield f"bulges to {thick} mm, more than {carton.bulge} mm"
    if parcel.inner[0] > carton.inner[0] - thick or parcel.inner[1] > carton.inner[1] - thick:
        yield f"is {parcel.inner} inside though it bulges to {thick} mm"
    if parcel.inner[2] > thick or parcel.outer[0] < carton.outer[0] or parcel.outer[1] < carton.outer[1]:
        yield f"measures {parcel.inner} in {parcel.outer}"


def _apart(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """No two things in one place."""
    by_start = sorted(parcel.placed, key=lambda each: each.x)
    for number, one in enumerate(by_start):
        for other in by_start[number + 1 :]:
            if other.x >= one.x + one.width:
                break
            if _common(one.y, one.length, other.y, other.length) and _common(one.z, one.depth, other.z, other.depth):
                yield f"{one.key} and {other.key} overlap"


def _pressure(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """Nothing lies above what bears nothing."""
    if all(goods[each.key].handling.bears for each in parcel.placed):
        return
    for one, other in combinations(parcel.placed, 2):
        for below, above in ((one, other), (other, one)):
            if not goods[below.key].handling.bears and above.z >= below.z + below.depth and _plan_area(below, above):
                yield f"{above.key} lies above {below.key}"


def _support(parcel: PackedCarton, goods: Mapping[str, Goods], rules: Rules) -> Iterator[str]:
    """The stated share of each base rests on the floor or on goods."""
    tops: dict[int, list[Placed]] = {}
    for placed in parcel.placed:
        tops.setdefault(placed.z + placed.depth, []).append(placed)
    for placed in parcel.placed:
        if placed.z == parcel.carton.padding or parcel.own_box:
            continue
        resting = sum(_plan_area(placed, below) for below in tops.get(placed.z, []))
        if resting < rules.support * placed.width * placed.length - _SLACK:
            yield f"{placed.key}: {resting} of {placed.width * placed.length} mm2 of its base rest on something"


def _plan_area(one: Placed, other: Placed) -> int:
    return _common(one.x, one.width, other.x, other.width) * _common(one.y, one.length, other.y, other.length)


def _common(start: int, extent: int, other_start: int, other_extent: int) -> int:
    return max(0, min(start + extent, other_start + other_extent) - max(start, other_start))
