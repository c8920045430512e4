"""Which cartons: one that takes all where there is one, else the cheapest set that the effort finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import sub
from typing import NamedTuple

from connector.packing.block import SNUG, Meter
from connector.packing.forms import Form, Key, Shelf, bound_of, key_of, total
from connector.packing.kinds import Stock
from connector.packing.rules import Rules
from connector.packing.search import FURTHER, LAYERS, QUICK, Load, Packer, Plan

_LARGEST_SET = 3
_ENDS = 4
_MOST_KINDS = 48
_COMPARE = 5
"""With more kinds than that, all cartons are compared for every fifth parcel only."""
_SINGLE_EFFORT = 1500
_HOPELESS = 0.35
"""A carton is given up when one quick try leaves out goods of more than that share of its room ..."""
_NEAR = 0.1
"""... and when the further tries so far leave out more than that. Fewest cartons are worth all of the tries."""
_SET_TRIES: tuple[Plan, ...] = (
    (LAYERS, SNUG, False),
    ((1, 2, 0), SNUG, False),
    ((0, 2, 1), SNUG, False),
)

_DEEP_EFFORT = 3000
_IMPROVE_PART = 14
"""The first plan may take all of the effort, making it better a fourteenth of it."""

Counts = tuple[int, ...]


class Stage(NamedTuple):
    """A round of tries to beat a plan: the ways to fill each carton, and whether to search beyond the first choices."""

    ways: tuple[Plan, ...]
    most: int
    deep: bool = False


_BILLED_STAGES = (Stage((QUICK,), 200), Stage(_SET_TRIES, 6))
_COUNT_STAGES = (*_BILLED_STAGES, Stage((QUICK,), 4, deep=True))
_LIKELY = {1: 1.0, 2: 0.9}
"""Only sets that the goods fill to at most that share are tried, by how many kinds there are ..."""
_LIKELY_MIXED = 0.75
"""... and with more kinds. Above it one try in a hundred succeeds, and costs what the better ones need."""


class Part(NamedTuple):
    """One filled carton of a plan."""

    form: Form
    load: Load
    key: Key


@dataclass(slots=True)
class Chooser:
    """Chooses cartons for one stock of kinds."""

    stock: Stock
    shelf: Shelf
    rules: Rules
    meter: Meter
    packer: Packer
    fits: list[tuple[bool, ...]]
    nested: bool

    def solve(self) -> list[Part]:
        """A plan for the whole stock; every kind of it must fit a form."""
        counts = self.stock.counts
        single = self._single(counts)
        best = [single] if single is not None else None
        if best is not None and self.rules.objective == "count":
            return best
        if best is None:
            best = self._greedy(counts)
        limit = self.meter.limit
        self.meter.limit = min(limit, self.meter.used + self.rules.effort // _IMPROVE_PART)
        best = self._improve(counts, best) if len(best) <= _LARGEST_SET + 1 else self._improve_ends(best)
        self.meter.limit = limit
        return best

    def _improve(self, counts: Counts, best: list[Part]) -> list[Part]:
        """A cheaper set for the same goods, or `best` itself."""
        to_beat = total(part.key for part in best)
        for stage in _COUNT_STAGES if self.rules.objective == "count" else _BILLED_STAGES:
            stop = self.meter.used + self._deep_effort() if stage.deep else self.meter.limit
            for bound, forms in self._sets(counts, to_beat, stage, len(best)):
                if bound >= to_beat or self.meter.used >= min(stop, self.meter.limit):
                    break
                found = self._fill_set(forms, counts, to_beat, stage)
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

    def _single(self, counts: Counts, effort: int = _SINGLE_EFFORT) -> Part | None:
        """The cheapest carton that takes everything, with so much effort on each that one quick try does not fill."""
        volume, weight, present = self._measure(counts)
        goods = sum(self.stock.kinds[kind].volume * counts[kind] for kind in present)
        able = [
            (key_of(form, weight, self.rules), number)
            for number, form in enumerate(self.shelf.forms)
            if form.volume >= volume and form.net >= weight and all(self.fits[kind][number] for kind in present)
        ]
        for key, number in sorted(able):
            form = self.shelf.forms[number]
            load = self._quick(form, counts)
            if load.units != counts and effort and not self.meter.spent():
                near = 0
                if self.rules.objective == "billed" and not self.nested:
                    if goods - load.volume > _HOPELESS * form.volume:
                        continue
                    near = goods - int(_NEAR * form.volume)
                load = self.packer.fill(form.room, counts, form.net, FURTHER, effort, near=near)
            if load.units == counts:
                return Part(form, load, key)
        return None

    def _quick(self, form: Form, counts: Counts) -> Load:
        """One try; where the effort runs out within it, the way that needs none if that takes more."""
        some = _window(counts)
        load = None
        if not self.meter.spent():
            load = self.packer.quick(form.room, some, form.net)
            if not self.meter.spent():
                return load if any(load.units) or some is counts else self.packer.rough(form.room, counts, form.net)
        rough = self.packer.rough(form.room, some, form.net)
        if not any(rough.units):
            rough = self.packer.rough(form.room, counts, form.net)
        return rough if load is None or rough.volume > load.volume else load

    def _greedy(self, counts: Counts) -> list[Part]:
        """Carton after carton, each time the one that takes most for what it costs."""
        parts: list[Part] = []
        rounds = 0
        while any(counts):
            part = self._single(counts, 0) if parts else None
            if part is None and parts and (self.meter.spent() or rounds % _COMPARE):
                part = self._same_again(parts[-1].form, counts)
            if part is None:
                part = self._next(counts)
            rounds += len(counts) > _MOST_KINDS
            times = min(rest // units for rest, units in zip(counts, part.load.units, strict=True) if units)
            parts += [part] * times
            counts = tuple(rest - times * units for rest, units in zip(counts, part.load.units, strict=True))
        return parts

    def _same_again(self, form: Form, counts: Counts) -> Part | None:
        """The form that was chosen last, without comparing, if anything fits it: for carts of very many kinds."""
        load = self._quick(form, counts)
        return Part(form, load, key_of(form, load.weight, self.rules)) if any(load.units) else None

    def _next(self, counts: Counts) -> Part:
        """The form whose load takes the greatest share of what is left, for its cost."""
        volume, weight, present = self._measure(counts)
        best: tuple[float, Part] | None = None
        for number, form in enumerate(self.shelf.forms):
            if not any(self.fits[kind][number] for kind in present):
                continue
            load = self._quick(form, counts)
            if not any(load.units):
                continue
            key = key_of(form, load.weight, self.rules)
            share = max(load.volume / volume, load.weight / weight if weight else 0.0)
            worth = share if self.rules.objective == "count" else share / max(key[0], 1)
            if best is None or worth > best[0]:
                best = (worth, Part(form, load, key))
        assert best is not None  # noqa: S101 - every kind fits a form, and an empty carton takes a unit of it.
        return best[1]

    def _sets(self, counts: Counts, to_beat: Key, stage: Stage, size: int) -> list[tuple[Key, tuple[int, ...]]]:
        """Sets of forms that could hold everything and might cost less than `to_beat`, the most hopeful first."""
        volume, weight, present = self._measure(counts)
        smallest, largest = (1, size) if stage.deep else (2, size + 1)
        if stage.deep:
            to_beat = self._well_below(to_beat)
        found: list[tuple[Key, tuple[int, ...]]] = []
        if self.rules.objective == "billed" and not self.nested:
            volume = int(volume / _LIKELY.get(len(present), _LIKELY_MIXED))
        for some in self.shelf.sets:
            if some.least >= to_beat:
                break
            if some.volume < volume or some.net < weight or not smallest <= len(some.chosen) <= largest:
                continue
            bound = bound_of(some, weight, self.rules)
            if bound < to_beat and all(any(self.fits[kind][n] for n in some.chosen) for kind in present):
                found.append((bound, some.chosen))
        return sorted(found)[: stage.most]

    def _deep_effort(self) -> int:
        """A carton less is worth more effort than a lighter one."""
        return _DEEP_EFFORT if self.rules.objective == "count" else _DEEP_EFFORT // 4

    def _well_below(self, to_beat: Key) -> Key:
        """What a set must cost less than to be worth a deep search: a carton less, or a sixth less."""
        first = to_beat[0] if self.rules.objective == "count" else to_beat[0] - to_beat[0] // 6
        return (first, 0, 0)

    def _fill_set(self, chosen: tuple[int, ...], counts: Counts, to_beat: Key, stage: Stage) -> list[Part] | None:
        """Fill these forms one after the other in a few ways; None unless all goes in for less than `to_beat`."""
        forms = sorted((self.shelf.forms[n] for n in chosen), key=lambda form: (-form.volume, form.outer))
        volume, weight, _ = self._measure(counts)
        floor = sum(form.floor for form in forms)
        gross = max(floor, weight + sum(form.carton.tare for form in forms))
        orders = [forms] if forms[0] == forms[-1] else [forms, forms[::-1]]
        nets = {form: min(form.net, self._even_share(form, gross, floor)) for form in forms}
        for order in orders:
            for way in stage.ways:
                if self.meter.spent():
                    return None
                parts = self._fill_in_order(order, nets, counts, way, volume, weight, deep=stage.deep)
                if parts is not None and total(part.key for part in parts) < to_beat:
                    return parts
        return None

    def _even_share(self, form: Form, gross: int, floor: int) -> int:
        """The grams of goods at which no carton of a set is billed above the others' unused dimensional weight."""
        if self.rules.objective == "count" or not floor:
            return form.net
        return max(form.floor, -(-gross * form.floor // floor)) - form.carton.tare

    def _fill_in_order(
        self,
        forms: Sequence[Form],
        nets: Mapping[Form, int],
        counts: Counts,
        way: Plan,
        volume: int,
        weight: int,
        *,
        deep: bool,
    ) -> list[Part] | None:
        parts: list[Part] = []
        room = sum(form.volume for form in forms)
        able = sum(form.net for form in forms)
        for number, form in enumerate(forms):
            net = form.net if number == len(forms) - 1 else nets[form]
            if deep:
                ways = (way, *FURTHER)
                load = self.packer.search(form.room, counts, net, ways, self._deep_effort() // (2 * len(forms)))
            else:
                load = self.packer.fill(form.room, counts, net, (way,))
            counts = tuple(map(sub, counts, load.units))
            volume -= load.volume
            weight -= load.weight
            room -= form.volume
            able -= form.net
            if any(load.units):
                parts.append(Part(form, load, key_of(form, load.weight, self.rules)))
            if not any(counts):
                return parts
            if weight > able or (volume > room and not self.nested):
                return None
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


def _window(counts: Counts) -> Counts:
    """Of very many kinds, the largest and a spread of the others: enough for one carton, and quick to look through."""
    present = [number for number, count in enumerate(counts) if count]
    if len(present) <= _MOST_KINDS:
        return counts
    half = _MOST_KINDS // 2
    rest = present[half:]
    kept = {*present[:half], *(rest[i * len(rest) // half] for i in range(half))}
    return tuple(count if number in kept else 0 for number, count in enumerate(counts))


def chooser(stock: Stock, shelf: Shelf, rules: Rules, meter: Meter) -> Chooser:
    """A Chooser for that stock."""
    fits = [shelf.fits(kind) for kind in stock.kinds]
    nested = any(kind.growth for kind in stock.kinds)
    return Chooser(stock, shelf, rules, meter, Packer(stock.kinds, meter, rules.support), fits, nested)
