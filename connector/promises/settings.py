"""What a merchant sets for dates: cut-offs, handling, closed days, how carriers work, and the transit table.

A part of the shop's settings, so it has versions, an audit and one moment at which it holds for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connector.promises.calendar import WEEKDAYS, read_weekdays, write_weekdays

Basis = Literal["working", "calendar", "unknown"]
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
MOST_LINES = 5000
MOST_DAYS = 365
"""More is no transit time, whatever somebody says."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LocationTimes(_Part):
    """How one location works; `location` is our id or the store's, empty for every location that is not named.

    `cut_offs`: until when an order leaves on the same day, by weekday (`mon`), local time (`HH:MM`). The weekdays in it
    are the working days; without any, the working week is the country's and an order leaves on the next working day.
    """

    location: str = Field(default="", max_length=200)
    timezone: str = Field(default="", max_length=60)
    cut_offs: dict[str, str] = Field(default_factory=dict)
    handling_days: int | None = Field(default=None, ge=0, le=MOST_DAYS)

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(f"there is no time zone {value}") from error
        return value

    @field_validator("cut_offs")
    @classmethod
    def _are_times(cls, value: dict[str, str]) -> dict[str, str]:
        for day, at in value.items():
            if day not in WEEKDAYS or not re.fullmatch(_CLOCK, at):
                raise ValueError(f"{day}={at} is not a weekday and a time such as mon=14:00")
        return value


class CarrierTimes(_Part):
    """How a carrier works, or one service of it.

    `pickup` and `delivers` are weekdays; empty: the country's working week. `pickup_at`: when it collects, local time.
    `basis` is set where the carrier's answer does not say what its days are. `holidays`: whether it rests on public
    holidays.
    """

    name: str = Field(min_length=1, max_length=80)
    service: str = Field(default="", max_length=120)
    pickup: str = ""
    pickup_at: str = Field(default="", pattern=f"{_CLOCK}|^$")
    delivers: str = ""
    basis: Literal["", "working", "calendar"] = ""
    holidays: bool = True

    @field_validator("pickup", "delivers")
    @classmethod
    def _are_weekdays(cls, value: str) -> str:
        return write_weekdays(read_weekdays(value)) if value.strip() else ""


class ClosedDays(_Part):
    """Days off besides public holidays: of the shop, of one location, or of a carrier."""

    first: date
    last: date
    location: str = Field(default="", max_length=200)
    carrier: str = Field(default="", max_length=80)
    why: str = Field(default="", max_length=60)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not 0 <= (self.last - self.first).days <= 2 * 366:
            raise ValueError("the last closed day is before the first, or years after it")
        if self.location and self.carrier:
            raise ValueError("closed days are a location's or a carrier's, not both")
        return self


class TransitLine(_Part):
    """One line of the transit table: days from hand-over for a carrier's service, from and to a place.

    Empty fields mean any. `countries` and `provinces` are codes, `postal` the beginnings of postal codes.
    """

    carrier: str = Field(default="", max_length=80)
    service: str = Field(default="", max_length=120)
    origin: str = Field(default="", max_length=200)
    countries: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    postal: tuple[str, ...] = ()
    least: int = Field(ge=0, le=MOST_DAYS)
    most: int = Field(ge=0, le=MOST_DAYS)
    basis: Literal["working", "calendar"] = "working"

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.most < self.least:
            raise ValueError("max_days is smaller than min_days")
        return self


class PromiseSettings(_Part):
    """A description is the reason for its default."""

    locations: tuple[LocationTimes, ...] = ()
    handling_days: int = Field(
        default=0, ge=0, le=MOST_DAYS, description="Without one, goods are packed on the day that the order is due."
    )
    holidays: bool = Field(default=True, description="A shop packs nothing on its country's public holidays.")
    closed: tuple[ClosedDays, ...] = ()
    carriers: tuple[CarrierTimes, ...] = ()
    transit: tuple[TransitLine, ...] = Field(default=(), max_length=MOST_LINES)
    coverage: int = Field(
        default=90, ge=50, le=99, description="Nine of ten parcels keep a date that your own history gives."
    )
    history: bool = Field(default=True, description="From 30 parcels a lane on, what happened is the best guess.")
    hide_not_sooner: bool = Field(default=True, description="A faster service that arrives no sooner costs trust.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for what, names in (
            ("locations", [each.location for each in self.locations]),
            ("carriers", [(each.name.casefold(), each.service.casefold()) for each in self.carriers]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"{what} names one of them twice")
        return self

    def at(self, *names: str) -> LocationTimes:
        """How a location works that goes by these ids; empty ones find what holds for all."""
        usual = next((each for each in self.locations if not each.location), LocationTimes())
        wanted = {each for each in names if each}
        return next((each for each in self.locations if each.location in wanted), usual)

    def of_carrier(self, carrier: str, service: str) -> CarrierTimes:
        """How a carrier's service works: what is said of the service counts before what is said of the carrier."""
        name, wanted = carrier.casefold(), service.casefold()
        known = [each for each in self.carriers if each.name.casefold() == name]
        exact = next((each for each in known if each.service and each.service.casefold() == wanted), None)
        usual = next((each for each in known if not each.service), None)
        return exact or usual or CarrierTimes(name=carrier[:80] or "any")


FORMS: Mapping[str, str] = {
    "cut_off": "HH:MM, or DAYS=HH:MM behind blanks such as mon-fri=14:00 sat=11:00; or empty",
    "handling_days": "working days from 0 to 365",
    "promise_coverage": "of 100 parcels, from 50 to 99",
    "promise_history": "yes | no",
    "hide_not_sooner": "yes | no",
}
"""The keys of the command line that stand for parts of these settings, and how each is written."""

_YES_NO = {"yes": True, "no": False, "true": True, "false": False}
_FIELDS = {"promise_coverage": "coverage", "promise_history": "history"}


def reason(key: str) -> str:
    """Why the default is as it is."""
    if key == "cut_off":
        return "Without one, an order leaves on the next working day."
    return str(PromiseSettings.model_fields[_FIELDS.get(key, key)].description)


def put(body: dict[str, Any], key: str, text: str, _currency: str = "") -> None:
    """Set a key in a stored body, as it is typed; empty goes back to the default. Raises ValueError."""
    field = _FIELDS.get(key, key)
    if key == "cut_off":
        usual = next((dict(each) for each in body.get("locations", []) if not each.get("location")), {})
        usual["cut_offs"] = read_cut_offs(text)
        rest = [each for each in body.get("locations", []) if each.get("location")]
        body["locations"] = [usual, *rest] if any(usual.values()) else rest
    elif not text:
        body.pop(field, None)
    elif key in {"promise_history", "hide_not_sooner"}:
        if text.lower() not in _YES_NO:
            raise ValueError(text)
        body[field] = _YES_NO[text.lower()]
    else:
        body[field] = int(text)
    PromiseSettings.model_validate(body)


def text_of(settings: PromiseSettings, key: str) -> str:
    """A key's value, as it is typed."""
    if key == "cut_off":
        return write_cut_offs(settings.at().cut_offs)
    value = getattr(settings, _FIELDS.get(key, key))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def read_cut_offs(text: str) -> dict[str, str]:
    """From `14:00` (Monday to Friday) or `mon-fri=14:00 sat=11:00`. Raises ValueError."""
    found: dict[str, str] = {}
    for part in text.split():
        days, sign, at = part.rpartition("=")
        if not re.fullmatch(_CLOCK, at) or (sign and not days):
            raise ValueError(part)
        for day in read_weekdays(days or "mon-fri"):
            if WEEKDAYS[day] in found:
                raise ValueError(part)
            found[WEEKDAYS[day]] = at
    return {day: found[day] for day in WEEKDAYS if day in found}


def write_cut_offs(cut_offs: Mapping[str, str]) -> str:
    """What `read_cut_offs` reads, as short as it can be."""
    by_time: dict[str, list[int]] = {}
    for number, day in enumerate(WEEKDAYS):
        if day in cut_offs:
            by_time.setdefault(cut_offs[day], []).append(number)
    if len(by_time) == 1 and next(iter(by_time.values())) == [0, 1, 2, 3, 4]:
        return next(iter(by_time))
    return " ".join(f"{write_weekdays(frozenset(days))}={at}" for at, days in by_time.items())


def clock(text: str) -> time:
    """A local time from `HH:MM`."""
    return time.fromisoformat(text)
