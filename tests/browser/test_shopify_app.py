"""The app in a store's admin, as a merchant sees it: installed, switched, left, installed again, framed by no other."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx2
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FrameLocator, Page, Route

from connector.http.routes import build_app
from connector.http.server import server_config
from connector.serving import front_of
from connector.settings import Settings
from connector.storage.apps import put_app
from connector.storage.audit import Actor
from connector.storage.shops import ShopRecord, list_shops
from connector.wiring import House, open_house, register_jobs
from connector.work.memory import MemoryWork
from tests.browser import rig
from tests.simulators.server import serve
from tests.simulators.shopify import build
from tests.simulators.shopify_admin import CLIENT_ID, DOMAIN, SECRET, id_token
from tests.simulators.shopify_control import ShopifyControl

ADMIN = f"https://{DOMAIN}/admin/apps/{CLIENT_ID}"
PUBLIC = "https://ship.example.com"


@dataclass
class Installation:
    """A house that serves on loopback, beside a simulated Shopify."""

    url: str
    house: House
    work: MemoryWork
    shopify: ShopifyControl
    loop: asyncio.AbstractEventLoop

    def settle(self) -> None:
        """Deliver what the store tells, and do the work of it."""
        with httpx2.Client(trust_env=False) as client:
            for one in rig.aside(self.shopify.deliveries):
                url = one["url"].replace(PUBLIC, self.url)
                assert client.post(url, content=one["body"], headers=one["headers"]).status_code == 200
        asyncio.run_coroutine_threadsafe(self._drain(), self.loop).result(rig.PATIENCE_MS / 1000)

    async def _drain(self) -> None:
        await self.work.drain()
        await self.house.directory.refresh()

    def records(self) -> list[ShopRecord]:
        """Every shop, here or gone."""
        return self.house.here(list_shops, self.house.keyring, gone=True)

    def page_url(self, **query: str) -> str:
        """What the admin opens in its frame."""
        return f"{PUBLIC}/shopify/app?{urlencode({'embedded': '1', 'shop': DOMAIN} | query)}"


@pytest.fixture
def installation(tmp_path: Path, reference: Path) -> Iterator[Installation]:
    """One with the app registered and no shop."""
    rig.browser_or_skip()
    with serve(build(reference)) as simulator, socket.socket() as listener:
        shopify = ShopifyControl(simulator)
        shopify.settings(client_secret=SECRET, installed=False, token_life_s=3600)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        house = open_house(Settings(data_dir=tmp_path, public_url=PUBLIC, allow_private_addresses=True))
        work = MemoryWork(house.database, house.clock)
        house = replace(house, work=cast("Any", work))
        register_jobs(house, work)
        house.here(
            put_app,
            house.keyring,
            platform="shopify",
            client_id=CLIENT_ID,
            secret=SECRET,
            actor=Actor("command", "test"),
            now=house.clock.now(),
            api_base=simulator,
        )
        server = uvicorn.Server(server_config(build_app(front_of(house)), host="127.0.0.1", port=0, grace_s=2))
        loops: list[asyncio.AbstractEventLoop] = []

        async def run() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        try:
            end = time.monotonic() + rig.PATIENCE_MS / 1000
            while not server.started:
                assert time.monotonic() < end
                assert thread.is_alive()
                time.sleep(0.02)
            yield Installation(url, house, work, shopify, loops[0])
        finally:
            server.should_exit = True
            thread.join(rig.PATIENCE_MS / 1000)


@contextlib.contextmanager
def admin(
    browser: Browser, installation: Installation, bridge: str | None = None
) -> Iterator[tuple[BrowserContext, Page]]:
    """A window of its own, in which Shopify's script is `bridge`, or out of reach."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(rig.PATIENCE_MS)

    def script(route: Route) -> None:
        if bridge is None:
            route.abort()
        else:
            route.fulfill(content_type="text/javascript", body=bridge)

    def forward(route: Route) -> None:
        """To the server on loopback, which a browser would not let a page of the store frame."""
        there = route.request.url.replace(PUBLIC, installation.url)
        answer = route.fetch(url=there, max_redirects=0)
        if answer.status in {302, 303}:  # Where a redirect leads is not routed; a page that leads there is.
            body = f'<meta http-equiv="refresh" content="0;url={escape(answer.headers["location"])}">'
            route.fulfill(content_type="text/html", body=body)
        else:
            route.fulfill(response=answer)

    context.route("https://cdn.shopify.com/**", script)
    context.route(f"{PUBLIC}/**", forward)
    try:
        yield context, context.new_page()
    finally:
        context.unroute_all(behavior="ignoreErrors")
        context.close()


def open_app(page: Page, source: str, host: str = DOMAIN) -> FrameLocator:
    """Open the admin's page of the app, which frames this address."""
    body = f"<!doctype html><title>Admin</title><iframe id=app title=A src='{source}' width=1200 height=1600></iframe>"
    page.route(f"https://{host}/admin/apps/**", lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(f"https://{host}/admin/apps/{CLIENT_ID}")
    return page.frame_locator("#app")


def test_a_merchant_installs_switches_uninstalls_and_comes_back(browser: Browser, installation: Installation) -> None:
    """All of it inside the admin's frame, with Shopify's script out of reach."""
    with admin(browser, installation) as (_, page):
        app = open_app(page, installation.page_url(id_token=id_token()))
        app.locator("text=Rate service registered").wait_for()
        assert "off" in app.locator("#switch").inner_text()
        (first,) = installation.records()
        app.locator("button", has_text="Switch on").first.click()
        app.locator("text=Not switched on").wait_for()
        assert app.locator("#findings li").count() > 0
        app.locator("button", has_text="Switch on all the same").click()
        app.locator("text=Buyers see the prices of your carriers").wait_for()
        assert rig.aside(installation.shopify.state)["services"][0]["active"] is True
        app.locator("button", has_text="Switch off").click()
        app.locator("text=own rates only").wait_for()

        rig.aside(installation.shopify.uninstall)
        installation.settle()
        (gone,) = installation.records()
        assert (gone.id, gone.status) == (first.id, "gone")

        app = open_app(page, installation.page_url(id_token=id_token()))
        app.locator("text=Rate service registered").wait_for()
        (back,) = installation.records()
        assert (back.id, back.status) == (first.id, "live")
        assert len(rig.aside(installation.shopify.state)["services"]) == 1


def test_the_frame_fetches_a_fresh_token_by_shopify_s_script(browser: Browser, installation: Installation) -> None:
    bridge = f"""
      const back = new URLSearchParams(location.search).get('shopify-reload');
      if (back) location.replace(back + '&id_token={id_token()}');
    """
    with admin(browser, installation, bridge) as (_, page):
        app = open_app(page, installation.page_url(id_token=id_token(exp=1)))
        app.locator("text=Rate service registered").wait_for()
    assert len(installation.records()) == 1


def test_without_the_script_the_frame_says_how_to_go_on(browser: Browser, installation: Installation) -> None:
    with admin(browser, installation) as (_, page):
        app = open_app(page, installation.page_url())
        app.locator("h1", has_text="One moment").wait_for()
        assert app.locator("a").get_attribute("href") == ADMIN
    assert installation.records() == []


def _note(into: list[str], said: ConsoleMessage) -> None:
    into.append(said.text)


def test_nobody_else_can_frame_the_page(browser: Browser, installation: Installation) -> None:
    for host in ("evil.example", "other-shop.myshopify.com"):
        with admin(browser, installation) as (_, page):
            refused: list[str] = []
            page.on("console", functools.partial(_note, refused))
            open_app(page, installation.page_url(id_token=id_token()), host)
            page.wait_for_function("document.querySelector('#app') !== null")
            end = time.monotonic() + rig.PATIENCE_MS / 1000
            while not any("frame-ancestors" in each for each in refused):
                assert time.monotonic() < end, refused
                page.wait_for_timeout(50)
            assert page.frame_locator("#app").locator("h1", has_text="shipping prices").count() == 0


def test_the_pages_are_sound_in_every_width_and_light(browser: Browser, installation: Installation) -> None:
    """The list after installing, and the pages that refuse; by keyboard as well."""
    with admin(browser, installation) as (context, page):
        person = rig.Visitor(cast("rig.Site", None), context, page)
        page.goto(f"{PUBLIC}/shopify/app")
        page.wait_for_selector("h1")
        person.looked_at("shopify-app-nothing")
        page.goto(f"{PUBLIC}/shopify/app?{urlencode({'id_token': id_token()})}")
        page.wait_for_selector("text=Rate service registered")
        person.looked_at("shopify-app")
        stops = person.stops()
        assert any("Switch on" in stop for stop in stops)
        assert any("email" in stop for stop in stops)
        page.click("button:has-text('Look again')")
        page.wait_for_selector("#findings")
        person.looked_at("shopify-app-findings")
        page.fill("input[name=email]", "anna@example.com")
        with context.expect_page() as opened:
            page.click("button:has-text('Make my login')")
        welcome = opened.value
        welcome.wait_for_selector("input[name=password]")
        welcome.wait_for_load_state("networkidle")
        assert "/welcome/" in welcome.url
