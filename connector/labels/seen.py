"""What a person saw of a label beyond its promise, and let pass: up to which price, and until which day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from carriers.money import Money
from connector.words.reason import Reason

DEARER = frozenset({"dearer_than_quoted", "beyond_quote", "quote_lost_dearer"})
"""Reasons that name today's price as `now`."""

LATER = "later_than_promised"


def seen_in(why: Reason) -> str:
    """How it is kept among what was let pass of a parcel; empty for any other reason, which is kept by its code."""
    now = why.params.get("now")
    if why.code in DEARER and isinstance(now, Money):
        return f"{why.code} {now.minor} {now.currency}"
    return f"{why.code} {now}" if why.code == LATER and now else ""


def price_seen(let_pass: Iterable[str], currency: str) -> Money | None:
    """The dearest price in this currency that a person let pass."""
    found = [words for each in let_pass if (words := each.split()) and words[0] in DEARER and len(words) == 3]
    prices = [Money(int(minor), of) for _, minor, of in found if of == currency]
    return max(prices, key=lambda price: price.minor, default=None)


def day_seen(let_pass: Iterable[str]) -> date | None:
    """The latest day of arrival that a person let pass."""
    found = [words for each in let_pass if (words := each.split()) and words[0] == LATER and len(words) == 2]
    return max((date.fromisoformat(day) for _, day in found), default=None)
