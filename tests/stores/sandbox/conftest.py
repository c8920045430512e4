"""A sandbox shop with books of its own, and something to order."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.store import Cart, CartLine, CartTotals, Offer
from connector.stores.sandbox import SandboxStore, SandboxStoreSettings
from tests.conftest import FrozenClock

SECRET = "a-secret-of-the-shop"
BUYER = Address("GR", "105 58", "", "Αθήνα", "Ερμού 25", name="Eleni Canary", phone="+302100000000")


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


CART = Cart(
    lines=(
        CartLine(3, eur("10.00"), Weight(400), sku="MUG", name="Mug", variant_id="var_1", product_id="prd_1"),
        CartLine(1, eur("2.50"), None, sku="TEA", name="Tea", variant_id="var_2", properties={"gift": "yes"}),
    ),
    currency="EUR",
    origin=Address("SK", "811 01", "BL", "Bratislava"),
    destination=Address("GR", "105 58", city="Αθήνα"),
    totals=CartTotals(eur("32.50"), eur("2.50"), eur("30.00"), "included"),
    locale="el",
    customer_tags=("vip",),
    guest=False,
    location_id="loc_1",
)
OFFER = Offer("standard", "Standard", eur("16.20"))


@pytest.fixture
def settings(tmp_path: Path) -> SandboxStoreSettings:
    return SandboxStoreSettings(path=tmp_path / "books" / "store.db", secret=SecretStr(SECRET))


@pytest.fixture
def store(settings: SandboxStoreSettings, clock: FrozenClock) -> SandboxStore:
    return SandboxStore(settings, clock)
