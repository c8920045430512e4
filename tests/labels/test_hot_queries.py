"""What is asked every few minutes, or for each line of a file, reads an index and not all of a shop's rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event

from carriers.money import Money
from connector.labels import late, voids
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.invoices import label_of_line
from connector.orders import view
from connector.orders.view import NoSuchOrder
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SHOP = "shop_1"


def _no_order(connection: Connection) -> None:
    with pytest.raises(NoSuchOrder):
        view.find(connection, SHOP, "ord_1")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every room's tables, empty."""
    found: Database = open_database(f"sqlite:///{tmp_path_factory.mktemp('hot') / 'db'}")
    metadata.create_all(found.engine)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda connection: voids.overdue(connection, SHOP, NOW), "void_due"),
        (lambda connection: late.overdue(connection, SHOP, NOW), "void_due"),
        (
            lambda connection: label_of_line(connection, SHOP, InvoiceLine(1, "T1", Money(1, "EUR"), "I1")),
            "tracking_code",
        ),
        (_no_order, "sqlite_autoindex_orders"),
    ],
    ids=["refunds", "late purchases", "invoice lines", "orders"],
)
def test_it_is_found_by_an_index(database: Database, ask: Any, index: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        database.run_here(ask)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    selects = [each for each in asked if each[0].lstrip().upper().startswith("SELECT")]

    def explain(connection: Connection) -> str:
        statement, parameters = selects[0]
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        return " ".join(str(row[3]) for row in rows)

    assert index in database.run_here(explain)
