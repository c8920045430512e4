"""The store's metafields or metadata as values of a product: which name means what is the merchant's setting. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connector.catalogue.measures import LENGTHS, WEIGHTS, BadMeasure, length_mm, weight_g
from connector.catalogue.product import SIZE, Values, too_dense

_LENGTHS = {"length": "length_mm", "width": "width_mm", "height": "height_mm", "nests": "nests_mm"}
_WEIGHTS = {"weight": "weight_g"}
_FLAGS = {name: name for name in ("upright", "bears_nothing", "fragile", "ships_alone", "own_box")}
_TEXTS = {name: name for name in ("group", "hazmat", "hs_code", "origin_country", "customs_description", "mpn")}
_COUNTS = {"handling_days": "handling_days"}
_DATES = {"available_on": "available_on"}
TARGETS: Mapping[str, str] = {**_LENGTHS, **_WEIGHTS, **_FLAGS, **_TEXTS, **_COUNTS, **_DATES}
"""What a metafield may be, and the value that it becomes."""

# Shopify's typed measurements name their unit in words.
_UNITS = {
    "MILLIMETERS": "mm", "CENTIMETERS": "cm", "METERS": "m", "INCHES": "in", "FEET": "ft",
    "GRAMS": "g", "KILOGRAMS": "kg", "OUNCES": "oz", "POUNDS": "lb",
}  # fmt: skip
_NAME = re.compile(r"[\w$-]{1,64}(?:\.[\w$-]{1,64})?")


@dataclass(frozen=True, slots=True)
class FieldName:
    """That the store's field `name` (`namespace.key`) means `target`; `unit` is of numbers that do not name theirs."""

    target: str
    name: str
    unit: str = ""


def read_names(text: str) -> tuple[FieldName, ...]:
    """From `length=custom.length:cm, upright=custom.upright`. Raises ValueError for what cannot be meant."""
    names: list[FieldName] = []
    for part in (each.strip() for each in text.split(",")):
        if not part:
            continue
        target, sign, rest = part.partition("=")
        name, _, unit = (each.strip() for each in rest.partition(":"))
        target = target.strip()
        if not sign or target not in TARGETS or not _NAME.fullmatch(name) or any(n.target == target for n in names):
            raise ValueError(part)
        known = LENGTHS if target in _LENGTHS else WEIGHTS if target in _WEIGHTS else {}
        if unit and unit not in known:
            raise ValueError(part)
        names.append(FieldName(target, name, unit or ("mm" if target in _LENGTHS else "g" if known else "")))
    return tuple(names)


def write_names(names: Sequence[FieldName]) -> str:
    """What `read_names` reads."""
    return ",".join(f"{each.target}={each.name}{':' if each.unit else ''}{each.unit}" for each in names)


def values_of(fields: Mapping[str, str], names: Sequence[FieldName]) -> tuple[Values, tuple[str, ...]]:
    """The values, and the names of the fields that could not be read; a size is taken only if it is whole."""
    found: dict[str, Any] = {}
    bad: list[str] = []
    for each in names:
        raw = fields.get(each.name, "").strip()
        if not raw:
            continue
        try:
            found[TARGETS[each.target]] = _reader(each)(raw)
        except (ValueError, TypeError):
            bad.append(each.name)
    sides = [found[name] for name in SIZE if name in found]
    if 0 < len(sides) < len(SIZE):
        bad += [each.name for each in names if TARGETS[each.target] in SIZE and each.name not in bad]
    if len(sides) < len(SIZE):
        for name in SIZE:
            found.pop(name, None)
    elif "weight_g" in found and too_dense(found["weight_g"], (sides[0], sides[1], sides[2])):
        bad += [each.name for each in names if each.target == "weight"]
        del found["weight_g"]
    return Values(**found), tuple(bad)


def _reader(name: FieldName) -> Callable[[str], Any]:
    if name.target in _LENGTHS:
        return lambda raw: length_mm(*_measure(raw, name.unit, LENGTHS))
    if name.target in _WEIGHTS:
        return lambda raw: weight_g(*_measure(raw, name.unit, WEIGHTS))
    if name.target in _FLAGS:
        return _flag
    if name.target in _COUNTS:
        return _count
    if name.target in _DATES:
        return _date
    return lambda raw: _text(name.target, raw)


def _measure(raw: str, unit: str, known: Mapping[str, Any]) -> tuple[str, str]:
    """Number and unit: from a typed measurement's JSON, else as the setting says."""
    if not raw.startswith("{"):
        return raw, unit
    body = json.loads(raw)
    named = str(body["unit"]) if isinstance(body, dict) and "unit" in body else ""
    found = _UNITS.get(named.upper(), named.lower())
    if found not in known or isinstance(body.get("value"), bool):
        raise BadMeasure(raw[:40])
    return str(body["value"]), found


def _flag(raw: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if raw.lower() not in known:
        raise ValueError(raw[:40])
    return known[raw.lower()]


def _count(raw: str) -> int:
    number = int(raw)
    if not 0 <= number <= 365:
        raise ValueError(raw[:40])
    return number


def _date(raw: str) -> date:
    """A day, or a moment as metafields of the type date_time have it."""
    return datetime.fromisoformat(raw).date()


def _text(target: str, raw: str) -> str:
    clean = " ".join(raw.split())
    if target == "origin_country":
        clean = clean.upper()
        if not re.fullmatch("[A-Z]{2}", clean):
            raise ValueError(raw[:40])
    if target == "hs_code":
        clean = re.sub(r"[.\s]", "", clean)
        if not re.fullmatch(r"\d{6,13}", clean):
            raise ValueError(raw[:40])
    if len(clean) > 200:
        raise ValueError(raw[:40])
    return clean
