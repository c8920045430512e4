"""A desk for every test, on a copy of one house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.storage.logins.people import User
from tests.cli.worlds import make_shop
from tests.http.desk.counter import Counter, counter_at
from tests.http.desk.world import DeskWorld, copied_house, opened


@pytest.fixture(scope="session")
def steady_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a house with a sandbox shop and carrier; copied, never opened."""
    return make_shop(tmp_path_factory.mktemp("desk")).folder


@pytest.fixture
async def desk(steady_data: Path, tmp_path: Path) -> AsyncIterator[DeskWorld]:
    """A desk that serves."""
    async with opened(copied_house(steady_data, tmp_path / "data", body_timeout_s=2)) as world:
        yield world


@pytest.fixture
async def counter(steady_data: Path, tmp_path: Path) -> AsyncIterator[Counter]:
    """The same with buyers before it and a worker behind it, on a database of its own."""
    async with counter_at(steady_data, tmp_path / "data") as found:
        yield found


@pytest.fixture
def paul(counter: Counter) -> User:
    """Who packs at the counter."""
    return counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")


@pytest.fixture
def owner(desk: DeskWorld) -> User:
    """Who owns the installation."""
    return desk.add_user("anna@example.com", "owner")


@pytest.fixture
def packer(desk: DeskWorld) -> User:
    """Who packs in the shop."""
    return desk.add_user("paul@example.com", "packer", desk.shop_id, "Paul")
