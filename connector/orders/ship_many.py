"""Tracking numbers of labels that were bought elsewhere, many at once from a CSV file: a line each, a reason each.

Columns: order, carrier, number; also url, price, parcel where wanted. A line that cannot be taken keeps no other back.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connector.labels.by_hand import NotByHand, NotTyped, read_typed
from connector.orders import view
from connector.orders.by_hand import ship_by_hand
from connector.orders.view import NoSuchOrder
from connector.storage.audit import Actor
from connector.work.port import Work
from webhooks.errors import WaybillError

NEEDED = ("order", "carrier", "number")
KNOWN = (*NEEDED, "url", "price", "parcel")
MOST = 5000


class BadFile(WaybillError):
    """The file is no table with these columns; nothing was read."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file, with its number (the heading is line 1)."""

    line: int
    values: dict[str, str]

    def get(self, name: str) -> str:
        """A field, without spaces around it; empty where it is not there."""
        return self.values.get(name, "").strip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line: kept, known (the same number was there), or refused with a reason and the field."""

    line: int
    order: str
    outcome: str
    message: str = ""
    field: str = ""


def read_rows(content: bytes) -> list[Row]:
    """The lines of a CSV file: UTF-8, with commas, semicolons or tabs. Raises BadFile, naming what is wrong."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile("The file is not UTF-8 text.") from error
    if "\x00" in text:  # No text has it, and no database keeps it: another encoding, such as UTF-16.
        raise BadFile("The file is not UTF-8 text.")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = [(name or "").strip().lower() for name in table.fieldnames or ()]
        if missing := [name for name in NEEDED if name not in names]:
            raise BadFile(f"The file has no column {' and no '.join(missing)}.", detail=missing[0])
        if unknown := [name for name in names if name not in KNOWN]:
            raise BadFile(f"There is no column {unknown[0]}; there are: {', '.join(KNOWN)}.", detail=unknown[0])
        table.fieldnames = names
        rows = []
        for found in table:
            values = {name: value or "" for name, value in found.items() if isinstance(name, str)}
            if any(value.strip() for value in values.values()):
                rows.append(Row(table.line_num, values))
    except csv.Error as error:
        raise BadFile("The file is no CSV table.", detail=str(error)) from error
    if len(rows) > MOST:
        raise BadFile(f"The file has more than {MOST} lines.")
    return rows


def ship_row(
    connection: Connection, work: Work, shop_id: str, row: Row, actor: Actor, now: datetime, *, notify_buyer: bool
) -> Outcome:
    """Take one line in, in a transaction of its own; the same file again changes nothing."""
    order = row.get("order")
    if not order:
        return Outcome(row.line, "", "refused", "Name the order.", "order")
    try:
        found = view.find(connection, shop_id, order)
        typed = read_typed(row.get("carrier"), row.get("number"), row.get("url"), row.get("price"), found.currency)
        shipped = ship_by_hand(
            connection,
            work,
            shop_id,
            order,
            typed,
            actor,
            now,
            notify_buyer=notify_buyer,
            parcel_id=row.get("parcel") or None,
        )
    except (NoSuchOrder, NotByHand, NotTyped) as error:
        field = error.detail if error.detail in KNOWN else "order"
        return Outcome(row.line, order, "refused", error.message, field)
    return Outcome(row.line, order, "kept" if shipped.new else "known")
