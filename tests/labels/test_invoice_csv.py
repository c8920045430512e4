"""Invoices as carriers really write them: fees without a parcel, thousands, decimal commas, sizes in one cell."""

from __future__ import annotations

import pytest

from carriers.money import Money
from connector.labels.invoice_csv import InvoiceError, InvoiceLine, Layout
from connector.labels.invoices import leftovers
from tests.labels.invoicing import book_invoice, read_invoice
from tests.labels.world import World, a_world, world

__all__ = ["a_world", "world"]

UPS = Layout(
    {
        "tracking": "Tracking Number",
        "amount": "Net Amount",
        "currency": "Currency",
        "invoice": "Invoice Number",
        "reason": "Charge Description",
        "weight": "Entered Weight",
        "billed_weight": "Billed Weight",
        "size": "Dims",
        "zone": "Zone",
    },
    "adjustment",
    "lb",
    "in",
)
SHEET = """\
"Invoice Number","Invoice Date","Tracking Number","Charge Description","Net Amount","Currency","Entered Weight",\
"Billed Weight","Dims","Zone"
"A1","2026-11-14","TRK1","Shipping charge correction","2.42","EUR","4.0","9.0","14.0x 12.0x 10.0","004"
"A1","2026-11-14","TRK1","Residential Adjustment","4.35","EUR","","","",""
"A1","2026-11-14","","Service Charge","23.00","EUR","","","",""
"A1","2026-11-14","","Late fee","1,023.00","EUR","","","",""
"""


def test_a_bill_of_several_lines_is_one_label_with_its_measures() -> None:
    first, *fees = read_invoice(SHEET.splitlines(), UPS, "EUR")
    assert (first.tracking, first.amount) == ("TRK1", Money(677, "EUR"))
    assert first.charges == (("Shipping charge correction", 242), ("Residential Adjustment", 435))
    assert first.measures.size == (356, 305, 254)
    assert (first.measures.billed_grams, first.measures.zone) == (4083, "004")
    assert [(each.reason, each.amount.minor) for each in fees] == [("Service Charge", 2300), ("Late fee", 102300)]


@pytest.mark.anyio
async def test_a_fee_without_a_parcel_is_listed_and_stops_nothing(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    lines = read_invoice(SHEET.splitlines(), UPS, "EUR")
    done = world.act(book_invoice, world.shop_id, lines, "adjustment", world.clock.now())
    assert (done.booked, done.added) == (1, (Money(677, "EUR"),))
    again = world.act(book_invoice, world.shop_id, lines, "adjustment", world.clock.now())
    assert (again.booked, again.known) == (0, 1)
    left = world.act(leftovers, world.shop_id)
    assert sorted(each.line.reason for each in left) == ["Late fee", "Service Charge"]


def one(amount: str, header: str = "tracking;amount") -> InvoiceLine:
    (found,) = read_invoice([header, f"TRK1;{amount}"], Layout(), "EUR")
    return found


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("12,50", 1250),
        ("1.019,42", 101942),
        ("1,019.42", 101942),
        ("1,234,567.80", 123456780),
        ("$4.20", 420),
        ("(4.20)", -420),
        ("4,20-", -420),
        ("-3", -300),
        ("1 019.4", 101940),
    ],
)
def test_amounts_are_read_as_they_are_written(written: str, minor: int) -> None:
    assert one(written).amount == Money(minor, "EUR")


@pytest.mark.parametrize("written", ["1,019", "1.2.3", "1,2,3", "", "twelve", "NaN", "1.000,00,0"])
def test_what_could_mean_two_amounts_or_none_is_refused_by_its_line(written: str) -> None:
    with pytest.raises(InvoiceError, match="is not an amount"):
        one(written)


def test_a_size_that_is_not_three_sides_is_refused_by_its_line() -> None:
    with pytest.raises(InvoiceError, match="three sides"):
        read_invoice(["tracking,amount,size", "T,1.00,14x12"], Layout(), "EUR")
