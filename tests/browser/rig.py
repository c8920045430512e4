"""A real browser on a real server on loopback: log in, look at pages in every width and light, walk by keyboard.

Playwright holds an event loop open in the thread that it works in, where no other can run meanwhile. So it has a
thread of its own, `STAGE`: the browser lives there, and `conftest.py` runs every test of this folder there. What needs
a loop of its own (`asyncio.run`, the command line) is called through `aside`, or in the server's loop by `in_loop`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from connector.http.routes import build_app
from connector.http.server import server_config
from connector.serving import front_of
from connector.storage.logins import sessions
from connector.storage.logins.people import User
from connector.wiring import House
from tests.http.desk.world import DeskWorld, copied_house

T = TypeVar("T")

CHROMIUM = Path("/usr/bin/chromium")
PICTURES = Path(__file__).resolve().parents[2] / "build" / "pictures"
WIDTHS = {1280: 800, 375: 740}
PATIENCE_MS = 60_000
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


STAGE = ThreadPoolExecutor(1, thread_name_prefix="browser")


def aside(act: Callable[..., T], *args: Any) -> T:
    """Call something in a thread where no loop runs."""
    with ThreadPoolExecutor(1) as once:
        return once.submit(act, *args).result()


@contextlib.contextmanager
def on_stage(what: contextlib.AbstractContextManager[T]) -> Iterator[T]:
    """Enter and leave something in the browser's thread, from another one."""
    entered = STAGE.submit(what.__enter__).result()
    try:
        yield entered
    finally:
        STAGE.submit(what.__exit__, None, None, None).result()


def browser_or_skip() -> None:
    """Skip, saying why, where there is no browser; in CI its absence is a failure unless it is wanted."""
    if os.environ.get("WAYBILL_NO_BROWSER") == "1":
        pytest.skip("WAYBILL_NO_BROWSER=1: no browser is asked for.")
    if not CHROMIUM.is_file():
        why = f"No browser at {CHROMIUM}: apt-get install chromium, or set WAYBILL_NO_BROWSER=1."
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Site:
    """The desk as a server on loopback, in a thread of its own."""

    url: str
    world: DeskWorld
    loop: asyncio.AbstractEventLoop

    @property
    def house(self) -> House:
        """The house behind it."""
        return self.world.house

    @property
    def base(self) -> str:
        """The address of the shop's home."""
        return f"{self.url}{self.world.base}"

    def in_loop(self, act: Callable[[], Any]) -> Any:
        """Do something async where the server's own work is done."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(act(), self.loop)
        return future.result(timeout=PATIENCE_MS / 1000)


@contextlib.contextmanager
def site(steady: Path, folder: Path) -> Iterator[Site]:
    """Serve a copy of a data folder."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        house = copied_house(steady, folder, public_url=url)
        app = build_app(front_of(house))
        server = uvicorn.Server(server_config(app, host="127.0.0.1", port=port, grace_s=2))
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        try:
            end = time.monotonic() + PATIENCE_MS / 1000
            while not server.started:
                assert time.monotonic() < end, "the server did not start"
                assert thread.is_alive(), "the server ended"
                time.sleep(0.02)
            (shop,) = house.directory.shops()
            yield Site(url, DeskWorld(house, app, shop.id), loops[0])
        finally:
            server.should_exit = True
            thread.join(PATIENCE_MS / 1000)


@dataclass
class Visitor:
    """A person before the browser."""

    site: Site
    context: BrowserContext
    page: Page

    def open(self, path: str = "") -> Page:
        """A page of the shop; a path of the whole site begins with a slash and a letter other than the shop's."""
        whole = path.startswith(("/desk", "/login", "/welcome"))
        self.page.goto(f"{self.site.url}{path}" if whole else f"{self.site.base}{path}")
        return self.page

    def looked_at(self, name: str) -> None:
        """Take pictures in both widths and lights, find no serious fault, and nothing that does not fit."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        for width, height in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for light in ("light", "dark"):
                self.page.emulate_media(color_scheme="dark" if light == "dark" else "light")
                self.page.screenshot(path=PICTURES / f"{name}-{width}-{light}.png", full_page=True)
                if (width == 1280) == (light == "dark"):  # Each width and each light once.
                    assert serious_faults(self.page) == [], name
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
        self.page.set_viewport_size({"width": 1280, "height": 800})
        self.page.emulate_media(color_scheme="light")

    def stops(self, most: int = 200) -> list[str]:
        """What the keyboard stops at, from the top of the page round to its end: each by its text or name."""
        self.page.evaluate("document.activeElement && document.activeElement.blur()")
        found: list[str] = []
        for _ in range(most):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(_FOCUSED)
            if at is None or (found and at == found[0]):
                break
            found.append(at)
        return found


_FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const said = at.getAttribute('aria-label') || at.name || at.textContent || '';
  return at.tagName.toLowerCase() + ':' + said.trim().replace(/\\s+/g, ' ');
}"""


def serious_faults(page: Page) -> list[str]:
    """What axe finds serious or critical: the rule, and where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


@contextlib.contextmanager
def visitor(browser: Browser, at: Site, user: User | None = None, *, scripts: bool = True) -> Iterator[Visitor]:
    """A person with a window of their own; signed in if a user is named."""
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    if user is not None:
        token = at.house.here(sessions.start, user.id, at.house.clock.now())
        context.add_cookies([{"name": "waybill", "value": token, "url": at.url}])
    try:
        yield Visitor(at, context, context.new_page())
    finally:
        context.close()
