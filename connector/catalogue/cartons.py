"""The cartons of a shop as its settings keep them: boxes, bags, carriers' flat-rate packages; read from and to CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from carriers.money import Money, MoneyError
from connector.catalogue.measures import LENGTHS, WEIGHTS, BadMeasure, length_mm, weight_g
from connector.catalogue.sheet import Fault
from connector.packing.carton import Carton
from connector.packing.errors import PackingError
from connector.packing.goods import Extents

_EDGE = Field(gt=0, le=20_000)
_INNER = Field(default=None, gt=0, le=20_000)


class CartonEntry(BaseModel):
    """A carton: outer and inner size mm (inner as outer where not said), tare and greatest gross weight g.

    `padding_mm` is kept free along each wall. `cost` is of the empty carton, or with `flat_rate` the carrier's price
    for it whatever it weighs; `packaging` is then the carrier's own name of it. With `bulge_mm` it is a bag or an
    envelope, measured flat and stuffed up to that thickness. `carriers` names the accounts or kinds of carriers that
    take it (none: all).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")
    length_mm: int = _EDGE
    width_mm: int = _EDGE
    height_mm: int = _EDGE
    inner_length_mm: int | None = _INNER
    inner_width_mm: int | None = _INNER
    inner_height_mm: int | None = _INNER
    tare_g: int = Field(default=0, ge=0, le=2_000_000)
    max_gross_g: int | None = Field(default=None, gt=0, le=2_000_000)
    padding_mm: int = Field(default=0, ge=0, le=5000)
    cost: Decimal | None = Field(default=None, ge=0)
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    flat_rate: bool = False
    packaging: str = Field(default="", max_length=80)
    bulge_mm: int | None = Field(default=None, gt=0, le=2000)
    carriers: tuple[str, ...] = ()
    in_stock: bool = True

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        inner = (self.inner_length_mm, self.inner_width_mm, self.inner_height_mm)
        if any(inner) and not all(inner):
            raise ValueError("an inner size needs length, width and height")
        if self.cost is not None:
            if not self.currency:
                raise ValueError("a cost needs a currency")
            Money.parse(self.cost, self.currency)
        if self.flat_rate and self.cost is None:
            raise ValueError("a flat-rate package needs its price as cost")
        try:
            room = self.packed().inner
        except PackingError as error:
            raise ValueError(error.message.rstrip(".")) from error
        if self.bulge_mm is None and min(room) <= 2 * self.padding_mm:
            raise ValueError("the padding leaves no room")
        return self

    def packed(self) -> Carton:
        """As the packing takes it."""
        outer = Extents(self.width_mm, self.length_mm, self.height_mm)
        inner = Extents(
            self.inner_width_mm or outer.width,
            self.inner_length_mm or outer.length,
            self.inner_height_mm or outer.depth,
        )
        return Carton(
            self.name,
            outer,
            inner,
            self.tare_g,
            self.max_gross_g,
            self.padding_mm,
            None if self.cost is None else Money.parse(self.cost, self.currency),
            self.flat_rate,
            self.bulge_mm,
            frozenset(),
            self.in_stock,
        )

    def goes_with(self, account_id: str, carrier: str) -> bool:
        """Whether that account takes it: named by its id or by its kind."""
        names = {each.casefold() for each in self.carriers}
        return not names or account_id.casefold() in names or carrier.casefold() in names

    @property
    def money(self) -> Money | None:
        """What it costs."""
        return None if self.cost is None else Money.parse(self.cost, self.currency)


_LENGTH_COLUMNS = (
    "length", "width", "height", "inner_length", "inner_width", "inner_height", "padding", "bulge",
)  # fmt: skip
_WEIGHT_COLUMNS = ("tare", "max_gross")
_OTHER_COLUMNS = ("name", "flat_rate", "packaging", "carriers", "in_stock")
_NEEDED = ("name", "length", "width", "height")


def read_cartons(text: str) -> tuple[tuple[CartonEntry, ...], tuple[Fault, ...]]:
    """Cartons from CSV with a header that states the units; with a fault none of them may be used."""
    faults: list[Fault] = []
    found: dict[str, CartonEntry] = {}
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), strict=True)
    try:
        header = [name.strip() for name in lines.fieldnames or []]
        lines.fieldnames = header
        columns = _columns(header, faults)
        for cells in [] if faults else lines:
            line = lines.line_num
            if None in cells or None in cells.values():
                faults.append(Fault(line, header[0], f"the line has not {len(header)} cells"))
                continue
            entry = _carton(line, columns, cells, faults)
            if entry is not None and entry.name in found:
                faults.append(Fault(line, "name", f"there is a carton {entry.name!r} already"))
            elif entry is not None:
                found[entry.name] = entry
    except csv.Error as error:
        faults.append(Fault(lines.line_num, "file", f"the line cannot be read: {error}"))
    if not faults and not found:
        faults.append(Fault(1, "name", "there is no carton in the file"))
    return tuple(found.values()), tuple(faults)


def write_cartons(cartons: Iterable[CartonEntry]) -> str:
    """The file of these cartons, in mm and g."""
    listed = list(cartons)
    currencies = sorted({each.currency for each in listed if each.cost is not None})
    header = ["name", *(f"{name}_mm" for name in _LENGTH_COLUMNS), *(f"{name}_g" for name in _WEIGHT_COLUMNS)]
    header += [*(f"cost_{currency.lower()}" for currency in currencies), *_OTHER_COLUMNS[1:]]
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    for each in listed:
        cells = {name: _cell(getattr(each, name, None)) for name in header}
        cells["padding_mm"] = str(each.padding_mm) if each.padding_mm else ""
        if each.money is not None:
            cells[f"cost_{each.currency.lower()}"] = f"{each.money.amount:f}"
        writer.writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "|".join(value) if isinstance(value, tuple) else str(value)


Reader = Callable[[str], Any]


def _columns(header: list[str], faults: list[Fault]) -> dict[str, tuple[str, Reader]]:
    found: dict[str, tuple[str, Reader]] = {}
    for name in header:
        column = _column(name)
        if column is None:
            told = "there is no such column; lengths and weights name their unit, such as length_mm"
            faults.append(Fault(1, name or "header", told))
        elif name in found:
            faults.append(Fault(1, name, "the column stands there twice"))
        else:
            found[name] = column
    fields = {field for field, _ in found.values()}
    for needed in _NEEDED:
        field = needed if needed == "name" else f"{needed}_mm"
        if field not in fields and not faults:
            faults.append(Fault(1, field, "the column is missing"))
    edges = {name.rpartition("_")[2] for name in found if name.rpartition("_")[0] in ("length", "width", "height")}
    if len(edges) > 1:
        faults.append(Fault(1, "length", "length, width and height must share one unit"))
    return found


def _column(name: str) -> tuple[str, Reader] | None:
    what, _, unit = name.rpartition("_")
    if what in _LENGTH_COLUMNS and unit in LENGTHS:
        return f"{what}_mm", lambda cell: length_mm(cell, unit)
    if what in _WEIGHT_COLUMNS and unit in WEIGHTS:
        return f"{what}_g", lambda cell: 0 if cell == "0" else weight_g(cell, unit)
    if what == "cost" and re.fullmatch("[a-z]{3}", unit):
        return "cost", lambda cell: (cell, unit.upper())
    if name in {"flat_rate", "in_stock"}:
        return name, _flag
    if name == "carriers":
        return name, lambda cell: tuple(each.strip() for each in cell.split("|") if each.strip())
    return (name, str) if name in _OTHER_COLUMNS else None


def _carton(
    line: int, columns: Mapping[str, tuple[str, Reader]], cells: Mapping[str, str], faults: list[Fault]
) -> CartonEntry | None:
    body: dict[str, Any] = {}
    before = len(faults)
    for name, (field, read) in columns.items():
        cell = cells[name].strip()
        if not cell:
            continue
        try:
            value = read(cell)
        except (BadMeasure, ValueError) as error:
            faults.append(Fault(line, name, str(error)))
            continue
        if field == "cost":
            if "cost" in body:
                faults.append(Fault(line, name, "a carton has one cost"))
            body["cost"], body["currency"] = value
        else:
            body[field] = value
    if len(faults) > before:
        return None
    try:
        return CartonEntry.model_validate(body)
    except (ValidationError, MoneyError, ArithmeticError) as error:
        faults.append(Fault(line, *_told(error)))
        return None


def _told(error: Exception) -> tuple[str, str]:
    """The field and what is wrong with it."""
    if not isinstance(error, ValidationError):
        return "cost", str(error)
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else "carton"
    return field, str(first["msg"]).removeprefix("Value error, ")


def _flag(cell: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if cell.lower() not in known:
        raise ValueError(f"it is yes or no, not {cell[:40]!r}")
    return known[cell.lower()]
