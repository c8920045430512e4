"""Why a parcel is as it is: its weights, its fill, the cheaper cartons that would not do, and the packer's steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.packing.block import Meter
from connector.packing.carton import Carton
from connector.packing.forms import Form, key_of, shelf_of
from connector.packing.goods import LARGEST_MM, Goods
from connector.packing.kinds import Stock, stock_of
from connector.packing.result import PackedCarton, Packing, Placed
from connector.packing.rules import Rules
from connector.packing.search import DIRECTIONS, FURTHER, QUICK, Packer
from connector.packing.whynot import SIDES, overshoot
from connector.words.reason import Reason

_EFFORT = 1500
_NO_METER = 1 << 62


@dataclass(frozen=True, slots=True)
class Explained:
    """One parcel in words: its figures, why not a cheaper carton, and what to do in which order."""

    figures: tuple[Reason, ...]
    why_not: tuple[Reason, ...]
    steps: tuple[Reason, ...]


def explain(packing: Packing, goods: Sequence[Goods], cartons: Iterable[Carton], rules: Rules) -> list[Explained]:
    """Each parcel of the packing in words. Searches a little for the cheaper cartons, so it is not for the checkout."""
    by_key = {each.key: each for each in goods}
    shelf = shelf_of(tuple(cartons), goods, rules)
    return [
        Explained(
            tuple(_figures(parcel)),
            () if parcel.own_box else tuple(_why_not(parcel, by_key, shelf.forms, rules)),
            tuple(packing_steps(parcel)),
        )
        for parcel in packing.cartons
    ]


def _figures(parcel: PackedCarton) -> Iterable[Reason]:
    name = parcel.carton.name
    if parcel.own_box:
        yield Reason("pack_own_box", {"item": name})
    else:
        yield Reason("pack_filled", {"carton": name, "units": parcel.units, "percent": round(100 * parcel.fill)})
    yield Reason("pack_gross", {"grams": parcel.gross, "tare": parcel.carton.tare})
    if parcel.dimensional > parcel.gross:
        yield Reason(
            "pack_billed_by_size",
            {"billed": parcel.billed, "size": str(parcel.outer), "gross": parcel.gross},
        )
    else:
        yield Reason("pack_billed_by_weight", {"billed": parcel.billed, "dimensional": parcel.dimensional})


def _why_not(parcel: PackedCarton, goods: Mapping[str, Goods], forms: Sequence[Form], rules: Rules) -> Iterable[Reason]:
    """For each cheaper or smaller carton, nearest in cost first, what keeps this parcel's goods out of it."""
    inside = Counter[str]()
    for placed in parcel.placed:
        inside[placed.key] += placed.units
    content = [
        Goods(key, units, goods[key].size, goods[key].weight, goods[key].handling) for key, units in inside.items()
    ]
    stock = stock_of(content)
    weight = stock.weight
    mine = next(form for form in forms if form.carton == parcel.carton and form.outer == parcel.outer)
    cost = key_of(mine, weight, rules)
    said = {parcel.carton.name}
    for form in sorted(forms, key=lambda each: key_of(each, weight, rules), reverse=True):
        theirs = key_of(form, weight, rules)
        if form.carton.name in said or theirs > cost or (theirs == cost and form.volume >= mine.volume):
            continue
        said.add(form.carton.name)
        reason = _keeps_out(form, content, stock, rules)
        if reason is not None:
            yield reason


def _keeps_out(form: Form, content: Sequence[Goods], stock: Stock, rules: Rules) -> Reason | None:
    """What keeps these goods out of that form; None where a longer search finds that they would fit after all."""
    name = form.carton.name
    if stock.weight > form.net:
        return Reason("pack_not_heavy", {"carton": name, "over": stock.weight - form.net})
    for each in content:
        over, side = overshoot(each, form.room)
        if over:
            return Reason("pack_not_unit", {"carton": name, "item": each.key, "over": over, "side": side})
    if not any(kind.growth for kind in stock.kinds) and stock.volume > form.volume:
        return Reason("pack_not_room", {"carton": name, "percent": -(-100 * stock.volume // form.volume)})
    over, side = _together(form, stock, rules)
    if not over:
        return None
    if side == "depth":
        return Reason("pack_not_tall", {"carton": name, "over": over})
    return Reason("pack_not_together", {"carton": name, "over": over, "side": side})


def _together(form: Form, stock: Stock, rules: Rules) -> tuple[int, str]:
    """By how many mm, and on which side, a form would have to be larger to take everything; 0 if it takes it."""
    best: tuple[int, int] | None = None
    for axis in (2, 1, 0):
        room = [*form.room]
        room[axis] = LARGEST_MM
        packer = Packer(stock.kinds, Meter(_NO_METER), rules.support)
        along = [axes for axes in DIRECTIONS if axes[0] == axis]
        ways = [QUICK, FURTHER[1], *((axes, judge, False) for axes in along for judge in (0, 4))]
        for way in ways:
            load = packer.fill((room[0], room[1], room[2]), stock.counts, form.net, (way,), _EFFORT)
            if load.units != stock.counts:
                continue
            over = max(block.box[axis + 3] for block in load.blocks) - form.room[axis]
            if best is None or over < best[0]:
                best = (max(over, 0), axis)
    if best is None:
        return 0, SIDES[2]
    return best[0], SIDES[best[1]]


def packing_steps(parcel: PackedCarton) -> Iterable[Reason]:
    """What a packer does, lowest first: equal units that lie alike, stacked and side by side, are one step."""
    for number, (first, columns, layers) in enumerate(_runs(parcel.placed), 1):
        params: dict[str, str | int] = {
            "number": number,
            "units": columns * layers * first.units,
            "item": first.key,
            "columns": columns,
            "layers": layers,
            "width": first.width,
            "length": first.length,
            "depth": first.depth,
            "x": first.x,
            "y": first.y,
        }
        if first.z == parcel.carton.padding or parcel.own_box:
            yield Reason("pack_step_floor", params)
        else:
            yield Reason("pack_step_above", {**params, "z": first.z})


def _runs(placed: Sequence[Placed]) -> list[tuple[Placed, int, int]]:
    """The first unit of each run, how many stacks of them stand beside each other, and how high each is."""
    stacks: dict[tuple[object, ...], list[Placed]] = {}
    tops: dict[tuple[object, ...], tuple[object, ...]] = {}
    for each in sorted(placed, key=lambda one: (one.z, one.y, one.x)):
        shape = (each.key, each.units, each.width, each.length, each.depth, each.x, each.y)
        start = tops.pop((*shape, each.z), (*shape, each.z))
        stacks.setdefault(start, []).append(each)
        tops[*shape, each.z + each.depth] = start
    runs: list[tuple[Placed, int, int]] = []
    for stack in sorted(stacks.values(), key=_place_of_stack):
        first, layers = stack[0], len(stack)
        if runs:
            begun, columns, high = runs[-1]
            alike = (begun.key, begun.units, begun.z, begun.width, begun.length, begun.depth, high)
            if alike == (first.key, first.units, first.z, first.width, first.length, first.depth, layers):
                runs[-1] = (begun, columns + 1, high)
                continue
        runs.append((first, 1, layers))
    return runs


def _place_of_stack(stack: Sequence[Placed]) -> tuple[object, ...]:
    """What begins lowest comes first; of these the largest, alike ones together."""
    first = stack[0]
    size = (first.width, first.length, first.depth)
    height = first.depth * len(stack)
    return (first.z, -first.width * first.length * height, first.key, size, len(stack), first.y, first.x)
