"""The desk's page on costs: for owners, with its table, its picture and the packet of a parcel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from carriers.money import Money
from connector.labels import amounts
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.invoices import leftovers
from connector.storage.audit import Actor
from connector.storage.shops import add_shop
from tests.http.desk.counter import Counter, counter_at
from tests.labels.invoicing import book_invoice

pytestmark = pytest.mark.anyio


@pytest.fixture
async def counter(
    steady_data: Path, tmp_path: Path, house_settings: Callable[[Path], dict[str, Any]]
) -> AsyncIterator[Counter]:
    """A counter where labels are bought by themselves."""
    async with counter_at(steady_data, tmp_path / "data", **house_settings(steady_data)) as found:
        yield found


async def test_the_owner_sees_what_orders_cost_and_why(counter: Counter) -> None:
    order = await counter.order()
    await counter.drain()
    (parcel,) = counter.see(order.id).parcels
    assert parcel.label is not None
    dearer = Money(parcel.label.booked_minor + 4321, parcel.label.booked_currency)
    lines = [
        InvoiceLine(2, parcel.label.tracking_code, dearer, "R-1", "Weight", charges=(("Weight", 0),)),
        InvoiceLine(3, "NOBODY1", Money(100, "EUR"), "R-1"),
    ]
    counter.house.here(book_invoice, counter.desk.shop_id, lines, "total", counter.house.clock.now())
    anna = counter.desk.add_user("anna@example.com", "owner")
    base = counter.desk.base
    async with counter.desk.signed_in(anna) as browser:
        page = (await browser.open(f"{base}/costs?days=30&limit=2")).text
        for part in ("43.21 EUR", "Weight", "<svg", "NOBODY1", order.name):
            assert part in page, part
        table = await browser.client.get(f"{base}/costs?format=csv")
        assert table.headers["content-type"].startswith("text/csv")
        assert order.name in table.text
        assert parcel.id in table.text
        link = f"{base}/costs/{parcel.id}/dispute"
        assert link in page
        shown = (await browser.open(f"{base}/orders/{order.id}")).text
        for part in (link, "It cost, with invoices", "Why the invoice differs from the quote", "Weight 43.21 EUR"):
            assert part in shown, part
        file = await browser.client.get(link)
        assert file.content.startswith(b"%PDF")
        await browser.open(f"{base}/costs/par_nothing/dispute", 404)


def another_shop(connection: Connection, counter: Counter) -> str:
    """The same owner's second shop; its id."""
    added = add_shop(
        connection,
        counter.house.keyring,
        platform="sandbox",
        domain="second.example",
        name="Second shop",
        currency="EUR",
        timezone="Europe/Vienna",
        credentials=counter.shop.record.credentials,
        actor=Actor("system", "test"),
        now=counter.house.clock.now(),
    )
    return added.id


async def test_the_packet_is_neither_for_packers_nor_for_other_shops(counter: Counter) -> None:
    order = await counter.order()
    await counter.drain()
    (parcel,) = counter.see(order.id).parcels
    assert parcel.label is not None
    added = InvoiceLine(2, parcel.label.tracking_code, Money(150, parcel.label.booked_currency), "R-1")
    counter.house.here(book_invoice, counter.desk.shop_id, [added], "adjustment", counter.house.clock.now())
    other = counter.house.here(another_shop, counter)
    await counter.house.directory.refresh()
    base = counter.desk.base
    paul = counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")
    async with counter.desk.signed_in(paul) as browser:
        assert "/dispute" not in (await browser.open(f"{base}/orders/{order.id}")).text
        assert (await browser.client.get(f"{base}/costs/{parcel.id}/dispute")).status_code == 403
    anna = counter.desk.add_user("anna@example.com", "owner")
    async with counter.desk.signed_in(anna) as browser:
        theirs = base.replace(counter.desk.shop_id, other)
        assert theirs != base
        await browser.open(f"{theirs}/costs/{parcel.id}/dispute", 404)
        assert (await browser.client.get(f"{base}/costs/{parcel.id}/dispute")).status_code == 200


async def test_a_claim_is_noted_and_what_came_of_it(counter: Counter) -> None:
    order = await counter.order()
    await counter.drain()
    (parcel,) = counter.see(order.id).parcels
    anna = counter.desk.add_user("anna@example.com", "owner")
    paul = counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")
    path = f"{counter.desk.base}/costs/{parcel.id}/claim"

    def claims() -> list[tuple[str, int]]:
        found = counter.house.here(amounts.of_order, counter.desk.shop_id, order.id)
        return [(each.kind, each.money.minor) for each in found if each.kind.startswith("claim")]

    async with counter.desk.signed_in(anna) as browser:
        assert path in (await browser.open(f"{counter.desk.base}/orders/{order.id}")).text
        page = await browser.open(path)
        assert "The carrier paid" not in page.text
        for wrong, said in (
            ({"act": "claimed", "amount": "x", "reason": "dims"}, "is not an amount"),
            ({"act": "claimed", "amount": "1", "reason": " "}, "Say why."),
            ({"act": "claim_paid", "amount": "1", "reason": "credit"}, "of a claim is open"),
        ):
            answer = await browser.send(wrong, path)
            assert (answer.status_code, said in answer.text) == (422, True), said
        assert (await browser.send({"act": "bought", "amount": "1", "reason": "x"}, path)).status_code == 404
        assert claims() == []
        asked = await browser.send({"act": "claimed", "amount": "3.50", "reason": "measured wrongly"}, path)
        page = await browser.follow(asked)
        assert "3.50 EUR" in page.text
        page = await browser.follow(await browser.send({"act": "claim_paid", "amount": "3.00", "reason": "ok"}, path))
        assert "0.50 EUR" in page.text
        assert claims() == [("claimed", 350), ("claim_paid", 300)]
        await browser.open(f"{counter.desk.base}/costs/par_nothing/claim", 404)
    async with counter.desk.signed_in(paul) as browser:
        assert (await browser.client.get(path)).status_code == 403
        assert "/claim" not in (await browser.open(f"{counter.desk.base}/orders/{order.id}")).text


async def test_lines_that_will_never_have_a_label_are_set_aside(counter: Counter) -> None:
    house, shop_id, now = counter.house, counter.desk.shop_id, counter.house.clock.now()
    fee = InvoiceLine(2, "", Money(2300, "EUR"), "R-1", "Weekly fee")
    lines = [fee, InvoiceLine(3, "NOBODY1", Money(100, "EUR"), "R-1")]
    house.here(book_invoice, shop_id, lines, "total", now)
    (key,) = [each.key for each in house.here(leftovers, shop_id) if each.line.reason]
    anna = counter.desk.add_user("anna@example.com", "owner")
    path = f"{counter.desk.base}/costs"

    def waiting() -> list[str]:
        return [each.line.name for each in house.here(leftovers, shop_id)]

    async with counter.desk.signed_in(anna) as browser:
        assert "A charge without a parcel" in (await browser.open(path)).text
        table = (await browser.client.get(f"{path}?format=left")).text
        assert "23.00" in table
        assert "NOBODY1" in table
        page = await browser.follow(await browser.send({"do": "aside", "line": key}, path))
        assert "Weekly fee" not in page.text
        assert (await browser.send({"do": "other"}, path)).status_code == 404
    assert waiting() == ["NOBODY1"]
    house.here(book_invoice, shop_id, lines, "total", now)
    assert waiting() == ["NOBODY1"]


async def test_a_packer_does_not_see_money(counter: Counter) -> None:
    paul = counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")
    async with counter.desk.signed_in(paul) as browser:
        answer = await browser.client.get(f"{counter.desk.base}/costs")
        assert answer.status_code == 403


async def test_before_the_first_label_the_page_says_so(counter: Counter) -> None:
    anna = counter.desk.add_user("anna@example.com", "owner")
    async with counter.desk.signed_in(anna) as browser:
        assert "No label of these orders" in (await browser.open(f"{counter.desk.base}/costs?days=x&limit=y")).text
