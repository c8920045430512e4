"""A carrier's invoice as a CSV file: our fields from its columns, in our units; several lines of one label together."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from carriers.invoice import NOTHING, Measures
from carriers.money import Money
from connector.labels.invoice_cells import BadCell, SizeUnit, WeightUnit, read_amount, read_measures
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
NAMING = ("tracking", "reference", "handle")
"""What a label is found by, the best first."""

Amounts = Literal["total", "adjustment"]

_BARE = 2  # A number and an amount: two such lines may well be two charges.

_Key = tuple[str, ...]


class InvoiceError(WaybillError):
    """A file or a line that cannot be read; `detail` is the field, for a line `line N: field`."""


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

    @property
    def name(self) -> str:
        """What the line names its label by; empty for a fee without one."""
        return self.tracking or self.reference or self.handle

    def details(self) -> dict[str, Any] | None:
        """What is kept beside the amount."""
        known = measures_json(self.measures)
        charges = [list(each) for each in self.charges]
        return {"captured": known, "charges": charges} if known or charges else None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a carrier writes its files: our fields' columns, what an amount is, and its units.

    A field without an entry is in the column of its own name; one with an empty entry is not in the file.
    """

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


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be read: its number in the file, our field, and what is wrong with it."""

    number: int
    field: str
    what: str

    def say(self) -> str:
        """In a sentence."""
        return f"Line {self.number}: {self.what}."


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was read: its labels, and the lines that cannot be read.

    A label of which one line cannot be read is none of `lines`: half of what it cost would be booked. `repeats` counts
    the lines that say word for word what another one says.
    """

    lines: tuple[InvoiceLine, ...]
    faults: tuple[Fault, ...] = ()
    repeats: int = 0

    def whole(self) -> tuple[InvoiceLine, ...]:
        """The labels, if every line could be read. Raises InvoiceError for the first that could not."""
        for fault in self.faults:
            raise InvoiceError(fault.say(), detail=f"line {fault.number}: {fault.field}")
        return self.lines


def read_sheet(lines: Iterable[str], layout: Layout, currency: str) -> Sheet:
    """A carrier's invoice as CSV with a header line.

    Columns stand between commas, semicolons or tabs. Without a currency column amounts are in `currency`; without an
    invoice column the file counts as one invoice. A line without a number, with a
    word for the charge (a weekly fee), stands by itself.
    Lines of one label and invoice are added up; a line that is the same in every column is the same line, if it says
    more than a number and an amount. Raises InvoiceError, naming the field, where a column is missing or it is no CSV.
    """
    columns = {name: layout.columns.get(name, name) for name in FIELDS}
    reading = _Reading(layout, currency)
    try:
        table = _table(lines)
        _demand(columns, table.fieldnames or ())
        for row in table:
            reading.take(table.line_num, row, columns)
    except csv.Error as error:
        raise InvoiceError("The file is no CSV table.", detail=str(error)) from error
    return reading.done()


def header_of(lines: Iterable[str]) -> list[str]:
    """The names of a file's columns, each once. Raises InvoiceError for what is no CSV."""
    try:
        return list(dict.fromkeys(name for name in _table(lines).fieldnames or () if name))
    except csv.Error as error:
        raise InvoiceError("The file is no CSV table.", detail=str(error)) from error


class _Reading:
    """What was read of a file so far."""

    def __init__(self, layout: Layout, currency: str) -> None:
        self._layout, self._currency = layout, currency
        self._found: dict[_Key, InvoiceLine] = {}
        self._seen: set[_Key] = set()
        self._broken: set[_Key] = set()
        self._faults: list[Fault] = []
        self._repeats = 0

    def take(self, number: int, row: Mapping[str, Any], columns: Mapping[str, str]) -> None:
        values = {name: (row.get(column) or "").strip() if column else "" for name, column in columns.items()}
        whole = tuple(str(each or "").strip() for each in row.values())
        if sum(map(bool, whole)) > _BARE and whole in self._seen:
            self._repeats += 1
            return
        self._seen.add(whole)
        if not any(values.values()):
            return
        try:
            self._add(_line(number, values, self._layout, self._currency))
        except BadCell as error:
            self._faults.append(Fault(number, error.detail, error.message))
            self._broken.add(_label_key(values))

    def _add(self, line: InvoiceLine) -> None:
        key = (line.name, line.invoice, line.amount.currency, "" if line.name else str(line.number))
        known = self._found.get(key)
        self._found[key] = line if known is None else _together(known, line)

    def done(self) -> Sheet:
        good, faults = [], list(self._faults)
        for line in self._found.values():
            if line.name and (line.name, line.invoice) in self._broken:
                faults.append(Fault(line.number, "tracking", "another line of the same label cannot be read"))
            else:
                good.append(line)
        return Sheet(tuple(good), tuple(sorted(faults, key=lambda each: each.number)), self._repeats)


def _label_key(values: Mapping[str, str]) -> _Key:
    """Number and invoice, as a line that could be read has them."""
    name = values["tracking"][:80] or values["reference"][:120] or values["handle"][:120]
    return name, values["invoice"][:80]


def _together(known: InvoiceLine, line: InvoiceLine) -> InvoiceLine:
    reasons = [each for each in dict.fromkeys((known.reason, line.reason)) if each]
    return InvoiceLine(
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
    if not any(values[name] for name in (*NAMING, "reason")):
        raise BadCell("there is neither a tracking number nor a word for the charge", detail="tracking")
    amount = read_amount(values["amount"], values["currency"].upper() or currency)
    charges = ((values["reason"][:120], amount.minor),) if values["reason"] else ()
    return InvoiceLine(
        number,
        values["tracking"][:80],
        amount,
        values["invoice"][:80],
        values["reason"][:200],
        values["reference"][:120],
        values["handle"][:120],
        read_measures(values, how.weight_unit, how.size_unit),
        charges,
    )


def _demand(columns: Mapping[str, str], there: Sequence[str]) -> None:
    """Raises InvoiceError where a column is missing without which nothing can be booked."""
    if columns["amount"] not in there:
        raise InvoiceError(f"The file has no column {columns['amount']!r} for amount.", detail="amount")
    if not any(columns[name] in there for name in NAMING):
        raise InvoiceError(f"The file has no column {columns['tracking']!r} for tracking.", detail="tracking")


def _table(lines: Iterable[str]) -> csv.DictReader[str]:
    """The columns stand between whichever of the usual signs the header has most of."""
    written = list(lines)
    header = written[0] if written else ""
    return csv.DictReader(written, delimiter=max((",", ";", "\t"), key=header.count))


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
