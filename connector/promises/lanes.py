"""What a shop's own deliveries say of each lane and service, by region and by country, ready for the checkout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.promises.history import Count, Quantiles, estimate

Told = tuple[int, int, int, int]
"""Least and most working days, how many of 1000 keep the most, and on how many parcels that was seen."""


@dataclass(frozen=True, slots=True)
class LaneID:
    """One service of an account from a region to a region; empty regions stand for the whole country."""

    account_id: str
    carrier: str
    service: str
    from_country: str
    from_region: str
    to_country: str
    to_region: str

    @property
    def whole_country(self) -> LaneID:
        """The same between the two countries."""
        return LaneID(self.account_id, self.carrier, self.service, self.from_country, "", self.to_country, "")


@dataclass(frozen=True, slots=True)
class LaneBook:
    """Estimates by (from country, from region, to country, to region), then by account, carrier and service."""

    estimates: Mapping[tuple[str, str, str, str], Mapping[str, Told]] = field(default_factory=dict)

    def towards(self, start: tuple[str, str], to: tuple[str, str]) -> tuple[str, Mapping[str, Told]]:
        """What is known of the way between two (country, region), region before country; and a name of that answer."""
        if not self.estimates:
            return "", {}
        wide = self.estimates.get((start[0], "", to[0], ""), {})
        near = self.estimates.get((*start, *to), {}) if start[1] or to[1] else {}
        if not near:
            return (f"{start[0]}-{to[0]}" if wide else ""), wide
        return f"{start[0]}.{start[1]}-{to[0]}.{to[1]}", {**wide, **near}


NO_LANES = LaneBook()


def region_of(province: str, postal_code: str) -> str:
    """A part of a country: its province where that is known, else the first two signs of the postal code."""
    plain = province.strip().upper()
    return plain[:20] if plain else re.sub(r"[\s-]", "", postal_code).upper()[:2]


def book(counts: Mapping[LaneID, Iterable[Count]], coverage: int) -> LaneBook:
    """Estimates for every lane with enough parcels, and for countries from all their regions together."""
    listed = {lane: list(some) for lane, some in counts.items()}
    wide: dict[LaneID, dict[tuple[int, int, bool], int]] = {}
    for lane, some in listed.items():
        into = wide.setdefault(lane.whole_country, {})
        for each in some:
            key = (each.week, each.days, each.arrived)
            into[key] = into.get(key, 0) + each.parcels
    for lane, added in wide.items():
        listed[lane] = [Count(week, days, parcels, arrived) for (week, days, arrived), parcels in added.items()]
    found: dict[tuple[str, str, str, str], dict[str, Told]] = {}
    for lane, some in listed.items():
        told = estimate(some, coverage)
        if told is not None:
            place = (lane.from_country, lane.from_region, lane.to_country, lane.to_region)
            found.setdefault(place, {})[f"{lane.account_id}/{lane.carrier}/{lane.service}"] = _told(told)
    return LaneBook(found)


def _told(found: Quantiles) -> Told:
    return found.least, found.most, found.permille, found.parcels
