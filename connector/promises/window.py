"""The days on which a parcel may arrive: first version, transit days over working days of the origin's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SATURDAY = 5
_MOST_DAYS = 365  # More is no transit time, whatever a carrier says.


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day of arrival, as moments at noon in the shop's zone."""

    earliest: datetime
    latest: datetime


def window(now: datetime, transit_days: int | None, zone: str) -> Window | None:
    """When a parcel that is handed over on the next working day arrives; None without transit days that can be."""
    if transit_days is None or not 0 <= transit_days <= _MOST_DAYS:
        return None
    return _window(now.astimezone(_zone(zone)).date(), transit_days, zone)


@lru_cache(maxsize=1024)
def _window(today: date, transit_days: int, zone: str) -> Window:
    moment = datetime.combine(add_working_days(today, transit_days + 1), time(12), tzinfo=_zone(zone))
    return Window(moment, moment)


def add_working_days(day: date, days: int) -> date:
    """The day that many working days (Monday to Friday) after `day`."""
    while days:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            days -= 1
    return day


def next_midnight(now: datetime, zone: str) -> datetime:
    """When the local date changes, in UTC: a window computed before is out of date from then on."""
    local = _zone(zone)
    tomorrow = now.astimezone(local).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), tzinfo=local).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    """The zone, or UTC for a name that this machine's list does not have: a store may know newer ones."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
