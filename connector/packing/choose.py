"""Which cartons: one that takes all where there is one, else the cheapest set that the effort finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import NamedTuple

from connector.packing.block import LARGEST, SNUG, Meter
from connector.packing.forms import Form, Key, key_of, total
from connector.packing.kinds import Stock
from connector.packing.rules import Rules
from connector.packing.search import LAYERS, QUICK, THOROUGH, Load, Packer, Plan

_LARGEST_SET = 3
_MOST_SETS = 400
_ENDS = 4
_SINGLE_EFFORT = 1500
_SET_TRIES: tuple[Plan, ...] = (
    QUICK,
    (LAYERS, SNUG, False),
    ((0, 2, 1), SNUG, False),
    ((1, 2, 0), SNUG, False),
    ((2, 0, 1), SNUG, False),
    (LAYERS, LARGEST, False),
)

Counts = tuple[int, ...]


class Part(NamedTuple):
    """One filled carton of a plan."""

    form: Form
    load: Load
    key: Key


@dataclass(slots=True)
class Chooser:
    """Chooses cartons for one stock of kinds."""

    stock: Stock
    forms: Sequence[Form]
    rules: Rules
    meter: Meter
    packer: Packer
    fits: list[list[bool]]

    def solve(self) -> list[Part]:
        """A plan for the whole stock; every kind of it must fit a form."""
        counts = self.stock.counts
        single = self._single(counts)
        best = [single] if single is not None else None
        if best is not None and self.rules.objective == "count":
            return best
        if best is None:
            best = self._greedy(counts)
        if len(best) <= _LARGEST_SET + 1:
            return self._improve(counts, best)
        return self._improve_ends(best)

    def _improve(self, counts: Counts, best: list[Part]) -> list[Part]:
        """A cheaper set for the same goods, or `best` itself."""
        to_beat = total(part.key for part in best)
        for bound, forms in self._sets(counts, to_beat, min(len(best) + 1, _LARGEST_SET)):
            if bound >= to_beat or self.meter.spent():
                break
            found = self._fill_set(forms, counts, to_beat)
            if found is not None:
                to_beat = total(part.key for part in found)
                best = found
        return best

    def _improve_ends(self, parts: list[Part]) -> list[Part]:
        """The least filled cartons of a long plan packed again, a few at a time."""
        for size in (3, 2):
            changed = True
            while changed and not self.meter.spent():
                changed = False
                weakest = sorted(range(len(parts)), key=lambda i: (parts[i].load.volume / parts[i].form.volume, i))[
                    :_ENDS
                ]
                for chosen in combinations(sorted(weakest), min(size, len(weakest))):
                    some = [parts[i] for i in chosen]
                    counts = tuple(map(sum, zip(*(part.load.units for part in some), strict=True)))
                    better = self._improve(counts, some)
                    if better is not some:
                        parts = [part for i, part in enumerate(parts) if i not in chosen] + better
                        changed = True
                        break
        return parts

    def _single(self, counts: Counts) -> Part | None:
        """The cheapest carton that takes everything."""
        volume, weight, present = self._measure(counts)
        able = [
            (key_of(form, weight, self.rules), number)
            for number, form in enumerate(self.forms)
            if form.volume >= volume and form.net >= weight and all(self.fits[number][kind] for kind in present)
        ]
        for key, number in sorted(able):
            form = self.forms[number]
            load = self._quick(form, counts)
            if load.units != counts and not self.meter.spent():
                load = self.packer.fill(form.room, counts, form.net, THOROUGH, _SINGLE_EFFORT)
            if load.units == counts:
                return Part(form, load, key)
        return None

    def _quick(self, form: Form, counts: Counts) -> Load:
        """One try; where the effort runs out within it, the way that needs none if that takes more."""
        if not self.meter.spent():
            load = self.packer.quick(form.room, counts, form.net)
            if not self.meter.spent():
                return load
            rough = self.packer.rough(form.room, counts, form.net)
            return rough if rough.volume > load.volume else load
        return self.packer.rough(form.room, counts, form.net)

    def _greedy(self, counts: Counts) -> list[Part]:
        """Carton after carton, each time the one that takes most for what it costs."""
        parts: list[Part] = []
        while any(counts):
            part = self._single(counts) if parts else None
            if part is None:
                part = self._next(counts)
            times = min(rest // units for rest, units in zip(counts, part.load.units, strict=True) if units)
            parts += [part] * times
            counts = tuple(rest - times * units for rest, units in zip(counts, part.load.units, strict=True))
        return parts

    def _next(self, counts: Counts) -> Part:
        """The form whose load takes the greatest share of what is left, for its cost."""
        volume, weight, present = self._measure(counts)
        best: tuple[float, int, Part] | None = None
        for number, form in enumerate(self.forms):
            if not any(self.fits[number][kind] for kind in present):
                continue
            load = self._quick(form, counts)
            if not any(load.units):
                continue
            key = key_of(form, load.weight, self.rules)
            share = max(load.volume / volume, load.weight / weight if weight else 0.0)
            worth = share if self.rules.objective == "count" else share / max(key[0], 1)
            if best is None or worth > best[0]:
                best = (worth, number, Part(form, load, key))
        assert best is not None  # noqa: S101 - every kind fits a form, and an empty carton takes a unit of it.
        return best[2]

    def _sets(self, counts: Counts, to_beat: Key, largest: int) -> Iterator[tuple[Key, tuple[int, ...]]]:
        """Sets of forms that could hold everything and might cost less than `to_beat`, the most hopeful first."""
        volume, weight, present = self._measure(counts)
        numbers = [n for n in range(len(self.forms)) if any(self.fits[n][kind] for kind in present)]
        found: list[tuple[Key, tuple[int, ...]]] = []
        for size in range(2, largest + 1):
            for chosen in combinations_with_replacement(numbers, size):
                forms = [self.forms[n] for n in chosen]
                if sum(form.volume for form in forms) < volume or sum(form.net for form in forms) < weight:
                    continue
                if not all(any(self.fits[n][kind] for n in chosen) for kind in present):
                    continue
                bound = self._bound(forms, weight)
                if bound < to_beat:
                    found.append((bound, chosen))
                    if len(found) > 20 * _MOST_SETS:
                        break
        return iter(sorted(found)[:_MOST_SETS])

    def _bound(self, forms: Sequence[Form], weight: int) -> Key:
        """What the set costs at least."""
        floor = sum(form.floor for form in forms)
        if not any(form.carton.flat_rate for form in forms):
            floor = max(floor, weight + sum(form.carton.tare for form in forms))
        cost = sum(form.carton.cost.minor for form in forms if form.carton.cost)
        if self.rules.objective == "count":
            return (len(forms), floor, cost)
        if self.rules.price_per_kg is not None:
            return (floor * self.rules.price_per_kg.minor + 1000 * cost, floor, len(forms))
        return (floor, cost, len(forms))

    def _fill_set(self, chosen: tuple[int, ...], counts: Counts, to_beat: Key) -> list[Part] | None:
        """Fill these forms one after the other in a few ways; None unless all goes in for less than `to_beat`."""
        forms = sorted((self.forms[n] for n in chosen), key=lambda form: (-form.volume, form.outer))
        weight = self._measure(counts)[1]
        floor = sum(form.floor for form in forms)
        gross = max(floor, weight + sum(form.carton.tare for form in forms))
        orders = [forms] if forms[0] == forms[-1] else [forms, forms[::-1]]
        for order in orders:
            for way in _SET_TRIES:
                if self.meter.spent():
                    return None
                parts = self._fill_in_order(order, counts, way, gross, floor)
                if parts is not None and total(part.key for part in parts) < to_beat:
                    return parts
        return None

    def _fill_in_order(
        self, forms: Sequence[Form], counts: Counts, way: Plan, gross: int, floor: int
    ) -> list[Part] | None:
        parts: list[Part] = []
        for number, form in enumerate(forms):
            last = number == len(forms) - 1
            net = form.net
            if not last and floor:
                net = min(net, max(form.floor, -(-gross * form.floor // floor)) - form.carton.tare)
            load = self.packer.fill(form.room, counts, net, (way,))
            counts = tuple(rest - units for rest, units in zip(counts, load.units, strict=True))
            if any(load.units):
                parts.append(Part(form, load, key_of(form, load.weight, self.rules)))
            if not any(counts):
                return parts
        return None

    def _measure(self, counts: Counts) -> tuple[int, int, list[int]]:
        volume = weight = 0
        present = []
        for number, (kind, count) in enumerate(zip(self.stock.kinds, counts, strict=True)):
            if count:
                volume += kind.volume * count if not kind.growth else kind.volume
                weight += kind.weight * count
                present.append(number)
        return volume, weight, present


def chooser(stock: Stock, forms: Sequence[Form], rules: Rules, meter: Meter) -> Chooser:
    """A Chooser for that stock."""
    fits = [[fits_in(form, kind.turns, kind.weight) for kind in stock.kinds] for form in forms]
    return Chooser(stock, forms, rules, meter, Packer(stock.kinds, meter, rules.support), fits)


def fits_in(form: Form, turns: Sequence[tuple[tuple[int, int, int], int]], weight: int) -> bool:
    """Whether one unit fits the empty form."""
    a, b, c = form.room
    return weight <= form.net and any(w <= a and h <= b and d <= c for (w, h, d), _ in turns)
