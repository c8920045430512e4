"""The file of a rate table: from bytes to lines with named cells, and lines to bytes in the canonical form.

Only the form is checked here: encoding, columns, which columns a line has a use for. `mapping` reads the cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from carriers.rate_table.errors import Fault

MOST_BYTES = 4 * 1024 * 1024
MOST_LINES = 50_000
LONGEST_CELL = 20_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line: the columns that it must fill, and those that it may fill."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "table": Kind(("name", "currency"), ("weight_unit", "round_to", "priced_by", "never_falls")),
    "service": Kind(("service",), ("days", "round_to", "priced_by")),
    "divisor": Kind(("divisor",), ("service", "from", "to")),
    "zone": Kind(("zone", "country"), ("province", "postal")),
    "price": Kind(
        ("service", "zone", "price"),
        (
            "currency",
            "days",
            "items_from",
            "items_to",
            "subtotal_from",
            "subtotal_to",
            "weight_from",
            "weight_over",
            "weight_to",
            "included",
            "per_unit",
            "step",
            "per_step",
        ),
    ),
    "surcharge": Kind(("name",), ("service", "zone", "percent", "amount", "currency", "from", "to")),
}

COLUMNS = (
    "row",
    "name",
    "service",
    "zone",
    "currency",
    "weight_unit",
    "round_to",
    "priced_by",
    "never_falls",
    "days",
    "divisor",
    "country",
    "province",
    "postal",
    "items_from",
    "items_to",
    "subtotal_from",
    "subtotal_to",
    "weight_from",
    "weight_over",
    "weight_to",
    "price",
    "included",
    "per_unit",
    "step",
    "per_step",
    "percent",
    "amount",
    "from",
    "to",
)
"""Every column, in the order of the canonical form."""

NUMBERS = frozenset(COLUMNS[COLUMNS.index("items_from") : COLUMNS.index("from")]) | {"round_to", "days", "divisor"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with something in it: its number in the file (from 1), its kind, and its filled cells."""

    number: int
    kind: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says, as far as it can be read, and what is wrong with its form."""

    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


def read_sheet(raw: bytes) -> Sheet:
    """Read a file; never raises. Comma, semicolon or tab between cells; with the latter two `5,40` is a number."""
    if len(raw) > MOST_BYTES:
        return Sheet((), (Fault(1, "", f"The file has more than {MOST_BYTES // 1024 // 1024} MiB."),))
    faults = list(_not_utf8(raw))
    text = raw.decode("utf-8-sig", errors="replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    decimal_comma = reader.dialect.delimiter != ","
    lines: list[Line] = []
    header: list[str] | None = None
    for number, cells in _records(reader, faults):
        if not any(cells) or cells[0].startswith("#"):
            continue
        if header is None:
            header = [cell.casefold() for cell in cells]
            faults += _bad_header(number, header)
            if "row" not in header:
                break
        elif len(lines) == MOST_LINES:
            faults.append(Fault(number, "", f"The file has more than {MOST_LINES} lines."))
            break
        else:
            line = _line(number, header, cells, faults, decimal_comma=decimal_comma)
            if line is not None:
                lines.append(line)
    if header is None and not faults:
        faults.append(Fault(1, "row", "The file is empty: its first line names the columns."))
    return Sheet(tuple(lines), tuple(faults))


def write_canonical(lines: Sequence[Line]) -> bytes:
    """The same lines in the one form that equal tables share: UTF-8, commas, LF, the used columns in fixed order."""
    used = [name for name in COLUMNS if name == "row" or any(name in line.cells for line in lines)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(used)
    for line in lines:
        writer.writerow([line.kind, *(line.cells.get(name, "") for name in used[1:])])
    return out.getvalue().encode()


def _not_utf8(raw: bytes) -> Iterator[Fault]:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        yield Fault(1, "", "The file is UTF-16: save it as CSV in UTF-8.")
        return
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Fault(number, "", f"Character {error.start + 1} is not UTF-8: save the file as CSV in UTF-8.")


def _delimiter(text: str) -> str:
    """What stands between the cells of the line of names: the most frequent one there."""
    for line in text.splitlines()[:1000]:
        if line.strip(" ,;\t") and not line.startswith("#"):
            return max(",;\t", key=line.count)
    return ","


def _records(reader: Iterator[list[str]], faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line, cells stripped. What cannot be read on is the last fault."""
    while True:
        number: int = reader.line_num + 1  # type: ignore[attr-defined]  # csv's reader has it; its type is private.
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = "a quotation mark is not closed, or not doubled" if "quote" in str(error) else "it cannot be read"
            if "unexpected end" in str(error):
                why = "a quotation mark is not closed"
            faults.append(Fault(number, "", f"The cells of this line cannot be told apart: {why}."))
            return
        yield number, [cell.strip() for cell in cells] or [""]


def _bad_header(number: int, header: list[str]) -> Iterator[Fault]:
    if "row" not in header:
        yield Fault(number, "row", "The first line names the columns, and one of them is `row`.")
        return
    for place, name in enumerate(header, 1):
        if name not in COLUMNS:
            named = f"`{name[:40]}`" if name else f"Column {place}, which has no name,"
            yield Fault(number, name[:40], f"{named} is no column of a rate table.")
        elif header.index(name) < place - 1:
            yield Fault(number, name, "This column is there twice.")


def _line(number: int, header: list[str], cells: list[str], faults: list[Fault], *, decimal_comma: bool) -> Line | None:
    if any(cells[len(header) :]):
        faults.append(Fault(number, "", f"The line has {len(cells)} cells, and only {len(header)} have a name."))
    filled = {name: cell for name, cell in zip(header, cells, strict=False) if cell and name in COLUMNS}
    named = filled.pop("row", "")
    kind = KINDS.get(named.casefold())
    if kind is None:
        said = f"`{named[:40]}` is none" if named else "The cell is empty"
        faults.append(Fault(number, "row", f"{said}: {', '.join(KINDS)} are the kinds of lines."))
        return None
    name = named.casefold()
    faults += [Fault(number, column, f"A {name} line needs this.") for column in kind.needs if column not in filled]
    for column, cell in filled.items():
        if column not in kind.needs and column not in kind.may:
            faults.append(Fault(number, column, f"A {name} line has no use for this."))
        elif len(cell) > LONGEST_CELL:
            faults.append(Fault(number, column, f"The cell has more than {LONGEST_CELL} characters."))
    if decimal_comma:
        filled = {
            column: cell.replace(",", ".") if column in NUMBERS and cell.count(",") == 1 and "." not in cell else cell
            for column, cell in filled.items()
        }
    return Line(number, name, {column: cell for column, cell in filled.items() if len(cell) <= LONGEST_CELL})
