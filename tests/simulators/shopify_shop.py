"""A connected Shopify shop for tests: the simulator behind it, and its answers to the store contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.store import Incoming, Store, StoreKind
from connector.stores.shopify import KIND
from connector.stores.shopify.settings import ShopifySettings
from tests.contracts.store_contract import WantedOrder
from tests.simulators.server import serve
from tests.simulators.shopify import build
from tests.simulators.shopify_control import ShopifyControl
from tests.simulators.shopify_hooks import sign
from webhooks.outgoing import OutgoingClient
from webhooks.ports import Clock

DOMAIN = "waybill-test.myshopify.com"
SECRET = "client-secret"

RATE_REQUEST: dict[str, Any] = {
    "rate": {
        "origin": {"country": "US", "postal_code": "94104", "province": "CA", "city": "San Francisco"},
        "destination": {"country": "US", "postal_code": "90277", "province": "CA", "city": "Redondo Beach"},
        "items": [{"name": "Tee", "sku": "TEE-1", "quantity": 2, "grams": 500, "price": 1999, "variant_id": 42}],
        "currency": "USD",
        "locale": "en",
    }
}


class MemoryVault:
    """A vault in memory that counts what is saved."""

    def __init__(self) -> None:
        self.fields: dict[str, str] | None = None
        self.saved = 0
        self.claimed = False

    async def load(self) -> Mapping[str, str] | None:
        return self.fields

    async def save(self, fields: Mapping[str, str]) -> bool:
        self.fields = dict(fields)
        self.saved += 1
        self.claimed = False
        return True

    async def claim(self, for_s: float) -> bool:
        free = not self.claimed
        self.claimed = self.claimed or for_s > 0
        return free

    async def give_up(self) -> None:
        self.claimed = False


def settings(api_base: str, **values: Any) -> ShopifySettings:
    """Settings of the simulator's shop."""
    given = {"domain": DOMAIN, "client_id": "client-id", "client_secret": SECRET, "api_base": api_base}
    return ShopifySettings.model_validate(given | values)


def incoming(body: bytes | dict[str, Any], *, secret: str | None = SECRET, shop: str = DOMAIN) -> Incoming:
    """A rate call with this body, signed unless `secret` is None."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-shopify-shop-domain": shop} | ({"x-shopify-hmac-sha256": sign(raw, secret)} if secret else {})
    return Incoming(headers, {}, raw, shop)


class ShopifyWorld:
    """The `StoreWorld` of Shopify."""

    def __init__(self, url: str, clock: Clock, vault: MemoryVault | None = None, **values: Any) -> None:
        self.control = ShopifyControl(url)
        self.vault = vault or MemoryVault()
        self.outgoing = OutgoingClient(allow_private=True)
        self._store = KIND.connect(settings(url, **values), self.outgoing, clock, self.vault)

    @property
    def kind(self) -> StoreKind:
        return KIND

    @property
    def store(self) -> Store:
        return self._store

    @property
    def shop(self) -> str:
        return DOMAIN

    async def place_order(self, wanted: WantedOrder) -> str:
        line = {"sku": wanted.sku, "quantity": wanted.quantity, "price": str(wanted.price.amount)}
        line["weight"] = {"unit": "GRAMS", "value": wanted.weight.grams} if wanted.weight else None
        shipping = {
            "code": wanted.service_code,
            "title": wanted.service_name,
            "price": str(wanted.shipping.amount),
        }
        return self.control.place_order(lines=[line], shipping=shipping, paid=wanted.paid)

    async def pay(self, order_id: str) -> None:
        self.control.pay(order_id)

    async def cancel(self, order_id: str) -> None:
        self.control.cancel(order_id)

    async def deliveries(self) -> list[tuple[bytes, Mapping[str, str]]]:
        return [(one["body"].encode(), one["headers"]) for one in self.control.deliveries()]

    def rate_call(self) -> Incoming:
        return incoming(RATE_REQUEST)

    def bad_rate_call(self) -> tuple[Incoming, str]:
        rate = RATE_REQUEST["rate"]
        none = {"rate": rate | {"items": [rate["items"][0] | {"quantity": 0}]}}
        return incoming(none), "rate.items[0].quantity"


@contextmanager
def simulated_shop(reference: Path, clock: Clock, **values: Any) -> Iterator[ShopifyWorld]:
    """A simulator on loopback and a connection to it."""
    with serve(build(reference)) as url:
        yield ShopifyWorld(url, clock, **values)
