"""Answers of a table that hold for a whole stretch of weights: made once a day, then found by bisection."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from carriers.parcel import RateRequest
from carriers.rate import Rates
from carriers.rate_table.client import Table


@dataclass(frozen=True, slots=True)
class _Zone:
    """From each of `edges` on, in grams, another answer holds; those that were asked for are in `answers`."""

    edges: tuple[int, ...]
    divided: bool
    answers: dict[int, Rates] = field(default_factory=dict)


class Stretches:
    """The answers for one parcel to a zone whose prices depend on nothing but the band that its weight lies in."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._day: date | None = None
        self._zones: dict[tuple[str, str], _Zone | None] = {}

    def find(self, request: RateRequest, day: date, answer: Callable[[RateRequest, date], Rates]) -> Rates:
        """What `answer` gives, asked once for each stretch of weights where that says everything."""
        if len(request.parcels) != 1:
            return answer(request, day)
        zones = self._table.zones_of(request.destination)
        if not isinstance(zones, tuple) or len(zones) != 1:
            return answer(request, day)
        zone, parcel = self._zone(zones[0], request.currency, day), request.parcels[0]
        if zone is None or (zone.divided and parcel.size is not None):
            return answer(request, day)
        stretch = bisect_right(zone.edges, parcel.weight.grams)
        found = zone.answers.get(stretch)
        if found is None:
            found = answer(request, day)
            if all(problem.code == "no_service" for problem in found.problems):
                zone.answers[stretch] = found  # Refusals name the very weight.
        return found

    def _zone(self, name: str, currency: str, day: date) -> _Zone | None:
        if self._day != day:
            self._day = day
            self._zones.clear()
        key = (name, self._table.priced_in(currency))
        if key not in self._zones:
            edges = self._table.edges(name, currency, day)
            self._zones[key] = None if edges is None else _Zone(*edges)
        return self._zones[key]
