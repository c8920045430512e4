"""Lanes that one service prices alike: what is learned on one of them is known on all. Pure.

Carriers price by a few zones, which they do not name in their answers. Two lanes whose prices agree wherever both were
seen, at two weights or more, are taken for one zone; the first price that disagrees parts them again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from connector.quotes.learning.samples import Estimate, Sample, Samples
from connector.quotes.learning.steps import Steps

_MOST_ZONES = 24
_MOST_LANES = 4_000
_LEAST_COMMON = 2


@dataclass(slots=True)
class Zones:
    """The zones of one service of one account, each a price list, and the lanes that are in one."""

    lists: list[Samples] = field(default_factory=list)
    zone_of: OrderedDict[str, int] = field(default_factory=OrderedDict)
    steps: Steps = field(default_factory=Steps)

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
                return
            del self.zone_of[lane]
        zone = self._like(seen, sample.at)
        if zone is None and len(seen) >= _LEAST_COMMON and len(self.lists) < _MOST_ZONES:
            self.lists.append(Samples())
            zone = len(self.lists) - 1
        if zone is not None:
            self._join(lane, zone, seen)

    def estimate(self, lane: str, grams: int, now: float) -> Estimate | None:
        """A weight's price in the zone of a lane."""
        zone = self.zone_of.get(lane)
        return None if zone is None else self.lists[zone].estimate(grams, now, self.steps.unit)

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
        for number, prices in enumerate(self.lists):
            common = 0
            for grams, sample in seen:
                known = prices.exact(grams, now)
                if known is not None and known.minor != sample.minor:
                    common = -1
                    break
                common += known is not None
            if common > most:
                best, most = number, common
        return best
