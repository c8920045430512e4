"""The forms that a carton can take: one for a box, one for each thickness that a bag may be stuffed to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import NamedTuple

from carriers.money import Money
from connector.packing.block import UNLIMITED, Kind, Turn
from connector.packing.carton import Carton
from connector.packing.errors import PackingError
from connector.packing.goods import Extents, Goods
from connector.packing.kinds import sides_of
from connector.packing.rules import Rules, billed, fees

_BAG_FORMS = 8
_FORMS_IN_THREES = 12
_FORMS_IN_PAIRS = 60
_FITS_KEPT = 8192
_SHELVES_KEPT = 64

Key = tuple[int, int, int]
"""What one parcel costs in the order of the objective; the keys of a plan's parcels add up."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A carton as it is used: the room that is free for goods, its outer size, and the grams of goods it may take."""

    carton: Carton
    room: tuple[int, int, int]
    outer: Extents
    net: int
    floor: int
    """Billed weight of the empty form, g: no parcel in it is billed less."""
    volume: int
    sides: tuple[int, int, int]
    """The edges of the room, shortest first."""

    def takes(self, turns: Sequence[Turn], sides: tuple[int, int, int], weight: int, *, free: bool) -> bool:
        """Whether one unit fits the empty form; `free` where it may lie in any way."""
        if weight > self.net:
            return False
        if free:
            (a, b, c), (p, q, r) = sides, self.sides
            return a <= p and b <= q and c <= r
        p, q, r = self.room
        return any(w <= p and h <= q and d <= r for (w, h, d), _ in turns)


class FormSet(NamedTuple):
    """A few forms used together, and what they come to; `least` is what they cost at the very least."""

    least: Key
    chosen: tuple[int, ...]
    volume: int
    net: int
    floor: int
    tare: int
    cost: int
    flat_rate: bool


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The forms that may be used, the roomiest first, and the sets of up to three of them, the cheapest first.

    `fitting` keeps which forms take a unit of a kind.
    """

    forms: tuple[Form, ...]
    sets: tuple[FormSet, ...]
    fitting: dict[Kind, tuple[bool, ...]] = field(default_factory=dict)

    def fits(self, kind: Kind) -> tuple[bool, ...]:
        """For each form whether it takes one unit of that kind."""
        found = self.fitting.get(kind)
        if found is None:
            if len(self.fitting) >= _FITS_KEPT:
                self.fitting.clear()
            found = tuple(form.takes(kind.turns, kind.sides, kind.weight, free=kind.free) for form in self.forms)
            self.fitting[kind] = found
        return found


_shelves: OrderedDict[tuple[int, int], tuple[tuple[Carton, ...], Rules, Shelf]] = OrderedDict()


def shelf_of(cartons: tuple[Carton, ...], goods: Sequence[Goods], rules: Rules) -> Shelf:
    """The shelf for these goods. Without bags it depends on cartons and rules alone and is kept."""
    key = (id(cartons), id(rules))
    kept = _shelves.get(key)
    if kept is not None and kept[0] is cartons and kept[1] is rules:
        return kept[2]
    if any(carton.bulge is not None for carton in cartons):
        return _shelf(forms_of(cartons, goods, rules), rules)
    shelf = _kept_shelf(cartons, rules)
    _shelves[key] = (cartons, rules, shelf)
    while len(_shelves) > _SHELVES_KEPT:
        _shelves.popitem(last=False)
    return shelf


@lru_cache(maxsize=_SHELVES_KEPT)
def _kept_shelf(cartons: tuple[Carton, ...], rules: Rules) -> Shelf:
    return _shelf(forms_of(cartons, (), rules), rules)


def _one_currency(cartons: Iterable[Carton], rules: Rules) -> None:
    amounts: list[Money] = [carton.cost for carton in cartons if carton.cost is not None]
    amounts += [mark.fee for mark in rules.limits.oversize if mark.fee is not None]
    if rules.price_per_kg is not None:
        amounts.append(rules.price_per_kg)
    currencies = sorted({each.currency for each in amounts})
    if len(currencies) > 1:
        raise PackingError(
            f"Cartons, surcharges and the price per kg must share a currency, not {', '.join(currencies)}.",
            detail="currency",
        )


def _shelf(forms: Sequence[Form], rules: Rules) -> Shelf:
    ranked = sorted(forms, key=lambda form: (-form.volume, form.outer, form.carton.name))
    largest = 3 if len(ranked) <= _FORMS_IN_THREES else 2 if len(ranked) <= _FORMS_IN_PAIRS else 1
    sets = [
        _form_set(ranked, chosen, rules)
        for size in range(1, largest + 1)
        for chosen in combinations_with_replacement(range(len(ranked)), size)
    ]
    return Shelf(tuple(ranked), tuple(sorted(sets)))


def _form_set(forms: Sequence[Form], chosen: tuple[int, ...], rules: Rules) -> FormSet:
    some = [forms[number] for number in chosen]
    found = FormSet(
        (0, 0, 0),
        chosen,
        sum(form.volume for form in some),
        sum(form.net for form in some),
        sum(form.floor for form in some),
        sum(form.carton.tare for form in some),
        sum(form.carton.cost.minor for form in some if form.carton.cost),
        any(form.carton.flat_rate for form in some),
    )
    return found._replace(least=bound_of(found, 0, rules))


def bound_of(some: FormSet, weight: int, rules: Rules) -> Key:
    """What the set costs at least with so many grams of goods in it."""
    floor = some.floor if some.flat_rate else max(some.floor, weight + some.tare)
    if rules.objective == "count":
        return (len(some.chosen), floor, some.cost)
    if rules.price_per_kg is not None:
        return (floor * rules.price_per_kg.minor + 1000 * some.cost, floor, len(some.chosen))
    return (floor, some.cost, len(some.chosen))


def forms_of(cartons: Iterable[Carton], goods: Sequence[Goods], rules: Rules) -> list[Form]:
    """Every form that is in stock, that the carrier takes, and that leaves any room.

    Raises PackingError where costs are in two currencies.
    """
    cartons = tuple(cartons)
    _one_currency(cartons, rules)
    found: list[Form] = []
    for carton in cartons:
        if not carton.in_stock or (carton.carriers and rules.carrier and rules.carrier not in carton.carriers):
            continue
        for inner, outer in _sizes(carton, goods):
            room = tuple(edge - 2 * carton.padding for edge in inner)
            if min(room) <= 0 or rules.limits.refuses(outer) is not None:
                continue
            most = [each for each in (carton.max_gross, rules.limits.gross) if each is not None]
            net = min(most) - carton.tare if most else UNLIMITED
            if net <= 0:
                continue
            floor = billed(outer, carton.tare, rules, flat_rate=carton.flat_rate)
            volume = room[0] * room[1] * room[2]
            found.append(Form(carton, (room[0], room[1], room[2]), outer, net, floor, volume, sides_of(room)))
    return found


def _sizes(carton: Carton, goods: Sequence[Goods]) -> list[tuple[Extents, Extents]]:
    """Inner and outer size of each form. A bag stuffed `t` thick is `t` narrower and shorter inside."""
    if carton.bulge is None:
        return [(carton.inner, carton.outer)]
    heights: set[int] = {carton.bulge}
    for each in goods:
        for edge in set(each.size):
            heights.update(edge * times for times in range(1, min(each.quantity, carton.bulge // edge) + 1))
    ranked = sorted(heights)
    if len(ranked) > _BAG_FORMS:
        ranked = [ranked[(len(ranked) - 1) * step // (_BAG_FORMS - 1)] for step in range(_BAG_FORMS)]
    sizes = []
    for inside in ranked:
        thickness = min(carton.bulge, inside + 2 * carton.padding)
        width, length = carton.inner.width - thickness, carton.inner.length - thickness
        if width > 0 and length > 0:
            outer = Extents(carton.outer.width, carton.outer.length, thickness)
            sizes.append((Extents(width, length, thickness), outer))
    return sizes


def key_of(form: Form, net: int, rules: Rules) -> Key:
    """The cost of one parcel of that form with `net` grams of goods."""
    gross = form.carton.tare + net
    if rules.objective == "billed" and rules.price_per_kg is None and not rules.limits.oversize and form.floor:
        cost = form.carton.cost
        return (
            max(form.floor, -(-gross // rules.rounding) * rules.rounding),
            0 if cost is None else cost.minor,
            1,
        )
    weight = billed(form.outer, gross, rules, flat_rate=form.carton.flat_rate)
    due = [*fees(form.outer, gross, rules), *([form.carton.cost] if form.carton.cost else [])]
    return key(weight, due, rules)


def key(weight: int, due: Sequence[Money], rules: Rules) -> Key:
    """Billed grams and money due as the objective orders them. Raises PackingError for two currencies."""
    currencies = {each.currency for each in due} | ({rules.price_per_kg.currency} if rules.price_per_kg else set())
    if len(currencies) > 1:
        raise PackingError(
            f"Cartons, surcharges and the price per kg must share a currency, not {', '.join(sorted(currencies))}.",
            detail="currency",
        )
    minor = sum(each.minor for each in due)
    if rules.objective == "count":
        return (1, weight, minor)
    if rules.price_per_kg is not None:
        return (weight * rules.price_per_kg.minor + 1000 * minor, weight, 1)
    return (weight, minor, 1)


def total(keys: Iterable[Key]) -> Key:
    """The sum of keys."""
    a = b = c = 0
    for first, second, third in keys:
        a += first
        b += second
        c += third
    return (a, b, c)
