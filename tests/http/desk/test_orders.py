"""Orders at the desk: listed, bought, printed, voided, sent by hand; by those who may, and once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from carriers.measure import Weight
from carriers.money import Money
from connector.storage.audit import Actor
from connector.storage.logins.people import User
from connector.store import CartLine
from tests.http.desk.counter import BUYER, POT, Counter, counter_at

pytestmark = pytest.mark.anyio

EVIL = replace(POT, name="<script>alert(1)</script>", sku='"><img src=x>')


@pytest.fixture
async def counter(steady_data: Path, tmp_path: Path) -> AsyncIterator[Counter]:
    """A counter whose labels are bought by clicks."""
    async with counter_at(steady_data, tmp_path / "data") as found:
        await found.settle({"buy": "manual"})
        yield found


@pytest.fixture
def anna(counter: Counter) -> User:
    """The owner."""
    return counter.desk.add_user("anna@example.com", "owner")


async def test_a_packer_buys_prints_and_voids(counter: Counter, paul: User) -> None:
    order = await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/orders")
        assert order.name in page.text
        asked = await browser.send({"buy": order.id})
        assert asked.status_code == 303
        waiting = await browser.follow(asked)
        assert "No worker is running" in waiting.text
        await counter.drain()
        shown = await browser.client.get(asked.headers["location"])
        assert shown.status_code == 303
        file = await browser.client.get(shown.headers["location"])
        assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
        assert file.content.startswith(b"%PDF-")
        assert file.headers["content-disposition"].startswith("inline; filename*=UTF-8''")
        assert file.headers["x-content-type-options"] == "nosniff"
        (parcel,) = counter.see(order.id).parcels
        assert parcel.label is not None
        void = f"{counter.desk.base}/labels/{parcel.label.id}/void"
        await browser.open(void)
        nameless = await browser.send({"reason": " "})
        assert nameless.status_code == 422
        assert "Please say why." in nameless.text
        done = await browser.follow(await browser.send({"reason": "wrong carton"}))
        assert "Voided." in done.text
        assert counter.see(order.id).parcels[0].state == "voided"
        await browser.open(void)
        assert "cannot be voided" in browser.page.text


@pytest.mark.complaint(1)
async def test_a_double_click_buys_once_and_leads_to_the_same_page(counter: Counter, paul: User) -> None:
    order = await counter.order()
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        first = await browser.send({"do": "print"})
        second = await browser.send({"do": "print"})
        assert first.headers["location"] == second.headers["location"]
        await counter.drain()
        assert len(counter.see(order.id).parcels) == 1
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert 'value="print"' not in browser.page.text


@pytest.mark.complaint(1)
async def test_a_stale_page_buys_nothing_twice_and_says_so(counter: Counter, paul: User, anna: User) -> None:
    """Two people have the same order open; the second clicks after the label was bought."""
    order = await counter.order()
    async with counter.desk.signed_in(paul) as one, counter.desk.signed_in(anna) as two:
        await one.open(f"{counter.desk.base}/orders/{order.id}")
        await two.open(f"{counter.desk.base}/orders/{order.id}")
        await one.send({"do": "buy"})
        await counter.drain()
        label = counter.see(order.id).parcels[0].label
        late = await two.follow(await two.send({"do": "buy"}))
        assert "There was nothing to buy" in late.text
        await counter.drain()
        again = counter.see(order.id).parcels[0].label
        assert label is not None
        assert again is not None
        assert (again.id, again.version) == (label.id, label.version)


async def test_several_orders_are_bought_in_one_click(counter: Counter, paul: User) -> None:
    one, two, three = [await counter.order() for _ in range(3)]
    counter.pretend_worker()
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/orders")
        nothing = await browser.send({})
        assert "Tick the orders" in nothing.text
        asked = await browser.client.post(
            f"{counter.desk.base}/orders",
            data={"_form": browser.token(f"{counter.desk.base}/orders"), "order": [one.id, two.id]},
            headers={"origin": browser.origin, "sec-fetch-site": "same-origin"},
        )
        await counter.drain()
        done = await browser.follow(asked)
        assert "All labels of 2 orders are bought" in done.text
        assert done.text.count("/file") == 2
    assert [counter.see(each.id).parcels[0].state for each in (one, two, three)] == ["bought", "bought", "planned"]


@pytest.mark.need(23)
async def test_a_number_is_typed_corrected_and_taken_back(counter: Counter, paul: User) -> None:
    order = await counter.order()
    here = f"{counter.desk.base}/orders/{order.id}"
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{here}/by-hand")
        wrong = await browser.send({"carrier": "Post", "number": "<b>", "url": "", "price": "7"})
        assert wrong.status_code == 422
        assert 'value="Post"' in wrong.text
        assert 'id="e-number"' in wrong.text
        await browser.open(f"{here}/by-hand")
        typed = {"carrier": "Post", "number": "RR 1 SK", "url": "https://post.example/RR1SK", "price": "7"}
        first = await browser.send(typed)
        assert (await browser.send(typed)).headers["location"] == first.headers["location"]
        shown = await browser.follow(first)
        assert "Saved. The store is being told." in shown.text
        assert "RR1SK" in shown.text
        await counter.drain()
        (parcel,) = counter.see(order.id).parcels
        assert parcel.label is not None
        assert parcel.tracking is not None
        assert parcel.tracking.fulfil_state == "done"
        number = f"{counter.desk.base}/labels/{parcel.label.id}/number"
        await browser.open(number)
        stale = browser.token(number)
        corrected = {"do": "correct", "version": "0", **typed, "number": "RR2SK"}
        assert "Corrected." in (await browser.follow(await browser.send(corrected))).text
        await browser.open(number)
        other = browser.token(number)
        late = await browser.send({**corrected, "number": "RR3SK"}, action=number, token=other)
        assert late.status_code == 422
        assert "Somebody changed this number meanwhile" in late.text
        assert "RR3SK" in late.text
        reused = await browser.send({**corrected, "number": "RR4SK"}, action=number, token=stale)
        assert reused.status_code == 409
        await browser.open(number)
        back = await browser.follow(await browser.send({"do": "take_back", "version": "1"}))
        assert "Taken back." in back.text
    await counter.drain()
    assert counter.see(order.id).parcels[0].state == "voided"


async def test_a_number_cannot_be_typed_beside_a_label(counter: Counter, paul: User) -> None:
    order = await counter.order()
    here = f"{counter.desk.base}/orders/{order.id}/by-hand"
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(here)
        form = browser.token(here)
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        await browser.send({"do": "buy"})
        await counter.drain()
        late = await browser.send({"carrier": "Post", "number": "123"}, action=here, token=form)
        assert late.status_code == 422
        assert "No parcel of this order waits for a label." in late.text


async def test_the_order_s_page_shows_the_buyer_goods_and_money(counter: Counter, paul: User) -> None:
    order = await counter.order(EVIL)
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert BUYER.name in page.text
        assert BUYER.street1 in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "unit of the order" not in page.text
        await browser.send({"do": "buy"})
        await counter.drain()
        page = await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert not re.search(r">(orders|parcel|way|told|amount|label)\.[a-z_.]+<", page.text)


async def test_a_held_order_says_why_with_its_cure_and_is_released(counter: Counter, paul: User) -> None:
    order = await counter.order(risky=True)
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert "The store marks this order as risky." in page.text
        done = await browser.follow(await browser.send({"do": "release"}))
        assert "Released: 1." in done.text
    assert counter.see(order.id).parcels[0].state == "planned"


@pytest.mark.parametrize(
    "path",
    ["orders/{order}", "orders/{order}/by-hand", "labels/{label}/file", "labels/{label}/void", "labels/{label}/number",
     "orders/bought?ids={order}", "quotes/{quote}"],
)  # fmt: skip
async def test_another_shop_s_ids_lead_nowhere(counter: Counter, paul: User, anna: User, path: str) -> None:
    """The ids are right, and the shop in the address is not theirs; nor is a shop that the person does not work in."""
    from connector.storage.shops import add_shop

    order = await counter.order()
    house = counter.house
    other = house.here(
        add_shop, house.keyring, platform="sandbox", domain="other.sandbox.example", name="Other", currency="EUR",
        timezone="UTC", credentials=counter.shop.record.credentials, actor=Actor("person", "x"),
        now=house.clock.now(),
    )  # fmt: skip
    await house.directory.refresh()
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        await browser.send({"do": "buy"})
        await counter.drain()
    parcel = counter.see(order.id).parcels[0]
    assert parcel.label is not None
    wanted = path.format(order=order.id, label=parcel.label.id, quote=parcel.quote_id)
    for user in (anna, paul):
        async with counter.desk.signed_in(user) as browser:
            await browser.open(f"/desk/{other.id}/{wanted}", 404)


async def test_the_list_is_narrowed_searched_and_downloaded(counter: Counter, paul: User) -> None:
    heavy = CartLine(1, Money(1000, "EUR"), Weight(500), "=2+3", "=cmd()", "bag-1")
    one, two = await counter.order(), await counter.order(heavy)
    base = f"{counter.desk.base}/orders"
    async with counter.desk.signed_in(paul) as browser:
        found = await browser.open(f"{base}?q={two.name.lstrip('#')}")
        assert found.url.path == f"{base}/{two.id}"
        none = await browser.open(f"{base}?q=nothing")
        assert "No order fits these filters" in none.text
        narrowed = await browser.open(f"{base}?name={one.name.lstrip('#')}&open=yes&country=at&state=planned")
        assert f"{base}/{one.id}" in narrowed.text
        assert f"{base}/{two.id}" not in narrowed.text
        nonsense = await browser.open(f"{base}?state=x&from=never&to=9999-12-31&country=%3Cb&at=zzz")
        assert f"{base}/{one.id}" in nonsense.text
        file = await browser.open(f"{base}?format=csv")
        assert file.headers["content-type"] == "text/csv; charset=utf-8"
        assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''orders.csv"
        lines = file.text.lstrip("\ufeff").splitlines()
        assert lines[0].startswith("order,placed_at,country")
        assert len(lines) == 3


async def test_a_cap_stops_a_packer_and_asks_an_owner_why(counter: Counter, paul: User, anna: User) -> None:
    await counter.settle({"buy": "manual", "daily_cap": "1.00"})
    order = await counter.order()
    here = f"{counter.desk.base}/orders/{order.id}"
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(here)
        await browser.send({"do": "buy"})
        await counter.drain()
        await browser.open(here)
        assert "An owner of the shop can buy past the cap." in browser.page.text
        refused = await browser.send({"do": "buy", "over_cap": "because"})
        assert refused.status_code == 422
        assert "cap" in refused.text
    async with counter.desk.signed_in(anna) as browser:
        await browser.open(here)
        asked = await browser.send({"do": "print", "over_cap": "the buyer waits"})
        assert asked.status_code == 303
        await counter.drain()
    assert counter.see(order.id).parcels[0].state == "bought"


async def test_several_ticked_orders_let_nothing_pass_that_one_by_itself_would(counter: Counter, paul: User) -> None:
    free, held = await counter.order(), await counter.order(risky=True)
    assert counter.see(held.id).parcels[0].state == "held"
    async with counter.desk.signed_in(paul) as browser:
        here = f"{counter.desk.base}/orders"
        await browser.open(here)
        await browser.client.post(
            here,
            data={"_form": browser.token(here), "order": [free.id, held.id]},
            headers={"origin": browser.origin, "sec-fetch-site": "same-origin"},
        )
        await counter.drain()
        assert [counter.see(each.id).parcels[0].state for each in (free, held)] == ["bought", "held"]
        await browser.open(here)
        await browser.send({"buy": held.id})
        await counter.drain()
        assert counter.see(held.id).parcels[0].state == "bought", "its row said why it was held"
