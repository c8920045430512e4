"""Invoices of a few lines, read whole and booked in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from connector.labels.invoice_csv import Amounts, InvoiceLine, Layout, read_sheet
from connector.labels.invoices import Imported, count, learn, take_lines


def read_invoice(rows: Iterable[str], layout: Layout | Mapping[str, str], currency: str) -> list[InvoiceLine]:
    """The labels of a file. Raises InvoiceError for a line that cannot be read."""
    how = layout if isinstance(layout, Layout) else Layout(layout)
    return list(read_sheet(rows, how, currency).whole())


def book_invoice(
    connection: Connection, shop_id: str, lines: Iterable[InvoiceLine], amounts: Amounts, now: datetime
) -> Imported:
    """Book the lines, try those of earlier files again, then learn what to expect."""
    done = count(take_lines(connection, shop_id, lines, amounts, now))
    return replace(done, matched_later=learn(connection, shop_id, now))
