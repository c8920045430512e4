"""The packing table as a person sees it: few clicks from orders to paper, and a scanner in place of a mouse."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, Response
from pypdf import PdfReader

from carriers.money import Money
from connector.labels.scan import code_of, keep_codes
from connector.orders import batches, listing
from connector.orders.listing import OrderFilter
from connector.orders.refresh import REFRESH
from connector.orders.view import OrderView
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.logins.people import User
from connector.store import Offer, RateCall
from connector.stores.sandbox import SandboxStore
from connector.work.port import Task
from tests.browser.rig import PATIENCE_MS, Site, visitor
from tests.browser.test_orders import an_order, now
from tests.cli.shell import shell_in, started, until
from tests.http.desk.counter import BUYER, POT, a_cart

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table(site: Site) -> Iterator[Site]:
    """The site with a worker beside it; labels are bought by clicks, and printed once the goods were scanned."""
    house = site.house
    carton = {"length_mm": 300, "width_mm": 200, "height_mm": 150, "tare_g": 120}
    body = {"buy": "manual", "default_carton": carton, "paper": {"slips": False}}
    house.here(settings_versions.publish, site.world.shop_id, body, Actor("person", "anna"), house.clock.now())
    site.in_loop(house.directory.refresh)
    with started(shell_in(house.settings.data_dir), "work"):
        yield site


class Clicks:
    """Counts what a person clicks."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def click(self, role: str, name: str) -> None:
        self.count += 1
        self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]


def _is_print(answer: Response) -> bool:
    return "/print?batch=" in answer.url


def many_orders(site: Site, count: int) -> list[str]:
    """As many buyers choose the same option and pay; the worker has read their orders. Names, the oldest first."""
    house, shop_id = site.house, site.world.shop_id

    async def buy() -> None:
        entry = house.directory.shop(shop_id)
        assert entry is not None
        _, row = await house.quote_desk.answer(entry.quoting, RateCall(a_cart((POT,))))
        await house.ledger.flush()
        chosen = row.decision.offers[0]
        offer = Offer(chosen.code, chosen.name, Money(chosen.minor, chosen.currency))
        keeper = cast("SandboxStore", entry.store).shopkeeper
        for _ in range(count):
            placed = await keeper.place_order([(a_cart((POT,)), offer)], to=BUYER, email=BUYER.email)
            await keeper.mark_paid(placed.order_id)
            task = Task(REFRESH, f"papers:{placed.order_id}", shop_id, (placed.order_id,))
            await house.database.run(house.work.enqueue, task)

    def waiting() -> list[str]:
        ids = house.here(batches.matching, shop_id, OrderFilter(not_bought=True))
        return [line.name for line in house.here(listing.some, shop_id, ids)]

    site.in_loop(buy)
    read = 0
    while read < count:  # As long as it goes on; each step has a time of its own.
        until(lambda before=read: len(waiting()) > before, "the worker to read more orders")  # type: ignore[misc]
        read = len(waiting())
    return waiting()


@pytest.mark.need(21)
def test_from_fifty_orders_to_printed_labels_in_four_clicks(browser: Browser, table: Site, packer: User) -> None:
    names = many_orders(table, 50)
    with visitor(browser, table, packer) as person:
        page = person.open("/batches")
        clicks = Clicks(page)
        clicks.click("link", "New batch")
        clicks.click("button", "Look at the cost")
        page.get_by_text("Cost as quoted").first.wait_for(timeout=PATIENCE_MS)
        page.get_by_role("button", name="Buy").first.click()
        clicks.count += 1
        page.get_by_role("link", name="Print all", exact=True).wait_for(timeout=5 * PATIENCE_MS)
        person.looked_at("batches-done")
        with page.expect_response(_is_print, timeout=2 * PATIENCE_MS) as printed:
            clicks.click("link", "Print all")
        assert printed.value.headers["content-type"] == "application/pdf"
        assert clicks.count == 4
        file = page.context.request.get(printed.value.url).body()
    texts = [each.extract_text() for each in PdfReader(io.BytesIO(file)).pages]
    assert len(texts) == len(names) >= 50
    for number, (name, text) in enumerate(zip(names, texts, strict=True), 1):
        assert f"{number} / {len(names)}  {name}  parcel 1 of 1" in text


def _scanned(page: Page, text: str) -> None:
    """A scanner types and presses Enter, wherever the page has put the focus."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


@pytest.mark.need(19)
def test_a_scanner_is_enough_to_pack(browser: Browser, table: Site, packer: User) -> None:
    order: OrderView = an_order(table)
    parcel = now(table, order).id
    table.house.here(keep_codes, table.world.shop_id, [parcel])
    with visitor(browser, table, packer) as person:
        page = person.open("/batches/new")
        person.looked_at("batches-new")
        every, ticked = page.get_by_label("All that match"), page.locator("input[name=order]:checked")
        every.uncheck()
        assert ticked.count() == 0
        every.check()
        assert ticked.count() == page.locator("input[name=order]").count() > 0
        page.get_by_role("button", name="Look at the cost").click()
        page.get_by_text("Cost as quoted").first.wait_for(timeout=PATIENCE_MS)
        person.looked_at("batches-cost")
        page = person.open("/scan")
        person.looked_at("scan")
        _scanned(page, code_of(parcel))
        page.get_by_text("1 to scan").wait_for(timeout=PATIENCE_MS)
        _scanned(page, "NOT-1")
        page.get_by_text("Does not belong in this parcel: NOT-1").wait_for(timeout=PATIENCE_MS)
        person.looked_at("scan-wrong")
        _scanned(page, "NOT-1")
        page.get_by_text("Taken out: NOT-1").wait_for(timeout=PATIENCE_MS)
        _scanned(page, "POT-1")
        page.get_by_text(f"Order {order.name} is complete").wait_for(timeout=PATIENCE_MS)
        person.looked_at("scan-complete")
        page.evaluate("document.activeElement.blur()")
        _scanned(page, code_of(parcel))  # It reaches the field, wherever the focus was.
        page.get_by_text("Complete", exact=True).wait_for(timeout=PATIENCE_MS)


def test_lists_and_drivers_are_on_one_page(browser: Browser, table: Site, packer: User) -> None:
    with visitor(browser, table, packer) as person:
        page = person.open("/collections")
        page.get_by_role("heading", name="Hand-over").wait_for(timeout=PATIENCE_MS)
        person.looked_at("hand-over")
