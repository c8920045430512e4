"""Single changes to what a shop sets for dates, as a person types them. Pure; bad input names its field."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connector.promises.settings import (
    CarrierTimes,
    ClosedDays,
    LocationTimes,
    PromiseSettings,
    TransitLine,
    read_cut_offs,
)
from webhooks.errors import WaybillError

M = TypeVar("M", bound=BaseModel)


class BadEntry(WaybillError):
    """What was typed cannot be meant; `detail` names the field."""


def set_cut_off(
    settings: PromiseSettings, location: str, times: str, timezone: str = "", handling_days: int | None = None
) -> PromiseSettings:
    """How a location works (empty: every one that is not named), instead of what was said of it."""
    try:
        cut_offs = read_cut_offs(times)
    except ValueError as error:
        said = "A cut-off is 14:00, or days with times such as mon-fri=14:00 sat=11:00."
        raise BadEntry(said, detail="times") from error
    body = {"location": location, "timezone": timezone, "cut_offs": cut_offs, "handling_days": handling_days}
    made = _valid(LocationTimes, body)
    rest = [each for each in settings.locations if each.location != location]
    empty = made == LocationTimes(location=location)
    return settings.model_copy(update={"locations": tuple(rest if empty else [*rest, made])})


def set_carrier(settings: PromiseSettings, body: dict[str, Any]) -> PromiseSettings:
    """How a carrier or one of its services works, instead of what was said of it."""
    made = _valid(CarrierTimes, body)
    rest = [each for each in settings.carriers if _key(each) != _key(made)]
    return settings.model_copy(update={"carriers": (*rest, made)})


def drop_carrier(settings: PromiseSettings, name: str, service: str = "") -> PromiseSettings:
    """Without what was said of a carrier. Raises BadEntry where nothing was."""
    key = (name.casefold(), service.casefold())
    rest = tuple(each for each in settings.carriers if _key(each) != key)
    if len(rest) == len(settings.carriers):
        raise BadEntry("Nothing was said of this carrier.", detail="name")
    return settings.model_copy(update={"carriers": rest})


def set_closed(settings: PromiseSettings, body: dict[str, Any]) -> PromiseSettings:
    """With more days off."""
    made = _valid(ClosedDays, body)
    rest = [each for each in settings.closed if _days(each) != _days(made)]
    ordered = sorted([*rest, made], key=lambda each: (each.first, each.last, each.location, each.carrier))
    return settings.model_copy(update={"closed": tuple(ordered)})


def drop_closed(
    settings: PromiseSettings, first: date, last: date, location: str = "", carrier: str = ""
) -> PromiseSettings:
    """Without these days off. Raises BadEntry where they are not in the list."""
    rest = tuple(each for each in settings.closed if _days(each) != (first, last, location, carrier))
    if len(rest) == len(settings.closed):
        raise BadEntry("These days are not in the list.", detail="first")
    return settings.model_copy(update={"closed": rest})


def set_transit(settings: PromiseSettings, lines: tuple[TransitLine, ...]) -> PromiseSettings:
    """With another transit table."""
    return settings.model_copy(update={"transit": lines})


def _key(each: CarrierTimes) -> tuple[str, str]:
    return each.name.casefold(), each.service.casefold()


def _days(each: ClosedDays) -> tuple[date, date, str, str]:
    return each.first, each.last, each.location, each.carrier


def _valid(kind: type[M], body: dict[str, Any]) -> M:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "last"
        raise BadEntry(f"{field}: {first['msg'].removeprefix('Value error, ')}.", detail=field) from error
