"""When a parcel leaves and on which days it arrives: cut-off, handling, calendars at both ends, transit. Pure.

An order counts for the day on which it would still be in time if the platform showed the answer for as long as it may.
From there on working days of the shop count for handling, then the carrier's next pick-up, then its days of transit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.promises.calendar import WEEKDAYS, Calendar, Closed, Where, calendar, read_weekdays
from connector.promises.settings import MOST_DAYS, Basis, CarrierTimes, PromiseSettings, clock
from connector.promises.transit_table import Going, Transit

By = Literal["carrier", "table", "history"]
_MOST_KEPT = 4096
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class Window:
    """First and last day of arrival, as calendar days at the buyer's.

    `by` says what the days rest on; `coverage` is how many of 1000 parcels were there by `latest`, where that was
    seen (on `parcels` of them). `ships_on` is the day of the hand-over, `cut_off` the moment until which that holds.
    """

    earliest: date
    latest: date
    by: By
    ships_on: date
    coverage: int | None = None
    parcels: int = 0
    cut_off: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as far as calendars and tables ask: country, province, postal code; empty where not known."""

    country: str = ""
    province: str = ""
    postal: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """What a lane's history says: days from hand-over, how many of 1000 keep `most`, and on how many it was seen."""

    least: int
    most: int
    coverage: int
    parcels: int


@dataclass(frozen=True, slots=True)
class Service:
    """A carrier's service with its own idea of transit days, and what history says of it here."""

    carrier: str
    service: str
    days: int | None = None
    basis: Basis = "unknown"
    lane: Lane | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """The working day that an order counts for, until when that is so, and when dates made now are out of date.

    `day` is None where the shop never works.
    """

    day: date | None
    cut_off: datetime | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Goods:
    """What the cart's goods need: working days of handling, and the day before which they are not there."""

    handling_days: int = 0
    not_before: date | None = None


class Promises:
    """One location of one shop, made for being asked often. `names` are the ids that the location goes by."""

    def __init__(self, settings: PromiseSettings, timezone: str, origin: Spot, names: Sequence[str] = ()) -> None:
        self.settings = settings
        self.origin = origin
        self._names = tuple(each for each in names if each)
        self._times = settings.at(*self._names)
        self.zone = zone_of(self._times.timezone or timezone)
        self._cut_offs = {WEEKDAYS.index(day): clock(at) for day, at in self._times.cut_offs.items()}
        where = _holidays(origin) if settings.holidays else ()
        self.shop_days = calendar(frozenset(self._cut_offs) or None, origin.country, where, self._closed_here(settings))
        self._transit = Transit(settings.transit)
        self.asks_postal = any(line.postal for line in settings.transit)
        self._carriers: dict[tuple[str, str], tuple[CarrierTimes, Calendar, Closed]] = {}
        self._found: OrderedDict[object, Window | None] = OrderedDict()

    @property
    def handling_days(self) -> int:
        """Working days that packing takes here, where the goods say nothing else."""
        own = self._times.handling_days
        return self.settings.handling_days if own is None else own

    def start(self, now: datetime, cache_s: int = 0) -> Start:
        """The day that an order counts for that is placed now, or as much later as the platform may show an answer."""
        ahead = timedelta(seconds=cache_s)
        at = now + ahead
        today = at.astimezone(self.zone).date()
        day: date | None = today
        if not (self.shop_days.is_open(today) and (cut := self._cut_off(today)) is not None and at < cut):
            day = self.shop_days.from_day(today + timedelta(days=1))
        changes = midnight_after(at, self.zone)
        if day is None:
            return Start(None, None, changes - ahead)
        cut_off = self._cut_off(day) or _moment(day, time(0), self.zone)
        return Start(day, cut_off, min(changes, cut_off) - ahead)

    def window(self, start: Start, goods: Goods, service: Service, to: Spot) -> Window | None:
        """When it arrives; None where no day can be told."""
        key = (start.day, goods, service, to)
        if key in self._found:
            return self._found[key]
        found = self._found[key] = self._window(start, goods, service, to)
        if len(self._found) > _MOST_KEPT:
            self._found.popitem(last=False)
        return found

    def ships_on(self, day: date, goods: Goods, service: Service) -> date | None:
        """The day on which the carrier takes goods over that are due on a working day of the shop."""
        first: date | None = day
        if goods.not_before is not None and goods.not_before > day:
            first = self.shop_days.from_day(goods.not_before)
        ready = None if first is None else self.shop_days.after(first, goods.handling_days)
        return None if ready is None else self._carrier(service)[1].from_day(ready)

    def delivery_days(self, service: Service, to: Spot) -> Calendar:
        """The days on which the carrier moves parcels there: closed at either end is closed."""
        times, _, closed = self._carrier(service)
        weekdays = read_weekdays(times.delivers) if times.delivers else None
        where = tuple(dict.fromkeys((*_holidays(self.origin), *_holidays(to)))) if times.holidays else ()
        return calendar(weekdays, to.country or self.origin.country, where, closed)

    def _window(self, start: Start, goods: Goods, service: Service, to: Spot) -> Window | None:
        days = self._days(service, to)
        ships_on = None if start.day is None else self.ships_on(start.day, goods, service)
        if days is None or ships_on is None:
            return None
        least, most, basis, by = days
        moving = self.delivery_days(service, to)
        earliest = _arrival(moving, ships_on, least, "working" if basis == "working" else "calendar")
        latest = _arrival(moving, ships_on, most, "calendar" if basis == "calendar" else "working")
        if earliest is None or latest is None:
            return None
        seen = service.lane if by == "history" else None
        return Window(
            min(earliest, latest),
            latest,
            by,
            ships_on,
            seen.coverage if seen else None,
            seen.parcels if seen else 0,
            start.cut_off,
        )

    def _days(self, service: Service, to: Spot) -> tuple[int, int, Basis, By] | None:
        """Least and most days, what they count, and who says so: history, then the table, then the carrier."""
        if service.lane is not None and self.settings.history:
            return service.lane.least, service.lane.most, "working", "history"
        going = Going(service.carrier, service.service, self._names, to.country, to.province, to.postal)
        line = self._transit.find(going)
        if line is not None:
            return line.least, line.most, line.basis, "table"
        if service.days is None or not 0 <= service.days <= MOST_DAYS:
            return None
        return service.days, service.days, self._carrier(service)[0].basis or service.basis, "carrier"

    def _carrier(self, service: Service) -> tuple[CarrierTimes, Calendar, Closed]:
        """How it works, the days on which it collects here, and the days on which it is closed."""
        key = (service.carrier, service.service)
        found = self._carriers.get(key)
        if found is None:
            times = self.settings.of_carrier(*key)
            name = service.carrier.casefold()
            closed = tuple(
                (c.first, c.last) for c in self.settings.closed if c.carrier and c.carrier.casefold() == name
            )
            weekdays = read_weekdays(times.pickup) if times.pickup else None
            where = _holidays(self.origin) if times.holidays else ()
            found = self._carriers[key] = (times, calendar(weekdays, self.origin.country, where, closed), closed)
        return found

    def _cut_off(self, day: date) -> datetime | None:
        at = self._cut_offs.get(day.weekday())
        return None if at is None else _moment(day, at, self.zone)

    def _closed_here(self, settings: PromiseSettings) -> Closed:
        mine = [c for c in settings.closed if not c.carrier and (not c.location or c.location in self._names)]
        return tuple((each.first, each.last) for each in mine)


_kept: OrderedDict[tuple[int, str, Spot, tuple[str, ...]], tuple[PromiseSettings, Promises]] = OrderedDict()


def promises_of(settings: PromiseSettings, timezone: str, origin: Spot, names: tuple[str, ...]) -> Promises:
    """The same object for the same settings in memory: what it found once it need not find again."""
    key = (id(settings), timezone, origin, names)
    held = _kept.get(key)
    if held is not None and held[0] is settings:
        return held[1]
    made = Promises(settings, timezone, origin, names)
    _kept[key] = (settings, made)
    while len(_kept) > 512:
        _kept.popitem(last=False)
    return made


def at_noon(day: date, zone: ZoneInfo) -> datetime:
    """A day as platforms want it: a moment that is on the same day in almost every zone of the world."""
    return datetime.combine(day, _NOON, tzinfo=zone)


def next_midnight(now: datetime, timezone: str) -> datetime:
    """When the local date changes, in UTC: a window computed before is out of date from then on."""
    return midnight_after(now, zone_of(timezone))


def midnight_after(now: datetime, zone: ZoneInfo) -> datetime:
    """The same, in a zone that is known."""
    return _moment(now.astimezone(zone).date() + timedelta(days=1), time(0), zone)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone, or UTC for a name that this machine's list does not have: a store may know newer ones."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time as a moment; one that the clock skips is the moment of the change or after it."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _holidays(spot: Spot) -> Where:
    return ((spot.country, spot.province),) if spot.country else ()


def _arrival(moving: Calendar, ships_on: date, days: int, basis: Literal["working", "calendar"]) -> date | None:
    if basis == "working":
        return moving.after(ships_on, days)
    return moving.from_day(ships_on + timedelta(days=days))
