"""Orders as a person sees them: from an order to a printed label, by keyboard alone, in each width and light."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, Response
from playwright.sync_api import TimeoutError as Impatience

from carriers.money import Money
from connector.orders import view
from connector.orders.refresh import REFRESH
from connector.orders.view import NoSuchOrder, OrderView
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.logins.people import User
from connector.store import Offer, RateCall
from connector.stores.sandbox import SandboxStore
from connector.work.port import Task
from tests.browser.rig import PATIENCE_MS, Site, visitor
from tests.cli.shell import shell_in, started, until
from tests.http.desk.counter import BUYER, POT, a_cart

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(site: Site) -> Iterator[Site]:
    """The site with a worker beside it; labels are bought by clicks."""
    house = site.house
    body = {"buy": "manual", "default_carton": {"length_mm": 300, "width_mm": 200, "height_mm": 150, "tare_g": 120}}
    house.here(settings_versions.publish, site.world.shop_id, body, Actor("person", "anna"), house.clock.now())
    site.in_loop(house.directory.refresh)
    with started(shell_in(house.settings.data_dir), "work"):
        yield site


def an_order(site: Site, *, risky: bool = False) -> OrderView:
    """A buyer asks, chooses the cheapest option and pays; the worker has read the order."""
    house = site.house

    async def buy() -> str:
        entry = house.directory.shop(site.world.shop_id)
        assert entry is not None
        _, row = await house.quote_desk.answer(entry.quoting, RateCall(a_cart((POT,))))
        await house.ledger.flush()
        chosen = row.decision.offers[0]
        offer = Offer(chosen.code, chosen.name, Money(chosen.minor, chosen.currency))
        keeper = cast("SandboxStore", entry.store).shopkeeper
        placed = await keeper.place_order([(a_cart((POT,)), offer)], to=BUYER, email=BUYER.email, risky=risky)
        await keeper.mark_paid(placed.order_id)
        task = Task(REFRESH, f"browser:{placed.order_id}", site.world.shop_id, (placed.order_id,))
        await house.database.run(house.work.enqueue, task)
        return placed.order_id

    order_id = site.in_loop(buy)

    def read() -> bool:
        try:
            return bool(house.here(view.show, site.world.shop_id, order_id).parcels)
        except NoSuchOrder:
            return False

    until(read, "the worker to read the order")
    return house.here(view.show, site.world.shop_id, order_id)


def now(site: Site, order: OrderView) -> Any:
    """The order's only parcel as it is."""
    (parcel,) = site.house.here(view.show, site.world.shop_id, order.id).parcels
    return parcel


def _is_file(answer: Response) -> bool:
    return answer.url.endswith("/file")


@pytest.mark.need(20)
def test_a_packer_buys_and_prints_by_keyboard_in_one_click(browser: Browser, shop: Site, packer: User) -> None:
    order = an_order(shop)
    with visitor(browser, shop, packer) as person:
        page = person.open("/orders")
        person.looked_at("orders")
        assert f"button:Buy and print the labels of order {order.name}" in person.stops()
        page.get_by_role("button", name=f"Buy and print the labels of order {order.name}").focus()
        with page.expect_response(_is_file, timeout=PATIENCE_MS) as printed:
            page.keyboard.press("Enter")
        assert printed.value.headers["content-type"] == "application/pdf"
        page.wait_for_url("**/file")
        assert now(shop, order).state == "bought"
        person.open(f"/orders/{order.id}")
        page.get_by_text("Print label").wait_for()
        person.looked_at("order-bought")
        assert any(stop.startswith("a:Print label") for stop in person.stops())


@pytest.mark.complaint(1)
def test_a_double_click_and_the_back_button_buy_once(browser: Browser, shop: Site, packer: User) -> None:
    order = an_order(shop)
    with visitor(browser, shop, packer) as person:
        page = person.open(f"/orders/{order.id}")
        person.looked_at("order-to-buy")
        page.get_by_role("button", name="Buy", exact=True).dblclick(no_wait_after=True)
        page.wait_for_url("**/orders/bought**")
        until(lambda: now(shop, order).state == "bought", "the label")
        person.open(page.url.removeprefix(shop.base))
        page.get_by_role("heading", name="All labels of the order are bought").wait_for()
        person.looked_at("orders-bought")
        label = now(shop, order).label.id
        page.go_back()
        page.go_back()
        for button in page.get_by_role("button", name="Buy", exact=True).all():
            button.click()
            page.wait_for_load_state()
        assert now(shop, order).label.id == label


def test_a_label_is_voided_with_a_reason(browser: Browser, shop: Site, packer: User) -> None:
    order = an_order(shop)
    shop.house.here(
        view.request_purchase,
        shop.house.work,
        shop.world.shop_id,
        order.id,
        Actor("person", packer.id),
        shop.house.clock.now(),
    )
    until(lambda: now(shop, order).state == "bought", "the label")
    with visitor(browser, shop, packer) as person:
        page = person.open(f"/orders/{order.id}")
        page.get_by_role("link", name="Void", exact=True).click()
        page.get_by_label("Why?").fill("wrong carton")
        person.looked_at("label-void")
        page.get_by_role("button", name="Void").click()
        page.get_by_text("Voided. The carrier is being asked").wait_for()
        person.looked_at("order-voided")
    assert now(shop, order).state == "voided"


def test_a_number_is_typed_by_hand_and_corrected(browser: Browser, shop: Site, packer: User) -> None:
    order = an_order(shop, risky=True)
    with visitor(browser, shop, packer) as person:
        page = person.open(f"/orders/{order.id}")
        person.looked_at("order-held")
        page.get_by_role("link", name="Type a tracking number").click()
        page.get_by_label("Carrier").fill("Sample Post")
        page.get_by_label("Tracking number").fill("a")
        page.get_by_role("button", name="Save and tell the store").click()
        page.get_by_role("alert").wait_for()
        assert page.get_by_label("Carrier").input_value() == "Sample Post"
        person.looked_at("order-by-hand")
        page.get_by_label("Tracking number").fill("RR123456789SK")
        page.get_by_role("button", name="Save and tell the store").click()
        page.get_by_text("Saved. The store is being told.").wait_for()
        until(lambda: now(shop, order).tracking.fulfil_state == "done", "the store to be told")
        person.open(f"/orders/{order.id}")
        person.looked_at("order-sent-by-hand")
        page.get_by_role("link", name="Correct or take back the number").click()
        person.looked_at("label-number")
        page.get_by_label("Tracking number").fill("RR987654321SK")
        page.get_by_role("button", name="Save the correction").click()
        page.get_by_text("Corrected. The store is being told.").wait_for()
    assert now(shop, order).label.tracking_code == "RR987654321SK"


def test_the_label_s_file_is_what_the_carrier_sold(browser: Browser, shop: Site, packer: User) -> None:
    """Without scripts too: the page waits for the outcome by itself."""
    order = an_order(shop)
    with visitor(browser, shop, packer, scripts=False) as person:
        page = person.open(f"/orders/{order.id}")
        files: list[Response] = []
        page.on("response", lambda answer: files.append(answer) if _is_file(answer) else None)
        page.get_by_role("button", name="Buy and print").click()
        end = time.monotonic() + PATIENCE_MS / 1000
        while not files and time.monotonic() < end:
            again = page.get_by_role("link", name="Look again")
            if again.count():
                with contextlib.suppress(Impatience):  # The answer came just then.
                    again.click(timeout=1000)
            page.wait_for_timeout(200)
        assert [(each.status, each.headers["content-type"]) for each in files] == [(200, "application/pdf")]
