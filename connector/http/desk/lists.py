"""What the lists of the desk have in common: dates and places in the address, and tables sent page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from connector.http.desk.page import Ask
from connector.http.desk.render import with_query
from connector.storage.keyset import Mark, Page
from connector.words.spreadsheet import csv_bytes, csv_lines

AT_ONCE = 50
_CSV_PAGE = 500

Read = Callable[[Mark | None, int], Awaitable[Page[Any]]]


def day(ask: Ask, name: str, *, end: bool = False) -> datetime | None:
    """A day of the filter as a moment of the shop's zone: its beginning, or with `end` that of the next one."""
    try:
        chosen = date.fromisoformat(ask.query.get(name, "").strip())
        return datetime.combine(chosen + timedelta(days=1 if end else 0), time(), ask.zone)
    except (ValueError, OverflowError):
        return None


def country(ask: Ask) -> str:
    """The country of the filter: two letters, or nothing."""
    text = ask.query.get("country", "").strip().upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""


def one_of(ask: Ask, name: str, known: Iterable[str]) -> str:
    """A choice of the filter, if it is one."""
    text = ask.query.get(name, "")
    return text if text in set(known) else ""


def mark(ask: Ask) -> Mark | None:
    """The place in the list that the address names."""
    return Mark.read(ask.query.get("at", ""))


def beside(ask: Ask, page: Page[Any]) -> dict[str, str]:
    """The addresses of the pages beside this one, and of the whole table as a file."""
    return {
        "newer": with_query(ask.query, at=page.newer) if page.newer else "",
        "older": with_query(ask.query, at=page.older) if page.older else "",
        "csv": with_query(ask.query, at=None, format="csv"),
    }


async def table(
    header: Iterable[str], read: Read, cells: Callable[[Any], Iterable[object]], most: int
) -> AsyncIterator[bytes]:
    """The newest `most` lines as CSV; each page is read for itself, so that nothing waits for the whole."""
    yield csv_bytes(header, [])
    left, at = most, None
    while left > 0:
        page = await read(at, min(left, _CSV_PAGE))
        yield csv_lines([cells(line) for line in page.lines])
        left -= len(page.lines)
        at = page.older
        if at is None:
            return
