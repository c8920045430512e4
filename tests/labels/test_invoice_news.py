"""Carriers' bills by webhook, and lines that find their label late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from carriers.invoice import Invoiced, Measures
from carriers.money import Money
from connector.catalogue.measured import all_of
from connector.labels import invoice_news
from connector.labels.invoice_csv import InvoiceError, InvoiceLine, Layout
from connector.labels.invoice_layouts import load_layout, save_layout
from connector.labels.invoices import leftovers, match_leftovers
from connector.storage.database import Database
from connector.work.memory import MemoryWork
from tests.conftest import FrozenClock
from tests.labels.invoicing import book_invoice, read_invoice
from tests.labels.test_invoices import NOW, SHOP, adjusted, bought

BILL = Invoiced("inv_1", "h1", "", "USPS", Money(215, "EUR"), "Weight", at=NOW, captured=Measures(grams=1_700))


def told(database: Database, news: Invoiced) -> bool:
    return database.run_here(invoice_news.take_in, MemoryWork(database, FrozenClock(NOW)), SHOP, "acc_1", news, NOW)


def test_a_bill_is_booked_once_and_a_later_one_replaces_it(database: Database) -> None:
    bought(database, 1)
    assert told(database, BILL)
    assert not told(database, BILL)
    assert told(database, replace(BILL, adjustment=Money(100, "EUR"), at=NOW + timedelta(hours=2)))
    assert not told(database, replace(BILL, adjustment=Money(999, "EUR"), at=NOW + timedelta(hours=1)))
    assert sorted(adjusted(database, 1)) == [-115, 215]


def test_amounts_that_go_to_and_fro_are_each_booked(database: Database) -> None:
    bought(database, 1)
    for hours, minor in enumerate((100, 200, 100, 200)):
        told(database, replace(BILL, adjustment=Money(minor, "EUR"), at=NOW + timedelta(hours=hours)))
    assert sum(adjusted(database, 1)) == 200


def test_what_the_carrier_measured_is_kept_for_the_goods(database: Database) -> None:
    bought(database, 1)
    told(database, BILL)
    (measured,) = database.run_here(all_of, SHOP)
    assert (measured.source, measured.grams, measured.parcel_id) == ("carrier", 1_700, "par_1")


@pytest.mark.complaint(48)
def test_a_bill_before_its_label_waits_until_it_is_there(database: Database) -> None:
    assert not told(database, BILL)
    (left,) = database.run_here(leftovers, SHOP)
    assert (left.why, left.line.handle, left.line.amount) == ("no_label", "h1", Money(215, "EUR"))
    assert database.run_here(match_leftovers, SHOP, NOW) == 0
    bought(database, 1)
    assert database.run_here(match_leftovers, SHOP, NOW) == 1
    assert adjusted(database, 1) == [215]
    assert database.run_here(leftovers, SHOP) == []


@pytest.mark.parametrize("found_by", [{"reference": "par_1"}, {"handle": "h1"}])
def test_a_line_finds_its_label_by_parcel_and_shipment_too(database: Database, found_by: dict[str, str]) -> None:
    bought(database, 1)
    line = InvoiceLine(2, "", Money(120, "EUR"), "I1", **found_by)  # type: ignore[arg-type]  # Both are texts.
    done = database.run_here(book_invoice, SHOP, [line], "adjustment", NOW)
    assert (done.booked, adjusted(database, 1)) == (1, [120])


def test_a_carriers_layout_is_kept_for_its_next_file(database: Database) -> None:
    layout = Layout({"tracking": "Pkg", "amount": "Net"}, "adjustment", "lb", "in")
    for _ in range(2):
        database.run_here(save_layout, SHOP, "UPS", layout, NOW)
    assert database.run_here(load_layout, SHOP, "UPS") == layout
    assert database.run_here(load_layout, "shop_2", "UPS") is None


def test_lines_of_one_label_are_added_up_with_their_words_and_measures() -> None:
    rows = [
        "tracking,amount,invoice,reason,weight,length,width,height,zone,residential",
        "T1,7.00,I1,Transport,2,,,,,",
        'T1,1.50,I1,Residential,"2,5",30,20,10.5,4,yes',
        "T2,1.00,I1,,,,,,,commercial",
    ]
    first, second = read_invoice(rows, Layout(weight_unit="kg", size_unit="cm"), "EUR")
    assert (first.amount, first.reason) == (Money(850, "EUR"), "Transport; Residential")
    assert first.charges == (("Transport", 700), ("Residential", 150))
    assert first.measures.grams == 2_000
    assert second.measures == Measures(residential=False)


@pytest.mark.parametrize(("cell", "field"), [("-2", "weight"), ("two", "weight"), ("1e99", "weight")])
def test_a_measure_that_is_none_stops_the_file(cell: str, field: str) -> None:
    with pytest.raises(InvoiceError) as refused:
        read_invoice(["tracking,amount,weight", f"T1,1,{cell}"], Layout(), "EUR")
    assert refused.value.detail == f"line 2: {field}"


def test_a_file_without_any_number_is_refused() -> None:
    with pytest.raises(InvoiceError):
        read_invoice(["amount", "1"], Layout(), "EUR")
