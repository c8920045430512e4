"""Worlds for commands to work in: a fresh folder, a shop with a carrier, and a demo that goes on after its story."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.settings import Settings
from connector.store import Cart, CartLine, CartTotals
from connector.stores.sandbox import SandboxStore
from connector.stores.sandbox.shopkeeper import Shopkeeper
from connector.wiring import open_house
from tests.cli.shell import Shell, shell_in, started

T = TypeVar("T")

DOMAIN = "tea.sandbox.example"
BUYER = Address("AT", "1010", "9", "Wien", "Canary Street 3", name="Canary Buyer", phone="+43 1 999", email="c@b.at")
RATE_REQUEST = {
    "currency": "EUR",
    "items": [
        {"quantity": 2, "price": "12.90", "grams": 420, "sku": "MUG-1", "name": "Mug", "variant_id": "mug-1"},
        {"quantity": 1, "price": "24.50", "grams": 980, "sku": "POT-1", "name": "Tea pot", "variant_id": "pot-1"},
    ],
    "destination": {"country": "AT", "postal_code": "1010", "city": "Wien"},
}


@dataclass(frozen=True)
class Shop:
    """A sandbox shop with a sandbox carrier, and what its people do."""

    shell: Shell
    folder: Path
    id: str
    rate_request: Path

    def order(self, *, paid: bool = True, risky: bool = False) -> str:
        """Place an order in the store, without any word to Waybill; the store's id of it."""

        async def place(keeper: Shopkeeper) -> str:
            placed = await keeper.place_order([(_cart(), None)], to=BUYER, email=BUYER.email, risky=risky)
            if paid:
                await keeper.mark_paid(placed.order_id)
            return placed.order_id

        return self.at_the_store(place)

    def at_the_store(self, act: Callable[[Shopkeeper], Awaitable[T]]) -> T:
        """What the shop's people do on their platform."""

        async def do() -> T:
            house = open_house(Settings(data_dir=self.folder))
            try:
                await house.directory.refresh()
                shop = house.directory.shop(self.id)
                assert shop is not None
                return await act(cast("SandboxStore", shop.store).shopkeeper)
            finally:
                await house.aclose()

        return asyncio.run(do())


def _cart() -> Cart:
    lines = (CartLine(1, Money(2450, "EUR"), Weight(980), "POT-1", "Tea pot", "pot-1"),)
    total = Money(2450, "EUR")
    place = Address(BUYER.country, BUYER.postal_code, BUYER.province, BUYER.city)
    return Cart(
        lines, "EUR", destination=place, totals=CartTotals(total, Money.zero("EUR"), total), location_id="loc_1"
    )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A command line on a fresh data folder."""
    return shell_in(tmp_path / "data")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A sandbox shop with a sandbox carrier; no process runs."""
    return make_shop(tmp_path)


@pytest.fixture(scope="session")
def steady_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The same for tests that change nothing there."""
    return make_shop(tmp_path_factory.mktemp("steady"))


def make_shop(folder: Path) -> Shop:
    """Add a shop and a carrier in a fresh data folder."""
    shell = shell_in(folder / "data")
    added = shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
    shell.json("carrier", "add", DOMAIN, "sandbox")
    file = folder / "request.json"
    file.write_text(json.dumps(RATE_REQUEST))
    return Shop(shell, folder / "data", added["shop_id"], file)


@dataclass(frozen=True)
class Demo:
    """A demo whose story is told and whose server goes on."""

    shell: Shell
    story: dict[str, Any]

    @property
    def shop_id(self) -> str:
        """Its shop."""
        return str(self.story["shop_id"])

    @property
    def order(self) -> str:
        """The order of the story, as the store names it."""
        return str(self.story["order"])


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """`waybill demo --json`, left running. Tests that change something there ask for a shop of their own instead."""
    with started(Shell({}), "demo", "--json") as process:
        story = json.loads(process.line())
        yield Demo(shell_in(Path(story["data_dir"]), public_url=story["url"]), story)
