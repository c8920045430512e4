"""The four-way ledger of a real order, and its packet for a dispute."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader

from carriers.invoice import Measures
from carriers.money import Money
from connector.insight.dispute import NothingToDispute, packet
from connector.insight.truth_rows import truth
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.invoices import book_invoice
from tests.labels.world import World, a_world, world

__all__ = ["a_world", "world"]
pytestmark = pytest.mark.anyio


async def invoiced(world: World) -> str:
    """An order whose label was invoiced dearer, for its weight; its id."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    line = InvoiceLine(
        2,
        "TRK1",
        Money(930, "EUR"),
        "R-77",
        "Weight correction",
        measures=Measures(grams=4_000),
        charges=(("Weight", 0),),
    )
    world.act(book_invoice, world.shop_id, [line], "total", world.clock.now())
    return order.id


@pytest.mark.need(50)
async def test_quoted_charged_bought_and_invoiced_stand_beside_each_other(world: World) -> None:
    await invoiced(world)
    await world.buy_from_quote()
    since = world.clock.now() - timedelta(days=1)
    found = world.act(truth, world.shop_id, "EUR", since, Money(100, "EUR"))
    (order,) = found.orders
    assert (order.quoted, order.charged, order.bought, order.invoiced) == tuple(
        Money(minor, "EUR") for minor in (700, 700, 700, 930)
    )
    assert found.causes == (("weight", 1, Money(230, "EUR")),)
    assert (found.losing, found.median_loss) == (1, Money(230, "EUR"))


@pytest.mark.complaint(48)
async def test_the_packet_is_one_file_with_quote_plan_measures_and_invoice(world: World) -> None:
    order_id = await invoiced(world)
    made = world.act(packet, world.shop_id, world.parcel(order_id).id, world.clock.now())
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    for part in ("TRK1", "#1001", "7.00 EUR", "9.30 EUR", "2.30 EUR", "4000 g", "R-77", "Weight", "Mug", "Tea pot"):
        assert part in text, part
    for private in ("Sample Buyer", "Stephansplatz", "buyer@example.com"):
        assert private not in text


async def test_a_parcel_without_a_label_has_no_packet(world: World) -> None:
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    with pytest.raises(NothingToDispute):
        world.act(packet, world.shop_id, world.parcel(order.id).id, world.clock.now())
