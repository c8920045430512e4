"""Lanes that one service prices alike: what is learned on one of them is known on all. Pure.

Carriers price by a few zones, which they do not name in their answers. Two lanes whose prices agree wherever both were
seen, at two weights or more, are taken for one zone; the first price that disagrees parts them again. A lane with a
single price is taken for the only zone that has this price, where every other zone is known to have another. Zones that
turn out to agree at three weights or more, and to differ at none, are one. Weights in one step of the price list count
as one weight.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from connector.quotes.learning.samples import Estimate, Sample, Samples
from connector.quotes.learning.steps import Steps, step_of

_MOST_ZONES = 24
_MOST_LANES = 4_000
_LEAST_COMMON = 2
_LEAST_TO_MERGE = 3
_LOOK_AGAIN = 16
"""After so many prices it is looked whether the zone of the last one is another one's, too."""


@dataclass(slots=True)
class Zones:
    """The zones of one service of one account, each a price list, and the lanes that are in one."""

    lists: list[Samples] = field(default_factory=list)
    zone_of: OrderedDict[str, int] = field(default_factory=OrderedDict)
    steps: Steps = field(default_factory=Steps)
    seen: int = 0

    def see(self, lane: str, seen: Samples, grams: int, sample: Sample) -> None:
        """A price came on a lane; `seen` is all that was seen there, that price included."""
        zone = self.zone_of.get(lane)
        if zone is not None:
            known = self.lists[zone].exact(grams, sample.at)
            if known is None or known.minor == sample.minor:
                for weight, other in self.lists[zone].beside(grams):
                    self.steps.note(grams, sample.minor, weight, other.minor)
                self.lists[zone].see(grams, sample)
                self.zone_of.move_to_end(lane)
                self.seen += 1
                if not self.seen % _LOOK_AGAIN:
                    self._merge(zone, sample.at)
                return
            del self.zone_of[lane]
        zone = self._like(seen, sample.at) if len(seen) >= _LEAST_COMMON else self._only(grams, sample)
        if zone is None and len(seen) >= _LEAST_COMMON:
            zone = self._empty()
        if zone is not None:
            self._join(lane, zone, seen)

    def estimate(self, lane: str, grams: int, now: float) -> Estimate | None:
        """A weight's price in the zone of a lane."""
        zone = self.zone_of.get(lane)
        return None if zone is None else self.lists[zone].estimate(grams, now, self.steps.unit)

    def line(self, lane: str, grams: int, now: float) -> Estimate | None:
        """The same as if the zone's price list were a straight line between two weights that were seen."""
        zone = self.zone_of.get(lane)
        return None if zone is None else self.lists[zone].line(grams, now)

    def forget(self) -> None:
        """The carrier has changed its prices."""
        self.lists.clear()
        self.steps.forget()
        self.zone_of.clear()

    def leave(self, lane: str) -> None:
        """A lane's prices have changed."""
        self.zone_of.pop(lane, None)

    def _join(self, lane: str, zone: int, seen: Samples) -> None:
        self.zone_of[lane] = zone
        for grams, sample in seen:
            self.lists[zone].see(grams, sample)
        if len(self.zone_of) > _MOST_LANES:
            self.zone_of.popitem(last=False)

    def _like(self, seen: Samples, now: float) -> int | None:
        """The zone that agrees with what was seen at the most weights and disagrees at none."""
        best, most = None, _LEAST_COMMON - 1
        for number in range(len(self.lists)):
            common = self._common(seen, number, now)
            if common > most:
                best, most = number, common
        return best

    def _only(self, grams: int, sample: Sample) -> int | None:
        """The only zone with that price, if every other one is known to have another."""
        unit, found = self.steps.unit, None
        if unit is None:
            return None
        for number, prices in enumerate(self.lists):
            if len(prices):
                known = prices.alike(grams, sample.at, unit)
                if known is None or (known.minor == sample.minor and found is not None):
                    return None
                if known.minor == sample.minor:
                    found = number
        return found

    def _common(self, seen: Samples, number: int, now: float) -> int:
        """At how many weights a zone has the prices that were seen; -1 where it has another one."""
        unit, prices = self.steps.unit, self.lists[number]
        common: set[int] = set()
        for grams, sample in seen:
            known = prices.alike(grams, now, unit)
            if known is not None:
                if known.minor != sample.minor:
                    return -1
                common.add(grams if unit is None else step_of(grams, unit))
        return len(common)

    def _empty(self) -> int | None:
        """A zone that is not used yet; None where there are enough."""
        for number, prices in enumerate(self.lists):
            if not len(prices):
                return number
        if len(self.lists) >= _MOST_ZONES:
            return None
        self.lists.append(Samples())
        return len(self.lists) - 1

    def _merge(self, zone: int, now: float) -> None:
        """Take in the first other zone that this one turns out to be."""
        mine, used = self.lists[zone], set(self.zone_of.values())
        for number, others in enumerate(self.lists):
            if number not in used:
                self.lists[number] = Samples()
            elif number != zone and self._common(others, zone, now) >= max(
                _LEAST_COMMON, min(_LEAST_TO_MERGE, len(others))
            ):
                for grams, sample in others:
                    if mine.exact(grams, now) is None:
                        mine.see(grams, sample)
                self.lists[number] = Samples()
                for lane, its in self.zone_of.items():
                    if its == number:
                        self.zone_of[lane] = zone
                return
