"""What carriers' invoices add to labels: booked once, and expected of the next ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carriers.money import Money
from connector.labels import amounts
from connector.labels.invoice_csv import InvoiceError, InvoiceLine
from connector.labels.invoices import Imported
from connector.labels.tables import labels, parcels
from connector.quotes.adjustments import adjustment_key, load_expected
from connector.quotes.decide import decide
from connector.storage.database import Database
from tests.labels.invoicing import book_invoice, read_invoice
from tests.ledger import balances
from tests.quotes.world import answered, cart, facts, rate, settings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHOP = "shop_1"
COLUMNS = {"tracking": "Tracking No", "amount": "Net", "currency": "Cur", "invoice": "Inv", "reason": "Why"}


def label(
    connection: Any, number: int, minor: int = 1000, *, days_ago: int = 40, shop_id: str = SHOP, **changes: Any
) -> None:
    at = NOW - timedelta(days=days_ago)
    connection.execute(
        parcels.insert(
            shop_id,
            id=f"par_{number}",
            order_id=f"ord_{number}",
            order_external_id="1",
            group_id="g",
            number=1,
            count=1,
            state="bought",
            contents=[],
            grams=500,
            plan_id="p",
            location_id="loc",
            currency="EUR",
            created_at=at,
            changed_at=at,
        )
    )
    usual: dict[str, Any] = {
        "id": f"lab_{number}",
        "parcel_id": f"par_{number}",
        "account_id": "acc_1",
        "carrier": "fake",
        "state": "bought",
        "handle": f"h{number}",
        "rates": [],
        "rate": {"carrier": "Fake", "service": "Ground"},
        "minor": minor,
        "currency": "EUR",
        "actor_kind": "rule",
        "actor_name": "buy",
        "why": {"code": "as_promised", "params": {}},
        "created_at": at,
        "intent_at": at,
        "sent_at": at,
        "tracking_code": f"T{number}",
        "booked_rate": {"carrier": "Fake", "service": "Ground"},
        "booked_minor": minor,
        "booked_currency": "EUR",
    }
    connection.execute(labels.insert(shop_id, **usual | changes))


def line(number: int, minor: int, invoice: str = "I1", currency: str = "EUR") -> InvoiceLine:
    return InvoiceLine(number, f"T{number}", Money(minor, currency), invoice)


def bought(database: Database, *numbers: int, **changes: Any) -> None:
    def write(connection: Any) -> None:
        for number in numbers:
            label(connection, number, **changes)

    database.run_here(write)


def adjusted(database: Database, number: int) -> list[int]:
    entries = database.run_here(amounts.of_order, SHOP, f"ord_{number}")
    return [entry.money.minor for entry in entries if entry.kind == "adjusted"]


def imported(database: Database, *lines: InvoiceLine, kind: Any = "total") -> Imported:
    return database.run_here(book_invoice, SHOP, lines, kind, NOW)


def test_a_dearer_invoice_is_booked_as_what_it_adds_and_once(database: Database) -> None:
    bought(database, 1, 2)
    lines = (line(1, 1450), line(2, 1000))
    assert imported(database, *lines) == Imported(booked=1, unchanged=1, added=(Money(450, "EUR"),))
    assert imported(database, *lines) == Imported(known=2)
    assert (adjusted(database, 1), adjusted(database, 2)) == ([450], [])


def test_a_later_invoice_of_the_same_label_adds_what_is_new_in_it(database: Database) -> None:
    bought(database, 1)
    imported(database, line(1, 1450))
    imported(database, line(1, 1200, "I2"))
    assert sorted(adjusted(database, 1)) == [-250, 450]
    stands = database.run_here(balances, SHOP)
    assert stands["postage:adjusted", "EUR"] == 200
    assert sum(stands.values()) == 0


def test_an_adjustment_is_booked_as_it_is(database: Database) -> None:
    bought(database, 1)
    assert imported(database, line(1, 320), kind="adjustment").booked == 1
    assert adjusted(database, 1) == [320]


def test_numbers_that_no_label_has_and_other_currencies_are_named_by_line(database: Database) -> None:
    bought(database, 1)
    found = imported(database, line(7, 100), line(1, 100, currency="USD"))
    assert (found.unknown, found.other_currency) == (((7, "T7"),), ((1, "T1"),))
    assert adjusted(database, 1) == []


def test_from_twenty_labels_on_a_service_s_invoices_are_expected_and_offers_hold_them(database: Database) -> None:
    bought(database, *range(19))
    imported(database, *(line(number, 1200) for number in range(10)))
    assert database.run_here(load_expected, SHOP) == {}
    bought(database, 19, 20)
    bought(database, 21, days_ago=5)
    bought(database, 22, days_ago=200)
    imported(database, line(21, 9900, "I2"), line(22, 9900, "I2"))
    seen = database.run_here(load_expected, SHOP)
    assert seen == {adjustment_key("acc_1", "Fake", "Ground"): (96, 21)}  # 10 x 2.00 on 21 x 10.00, a little up.
    using = facts(settings(price_basis="expected"), adjustments=seen)
    (offer,) = decide(cart(), using, (answered(rate(1000)),), NOW).offers
    assert [step.minor for step in offer.steps] == [1000, 1096]
    assert offer.bought_as is not None
    assert offer.bought_as.minor == 1000
    (plain,) = decide(cart(), facts(adjustments=seen), (answered(rate(1000)),), NOW).offers
    assert plain.minor == 1000


def test_a_file_is_read_by_its_own_columns() -> None:
    rows = ["Inv,Tracking No,Net,Why", "R-1,1Z999,12.345,Dimensions", ",,,", "R-1,1Z998,-3,"]
    assert read_invoice(rows, COLUMNS, "EUR") == [
        InvoiceLine(2, "1Z999", Money(1235, "EUR"), "R-1", "Dimensions", charges=(("Dimensions", 1235),)),
        InvoiceLine(4, "1Z998", Money(-300, "EUR"), "R-1"),
    ]


@pytest.mark.parametrize(
    ("rows", "detail"),
    [
        (["Net", "1"], "tracking"),
        (["Tracking No", "1"], "amount"),
        (["Tracking No,Net", "T1,1", ",2"], "line 3: tracking"),
        (["Tracking No,Net", "T1,ten"], "line 2: amount"),
        (["Tracking No,Net,Cur", "T1,1,euro"], "line 2: currency"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_read(rows: list[str], detail: str) -> None:
    with pytest.raises(InvoiceError) as refused:
        read_invoice(rows, COLUMNS, "EUR")
    assert refused.value.detail == detail
