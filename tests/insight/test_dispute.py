"""The four-way ledger of a real order, and its packet for a dispute."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader

from carriers.invoice import Measures
from carriers.measure import Weight
from carriers.money import Money
from connector import shop_settings
from connector.catalogue import keep
from connector.catalogue.keep import OwnRow
from connector.catalogue.product import Values
from connector.insight.dispute import NothingToDispute, gather, packet
from connector.insight.dispute_sheet import typeset
from connector.insight.truth_rows import truth
from connector.labels.claims import note_claim
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.measured import record_parcel
from connector.labels.paper.fonts import find_fonts
from connector.storage import settings_versions
from connector.store import CartLine
from tests.labels.invoicing import book_invoice
from tests.labels.world import PERSON, World, a_world, world
from tests.orders.test_parcels import CARTONS, ground, quote

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


@pytest.mark.need(9)
@pytest.mark.complaint(49)
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
    made = world.act(packet, world.shop_id, world.parcel(order_id).id, world.clock.now(), world.house.keyring)
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    for part in ("TRK1", "#1001", "7.00 EUR", "9.30 EUR", "2.30 EUR", "4000 g", "R-77", "Weight", "Mug", "Tea pot"):
        assert part in text, part
    for private in ("Sample Buyer", "Stephansplatz", "buyer@example.com"):
        assert private not in text


NAMES = ("Φλιτζάνι καφέ", "Թեյնիկ", "Ľúbezná šálka žltá", "كوب شاي")


@pytest.mark.complaint(48)
async def test_names_in_every_script_are_printed_beside_a_picture_of_how_they_lay(world: World) -> None:
    body = shop_settings.dump(world.shop.settings) | {"packing": {"cartons": CARTONS[1:]}}
    world.act(settings_versions.publish, world.shop_id, body, PERSON, world.clock.now())
    await world.house.directory.refresh()
    lines = [
        CartLine(1, Money(900, "EUR"), Weight(300), f"C-{number}", name, f"cup-{number}")
        for number, name in enumerate(NAMES)
    ]
    sizes = [OwnRow(each.variant_id, "", Values(length_mm=100, width_mm=90, height_mm=80)) for each in lines]
    world.act(keep.put_own, world.shop_id, sizes)
    row = await quote(world, *lines)
    order = world.place(*lines, offer=ground(row))
    await world.refresh(order.id)
    parcel_id, now = world.parcel(order.id).id, world.clock.now()
    world.act(record_parcel, world.shop_id, parcel_id, grams=1_310, size=None, source="scale", cause="s", now=now)
    bill = InvoiceLine(2, "TRK1", Money(930, "EUR"), "R-7", "Audit", measures=Measures(4_000, (400, 300, 200)))
    world.act(book_invoice, world.shop_id, [bill], "total", now)
    world.act(note_claim, world.shop_id, parcel_id, "claimed", "2.30", "wrong weight", PERSON, now)
    told = world.act(gather, world.shop_id, parcel_id, now)
    parts = {part.title: part for part in told.parts}
    assert parts["Measured"].head == ("", "Planned", "Our scale", "The carrier")
    assert ("Weight", "1500 g", "1310 g", "4000 g") in parts["Measured"].rows
    assert parts["The claim"].rows == (("Claimed on " + f"{now:%Y-%m-%d}", "2.30 EUR"), ("=Open", "2.30 EUR"))
    assert {name for name, _ in parts["How it was packed"].rows} >= set(NAMES)
    assert parts["How it was packed"].picture.startswith(b"<svg")
    fonts = world.house.settings.fonts
    made = PdfReader(io.BytesIO(typeset(told, fonts)))
    text = " ".join(page.extract_text() for page in made.pages)
    if find_fonts(fonts).complete:
        for name in NAMES[:3]:
            assert name in text
        assert "?" not in text
    assert "We ask for 2.30 EUR back" in text


async def test_a_parcel_without_a_label_has_no_packet(world: World) -> None:
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    with pytest.raises(NothingToDispute):
        world.act(packet, world.shop_id, world.parcel(order.id).id, world.clock.now(), world.house.keyring)
