"""The merchant's own table as CSV: read with every fault by line and field, applied whole, and written again. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from carriers.money import Money, MoneyError
from connector.catalogue.measures import LENGTHS, WEIGHTS, BadMeasure, length_mm, weight_g
from connector.catalogue.product import SIZE, Amount, Packaging, Place, Values, key_of, too_dense

FLAGS = ("upright", "bears_nothing", "fragile", "ships_alone", "own_box")
DAYS = ("handling_days", "available_on")
TEXTS = ("barcode", "group", "hazmat", "hs_code", "origin_country", "customs_description", "mpn", "vendor")
LISTS = ("tags", "collections")
KEYS = ("variant_id", "sku", "units")
IGNORED = ("name",)
"""Written for whoever reads the file, and not read back."""

_MEASURE = re.compile(r"(length|width|height|nests|weight)_(\w+)")
_MONEY = re.compile(r"(value|unit_cost)_([a-z]{3})")
_PLACE = re.compile(r"(stock|bin)@(.{1,200})")
_LONGEST_TEXT = 200
_LONGEST_KEY = 120
_MOST_ROWS = 200_000
Reader = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: the line of the file, and the column's name."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One line that was understood: `said` are its columns, with None for an empty cell."""

    line: int
    key: str
    sku: str
    units: int
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole file; with a fault none of it may be used."""

    rows: tuple[SheetRow, ...]
    faults: tuple[Fault, ...]


class _Bad(ValueError):
    """A cell that cannot be; the message says why."""


def read_sheet(text: str) -> Sheet:
    """Read a file with a header line. Every fault is found, not only the first."""
    faults: list[Fault] = []
    first = text.split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text), delimiter=";" if ";" in first and "," not in first else ",", strict=True)
    rows: list[SheetRow] = []
    seen: dict[tuple[str, int], int] = {}
    try:
        header = [cell.strip().lstrip("\ufeff") for cell in next(lines, [])]
        columns = _columns(header, faults)
        if faults:
            return Sheet((), tuple(faults))
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= _MOST_ROWS:
                faults.append(Fault(lines.line_num, "file", f"a file has at most {_MOST_ROWS} lines"))
                break
            row = _row(lines.line_num, header, columns, cells, faults)
            if row is None:
                continue
            before = seen.setdefault((row.key, row.units), row.line)
            if before != row.line:
                faults.append(Fault(row.line, "sku", f"the same variant and units stand in line {before} already"))
            rows.append(row)
    except csv.Error as error:
        faults.append(Fault(lines.line_num, "file", f"the line cannot be read: {error}"))
    return Sheet(tuple(rows), tuple(sorted(faults, key=lambda fault: fault.line)))


def apply(row: SheetRow, before: Values) -> Values:
    """The merchant's values after a line: its columns are set, or cleared where the cell is empty."""
    if row.units > 1:
        others = tuple(each for each in before.packagings if each.units != row.units)
        old = next((each for each in before.packagings if each.units == row.units), Packaging(units=row.units))
        new = Packaging.model_validate(_changed(old, row.said))
        found = (*others, new) if new != Packaging(units=row.units) else others
        ordered = tuple(sorted(found, key=lambda each: -each.units))
        return before.model_copy(update={"packagings": ordered})
    places = dict(before.places)
    for name, value in row.said.items():
        if place := _PLACE.fullmatch(name):
            known = places.get(place[2], Place())
            empty = "" if place[1] == "bin" else None
            places[place[2]] = known.model_copy(update={place[1]: empty if value is None else value})
    said = {name: value for name, value in row.said.items() if "@" not in name}
    body = _changed(before, said) | {
        "places": {name: place.model_dump() for name, place in places.items() if place != Place()}
    }
    return Values.model_validate(body)


def write_sheet(rows: Iterable[tuple[str, str, str, Values]]) -> str:
    """The file of these variants: (variant id, SKU, name, own values), in mm and g."""
    listed = list(rows)
    everything = [values for *_, values in listed]
    currencies = {
        name: sorted({amount.currency for values in everything if (amount := getattr(values, name)) is not None})
        for name in ("value", "unit_cost")
    }
    locations = sorted({place for values in everything for place in values.places})
    header = [*KEYS, *IGNORED, *SIZE, "weight_g", "nests_mm", *FLAGS, *TEXTS, *LISTS, *DAYS]
    header += [f"{name}_{currency.lower()}" for name, found in currencies.items() for currency in found]
    header += [f"{what}@{place}" for place in locations for what in ("stock", "bin")]
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for variant_id, sku, name, values in listed:
        common = {"variant_id": variant_id, "sku": sku, "name": name}
        writer.writerow(common | {"units": "1"} | _cells(values))
        for packaging in values.packagings:
            writer.writerow(common | {"units": str(packaging.units)} | _cells(packaging))
    return out.getvalue()


def _cells(values: Packaging) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in (*SIZE, "weight_g", "barcode", *FLAGS):
        found[name] = _cell(getattr(values, name))
    if isinstance(values, Values):
        for name in ("nests_mm", *TEXTS, *LISTS, *DAYS):
            found[name] = _cell(getattr(values, name))
        for name in ("value", "unit_cost"):
            amount: Amount | None = getattr(values, name)
            if amount is not None:
                found[f"{name}_{amount.currency.lower()}"] = f"{amount.money.amount:f}"
        for location, place in values.places.items():
            found[f"stock@{location}"] = _cell(place.stock)
            found[f"bin@{location}"] = place.bin
    return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "|".join(value) if isinstance(value, tuple) else str(value)


def _changed(before: Packaging, said: Mapping[str, Any]) -> dict[str, Any]:
    """The stored form after these sayings; what says nothing is left out, so that it is its default."""
    body: dict[str, Any] = before.model_dump(mode="json")
    for name, value in said.items():
        body.pop(name, None)
        if value is not None:
            body[name] = value.model_dump(mode="json") if isinstance(value, Amount) else value
    return body


# --- reading ------------------------------------------------------------------------------------------------------


def _columns(header: Sequence[str], faults: list[Fault]) -> dict[str, tuple[str, Reader]]:
    """For each column of the header the field that it sets and how its cells are read."""
    found: dict[str, tuple[str, Reader]] = {}
    units: dict[str, str] = {}
    for name in header:
        if name in found or (name in KEYS + IGNORED and list(header).count(name) > 1):
            faults.append(Fault(1, name, "the column stands there twice"))
        elif name not in KEYS + IGNORED:
            try:
                found[name] = _column(name, units)
            except _Bad as error:
                faults.append(Fault(1, name or "header", str(error)))
    fields = [field for field, _ in found.values() if field not in ("value", "unit_cost")]  # One for each currency.
    faults += [Fault(1, field, "two columns say it") for field in dict.fromkeys(fields) if fields.count(field) > 1]
    if not {"sku", "variant_id"} & set(header):
        faults.append(Fault(1, "sku", "the file needs a column sku or variant_id"))
    if len(set(units.values())) > 1:
        faults.append(Fault(1, "length", "length, width and height must share one unit"))
    elif units and len(units) < len(SIZE):
        missing = sorted({"length", "width", "height"} - units.keys())
        faults.append(Fault(1, missing[0], "a size needs length, width and height"))
    return found


def _column(name: str, units: dict[str, str]) -> tuple[str, Reader]:
    if name in FLAGS:
        return name, _flag
    if name in TEXTS:
        return name, lambda cell: _text(name, cell)
    if name in LISTS:
        return name, lambda cell: [_text(name, each) for each in (one.strip() for one in cell.split("|")) if each]
    if name == "handling_days":
        return name, lambda cell: _count(cell, 365)
    if name == "available_on":
        return name, _date
    if match := _MEASURE.fullmatch(name):
        return _measured(match[1], match[2], units)
    if match := _MONEY.fullmatch(name):
        currency = match[2].upper()
        return match[1], lambda cell: _amount(cell, currency)
    if match := _PLACE.fullmatch(name):
        return name, (lambda cell: _count(cell, 10**9)) if match[1] == "stock" else (lambda cell: _text(name, cell))
    raise _Bad(_no_column(name))


def _measured(what: str, unit: str, units: dict[str, str]) -> tuple[str, Reader]:
    """A column of lengths or weights; `units` notes which unit each edge is in."""
    known = WEIGHTS if what == "weight" else LENGTHS
    if unit not in known:
        raise _Bad(f"the unit is one of {', '.join(known)}")
    if what == "weight":
        return "weight_g", lambda cell: weight_g(cell, unit)
    if what != "nests":
        units[what] = unit
    return f"{what}_mm", lambda cell: length_mm(cell, unit)


def _no_column(name: str) -> str:
    if name in {"length", "width", "height", "weight", "nests"}:
        return f"say the unit in the header, such as {name}_{'g' if name == 'weight' else 'mm'}"
    if name in {"value", "unit_cost"}:
        return f"say the currency in the header, such as {name}_eur"
    return "there is no such column"


def _row(
    line: int,
    header: Sequence[str],
    columns: Mapping[str, tuple[str, Reader]],
    cells: Sequence[str],
    faults: list[Fault],
) -> SheetRow | None:
    if len(cells) != len(header):
        faults.append(Fault(line, header[min(len(cells), len(header) - 1)], f"{len(cells)} cells, not {len(header)}"))
        return None
    by_name = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    before = len(faults)
    variant_id, sku = by_name.get("variant_id", ""), by_name.get("sku", "")
    if not variant_id and not sku:
        faults.append(Fault(line, "sku", "the line names no variant"))
    if max(len(variant_id), len(sku)) > _LONGEST_KEY or not (variant_id + sku).isprintable():
        faults.append(Fault(line, "variant_id" if variant_id else "sku", "it cannot be the name of a variant"))
    units = _units(line, by_name.get("units", ""), faults)
    said: dict[str, Any] = {}
    for name, (field, read) in columns.items():
        cell = by_name[name]
        if not cell or said.get(field) is not None:
            said.setdefault(field, None)
            if cell:
                faults.append(Fault(line, name, "two columns say it"))
            continue
        try:
            said[field] = read(cell)
        except (BadMeasure, _Bad) as error:
            faults.append(Fault(line, name, str(error)))
    if units > 1:
        of_one = {name for name in said if name not in Packaging.model_fields}
        faults += [
            Fault(line, name, "it is said of a single unit only, not of a packaging")
            for name in sorted(of_one)
            if said[name] is not None
        ]
        said = {name: value for name, value in said.items() if name not in of_one}
    if len(faults) == before:
        _check_whole(line, said, faults)
    return SheetRow(line, key_of(variant_id, sku), sku, units, said) if len(faults) == before else None


def _check_whole(line: int, said: Mapping[str, Any], faults: list[Fault]) -> None:
    sides = [said.get(name) for name in SIZE]
    there = [side for side in sides if side is not None]
    if there and len(there) < len(SIZE):
        missing = next(name for name in SIZE if said.get(name) is None)
        faults.append(Fault(line, missing, "a size needs length, width and height"))
        return
    weight, growth = said.get("weight_g"), said.get("nests_mm")
    if there and weight is not None and too_dense(weight, (there[0], there[1], there[2])):
        told = f"{weight} g in {there[0]}x{there[1]}x{there[2]} mm is far denser than any metal"
        faults.append(Fault(line, "weight_g", f"{told}: are the units mixed?"))
    if there and growth is not None and growth > there[2]:
        faults.append(Fault(line, "nests_mm", f"a nested unit adds at most its height of {there[2]} mm"))


def _units(line: int, cell: str, faults: list[Fault]) -> int:
    if not cell:
        return 1
    try:
        found = _count(cell, 10_000)
    except _Bad as error:
        faults.append(Fault(line, "units", str(error)))
        return 1
    if found < 1:
        faults.append(Fault(line, "units", "a packaging holds at least one unit"))
    return max(found, 1)


def _flag(cell: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if cell.lower() not in known:
        raise _Bad(f"it is yes or no, not {cell[:40]!r}")
    return known[cell.lower()]


def _date(cell: str) -> str:
    try:
        return date.fromisoformat(cell).isoformat()
    except ValueError as error:
        raise _Bad(f"it is a day such as 2026-12-01, not {cell[:40]!r}") from error


def _count(cell: str, most: int) -> int:
    if not re.fullmatch(r"\d{1,9}", cell) or int(cell) > most:
        raise _Bad(f"it is a whole number from 0 to {most}, not {cell[:40]!r}")
    return int(cell)


def _amount(cell: str, currency: str) -> Amount:
    try:
        money = Money.parse(cell, currency)
    except MoneyError as error:
        raise _Bad(error.message) from error
    if money.minor < 0:
        raise _Bad("an amount is not negative")
    return Amount.of(money)


def _text(name: str, cell: str) -> str:
    if len(cell) > _LONGEST_TEXT or not cell.isprintable():
        raise _Bad(f"it is text of at most {_LONGEST_TEXT} characters")
    if name == "origin_country":
        cell = cell.upper()
        if not re.fullmatch("[A-Z]{2}", cell):
            raise _Bad(f"it is a country's two letters, such as SK, not {cell[:40]!r}")
    if name == "hs_code":
        digits = re.sub(r"[.\s]", "", cell)
        if not re.fullmatch(r"\d{6,13}", digits):
            raise _Bad(f"it is 6 to 13 digits, such as 6912.00, not {cell[:40]!r}")
        return digits
    return cell
