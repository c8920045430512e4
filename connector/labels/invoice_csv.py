"""A carrier's invoice as a CSV file: our fields from its columns, in our units; several lines of one label together."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from carriers.invoice import NOTHING, Measures
from carriers.money import Money, MoneyError
from webhooks.errors import WaybillError

FIELDS = (
    "tracking",
    "amount",
    "currency",
    "invoice",
    "reason",
    "reference",
    "handle",
    "weight",
    "billed_weight",
    "length",
    "width",
    "height",
    "size",
    "zone",
    "residential",
)
Amounts = Literal["total", "adjustment"]
WeightUnit = Literal["g", "kg", "oz", "lb"]
SizeUnit = Literal["mm", "cm", "in"]
_GRAMS = {"g": Decimal(1), "kg": Decimal(1000), "oz": Decimal("28.349523125"), "lb": Decimal("453.59237")}
_MM = {"mm": Decimal(1), "cm": Decimal(10), "in": Decimal("25.4")}
_YES = frozenset({"y", "yes", "true", "1", "r", "res", "residential", "home"})
_NO = frozenset({"n", "no", "false", "0", "c", "com", "commercial", "business"})

_BARE = 2  # A number and an amount: two such lines may well be two charges.


class InvoiceError(WaybillError):
    """A line that cannot be read; `detail` is `line N: field`."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One label on an invoice; `amount` is in whole or what was added, as the file says.

    `reference` (our parcel's id) and `handle` (the carrier's id of the shipment) find the label where its number does
    not. `charges` are the words and minor units of the file's lines; `number` is the first of those lines.
    """

    number: int
    tracking: str
    amount: Money
    invoice: str
    reason: str = ""
    reference: str = ""
    handle: str = ""
    measures: Measures = NOTHING
    charges: tuple[tuple[str, int], ...] = ()

    def details(self) -> dict[str, Any] | None:
        """What is kept beside the amount."""
        known = measures_json(self.measures)
        charges = [list(each) for each in self.charges]
        return {"captured": known, "charges": charges} if known or charges else None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a carrier writes its files: our fields' columns, what an amount is, and its units."""

    columns: Mapping[str, str] = field(default_factory=dict)
    amounts: Amounts = "total"
    weight_unit: WeightUnit = "kg"
    size_unit: SizeUnit = "cm"

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"columns": dict(self.columns), "weight_unit": self.weight_unit, "size_unit": self.size_unit}

    @classmethod
    def from_json(cls, body: Mapping[str, Any], amounts: Amounts) -> Layout:
        """From what was kept."""
        return cls(body["columns"], amounts, body["weight_unit"], body["size_unit"])


def read_invoice(lines: Iterable[str], layout: Layout | Mapping[str, str], currency: str) -> list[InvoiceLine]:
    """A carrier's invoice as CSV with a header line.

    Columns stand between commas, semicolons or tabs. Without a currency column amounts are in `currency`; without an
    invoice column the file counts as one invoice. A line without a number, with a
    word for the charge (a weekly fee), stands by itself.
    Lines of one label and invoice are added up; a line that is the same in every column is the same line, if it says
    more than a number and an amount. Raises InvoiceError, naming line and field, before anything is booked.
    """
    how = layout if isinstance(layout, Layout) else Layout(layout)
    columns = {name: how.columns.get(name, name) for name in FIELDS}
    written = list(lines)
    table = csv.DictReader(written, delimiter=_delimiter(written))
    there = table.fieldnames or ()
    if columns["amount"] not in there:
        raise InvoiceError(f"The file has no column {columns['amount']!r} for amount.", detail="amount")
    if not any(columns[name] in there for name in ("tracking", "reference", "handle")):
        raise InvoiceError(f"The file has no column {columns['tracking']!r} for tracking.", detail="tracking")
    found: dict[tuple[str, ...], InvoiceLine] = {}
    seen: set[tuple[str, ...]] = set()
    for row in table:
        values = {name: (row.get(columns[name]) or "").strip() for name in FIELDS}
        whole = tuple(str(each or "").strip() for each in row.values())
        if sum(map(bool, whole)) > _BARE and whole in seen:
            continue
        seen.add(whole)
        if any(values.values()):
            _add(found, _line(table.line_num, values, how, currency))
    return list(found.values())


def _add(found: dict[tuple[str, ...], InvoiceLine], line: InvoiceLine) -> None:
    number = line.tracking or line.reference or line.handle
    key = (number, line.invoice, line.amount.currency, "" if number else str(line.number))
    known = found.get(key)
    if known is None:
        found[key] = line
        return
    reasons = [each for each in dict.fromkeys((known.reason, line.reason)) if each]
    found[key] = InvoiceLine(
        known.number,
        known.tracking,
        known.amount + line.amount,
        known.invoice,
        "; ".join(reasons)[:200],
        known.reference or line.reference,
        known.handle or line.handle,
        line.measures if known.measures == NOTHING else known.measures,
        (*known.charges, *line.charges),
    )


def _line(number: int, values: Mapping[str, str], how: Layout, currency: str) -> InvoiceLine:
    if not any(values[name] for name in ("tracking", "reference", "handle", "reason")):
        raise _wrong(number, "tracking", "there is neither a tracking number nor a word for the charge")
    try:
        amount = Money.rounded(_plain_amount(values["amount"]), values["currency"] or currency)
    except MoneyError as error:
        raise _wrong(number, "amount", f"{values['amount']!r} is not an amount") from error
    charges = ((values["reason"][:120], amount.minor),) if values["reason"] else ()
    return InvoiceLine(
        number,
        values["tracking"][:80],
        amount,
        values["invoice"][:80],
        values["reason"][:200],
        values["reference"][:120],
        values["handle"][:120],
        _measures(number, values, how),
        charges,
    )


def _measures(number: int, values: Mapping[str, str], how: Layout) -> Measures:
    sides = [_measure(number, name, values[name], _MM[how.size_unit]) for name in ("length", "width", "height")]
    length, width, height = sides
    size = None if length is None or width is None or height is None else (length, width, height)
    if size is None and values["size"]:
        size = _size(number, values["size"], _MM[how.size_unit])
    return Measures(
        grams=_measure(number, "weight", values["weight"], _GRAMS[how.weight_unit]),
        size=size,
        billed_grams=_measure(number, "billed_weight", values["billed_weight"], _GRAMS[how.weight_unit]),
        zone=values["zone"][:20],
        residential=True if values["residential"].lower() in _YES else _no(values["residential"]),
    )


def _delimiter(lines: Sequence[str]) -> str:
    """What parts the columns: whichever of the usual ones the header has most of."""
    header = lines[0] if lines else ""
    return max((",", ";", "\t"), key=header.count)


def _plain_amount(text: str) -> str:
    """An amount as people and carriers write it: 1,019.42; 1.019,42; 12,5; (4.20) and 4.20- for what was taken off."""
    plain = "".join(text.split()).lstrip("$€£").removeprefix("+")
    taken_off = plain.startswith("(") and plain.endswith(")")
    if taken_off or (plain.endswith("-") and len(plain) > 1):
        plain = "-" + (plain[1:-1] if taken_off else plain[:-1]).lstrip("$€£")
    comma, dot = plain.rfind(","), plain.rfind(".")
    if comma < 0 or (dot < 0 and len(plain) - comma == 4):
        return plain  # Three figures after the only comma: thousands or thousandths, which nobody should guess.
    if comma > dot:
        return plain.replace(".", "").replace(",", ".") if plain.count(",") == 1 else plain
    return plain.replace(",", "") if plain.count(".") == 1 else plain


def _size(number: int, text: str, unit: Decimal) -> tuple[int, int, int] | None:
    """Three sides in one cell, such as 14.0x 12.0 x 10.0; a side of nought is not told."""
    parts = [part.strip() for part in text.lower().replace("×", "x").replace("*", "x").split("x")]  # noqa: RUF001
    if len(parts) != 3:
        raise _wrong(number, "size", f"{text!r} is not three sides")
    length, width, height = (_measure(number, "size", part, unit) for part in parts)
    return None if length is None or width is None or height is None else (length, width, height)


def _no(text: str) -> bool | None:
    return False if text.lower() in _NO else None


def _measure(number: int, name: str, text: str, unit: Decimal) -> int | None:
    """A figure in our unit, rounded up; nought and nothing are not told."""
    if not text:
        return None
    try:
        value = Decimal(text.replace(",", ".") if "." not in text else text) * unit
    except InvalidOperation:
        raise _wrong(number, name, f"{text!r} is not a figure") from None
    if not value.is_finite() or value < 0 or value > 10_000_000:
        raise _wrong(number, name, f"{text!r} is out of range")
    return int(value.to_integral_value(rounding="ROUND_CEILING")) or None


def _wrong(number: int, name: str, what: str) -> InvoiceError:
    return InvoiceError(f"Line {number}: {what}.", detail=f"line {number}: {name}")


def measures_json(measures: Measures) -> dict[str, Any]:
    """Measures as they are kept: only what was told."""
    found: dict[str, Any] = {
        "grams": measures.grams,
        "size": None if measures.size is None else list(measures.size),
        "billed_grams": measures.billed_grams,
        "zone": measures.zone or None,
        "residential": measures.residential,
    }
    return {name: value for name, value in found.items() if value is not None}


def measures_of(body: Mapping[str, Any] | None) -> Measures:
    """Measures from what was kept."""
    known = body or {}
    size = known.get("size")
    return Measures(
        known.get("grams"),
        None if size is None else (size[0], size[1], size[2]),
        known.get("billed_grams"),
        known.get("zone", ""),
        known.get("residential"),
    )
