"""Read many kept answers, oldest first, a page at a time: for what looks at all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, tuple_

from connector.quotes.facts import Facts
from connector.quotes.ledger import LedgerRow, quote_facts, quotes, row_of
from connector.storage.database import Database

_PAGE = 500
_MOST_FACTS = 200  # Settings and origins change rarely: a page's answers share a few.


def past_answers(
    database: Database, shop_id: str, *, since: datetime | None = None, limit: int | None = None
) -> Iterator[LedgerRow]:
    """Every kept answer of a shop from `since` on; with `limit` only the newest so many, still the oldest first.

    Each page is a transaction of its own, so that a long look holds nobody up.
    """
    known: dict[str, Facts] = {}
    after: tuple[datetime, str] | None = None
    if limit is not None:
        after = database.run_here(_before_newest, shop_id, limit)
    while True:
        page = database.run_here(_page, shop_id, since, after, known)
        yield from page
        if len(page) < _PAGE:
            return
        after = (page[-1].at, page[-1].id)


def _page(
    connection: Connection,
    shop_id: str,
    since: datetime | None,
    after: tuple[datetime, str] | None,
    known: dict[str, Facts],
) -> list[LedgerRow]:
    wanted = quotes.select(shop_id)
    if since is not None:
        wanted = wanted.where(quotes.c.at >= since)
    if after is not None:
        wanted = wanted.where(tuple_(quotes.c.at, quotes.c.id) > after)
    found = connection.execute(wanted.order_by(quotes.c.at, quotes.c.id).limit(_PAGE)).all()
    missing = {row.facts_hash for row in found} - known.keys()
    if missing:
        if len(known) > _MOST_FACTS:
            known.clear()
            missing = {row.facts_hash for row in found}
        bodies = quote_facts.select(shop_id).where(quote_facts.c.hash.in_(missing))
        known.update((row.hash, Facts.from_plain(row.body)) for row in connection.execute(bodies).all())
    return [row_of(row, known[row.facts_hash]) for row in found]


def _before_newest(connection: Connection, shop_id: str, limit: int) -> tuple[datetime, str] | None:
    """The last answer that is not among the newest `limit`; None if there are no more than that."""
    newest = quotes.select(shop_id, quotes.c.at, quotes.c.id).order_by(quotes.c.at.desc(), quotes.c.id.desc())
    found = connection.execute(newest.offset(limit).limit(1)).first()
    return None if found is None else (found.at, found.id)
