"""From the bytes of a file to a table that can be used, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from carriers.rate_table.checks import contradictions, incomplete, oddities
from carriers.rate_table.client import Table
from carriers.rate_table.csv_format import Line, read_sheet
from carriers.rate_table.errors import BadTable, Fault
from carriers.rate_table.mapping import read_tariff
from carriers.rate_table.zones import Zones


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read to its end. Without `faults` there is a `table`; `notes` are allowed, perhaps not meant."""

    table: Table | None
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...]
    lines: tuple[Line, ...] = ()


def check_table(raw: bytes) -> Checked:
    """Check a whole file; never raises. Faults and notes are in the order of the lines."""
    sheet = read_sheet(raw)
    faults = list(sheet.faults)
    if faults and not sheet.lines:
        return Checked(None, tuple(sorted(set(faults))), ())
    tariff = read_tariff(sheet, faults)
    if tariff is None:
        return Checked(None, tuple(sorted(set(faults))), ())
    zones = Zones(tariff.zones)
    faults += contradictions(tariff, zones)
    if not faults:
        faults += incomplete(tariff)
    if faults:
        return Checked(None, tuple(sorted(set(faults))), ())
    notes = tuple(sorted(set(oddities(tariff, zones))))
    return Checked(Table(tariff, zones), (), notes, sheet.lines)


def read_table(raw: bytes) -> Table:
    """The table of a good file. Raises BadTable, with every fault, for another one."""
    checked = check_table(raw)
    if checked.table is None:
        raise BadTable(checked.faults)
    return checked.table
