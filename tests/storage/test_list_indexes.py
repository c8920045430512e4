"""Lists are asked by an index on both databases, whatever narrows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from connector.orders import listing as order_listing
from connector.orders.listing import OrderFilter
from connector.orders.tables import orders
from connector.quotes import listing as quote_listing
from connector.quotes.ledger import quotes
from connector.quotes.listing import QuoteFilter
from connector.storage.database import Database

AT = datetime(2026, 11, 1, tzinfo=UTC)


def plan_of(database: Database, statement: Any) -> str:
    """How the database would answer, if tables were too large to be read whole."""
    flavour: Any = sqlite if database.is_sqlite else postgresql
    compiled = statement.compile(dialect=flavour.dialect(), compile_kwargs={"literal_binds": True})
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
            return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}".replace("%", "%%")))
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        return "\n".join(row[3] for row in found)


def assert_by_index(database: Database, statement: Any) -> None:
    plan = plan_of(database, statement)
    read_whole = [line for line in plan.splitlines() if "Seq Scan" in line or line.strip().startswith("SCAN")]
    assert not [line for line in read_whole if "USING" not in line], plan


@pytest.mark.parametrize(
    "chosen",
    [
        QuoteFilter(),
        QuoteFilter(outcome="backup"),
        QuoteFilter(country="SK"),
        QuoteFilter(source="safety", outcome="offers"),
        QuoteFilter(since=AT, until=AT),
        QuoteFilter(text="quo_1"),
    ],
)
def test_quotes_are_listed_by_index(database: Database, chosen: QuoteFilter) -> None:
    for choice in quote_listing._choices("shop_1", chosen):
        assert_by_index(database, choice.order_by(quotes.c.at.desc(), quotes.c.id.desc()).limit(51))


@pytest.mark.parametrize(
    "chosen",
    [
        OrderFilter(),
        OrderFilter(state="held"),
        OrderFilter(needs_person=True),
        OrderFilter(not_bought=True, country="SK"),
        OrderFilter(since=AT, until=AT),
        OrderFilter(name="1001"),
    ],
)
def test_orders_are_listed_by_index(database: Database, chosen: OrderFilter) -> None:
    choice = order_listing._choice("shop_1", chosen)
    assert_by_index(database, choice.order_by(orders.c.placed_at.desc(), orders.c.id.desc()).limit(51))
