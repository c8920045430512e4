"""The list of quotes: newest first, narrowed, page by page; what the first release kept is found, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from carriers.money import Money
from connector.quotes import ledger, listing
from connector.quotes.ledger import LedgerRow, quotes
from connector.quotes.listing import QuoteFilter
from connector.storage.database import Database
from tests.quotes.world import answered, cart, facts, plain_store, rate, refused, row_of, settings


def keep(database: Database, rows: Sequence[LedgerRow]) -> None:
    """Write them as the ledger does, an hour apart, the oldest first."""
    dated = [
        replace(row, id=f"quo_{number}", at=row.at + timedelta(hours=number)) for number, row in enumerate(rows, 1)
    ]
    database.run_here(ledger._write, dated, "writer")


def an_answer(**changes: Any) -> LedgerRow:
    given: dict[str, Any] = {"asked": cart(), "using": facts(), "answers": (answered(rate(700)),)}
    return row_of(store=plain_store(), **given | changes)


def found(database: Database, **chosen: Any) -> list[str]:
    return [line.id for line in database.run_here(listing.page, "shop_1", QuoteFilter(**chosen)).lines]


def backup() -> LedgerRow:
    return an_answer(answers=(refused("timeout", state="failed"),))


def safety() -> LedgerRow:
    kept = settings(backup="safety", safety_rates="Post:post:5.00")
    return an_answer(answers=(refused("timeout", state="failed"),), using=facts(kept))


def test_each_filter_narrows(database: Database) -> None:
    keep(database, [an_answer(), backup(), safety()])
    country = an_answer().cart.destination
    assert country is not None
    assert found(database) == ["quo_3", "quo_2", "quo_1"]
    assert found(database, outcome="backup") == ["quo_2"]
    assert found(database, outcome="offers") == ["quo_3", "quo_1"]
    assert found(database, source="safety") == ["quo_3"]
    assert found(database, country=country.country.lower()) == ["quo_3", "quo_2", "quo_1"]
    assert found(database, country="XX") == []
    assert found(database, text="quo_2") == ["quo_2"]
    at = an_answer().at + timedelta(hours=2)
    assert found(database, since=at) == ["quo_3", "quo_2"]
    assert found(database, until=at) == ["quo_1"]
    assert found(database, source="live", outcome="offers", until=at) == ["quo_1"]


def test_a_line_says_what_the_buyer_saw(database: Database) -> None:
    keep(database, [an_answer(), backup()])
    without, with_prices = database.run_here(listing.page, "shop_1", QuoteFilter()).lines
    assert (with_prices.offers, with_prices.cheapest, with_prices.source, with_prices.why) == (
        1,
        Money(700, "EUR"),
        "live",
        None,
    )
    assert (without.offers, without.cheapest, without.source) == (0, None, "")
    assert without.why is not None
    assert without.why.code == "no_prices"


def test_rows_of_the_first_release_are_found_among_the_others(database: Database) -> None:
    keep(database, [an_answer(), safety(), an_answer(), safety()])
    old = quotes.update("shop_1").where(quotes.c.id.in_(["quo_1", "quo_2"])).values(country=None, source=None)
    database.run_here(lambda connection: connection.execute(old))
    place = an_answer().cart.destination
    assert place is not None
    assert found(database, country=place.country) == ["quo_4", "quo_3", "quo_2", "quo_1"]
    assert found(database, source="safety") == ["quo_4", "quo_2"]
    assert found(database, source="live", country=place.country) == ["quo_3", "quo_1"]
    first = database.run_here(listing.page, "shop_1", QuoteFilter(country=place.country), None, 3)
    assert [line.id for line in first.lines] == ["quo_4", "quo_3", "quo_2"]
    rest = database.run_here(listing.page, "shop_1", QuoteFilter(country=place.country), first.older, 3)
    assert [line.id for line in rest.lines] == ["quo_1"]


@pytest.mark.parametrize("shop_id", ["shop_2", ""])
def test_other_shops_quotes_are_not_listed(database: Database, shop_id: str) -> None:
    keep(database, [an_answer()])
    assert database.run_here(listing.page, shop_id, QuoteFilter()).lines == ()
