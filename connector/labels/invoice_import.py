"""A carrier's invoice taken in as a whole: looked at without booking anything, or booked in small steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from connector.labels.invoice_csv import Amounts, InvoiceLine, Layout, Sheet
from connector.labels.invoice_layouts import save_layout
from connector.labels.invoices import Imported, Taken, count, learn, take_lines
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database

_AT_ONCE = 100
"""Lines of one transaction: others wait no longer than for these."""

_BEGUN, _DONE = "invoice.import", "invoice.imported"
_MOST_NAMED = 100


class _Undone(Exception):
    """What a part would have done."""

    def __init__(self, found: list[Taken]) -> None:
        super().__init__()
        self.found = found


@dataclass(frozen=True, slots=True)
class ImportNote:
    """An import as the audit tells it: when, by whom, and its figures."""

    at: datetime
    actor: Actor
    figures: dict[str, Any]


def name_of(rows: Sequence[str]) -> str:
    """What the audit calls a file: the same for the same lines."""
    return f"invoice_{sha256(chr(10).join(rows).encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


async def look(
    database: Database, shop_id: str, lines: Sequence[InvoiceLine], amounts: Amounts, now: datetime
) -> list[Taken]:
    """What booking these lines would do now. Each part is really booked, and its transaction undone."""
    found: list[Taken] = []
    for part in _parts(lines):
        try:
            await database.run(_undo, shop_id, part, amounts, now)
        except _Undone as undone:
            found += undone.found
    return sorted(found, key=lambda each: each.line.number)


async def book(
    database: Database,
    shop_id: str,
    sheet: Sheet,
    layout: Layout,
    *,
    carrier: str,
    name: str,
    actor: Actor,
    now: datetime,
) -> Imported:
    """Book what can be read, try what earlier files left over, learn what to expect; keep a carrier's layout.

    A file that was interrupted is taken in again: what is booked by then counts as known. `name` is the file's, for the
    audit.
    """
    begun = {"carrier": carrier, "amounts": layout.amounts, "labels": len(sheet.lines)}
    await database.run(_note, shop_id, _BEGUN, name, begun, actor, now)
    found: list[Taken] = []
    for part in _parts(sheet.lines):
        found += await database.run(take_lines, shop_id, part, layout.amounts, now)
    return await database.run(_finish, shop_id, sheet, found, layout, carrier, name, actor, now)


def note_of(connection: Connection, shop_id: str, name: str) -> ImportNote | None:
    """How the newest import of a file ended; None where there was none."""
    for entry in audit.entries(connection, shop_id, subject=name, limit=20):
        if entry.action == _DONE:
            return ImportNote(entry.at, entry.actor, dict(entry.detail))
    return None


def _undo(connection: Connection, shop_id: str, lines: Sequence[InvoiceLine], amounts: Amounts, now: datetime) -> None:
    raise _Undone(take_lines(connection, shop_id, lines, amounts, now))


def _finish(
    connection: Connection,
    shop_id: str,
    sheet: Sheet,
    found: Sequence[Taken],
    layout: Layout,
    carrier: str,
    name: str,
    actor: Actor,
    now: datetime,
) -> Imported:
    if carrier:
        save_layout(connection, shop_id, carrier, layout, now)
    later = learn(connection, shop_id, now)
    done = replace(count(found), matched_later=later)
    figures = {
        "booked": done.booked,
        "added": [str(each) for each in done.added],
        "unchanged": done.unchanged,
        "known": done.known,
        "refunded": done.refunded,
        "left": len(done.unknown) + len(done.other_currency),
        "matched_later": later,
        "repeats": sheet.repeats,
        "unreadable": [f"{each.number} {each.field}" for each in sheet.faults[:_MOST_NAMED]],
        "unreadable_count": len(sheet.faults),
    }
    _note(connection, shop_id, _DONE, name, {key: value for key, value in figures.items() if value}, actor, now)
    return done


def _note(
    connection: Connection, shop_id: str, action: str, name: str, detail: dict[str, Any], actor: Actor, now: datetime
) -> None:
    audit.record(connection, now=now, actor=actor, action=action, subject=name, shop_id=shop_id, detail=detail)


def _parts(lines: Sequence[InvoiceLine]) -> Iterator[list[InvoiceLine]]:
    """Parts of a file for a transaction each; the lines of one label stay together."""
    by_label: dict[str, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        by_label[line.name or f"#{line.number}"].append(line)
    part: list[InvoiceLine] = []
    for mine in by_label.values():
        part += mine
        if len(part) >= _AT_ONCE:
            yield part
            part = []
    if part:
        yield part
