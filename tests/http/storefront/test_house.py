"""The storefront of a real house: the switch, the key, the app proxy of a Shopify shop, and never another shop's."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from connector import shop_settings
from connector.http.routes import build_app
from connector.quotes.explain import explain
from connector.quotes.past import past_answers
from connector.serving import front_of
from connector.settings import Settings
from connector.shop_settings import ShopSettings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.storage.shops import add_shop
from connector.storefront_settings import storefront_key
from connector.wiring import House, open_house

pytestmark = pytest.mark.anyio

ACTOR = Actor("command", "test")
SECRET = "s" * 32
QUESTION = json.dumps({"lines": [{"sku": "A", "unit_price": "40.00", "grams": 500}], "locale": "pl"}).encode()


def connect(house: House, name: str, **settings: str) -> str:
    """A Shopify shop with these settings."""
    now = house.clock.now()
    domain = f"{name}.myshopify.com"
    credentials = {"domain": domain, "client_id": "id", "client_secret": SECRET}
    shop = house.here(
        add_shop, house.keyring, platform="shopify", domain=domain, name=name, currency="EUR",
        timezone="UTC", credentials=credentials, actor=ACTOR, now=now,
    )  # fmt: skip
    publish(house, shop.id, **settings)
    return shop.id


def publish(house: House, shop_id: str, **settings: str) -> None:
    """A new version of the settings."""
    body = shop_settings.dump(shop_settings.change(ShopSettings(), settings, "EUR"))
    house.here(settings_versions.publish, shop_id, body, actor=ACTOR, now=house.clock.now())


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[House, httpx2.AsyncClient, str, str]]:
    """A house with two shops, of which one has its storefront on; a client, and both ids."""
    house = open_house(Settings(data_dir=folder, public_url="https://ship.example"))
    on, off = connect(house, "tea", storefront="on", threshold="50.00"), connect(house, "off")
    app = build_app(front_of(house))
    transport = httpx2.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://h") as client:
        yield house, client, on, off


def signed(house: House, domain: str) -> str:
    query = {"shop": domain, "timestamp": str(int(house.clock.now().timestamp())), "path_prefix": "/apps/shipping"}
    text = "".join(sorted(f"{name}={value}" for name, value in query.items()))
    return urlencode(query | {"signature": hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()})


async def test_a_page_and_the_app_proxy_get_the_same_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, client, on, _):
        shop = house.directory.shop(on)
        assert shop is not None
        key = storefront_key(on, shop.settings.storefront)
        page = await client.post(
            f"/storefront/{key}/estimate", content=QUESTION, headers={"origin": "https://tea.myshopify.com"}
        )
        proxied = await client.post(f"/shopify/proxy/estimate?{signed(house, 'tea.myshopify.com')}", content=QUESTION)
        assert page.status_code == proxied.status_code == 200
        assert page.json() == proxied.json()
        assert page.json()["progress"]["missing"] == {"amount": "10.00", "currency": "EUR"}
        assert "10,00" in page.json()["progress"]["text"]


async def test_a_shop_without_storefront_is_not_there_and_a_new_key_ends_the_old_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, client, on, off):
        assert (
            await client.post(f"/shopify/proxy/estimate?{signed(house, 'off.myshopify.com')}", content=QUESTION)
        ).status_code == 404
        old = storefront_key(on, ShopSettings().storefront)
        for key in (storefront_key(off, ShopSettings().storefront), on, off):
            assert (await client.post(f"/storefront/{key}/estimate", content=QUESTION)).status_code == 404
        assert (await client.post(f"/storefront/{old}/estimate", content=QUESTION)).status_code == 200
        publish(house, on, storefront="on", storefront_key="0123456789abcdef0123")
        await house.directory.refresh()
        assert (await client.post(f"/storefront/{old}/estimate", content=QUESTION)).status_code == 404
        new = await client.post("/storefront/0123456789abcdef0123/estimate", content=QUESTION)
        assert new.status_code == 200


async def test_what_a_page_was_told_is_kept_and_explained_as_such(tmp_path: Path) -> None:
    async with opened(tmp_path) as (house, client, on, _):
        key = storefront_key(on, ShopSettings().storefront)
        question = json.loads(QUESTION) | {"destination": {"country": "AT", "postal_code": "1010"}}
        answer = await client.post(f"/storefront/{key}/estimate", json=question)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "unknown")
        await house.ledger.flush()
        (row,) = await asyncio.to_thread(lambda: list(past_answers(house.database, on)))
        assert (row.shop_id, row.channel) == (on, "storefront")
        assert any("A page asked before the checkout" in line for line in explain(row))
