"""What cannot be right about a shop's dates, each with the setting that it is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from connector.promises.public_holidays import knows
from connector.promises.settings import PromiseSettings
from connector.promises.window import Goods, Promises, Service, Spot
from connector.words.reason import Reason

_YEAR = timedelta(days=366)
_LONG = 30


@dataclass(frozen=True, slots=True)
class Place:
    """A location of the shop: the ids that it goes by, its name, and where it is."""

    names: tuple[str, ...]
    title: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Finding:
    """`error`: the settings are not taken. `note`: they are, and it is said."""

    severity: Literal["error", "note"]
    field: str
    why: Reason


def check(settings: PromiseSettings, places: Sequence[Place], timezone: str, today: date) -> tuple[Finding, ...]:
    """Every fault and every doubt, faults first."""
    found = [*_unknown_places(settings, places), *_old_closed(settings, today)]
    for place in places:
        promises = Promises(settings, timezone, place.spot, place.names)
        found += _place(settings, place, promises, today)
    once = [each for at, each in enumerate(found) if each not in found[:at]]
    return tuple(sorted(once, key=lambda each: each.severity))


def _place(settings: PromiseSettings, place: Place, promises: Promises, today: date) -> list[Finding]:
    found = []
    day = promises.shop_days.from_day(today)
    if day is None or day - today > _YEAR:
        found.append(Finding("error", "closed", Reason("dates_no_working_day", {"place": place.title})))
    if promises.handling_days > _LONG:
        long = Reason("dates_long_handling", {"place": place.title, "days": promises.handling_days})
        found.append(Finding("note", "handling_days", long))
    known = knows(place.spot.country, place.spot.province)
    if place.spot.country and not known.country:
        found.append(Finding("note", "holidays", Reason("calendar_unknown", {"place": place.spot.country})))
    elif not known.province:
        part = f"{place.spot.country}-{place.spot.province}"
        found.append(Finding("note", "holidays", Reason("dates_part_unknown", {"place": part})))
    for each in settings.carriers:
        service = Service(each.name, each.service, 1, "working")
        ready = None if day is None else promises.ships_on(day, Goods(), service)
        moving = promises.delivery_days(service, place.spot).from_day(today)
        if day is not None and (ready is None or ready - today > _YEAR or moving is None or moving - today > _YEAR):
            found.append(Finding("error", "carriers", Reason("dates_carrier_never", {"carrier": each.name})))
        late = [at for at in settings.at(*place.names).cut_offs.values() if each.pickup_at and at > each.pickup_at]
        if late and promises.handling_days == 0:
            params = {"cut_off": max(late), "carrier": each.name, "pickup": each.pickup_at}
            found.append(Finding("error", "cut_off", Reason("dates_cut_off_late", params)))
    return found


def _unknown_places(settings: PromiseSettings, places: Sequence[Place]) -> list[Finding]:
    known = {name for place in places for name in place.names} | {""}
    named = [("locations", each.location) for each in settings.locations]
    named += [("closed", each.location) for each in settings.closed]
    named += [("transit", each.origin) for each in settings.transit]
    return [
        Finding("error", field, Reason("dates_location_unknown", {"location": name}))
        for field, name in dict.fromkeys(named)
        if name not in known
    ]


def _old_closed(settings: PromiseSettings, today: date) -> list[Finding]:
    old = [each for each in settings.closed if each.last < today - _YEAR]
    return [Finding("note", "closed", Reason("dates_closed_old", {"last": each.last.isoformat()})) for each in old]
