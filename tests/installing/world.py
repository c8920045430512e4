"""A whole house beside a Shopify simulator: its pages and hooks are asked in this process, its jobs run when told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any, cast

import httpx2

from connector.directory import ShopEntry
from connector.http.routes import build_app
from connector.serving import front_of
from connector.settings import Settings
from connector.storage.apps import AppRecord, put_app
from connector.storage.audit import Actor, AuditEntry, entries
from connector.storage.shops import ShopRecord, list_shops
from connector.wiring import House, open_house, register_jobs
from connector.work.memory import MemoryWork
from connector.work.port import Task
from tests.simulators.shopify_admin import CLIENT_ID, DOMAIN, SECRET, id_token, signed_query
from tests.simulators.shopify_control import ShopifyControl

BY_TEST = Actor("command", "test")
PUBLIC = "https://ship.example.com"
PAGE = "/shopify/app"

__all__ = ["BY_TEST", "DOMAIN", "PAGE", "PUBLIC", "SECRET", "World", "id_token", "open_world", "signed_query"]


@dataclass
class World:
    """What a test holds in its hands."""

    house: House
    work: MemoryWork
    shopify: ShopifyControl
    client: httpx2.AsyncClient

    async def register(self, client_id: str = CLIENT_ID, secret: str = SECRET) -> AppRecord:
        """`waybill app add shopify`."""
        record = self.house.here(
            put_app,
            self.house.keyring,
            platform="shopify",
            client_id=client_id,
            secret=secret,
            actor=BY_TEST,
            now=self.house.clock.now(),
            api_base=self.shopify.base_url,
        )
        await self.house.directory.refresh()
        return record

    # --- the app's page

    async def visit(self, token: str | None = None, **query: str) -> httpx2.Response:
        """Open the page in the admin's frame."""
        given = {"embedded": "1", "shop": DOMAIN, "id_token": id_token() if token is None else token} | query
        return await self.client.get(PAGE, params={name: value for name, value in given.items() if value})

    async def press(self, page: httpx2.Response, do: str, **more: str) -> httpx2.Response:
        """Send the form of a page that has this `do`, changed by `more`."""
        fields = fields_of(page, do) | more
        return await self.client.post(PAGE, data=fields)

    # --- the platform

    async def told(self, topic: str, body: Any, *, shop: str = DOMAIN, secret: str = SECRET, path: str = "") -> int:
        """A signed delivery to the app's endpoint; the status that it got. Its work is done."""
        signed = self.shopify.sign(topic, body)
        headers = signed["headers"] | {"x-shopify-shop-domain": shop}
        if secret != SECRET:
            headers["x-shopify-hmac-sha256"] = "d3Jvbmc="
        answer = await self.client.post(path or "/apps/shopify/hooks", content=signed["body"], headers=headers)
        await self.work.drain()
        await self.house.directory.refresh()
        return answer.status_code

    async def deliver(self) -> list[int]:
        """Post what waits at the platform to where it was subscribed; the statuses."""
        statuses = []
        for one in self.shopify.deliveries():
            path = one["url"].removeprefix(self.house.settings.public_url)
            answer = await self.client.post(path, content=one["body"], headers=one["headers"])
            statuses.append(answer.status_code)
        await self.work.drain()
        await self.house.directory.refresh()
        return statuses

    async def queue(self, name: str) -> None:
        """Run a job of the shop."""
        shop = self.shop
        key = f"test {name} {self.house.clock.now().timestamp()}"
        await self.house.database.run(self.work.enqueue, Task(name, key, shop.id))
        await self.work.drain()
        await self.house.directory.refresh()

    # --- looking

    @property
    def shop(self) -> ShopEntry:
        """The connected shop."""
        found = self.house.directory.shop_by_domain("shopify", DOMAIN)
        assert found is not None
        return found

    def records(self) -> list[ShopRecord]:
        """Every shop, here or gone."""
        return self.house.here(list_shops, self.house.keyring, gone=True)

    def audit(self, shop_id: str) -> list[AuditEntry]:
        """What was done, the newest first."""
        return self.house.here(entries, shop_id)

    def services(self) -> list[dict[str, Any]]:
        """The carrier services that the store has."""
        found: list[dict[str, Any]] = self.shopify.state()["services"]
        return found


def fields_of(page: httpx2.Response, do: str) -> dict[str, str]:
    """The hidden fields of the page's form with this `do`."""
    for form in re.findall(r"<form.*?</form>", page.text, re.DOTALL):
        found = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
        if found.get("do") == do:
            return found
    raise AssertionError(f"no form does {do}: {page.text}")


@asynccontextmanager
async def open_world(
    folder: Path, simulator: str, public_url: str = PUBLIC, more: Mapping[str, Any] | None = None
) -> AsyncIterator[World]:
    """A house on a fresh SQLite file; no process runs, but the web application serves."""
    house = open_house(
        Settings(data_dir=folder, public_url=public_url, allow_private_addresses=True, **dict(more or {}))
    )
    work = MemoryWork(house.database, house.clock)
    house = replace(house, work=cast("Any", work))
    register_jobs(house, work)
    house.prepare_database()
    app = build_app(front_of(house))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=public_url) as client:
            yield World(house, work, ShopifyControl(simulator), client)
