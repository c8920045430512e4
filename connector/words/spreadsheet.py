"""Tables for spreadsheets: what desk and command line give away as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from carriers.money import Money

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A table for a spreadsheet: UTF-8 with its mark, and no cell that a spreadsheet would run as a formula."""
    return b"\xef\xbb\xbf" + csv_lines([header]) + csv_lines(rows)


def csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    """More lines of such a table."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue().encode()


def money_text(amount: Money) -> str:
    """An amount with its currency, as 1,234.50 EUR."""
    places = max(0, -int(amount.amount.as_tuple().exponent))
    return f"{amount.amount:,.{places}f} {amount.currency}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Money):
        return money_text(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
