"""Carriers' invoices from files: looked at first, so that it is seen what would be booked; then booked once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import anyio.to_thread

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, NotThere, Page, View
from connector.labels import invoice_file, invoice_import
from connector.labels.invoice_cells import SizeUnit, WeightUnit
from connector.labels.invoice_csv import (
    FIELDS,
    NAMING,
    Amounts,
    InvoiceError,
    Layout,
    Sheet,
    header_of,
    read_sheet,
)
from connector.labels.invoice_layouts import layout_names, load_layout
from connector.labels.invoices import Taken, count, leftovers
from connector.words.desk_texts import say

FIRST_FIELDS = ("tracking", "amount", "currency", "invoice", "reason")
"""What nearly every file has; the others stand behind them."""

_KINDS: tuple[Amounts, ...] = get_args(Amounts)
_WEIGHTS: tuple[WeightUnit, ...] = get_args(WeightUnit)
_SIZES: tuple[SizeUnit, ...] = get_args(SizeUnit)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _File:
    """A file that somebody gave, with how it is to be read."""

    text: str
    rows: list[str]
    header: list[str]
    carrier: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class Left:
    """A line that is not booked, and why; `field` is ours."""

    number: int
    name: str
    field: str
    why: str


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """A form for a file."""
    return await _blank(house, ask)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Look at a file, with other columns perhaps; or book it as it was looked at."""
    do = ask.typed.get("do", "")
    if do not in {"check", "book"}:
        raise NotThere
    try:
        given = await _file(house, ask)
    except InvoiceError as error:
        return await _blank(house, ask, Complaint(text=error.message, field="file"))
    currency = ask.shop.record.currency
    try:
        sheet = await anyio.to_thread.run_sync(read_sheet, given.rows, given.layout, currency)
    except InvoiceError as error:
        return _checked(given, complaint=_missing(error))
    if do == "book":
        return await _book(house, ask, given, sheet)
    found = await invoice_import.look(house.database, ask.shop.id, sheet.lines, given.layout.amounts, ask.now)
    return _checked(given, sheet, found)


async def done(house: DeskHouse, ask: Ask) -> Answer:
    """How an import ended, and which of its lines still wait for a label."""
    note = await house.database.look(invoice_import.note_of, ask.shop.id, ask.path["file"])
    if note is None:
        raise NotThere
    left = await house.database.look(leftovers, ask.shop.id, _SHOWN, of=note.at)
    unreadable = [each.partition(" ")[::2] for each in note.figures.get("unreadable", ())]
    return View("costs_imported.html", {"note": note, "figures": note.figures, "left": left, "unreadable": unreadable})


async def _blank(house: DeskHouse, ask: Ask, complaint: Complaint | None = None) -> View:
    names = await house.database.look(layout_names, ask.shop.id)
    titles = [each.kind.title for each in ask.shop.accounts.values()]
    kinds = [("", say("invoices.kind.kept")), *((each, say(f"invoices.kind.{each}")) for each in _KINDS)]
    values = {"step": "file", "carriers": list(dict.fromkeys((*names, *titles))), "kinds": kinds}
    return View("costs_import.html", values, complaint)


async def _file(house: DeskHouse, ask: Ask) -> _File:
    """What was given, or what an earlier page holds. Raises InvoiceError."""
    held = ask.typed.get("held", "")
    content = ask.files.get("file", b"")
    if not held and not content:
        raise InvoiceError(say("upload.no_file"), detail="file")
    text = await anyio.to_thread.run_sync(
        partial(invoice_file.release, held) if held else partial(invoice_file.text_of, content)
    )
    rows = text.splitlines()
    header = header_of(rows)
    carrier = ask.typed.get("carrier", "").strip()[:60]
    kept = await house.database.look(load_layout, ask.shop.id, carrier) if carrier else None
    return _File(text, rows, header, carrier, _layout(ask.typed, header, kept or Layout()))


def _layout(typed: Mapping[str, str], header: Sequence[str], kept: Layout) -> Layout:
    """As it was typed; where nothing was, as this carrier's last file was read, or as the columns are called."""
    if any(f"c_{name}" in typed for name in FIELDS):
        chosen = {name: typed.get(f"c_{name}", "") for name in FIELDS}
        columns = {name: column if column in header else "" for name, column in chosen.items()}
    else:
        columns = invoice_file.propose(header, kept.columns)
    kind, weight, size = typed.get("amounts"), typed.get("weight_unit"), typed.get("size_unit")
    return Layout(
        columns,
        kind if kind in _KINDS else kept.amounts,
        weight if weight in _WEIGHTS else kept.weight_unit,
        size if size in _SIZES else kept.size_unit,
    )


def _missing(error: InvoiceError) -> Complaint:
    """Which column has to be named."""
    if error.detail in {"amount", "tracking"}:
        return Complaint(f"invoices.say.{error.detail}", f"c_{error.detail}")
    return Complaint(text=error.message)


def _checked(
    given: _File, sheet: Sheet | None = None, found: Sequence[Taken] = (), complaint: Complaint | None = None
) -> View:
    """The columns, and what booking would do."""
    layout = given.layout
    counts = Counter(each.kept for each in found)
    booked = [each for each in found if each.kept in {"booked", "refunded"}]
    left = _left(sheet, found)
    fields = {"carrier": given.carrier, "amounts": layout.amounts, "weight_unit": layout.weight_unit}
    fields |= {"size_unit": layout.size_unit, "held": invoice_file.hold(given.text)}
    fields |= {f"c_{name}": column for name, column in layout.columns.items()}
    columns = [("", say("invoices.not_there")), *((each, each) for each in given.header)]
    values: dict[str, Any] = {
        "step": "check",
        "sheet": sheet,
        "layout": layout,
        "fields": fields,
        "options": columns,
        "first": FIRST_FIELDS,
        "more": [name for name in FIELDS if name not in FIRST_FIELDS],
        "kinds": [(each, say(f"invoices.kind.{each}")) for each in _KINDS],
        "weights": [(each, each) for each in _WEIGHTS],
        "sizes": [(each, each) for each in _SIZES],
        "carrier": given.carrier,
        "counts": counts,
        "added": count(found).added,
        "booked": booked[:_SHOWN],
        "booked_count": len(booked),
        "left": left[:_SHOWN],
        "left_count": len(left),
        "fresh": len(found) - counts["known"],
        "doubt": _doubt(layout.amounts, booked),
    }
    return View("costs_import.html", values, complaint)


def _left(sheet: Sheet | None, found: Sequence[Taken]) -> list[Left]:
    """The lines that would not be booked, in the order of the file."""
    faults = () if sheet is None else sheet.faults
    lines = [Left(each.number, "", each.field, f"{each.what[:1].upper()}{each.what[1:]}.") for each in faults]
    codes = {
        "no_label": "costs.left.no_label",
        "other_currency": "costs.left.other_currency",
        "known": "invoices.known",
    }
    for each in found:
        if each.kept in codes:
            field = next((name for name in NAMING if getattr(each.line, name)), "")
            field = "currency" if each.kept == "other_currency" else field
            why = codes[each.kept] if each.line.name else "costs.left.fee"
            lines.append(Left(each.line.number, each.line.name, field, say(why)))
    return sorted(lines, key=lambda each: each.number)


def _doubt(amounts: Amounts, booked: Sequence[Taken]) -> str:
    """What most amounts look like, where that is the other kind than was chosen."""
    known = [(each.line.amount.minor, each.paid.minor) for each in booked if each.paid is not None]
    if amounts == "total":
        odd, code = sum(2 * amount < paid for amount, paid in known), "looks_added"
    else:
        odd, code = sum(10 * amount >= 9 * paid > 0 for amount, paid in known), "looks_whole"
    return code if 2 * odd > len(known) else ""


async def _book(house: DeskHouse, ask: Ask, given: _File, sheet: Sheet) -> Goto:
    name = invoice_import.name_of(given.rows)
    imported = await invoice_import.book(
        house.database,
        ask.shop.id,
        sheet,
        given.layout,
        carrier=given.carrier,
        name=name,
        actor=ask.actor,
        now=ask.now,
    )
    return Goto(f"{ask.base}/costs/invoices/{name}", done="invoices.booked", n=imported.booked)


PAGES = (
    Page("/costs/invoices", place="costs", role="owner", show=show, act=act, uploads=True),
    Page("/costs/invoices/{file}", place="costs", role="owner", show=done),
)
