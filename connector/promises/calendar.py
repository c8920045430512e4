"""Which days count: working weeks, public holidays and days that a merchant or a carrier is closed. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from connector.promises.public_holidays import days_off, weekend

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
Closed = tuple[tuple[date, date], ...]
Where = tuple[tuple[str, str], ...]

FURTHEST_DAYS = 800
"""No search for an open day goes further: a calendar without one says None."""
_DAY = timedelta(days=1)


class Calendar:
    """The open days: of these weekdays, without the public holidays of the places and without the closed ranges."""

    __slots__ = ("_closed", "_known", "_weekdays", "_where")

    def __init__(self, weekdays: frozenset[int], where: Where, closed: Closed) -> None:
        self._weekdays = weekdays
        self._where = where
        self._closed = closed
        self._known: dict[date, bool] = {}

    def is_open(self, day: date) -> bool:
        """Whether anything moves on that day."""
        found = self._known.get(day)
        if found is None:
            if len(self._known) > 4096:
                self._known.clear()
            found = self._known[day] = self._look(day)
        return found

    def from_day(self, day: date) -> date | None:
        """That day if it is open, else the next open one; None where there is none in two years."""
        for _ in range(FURTHEST_DAYS):
            if self.is_open(day):
                return day
            day += _DAY
        return None

    def after(self, day: date, days: int) -> date | None:
        """The day that so many open days after `day`; with 0 the day itself or the next open one."""
        if days <= 0:
            return self.from_day(day)
        left = days
        for _ in range(FURTHEST_DAYS):
            day += _DAY
            if self.is_open(day):
                left -= 1
                if not left:
                    return day
        return None

    def between(self, first: date, last: date) -> int:
        """How many open days after `first` it takes to reach `last`; a closed `last` counts as the next open day.

        What `after` makes of the result is never before `last`.
        """
        if last <= first:
            return 0
        count = sum(self.is_open(first + timedelta(days=n)) for n in range(1, min((last - first).days, 3660) + 1))
        return count if self.is_open(last) else count + 1

    def _look(self, day: date) -> bool:
        if day.weekday() not in self._weekdays:
            return False
        if any(day in days_off(country, province, day.year) for country, province in self._where):
            return False
        return not any(first <= day <= last for first, last in self._closed)


@lru_cache(maxsize=4096)
def calendar(weekdays: frozenset[int] | None, home: str, where: Where = (), closed: Closed = ()) -> Calendar:
    """The calendar of these weekdays (None: the working week of the country `home`); equal ones are the same object.

    `where` are the countries and provinces whose public holidays count.
    """
    return Calendar(working_week(home) if weekdays is None else weekdays, where, closed)


def working_week(country: str) -> frozenset[int]:
    """The weekdays on which a country works; Monday to Friday where that is not known."""
    return EVERY_DAY - weekend(country)


def read_weekdays(text: str) -> frozenset[int]:
    """From `mon-fri`, `mon-wed,fri` or `daily`. Raises ValueError."""
    plain = text.strip().lower()
    if plain == "daily":
        return EVERY_DAY
    found: set[int] = set()
    for part in (each.strip() for each in plain.split(",")):
        first, dash, last = (each.strip() for each in part.partition("-"))
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise ValueError(text)
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - start) % 7 if dash else 0
        found |= {(start + n) % 7 for n in range(length + 1)}
    return frozenset(found)


def write_weekdays(days: frozenset[int]) -> str:
    """What `read_weekdays` reads, as short as it can be."""
    if days == EVERY_DAY:
        return "daily"
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(WEEKDAYS[run[0]] if len(run) == 1 else f"{WEEKDAYS[run[0]]}-{WEEKDAYS[run[-1]]}" for run in runs)
