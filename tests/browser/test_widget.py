"""The widget on a plain page of another origin, in Debian's Chromium: no layout shift, keyboard, right to left."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from connector import shop_settings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storefront_settings import storefront_key
from tests.browser import rig
from tests.cli.worlds import make_shop

EXTENSION = Path(__file__).resolve().parents[2] / "deploy" / "shopify" / "extensions" / "waybill-estimate"
LINES = [{"sku": "MUG-1", "variant_id": "mug-1", "quantity": 2, "unit_price": "12.90", "grams": 420}]
expect.set_options(timeout=rig.PATIENCE_MS)
_SHIFTS = """
window.__shifts = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.__shifts.push([each.value, each.hadRecentInput]);
}).observe({type: 'layout-shift', buffered: true});
"""


PAGES: dict[str, bytes] = {}


class _Pages(BaseHTTPRequestHandler):
    """The shop's own site: an origin other than ours."""

    def do_GET(self) -> None:
        """Serve a page that a test has put there."""
        page = PAGES.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop_site() -> Iterator[str]:
    """The origin of the shop's pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(rig.PATIENCE_MS / 1000)


@pytest.fixture(scope="module")
def front(browser: Browser, shop_site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.Site]:
    """A house that serves, whose shop has its storefront on and free shipping from 50."""
    steady = make_shop(tmp_path_factory.mktemp("widget")).folder
    with rig.site(steady, tmp_path_factory.mktemp("widget-site")) as served:
        house = served.house
        (shop,) = house.directory.shops()
        changes = {"storefront": "on", "storefront_origins": shop_site, "threshold": "50.00"}
        body = shop_settings.dump(shop_settings.change(shop.settings, changes, "EUR"))
        version = shop.quoting.settings_version
        publish = settings_versions.publish
        house.here(publish, shop.id, body, based_on=version, actor=Actor("command", "test"), now=house.clock.now())
        served.in_loop(house.directory.refresh)
        yield served


@contextmanager
def shop_page(
    browser: Browser,
    front: rig.Site,
    *,
    lang: str = "en",
    tag: str = "",
    width: int = 900,
    css: str = "",
    script: str = "",
) -> Iterator[Page]:
    """A page of the shop as a merchant would write it, with text above and below the widget."""
    (shop,) = front.house.directory.shops()
    key = storefront_key(shop.id, shop.settings.storefront)
    attributes = tag or f"lines='{json.dumps(LINES)}' country='AT'"
    endpoint = f"{front.url}/storefront/{key}/estimate"
    html = f"""<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Mug</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 16px/1.5 sans-serif; margin: 2rem; max-width: 40rem }} {css}</style>
<script src="{script or front.url + "/storefront/waybill-widget.js"}" defer></script></head>
<body><main><h1>Mug</h1><p>A mug for tea.</p>
<waybill-estimate endpoint="{endpoint}" style="display:block;min-height:23rem" {attributes}>
</waybill-estimate>
<p id="below">Everything below the widget stays where it is.</p></main></body></html>"""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(rig.PATIENCE_MS)
    page = context.new_page()
    page.add_init_script(_SHIFTS)
    (origin,) = shop.settings.storefront.origins
    path = f"/{len(PAGES)}"
    PAGES[path] = html.encode()
    try:
        page.goto(f"{origin}{path}")
        yield page
    finally:
        context.close()


def ask_for(page: Page, postal: str = "1010") -> None:
    """Type a postal code and send it with the keyboard."""
    page.locator("waybill-estimate input").fill(postal)
    page.keyboard.press("Enter")
    expect(page.locator("waybill-estimate li").first).to_be_visible()


def shifts(page: Page) -> list[Any]:
    """Every shift of the layout so far, those after a key press as well."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: list[Any] = page.evaluate("window.__shifts")
    return found


def picture(page: Page, name: str) -> None:
    """Kept as build output."""
    rig.PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=rig.PICTURES / f"{name}.png", full_page=True)


@pytest.mark.need(1)
@pytest.mark.need(2)
def test_options_dates_and_the_way_to_free_shipping_appear_and_nothing_moves(browser: Browser, front: rig.Site) -> None:
    with shop_page(browser, front) as page:
        expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "51")
        expect(page.locator("waybill-estimate .way p")).to_have_text("€24.20 more for free shipping")
        before = page.locator("#below").bounding_box()
        ask_for(page)
        assert page.locator("waybill-estimate li").count() >= 2
        assert "€" in page.locator("waybill-estimate li span").first.inner_text()
        assert page.locator("waybill-estimate li small").first.inner_text() != ""
        assert page.locator("#below").bounding_box() == before
        assert shifts(page) == []
        assert rig.serious_faults(page) == []
        picture(page, "widget-en")


def test_a_narrow_dark_page_has_room_for_it(browser: Browser, front: rig.Site) -> None:
    css = "html { background: #14181d; color: #e8eaed }"
    with shop_page(browser, front, lang="sk-SK", width=375, css=css) as page:
        expect(page.locator("waybill-estimate .way p")).to_contain_text("24,20\u00a0€")
        ask_for(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert shifts(page) == []
        assert rig.serious_faults(page) == []
        picture(page, "widget-sk-dark-375")


def test_arabic_runs_from_right_to_left(browser: Browser, front: rig.Site) -> None:
    with shop_page(browser, front, lang="ar") as page:
        ask_for(page)
        section = page.locator("waybill-estimate section")
        assert section.evaluate("(each) => getComputedStyle(each).direction") == "rtl"
        name, price = page.locator("waybill-estimate li b").first, page.locator("waybill-estimate li span").first
        left = "(each) => each.getBoundingClientRect().left"
        assert name.evaluate(left) > price.evaluate(left)
        assert shifts(page) == []
        assert rig.serious_faults(page) == []
        picture(page, "widget-ar")


def test_it_is_worked_by_keyboard_and_says_what_it_found(browser: Browser, front: rig.Site) -> None:
    with shop_page(browser, front) as page:
        expect(page.get_by_role("combobox", name="Country")).to_have_value("AT")
        order = []
        for _ in range(3):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.shadowRoot.activeElement.localName"))
        assert order == ["select", "input", "button"]
        page.keyboard.press("Shift+Tab")
        page.keyboard.type("1010")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Delivery")).to_be_visible()
        expect(page.get_by_role("group", name="Delivery options").get_by_role("listitem").first).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("Delivery options: ")
        expect(page.get_by_role("progressbar", name="more for free shipping")).to_be_visible()


def refusing(times: int) -> Callable[[Route], None]:
    """Breaks the connection so many times, then lets requests through."""
    left = [times]

    def handle(route: Route) -> None:
        if left[0]:
            left[0] -= 1
            route.abort()
        else:
            route.continue_()

    return handle


def test_a_broken_connection_is_tried_again_in_silence(browser: Browser, front: rig.Site) -> None:
    with shop_page(browser, front) as page:
        expect(page.locator("waybill-estimate .way p")).not_to_be_empty()
        page.route("**/estimate", refusing(1))
        ask_for(page)
        assert page.locator("waybill-estimate li").count() >= 2


def test_where_nothing_comes_the_buyer_reads_where_prices_are(browser: Browser, front: rig.Site) -> None:
    with shop_page(browser, front) as page:
        page.route("**/estimate", lambda route: route.fulfill(status=404, body="{}"))
        page.locator("waybill-estimate input").fill("1010")
        page.keyboard.press("Enter")
        expect(page.locator("waybill-estimate .out p")).to_have_text(
            "Delivery options and prices are shown at the checkout."
        )
        assert shifts(page) == []


def test_it_asks_only_once_it_is_seen_and_keeps_nothing(browser: Browser, front: rig.Site) -> None:
    css = "waybill-estimate { margin-top: 4000px }"
    with shop_page(browser, front, css=css) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
        page.evaluate("new Promise((done) => setTimeout(done, 300))")
        assert asked == []
        page.locator("waybill-estimate").scroll_into_view_if_needed()
        expect(page.locator("waybill-estimate .way p")).not_to_be_empty()
        assert len(asked) == 1
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_reduced_motion_is_heeded(browser: Browser, front: rig.Site) -> None:
    with shop_page(browser, front) as page:
        page.emulate_media(reduced_motion="reduce")
        bar = page.locator("waybill-estimate .bar i")
        assert bar.evaluate("(each) => getComputedStyle(each).transitionDuration") == "0s"


def test_the_theme_extensions_copy_works_with_a_themes_cart(browser: Browser, front: rig.Site) -> None:
    """The smaller script, reading the cart as Shopify's themes have it, in hundredths."""
    PAGES["/widget.js"] = (EXTENSION / "assets" / "waybill-widget.js").read_bytes()
    items = [{"variant_id": "mug-1", "sku": "MUG-1", "quantity": 1, "original_price": 1290, "grams": 420,
              "requires_shipping": True}]  # fmt: skip
    PAGES["/cart.js"] = json.dumps({"items": items, "total_discount": 0, "currency": "EUR"}).encode()
    tag = 'cart-url="/cart.js" country="AT" countries="AT,SK"'
    with shop_page(browser, front, tag=tag, script="/widget.js") as page:
        expect(page.locator("waybill-estimate .way p")).to_have_text("€37.10 more for free shipping")
        assert page.locator("waybill-estimate option").count() == 2
        items[0]["quantity"] = 3
        PAGES["/cart.js"] = json.dumps({"items": items, "total_discount": 0, "currency": "EUR"}).encode()
        page.evaluate("fetch('/cart/change.js')")  # As a theme does; the widget notices by itself.
        expect(page.locator("waybill-estimate .way p")).to_have_text("€11.30 more for free shipping")
        ask_for(page)
        assert shifts(page) == []
