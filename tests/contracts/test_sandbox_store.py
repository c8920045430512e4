"""The sandbox store keeps the promises of every store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.store import Cart, CartLine, Incoming, Offer, StoreKind
from connector.stores.sandbox import KIND, SandboxStore, SandboxStoreSettings
from connector.stores.sandbox.webhook import SignedCall, sign
from tests.conftest import FrozenClock
from tests.contracts.store_contract import StoreContract, WantedOrder

SECRET = "of-the-contract-suite"


class SandboxStoreWorld:
    """The people of a sandbox shop, and what its platform posted since it was last asked."""

    def __init__(self, path: Path, clock: FrozenClock) -> None:
        self._settings = SandboxStoreSettings(path=path, secret=SecretStr(SECRET), currency="USD")
        self.store = SandboxStore(self._settings, clock)
        self._posted: list[SignedCall] = []

    @property
    def kind(self) -> StoreKind:
        return KIND

    @property
    def shop(self) -> str:
        return self._settings.domain

    def _cart(self, wanted: WantedOrder) -> Cart:
        line = CartLine(wanted.quantity, wanted.price, wanted.weight, wanted.sku, "Tee", "var_tee_1")
        to = Address(wanted.country, wanted.postal_code, wanted.province, "Redondo Beach", "12 Canary Row")
        return Cart((line,), "USD", destination=to, location_id="loc_1")

    async def place_order(self, wanted: WantedOrder) -> str:
        offer = Offer(wanted.service_code, wanted.service_name, wanted.shipping)
        placed = await self.store.shopkeeper.place_order([(self._cart(wanted), offer)])
        self._posted.append(placed.delivery)
        if wanted.paid:
            await self.pay(placed.order_id)
        return placed.order_id

    async def pay(self, order_id: str) -> None:
        self._posted.append(await self.store.shopkeeper.mark_paid(order_id))

    async def cancel(self, order_id: str) -> None:
        self._posted.append(await self.store.shopkeeper.cancel(order_id))

    async def deliveries(self) -> list[tuple[bytes, Mapping[str, str]]]:
        posted, self._posted = self._posted, []
        return [(call.body, call.headers) for call in posted]

    def rate_call(self) -> Incoming:
        call = self.store.shopkeeper.rate_call(self._cart(WantedOrder(weight=Weight(500), price=Money(1999, "USD"))))
        return Incoming(call.headers, {}, call.body, self.shop)

    def bad_rate_call(self) -> tuple[Incoming, str]:
        body = json.loads(self.rate_call().raw)
        body["items"][0]["quantity"] = 0
        call = sign(json.dumps(body).encode(), self.shop, SECRET)
        return Incoming(call.headers, {}, call.body, self.shop), "items[0].quantity"


class TestSandboxStore(StoreContract):
    @pytest.fixture
    def world(self, tmp_path: Path, clock: FrozenClock) -> SandboxStoreWorld:
        return SandboxStoreWorld(tmp_path / "store.db", clock)
