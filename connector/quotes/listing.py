"""The quotes of a shop as a list: newest first, narrowed, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select

from carriers.money import Money
from connector.quotes.decision import SOURCES, Decision
from connector.quotes.ledger import quotes
from connector.quotes.reduced import ReducedCart
from connector.storage.keyset import Mark, Page, newest
from connector.words.reason import Reason

OUTCOMES = ("offers", "backup", "not_served")
CSV_ROWS = 20_000
"""The most lines of a download."""

_COLUMNS = ("id", "at", "outcome", "country", "source", "cart", "decision", "elapsed_ms")


@dataclass(frozen=True, slots=True)
class QuoteFilter:
    """What narrows the list; empty fields do not. `since` is included, `until` is not. `text` is a quote's id."""

    outcome: str = ""
    country: str = ""
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """An answer in short. `source` is its offers' farthest one; `why` says why there are none, or safety rates."""

    id: str
    at: datetime
    outcome: str
    country: str
    place: str
    units: int
    goods: Money
    offers: int
    cheapest: Money | None
    source: str
    why: Reason | None
    elapsed_ms: int


def page(
    connection: Connection, shop_id: str, chosen: QuoteFilter, mark: Mark | None = None, most: int = 50
) -> Page[QuoteLine]:
    """One page of the list."""
    found = newest(connection, _choices(shop_id, chosen), quotes.c.at, quotes.c.id, mark, most)
    return Page(tuple(_line(row) for row in found.lines), found.newer, found.older)


def _choices(shop_id: str, chosen: QuoteFilter) -> list[Select[Any]]:
    """The choice by its columns; and what the first release kept without them, by the kept cart and decision."""
    base = quotes.select(shop_id, *(quotes.c[name] for name in _COLUMNS))
    if chosen.text:
        base = base.where(quotes.c.id == chosen.text)
    if chosen.outcome:
        base = base.where(quotes.c.outcome == chosen.outcome)
    if chosen.since is not None:
        base = base.where(quotes.c.at >= chosen.since)
    if chosen.until is not None:
        base = base.where(quotes.c.at < chosen.until)
    if not chosen.country and not chosen.source:
        return [base]
    narrowed, dated = base, base.where(quotes.c.source.is_(None))
    if chosen.country:
        narrowed = narrowed.where(quotes.c.country == chosen.country.upper())
        dated = dated.where(quotes.c.cart["destination"]["country"].as_string() == chosen.country.upper())
    if chosen.source:
        narrowed = narrowed.where(quotes.c.source == chosen.source)
        # The first release knew no sources but these two, and never both in one answer.
        dated = dated.where(quotes.c.decision["offers"][0]["source"].as_string() == chosen.source)
    return [narrowed, dated]


def _line(row: Any) -> QuoteLine:
    cart, decision = ReducedCart.from_plain(row.cart), Decision.from_plain(row.decision)
    place = cart.destination
    cheapest = min(decision.offers, key=lambda offer: offer.minor, default=None)
    source = decision.farthest_source if row.source is None else row.source
    return QuoteLine(
        id=row.id,
        at=row.at,
        outcome=row.outcome,
        country=place.country if place else "",
        place=" ".join(part for part in (place.postal_code, place.city) if part) if place else "",
        units=sum(line.quantity for line in cart.lines),
        goods=cart.goods,
        offers=len(decision.offers),
        cheapest=None if cheapest is None else Money(cheapest.minor, cheapest.currency),
        source=source if source in SOURCES else "",
        why=decision.why,
        elapsed_ms=row.elapsed_ms,
    )
