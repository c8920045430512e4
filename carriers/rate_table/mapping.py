"""From the lines of a file to a tariff, cell by cell. Pure; every cell that cannot be read is a fault of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar, cast

from carriers.money import Money, MoneyError, exponent
from carriers.rate_table.csv_format import Line, Sheet
from carriers.rate_table.errors import Fault
from carriers.rate_table.postal import Pattern, read_pattern
from carriers.rate_table.tariff import (
    DECIMALS,
    MILLIONTHS,
    UNBOUND,
    UNIT_NG,
    Dates,
    DivisorLine,
    PricedBy,
    PriceLine,
    ServiceLine,
    Span,
    SurchargeLine,
    TableLine,
    Tariff,
    WeightUnit,
    grams_up,
    key,
)
from carriers.rate_table.zones import EVERYWHERE, ZoneLine, province

T = TypeVar("T")

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NO_CURRENCY = "XXX"  # ISO 4217's word for none: no shop sells in it, so that prices of no currency reach no buyer.
_NO_TABLE = TableLine(0, "", _NO_CURRENCY)
_NOT_ISO = {"UK": "GB", "EL": "GR"}


@dataclass(slots=True)
class _Cells:
    """The cells of one line, read by their meaning. What is empty is None; what cannot be read is a fault and None."""

    line: Line
    faults: list[Fault]
    bad: bool = False

    def fault(self, column: str, message: str) -> None:
        self.faults.append(Fault(self.line.number, column, message))
        self.bad = True

    def text(self, column: str) -> str:
        """The cell, spaces put in order; empty where there is none."""
        return " ".join(self.line.cells.get(column, "").split())

    def parts(self, column: str) -> list[str]:
        """What stands between semicolons."""
        return [part for each in self.line.cells.get(column, "").split(";") if (part := " ".join(each.split()))]

    def choice(self, column: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
        said = self.text(column).casefold()
        if not said:
            return default
        if said in choices:
            return said
        self.fault(column, f"`{said[:40]}` is none of: {', '.join(choices)}.")
        return default

    def number(self, column: str, decimals: int) -> Decimal | None:
        """A number of zero and more with at most so many decimals."""
        said = self.text(column)
        if not said:
            return None
        if not _NUMBER.fullmatch(said) or not said.isascii():
            self.fault(column, f"`{said[:40]}` is not a number such as 12.5, of zero and more.")
            return None
        value = Decimal(said)
        if value != round(value, decimals):
            most = f"at most {decimals} decimals" if decimals else "no decimals"
            self.fault(column, f"{said} may have {most}.")
            return None
        return value

    def whole(self, column: str) -> int | None:
        value = self.number(column, 0)
        return None if value is None else int(value)

    def weight_ng(self, column: str, unit: WeightUnit) -> int | None:
        """A weight in the table's unit, as nanograms."""
        value = self.number(column, DECIMALS[unit])
        return None if value is None else int(value * UNIT_NG[unit])

    def money(self, column: str, currency: str) -> int | None:
        """An amount in minor units."""
        value = self.number(column, 6)
        if value is None:
            return None
        try:
            return Money.parse(value, currency).minor
        except MoneyError as error:
            self.fault(column, error.message)
            return None

    def currency(self, default: str) -> str:
        said = self.text("currency").upper()
        if said and not _CURRENCY.fullmatch(said):
            self.fault("currency", f"`{said[:40]}` is no currency: three letters, such as EUR.")
            return default
        return said or default

    def day(self, column: str) -> date | None:
        said = self.text(column)
        if not said:
            return None
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", said) and said.isascii():
                return date.fromisoformat(said)
        except ValueError:
            pass
        self.fault(column, f"`{said[:40]}` is no date such as 2026-11-30.")
        return None

    def dates(self) -> Dates:
        first, last = self.day("from"), self.day("to")
        if first is not None and last is not None and last < first:
            self.fault("to", "It ends before it begins.")
        return Dates(first, last)

    def span(self, low_column: str, high_column: str, read: Callable[[str], int | None], lowest: int = 0) -> Span:
        low, high = read(low_column), read(high_column)
        if low is not None and high is not None and high < low:
            self.fault(high_column, "The band ends before it begins.")
        return Span(lowest if low is None else low, UNBOUND if high is None else high)

    def grams(self, unit: WeightUnit) -> Span:
        """The band of weights. A bound that is no whole number of grams is rounded up."""
        low, over, high = (self.weight_ng(each, unit) for each in ("weight_from", "weight_over", "weight_to"))
        if low is not None and over is not None:
            self.fault("weight_over", "Either weight_from (that weight too) or weight_over (only what is heavier).")
        first = grams_up(low) if low is not None else 0 if over is None else grams_up(over) + 1
        last = UNBOUND if high is None else grams_up(high)
        if last < first:
            self.fault("weight_to", "The band ends before it begins.")
        return Span(first, last)


@dataclass(slots=True)
class _Reader:
    """Reads all lines; `titles` are the names of services and zones by their keys."""

    sheet: Sheet
    faults: list[Fault]
    table: TableLine = _NO_TABLE
    titles: dict[str, str] = field(default_factory=dict)

    def lines(self, kind: str, read: Callable[[_Cells], T]) -> tuple[T, ...]:
        """The values of every good line of a kind."""
        found = []
        for line in self.sheet.lines:
            if line.kind == kind:
                cells = _Cells(line, self.faults)
                value = read(cells)
                if not cells.bad:
                    found.append(value)
        return tuple(found)

    def declare(self, kind: str, *, once: bool) -> None:
        """Take up the names of services or zones, those of faulty lines too: one fault brings no others about."""
        for line in self.sheet.lines:
            if line.kind == kind and kind in line.cells:
                name = " ".join(line.cells[kind].split())
                known = f"{kind} {key(name)}" in self.titles
                self.titles.setdefault(f"{kind} {key(name)}", name)
                if known and once:
                    self.faults.append(Fault(line.number, kind, f"{kind.capitalize()} {name} is there twice."))

    def named(self, cells: _Cells, kind: Literal["service", "zone"]) -> str:
        """The key of the service or zone that a line is for; empty for all of them."""
        name = cells.text(kind)
        if name and f"{kind} {key(name)}" not in self.titles:
            cells.fault(kind, f"No {kind} line names {kind} {name[:80]}.")
        return key(name)

    def read_table(self, cells: _Cells) -> TableLine:
        unit = cast("WeightUnit", cells.choice("weight_unit", tuple(UNIT_NG), "kg"))
        name = cells.text("name")
        if len(name) > 80:
            cells.fault("name", "A name has at most 80 characters.")
        return TableLine(
            cells.line.number,
            name,
            cells.currency(_NO_CURRENCY),
            unit,
            self.round_to(cells, unit) or 0,
            cast("PricedBy", cells.choice("priced_by", ("parcel", "shipment"), "parcel")),
            cells.choice("never_falls", ("yes", "no"), "no") == "yes",
        )

    def read_service(self, cells: _Cells) -> ServiceLine:
        if len(cells.text("service")) > 80:
            cells.fault("service", "A name has at most 80 characters.")
        return ServiceLine(
            cells.line.number,
            key(cells.text("service")),
            self.days(cells),
            self.round_to(cells, self.table.unit),
            cast("PricedBy | None", cells.choice("priced_by", ("parcel", "shipment"))),
        )

    def read_divisor(self, cells: _Cells) -> DivisorLine:
        divisor = cells.whole("divisor")
        return DivisorLine(cells.line.number, divisor or 0, self.named(cells, "service"), cells.dates())

    def read_zone(self, cells: _Cells) -> ZoneLine:
        countries = [self.country(cells, each) for each in cells.parts("country")]
        provinces, codes = cells.parts("province"), cells.parts("postal")
        if "country" in cells.line.cells and not countries:
            cells.fault("country", "Name a country by its two letters, or * for everywhere.")
        if provinces and codes:
            cells.fault("postal", "Provinces and postal codes go into lines of their own.")
        patterns: list[Pattern] = []
        if provinces or codes:
            if len(countries) != 1 or countries[0] == EVERYWHERE:
                cells.fault("country", "Provinces and postal codes belong to one country.")
            for each in codes:
                pattern = read_pattern(countries[0] if countries else "", each)
                if isinstance(pattern, str):
                    cells.fault("postal", pattern[:300])
                else:
                    patterns.append(pattern)
        found = tuple(province(countries[0], each) for each in provinces) if countries else ()
        return ZoneLine(cells.line.number, key(cells.text("zone")), tuple(countries), found, tuple(patterns))

    def country(self, cells: _Cells, said: str) -> str:
        code = said.upper()
        if code in _NOT_ISO:
            cells.fault("country", f"{code} is written {_NOT_ISO[code]} here (ISO 3166).")
        elif code != EVERYWHERE and not (len(code) == 2 and code.isalpha() and code.isascii()):
            cells.fault("country", f"`{said[:40]}` is no country: two letters (ISO 3166), or * for everywhere.")
        return code

    def read_price(self, cells: _Cells) -> PriceLine:
        unit, currency = self.table.unit, cells.currency(self.table.currency)
        per_unit, step, per_step = (
            cells.number("per_unit", 6),
            cells.weight_ng("step", unit),
            cells.money("per_step", currency),
        )
        if (step is None) != (per_step is None):
            cells.fault("step" if step is None else "per_step", "step and per_step belong together.")
        if step == 0:
            cells.fault("step", "A step is more than zero.")
        return PriceLine(
            cells.line.number,
            self.named(cells, "service"),
            self.named(cells, "zone"),
            currency,
            cells.money("price", currency) or 0,
            cells.span("items_from", "items_to", cells.whole),
            cells.span("subtotal_from", "subtotal_to", lambda column: cells.money(column, currency)),
            cells.grams(unit),
            cells.weight_ng("included", unit) or 0,
            int((per_unit or Decimal(0)).scaleb(exponent(currency)) * MILLIONTHS),
            step or 0,
            per_step or 0,
            self.days(cells),
        )

    def read_surcharge(self, cells: _Cells) -> SurchargeLine:
        currency = cells.currency("")
        percent = cells.number("percent", 4)
        amount = cells.money("amount", currency or self.table.currency)
        has = [column for column in ("percent", "amount") if column in cells.line.cells]
        if len(has) != 1:
            cells.fault("percent", "A surcharge is either a percent or an amount.")
        if currency and "percent" in has:
            cells.fault("currency", "A percentage is the same in every currency: leave this empty.")
        millionths = int((percent or Decimal(0)) * 10_000)
        in_currency = "" if "percent" in has else currency or self.table.currency
        service, zone = self.named(cells, "service"), self.named(cells, "zone")
        return SurchargeLine(
            cells.line.number,
            cells.text("name"),
            service,
            zone,
            millionths,
            amount or 0,
            in_currency,
            cells.dates(),
        )

    @staticmethod
    def days(cells: _Cells) -> int | None:
        days = cells.whole("days")
        if days is not None and days > 365:
            cells.fault("days", "That is more than a year.")
        return days

    @staticmethod
    def round_to(cells: _Cells, unit: WeightUnit) -> int | None:
        found = cells.weight_ng("round_to", unit)
        if found == 0:
            cells.fault("round_to", "Weights are rounded up to more than zero; leave it empty for grams.")
        return found


def read_tariff(sheet: Sheet, faults: list[Fault]) -> Tariff | None:
    """The tariff of a sheet, as far as its lines are good; None without a table line. Adds to `faults`."""
    tables = [line for line in sheet.lines if line.kind == "table"]
    if not tables:
        faults.append(Fault(1, "row", "There is no table line, which names the table and its currency."))
    faults += [Fault(line.number, "row", "There is more than one table line.") for line in tables[1:]]
    reader = _Reader(sheet, faults)
    reader.declare("service", once=True)
    reader.declare("zone", once=False)
    if tables:
        reader.table = reader.read_table(_Cells(tables[0], faults))
    tariff = Tariff(
        reader.table,
        reader.lines("service", reader.read_service),
        reader.lines("divisor", reader.read_divisor),
        reader.lines("zone", reader.read_zone),
        reader.lines("price", reader.read_price),
        reader.lines("surcharge", reader.read_surcharge),
        reader.titles,
    )
    return tariff if tables else None
