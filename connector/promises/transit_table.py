"""The merchant's transit table as a CSV file, and the line of it that fits a parcel best. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from connector.promises.settings import MOST_LINES, TransitLine

COLUMNS = ("carrier", "service", "from", "country", "province", "postal_code", "min_days", "max_days", "basis")
_NEEDED = ("country", "min_days", "max_days")
_FIELDS = {"from": "origin", "country": "countries", "province": "provinces", "postal_code": "postal",
           "min_days": "least", "max_days": "most"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file: the line (1 is the header), the column, and a sentence."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        where = f", {self.field}" if self.field else ""
        return f"line {self.line}{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says. With faults it says nothing: `lines` is then empty."""

    lines: tuple[TransitLine, ...]
    faults: tuple[Fault, ...]


def read_transit(text: str) -> Sheet:
    """Read the whole file and name every line that is wrong; commas or semicolons between the fields."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
    lines: list[TransitLine] = []
    faults: list[Fault] = []
    seen: dict[TransitLine, int] = {}
    try:
        names = [each.strip().lower() for each in next(rows, [])]
        faults += _header_faults(names)
        if faults:
            return Sheet((), tuple(faults))
        for row in rows:
            if any(each.strip() for each in row):
                _take(rows.line_num, names, row, lines, faults, seen)
    except csv.Error as error:
        faults.append(Fault(rows.line_num, "", f"this is no CSV: {error}."))
    if len(lines) > MOST_LINES:
        faults.append(Fault(MOST_LINES + 2, "", f"a table has at most {MOST_LINES} lines."))
    if not lines and not faults:
        faults.append(Fault(1, "", "the file has no line below its header."))
    return Sheet(() if faults else tuple(lines), tuple(faults))


def write_transit(lines: Iterable[TransitLine]) -> str:
    """The table as CSV; `read_transit` makes the same lines of it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in lines:
        countries = "|".join(each.countries) or "*"
        writer.writerow((each.carrier, each.service, each.origin, countries, "|".join(each.provinces),
                         "|".join(each.postal), each.least, each.most, each.basis))  # fmt: skip
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Going:
    """One service's way: origin ids that the location goes by, and where it goes."""

    carrier: str
    service: str
    origins: tuple[str, ...]
    country: str
    province: str
    postal: str


class Transit:
    """A table that is asked often: lines by country, the most telling first."""

    def __init__(self, lines: Sequence[TransitLine]) -> None:
        self._lines = lines

    @cached_property
    def _by_country(self) -> Mapping[str, Sequence[TransitLine]]:
        found: dict[str, list[TransitLine]] = {}
        for line in self._lines:
            for country in line.countries or ("",):
                found.setdefault(country, []).append(line)
        return {country: sorted(some, key=_telling, reverse=True) for country, some in found.items()}

    def find(self, going: Going) -> TransitLine | None:
        """The line that says most of what fits: postal code before province, service before carrier, then origin."""
        if not self._lines:
            return None
        postal = _plain(going.postal)
        for country in (going.country.upper(), ""):
            for line in self._by_country.get(country, ()):
                if _fits(line, going, postal):
                    return line
        return None


def _telling(line: TransitLine) -> tuple[int, bool, bool, bool, bool]:
    longest = max((len(each) for each in line.postal), default=0)
    return longest, bool(line.provinces), bool(line.service), bool(line.carrier), bool(line.origin)


def _fits(line: TransitLine, going: Going, postal: str) -> bool:
    return (
        (not line.carrier or line.carrier.casefold() == going.carrier.casefold())
        and (not line.service or line.service.casefold() == going.service.casefold())
        and (not line.origin or line.origin in going.origins)
        and (not line.provinces or going.province.upper() in line.provinces)
        and (not line.postal or any(postal.startswith(each) for each in line.postal))
    )


def _plain(postal: str) -> str:
    return re.sub(r"[\s-]", "", postal).upper()


def _header_faults(names: Sequence[str]) -> list[Fault]:
    known = ", ".join(COLUMNS)
    faults = [Fault(1, name, f"there is no such column; there are {known}.") for name in names if name not in COLUMNS]
    faults += [Fault(1, name, "the column is there twice.") for name in sorted(set(names)) if names.count(name) > 1]
    return faults + [Fault(1, name, "the column is missing.") for name in _NEEDED if name not in names]


def _take(
    number: int,
    names: Sequence[str],
    row: Sequence[str],
    lines: list[TransitLine],
    faults: list[Fault],
    seen: dict[TransitLine, int],
) -> None:
    if len(row) > len(names):
        faults.append(Fault(number, "", "the line has more fields than the header."))
        return
    said = {name: value.strip() for name, value in zip(names, row, strict=False)}
    found = _row_faults(number, said)
    if found:
        faults += found
        return
    try:
        line = TransitLine.model_validate(_body(said))
    except ValidationError as error:
        for each in error.errors(include_url=False):
            field = str(each["loc"][0]) if each["loc"] else "least"
            column = next((name for name, inner in _FIELDS.items() if inner == field), field)
            faults.append(Fault(number, column, f"{each['msg'].removeprefix('Value error, ')}."))
        return
    key = line.model_copy(update={"least": 0, "most": 0, "basis": "working"})
    if key in seen:
        faults.append(Fault(number, "", f"line {seen[key]} is about the same parcels."))
    seen.setdefault(key, number)
    lines.append(line)


def _row_faults(number: int, said: Mapping[str, str]) -> list[Fault]:
    faults = []
    countries = _list(said.get("country", ""))
    if not countries or not (countries == ("*",) or all(re.fullmatch("[A-Z]{2}", each) for each in countries)):
        faults.append(Fault(number, "country", "takes two letters such as AT, several behind |, or * for all."))
    bad = [name for name in ("min_days", "max_days") if not re.fullmatch("[0-9]{1,3}", said.get(name, ""))]
    faults += [Fault(number, name, "takes whole days from 0 to 365.") for name in bad]
    if said.get("basis", "").lower() not in {"", "working", "calendar"}:
        faults.append(Fault(number, "basis", "takes working or calendar."))
    return faults


def _body(said: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in said.items():
        if not value:
            continue
        if name == "country":
            body["countries"] = () if value == "*" else _list(value)
        elif name == "postal_code":
            body["postal"] = tuple(_plain(each) for each in _list(value))
        elif name == "province":
            body["provinces"] = _list(value)
        else:
            body[_FIELDS.get(name, name)] = value.lower() if name == "basis" else value
    return body


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in value.split("|") if part.strip())
