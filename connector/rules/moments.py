"""Weekdays, times and dates in the shop's zone, and the next moment at which an answer may be another one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def next_of_day(now: datetime, at: time) -> datetime:
    """The next moment after `now` at which the shop's clocks show `at`, in UTC.

    A time that a change of clocks leaves out comes as much later; of one that comes twice, the first.
    """
    for days in (0, 1, 2):
        moment = datetime.combine(now.date() + timedelta(days=days), at, tzinfo=now.tzinfo).astimezone(UTC)
        if moment > now:
            return moment
    raise AssertionError("one of three days lies ahead")


def start_of(day: date, now: datetime) -> datetime:
    """The first moment of a day in the zone of `now`, in UTC."""
    return datetime.combine(day, time(), tzinfo=now.tzinfo).astimezone(UTC)


def first_after(now: datetime, moments: Iterable[datetime]) -> datetime | None:
    """The earliest of the moments that lies ahead."""
    return min((moment for moment in moments if moment > now), default=None)
