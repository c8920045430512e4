"""A connected shop for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import FrozenClock
from tests.simulators.server import serve
from tests.simulators.shopify import build
from tests.simulators.shopify_shop import ShopifyWorld


@pytest.fixture
def simulator(reference: Path, clock: FrozenClock) -> Iterator[str]:
    """The URL of a fresh simulator, on the test's clock."""
    with serve(build(reference, now=clock.now)) as url:
        yield url


@pytest.fixture
async def shop(simulator: str, clock: FrozenClock) -> AsyncIterator[ShopifyWorld]:
    """A connection to it."""
    world = ShopifyWorld(simulator, clock)
    yield world
    await world.outgoing.aclose()
