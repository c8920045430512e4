"""The days on which a parcel may arrive: first version, transit days over working days of the origin's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day of arrival, as moments at noon in the shop's zone."""

    earliest: datetime
    latest: datetime


def window(now: datetime, transit_days: int | None, zone: str) -> Window | None:
    """When a parcel that is handed over on the next working day arrives; None without transit days."""
    if transit_days is None or transit_days < 0:
        return None
    local = ZoneInfo(zone)
    arrival = add_working_days(now.astimezone(local).date(), transit_days + 1)
    moment = datetime.combine(arrival, time(12), tzinfo=local)
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
    local = ZoneInfo(zone)
    tomorrow = now.astimezone(local).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), tzinfo=local).astimezone(UTC)
