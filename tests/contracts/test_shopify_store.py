"""Shopify keeps the promises of every store, on the simulator with the real schema."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import FrozenClock
from tests.contracts.store_contract import StoreContract
from tests.simulators.server import serve
from tests.simulators.shopify import build
from tests.simulators.shopify_shop import ShopifyWorld


@pytest.fixture
def simulator(reference: Path) -> Iterator[str]:
    with serve(build(reference)) as url:
        yield url


class TestShopifyStore(StoreContract):
    @pytest.fixture
    async def world(self, simulator: str, clock: FrozenClock) -> AsyncIterator[ShopifyWorld]:
        world = ShopifyWorld(simulator, clock)
        yield world
        await world.store.close()
        await world.outgoing.aclose()
