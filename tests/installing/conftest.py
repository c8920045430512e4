"""A house beside a simulator for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.installing.world import SECRET, World, open_world
from tests.simulators.server import serve
from tests.simulators.shopify import build
from tests.simulators.shopify_control import ShopifyControl


@pytest.fixture
def simulator(reference: Path) -> Iterator[str]:
    """The URL of a fresh simulator whose app is not installed yet."""
    with serve(build(reference)) as url:
        ShopifyControl(url).settings(client_secret=SECRET, installed=False, token_life_s=3600)
        yield url


@pytest.fixture
async def world(tmp_path: Path, simulator: str) -> AsyncIterator[World]:
    """A house with nothing in it."""
    async with open_world(tmp_path, simulator) as made:
        yield made


@pytest.fixture
async def home(world: World) -> World:
    """The same with the app registered and opened once."""
    await world.register()
    page = await world.visit()
    assert page.status_code == 200, page.text
    return world
