"""From days that parcels took to days that can be promised: quantiles of a lane with the share that they really cover.

A lane's own recent parcels decide, nothing else: no shape is assumed. Days are whole, so the day that 90 of 100 want
may be one that 96 of 100 keep; then 96 is what is stated. Parcels that are still under way count as far as they have
come (Kaplan and Meier's estimate, 1958), otherwise slow ones would be missing among the newest. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEAST = 30
"""Parcels that a lane needs before its own history speaks."""
NEWEST = 500
"""Only the newest so many count: enough for 95 of 100, few enough to follow a service that changed."""
OLDEST_WEEKS = 52
LOST_DAYS = 45
"""Working days after which a parcel that is still under way counts as one that never came."""
_EARLY = 0.05


@dataclass(frozen=True, slots=True)
class Count:
    """`parcels` that were handed over in that week and took so many working days, or still travel after that many."""

    week: int
    days: int
    parcels: int
    arrived: bool = True


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Days from hand-over: hardly any parcel is sooner than `least`; `permille` of 1000 are there after `most`."""

    least: int
    most: int
    permille: int
    parcels: int


def estimate(counts: Iterable[Count], percent: int, least: int = LEAST) -> Quantiles | None:
    """What can be promised so that at least `percent` of 100 keep it; None for a lane that is too young or too slow."""
    used = _newest(counts)
    arrived: dict[int, int] = {}
    under_way: dict[int, int] = {}
    for each in used:
        into = arrived if each.arrived else under_way
        into[each.days] = into.get(each.days, 0) + each.parcels
    total = sum(arrived.values())
    if total < least:
        return None
    everyone = total + sum(under_way.values())
    return _choose(_shares(arrived, under_way, everyone), percent / 100, total)


def _newest(counts: Iterable[Count]) -> list[Count]:
    """Whole weeks, newest first, until there are enough parcels."""
    ordered = sorted(counts, key=lambda each: (-each.week, each.days, not each.arrived))
    if not ordered:
        return []
    newest, taken, used = ordered[0].week, 0, list[Count]()
    for each in ordered:
        if each.week != (used[-1].week if used else newest) and (taken >= NEWEST or newest - each.week > OLDEST_WEEKS):
            break
        used.append(each)
        taken += each.parcels
    return used


def _shares(arrived: dict[int, int], under_way: dict[int, int], everyone: int) -> Sequence[tuple[int, float]]:
    """The share that has arrived after each number of days, for every number on which something arrived."""
    missing, at_risk, found = 1.0, everyone, list[tuple[int, float]]()
    # One parcel more than was seen, which never arrives: the next one may be worse than all before it.
    for days in sorted({*arrived, *under_way}):
        came = arrived.get(days, 0)
        if came:
            missing *= 1 - came / (at_risk + 1)
            found.append((days, 1 - missing))
        at_risk -= came + under_way.get(days, 0)
    return found


def _choose(shares: Sequence[tuple[int, float]], wanted: float, parcels: int) -> Quantiles | None:
    kept = next(((days, share) for days, share in shares if share >= wanted), None)
    if kept is None:
        return None
    early = next(days for days, share in shares if share > _EARLY)
    return Quantiles(min(early, kept[0]), kept[0], int(kept[1] * 1000), parcels)
