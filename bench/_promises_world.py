"""A world of deliveries that shares no code with what predicts them: its own closed days, seasons, changes and tails.

Each lane has its sorting nights; a parcel moves on on nights before a day on which both ends work, misses some of them,
more of them before Christmas, and now and then lies for days. Services get faster or slower for good at some date.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_FIXED = {
    "SK": "01-01 01-06 05-01 05-08 07-05 08-29 09-15 11-01 12-24 12-25 12-26",
    "CZ": "01-01 05-01 05-08 07-05 07-06 09-28 10-28 11-17 12-24 12-25 12-26",
    "AT": "01-01 01-06 05-01 08-15 10-26 11-01 12-08 12-25 12-26",
    "DE": "01-01 05-01 10-03 12-25 12-26",
}
_EASTER_MONDAYS = ("2024-04-01", "2025-04-21", "2026-04-06")
_EASTER_FRIDAYS = ("2024-03-29", "2025-04-18", "2026-04-03")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trip:
    """One parcel; `delivered` is None for one that was lost."""

    lane: tuple[str, str, str]
    handed_over: date
    delivered: date | None


@dataclass(frozen=True, slots=True)
class _LaneLike:
    service: str
    origin: str
    to: str
    legs: int
    misses: float
    per_day: float
    changes_on: date
    misses_after: float
    saturday: bool


def closed(country: str, day: date) -> bool:
    """Whether a country rests: Sunday, its fixed days, Easter."""
    if day.weekday() == 6 or f"{day:%m-%d}" in _FIXED[country].split():
        return True
    return day.isoformat() in _EASTER_MONDAYS or (country in {"SK", "CZ", "DE"} and day.isoformat() in _EASTER_FRIDAYS)


def trips(seed: int, start: date = date(2024, 3, 1), days: int = 800) -> Iterator[Trip]:
    """Parcels of two years and more, in the order in which they were handed over."""
    pick = random.Random(seed)
    lanes = [_lane(pick, service, to, start, days) for service in ("Standard", "Express", "Economy") for to in _FIXED]
    for number in range(days):
        day = start + number * _DAY
        for lane in lanes:
            if day.weekday() >= 5 or closed(lane.origin, day):
                continue
            season = 2.2 if (day.month, day.day) > (11, 20) else 1.0
            for _ in range(_poisson(pick, lane.per_day * season)):
                yield Trip((lane.service, lane.origin, lane.to), day, _travel(pick, lane, day))


def _lane(pick: random.Random, service: str, to: str, start: date, days: int) -> _LaneLike:
    legs = {"Express": 1, "Standard": 2, "Economy": 4}[service] + (to != "SK") * (1 if service == "Express" else 2)
    misses = pick.uniform(0.04, 0.3)
    changed = pick.choice((misses, misses, misses * 1.8, misses * 0.5))
    on = start + timedelta(days=pick.randrange(days // 3, days))
    return _LaneLike(service, "SK", to, legs, misses, pick.choice((0.4, 1.0, 3.0, 8.0)), on, changed, to == "SK")


def _travel(pick: random.Random, lane: _LaneLike, day: date) -> date | None:
    if pick.random() < 0.003:
        return None
    misses = lane.misses if day < lane.changes_on else lane.misses_after
    pause = int(pick.paretovariate(1.3)) if pick.random() < 0.015 else 0
    left = lane.legs
    while left or pause:
        day += _DAY
        rests = closed(lane.to, day) or closed(lane.origin, day) or (day.weekday() == 5 and not lane.saturday)
        if rests:
            continue
        if pause:
            pause -= 1
            continue
        peak = 1.7 if (day.month, day.day) > (12, 1) else 1.0
        monday = 1.3 if day.weekday() == 0 else 1.0
        if pick.random() >= min(0.9, misses * peak * monday):
            left -= 1
    return day


def _poisson(pick: random.Random, mean: float) -> int:
    """Arrivals between two ticks, counted by their waits."""
    count, waited = 0, pick.expovariate(1.0)
    while waited < mean:
        count += 1
        waited += pick.expovariate(1.0)
    return count
