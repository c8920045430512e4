"""The servers that these tests share, and a patient for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.checkup.world import Outside, Patient, healthy, outside_world


@pytest.fixture(scope="session")
def outside(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """Stores, carriers and our public address around a healthy shop."""
    with outside_world(reference, tmp_path_factory.mktemp("healthy") / "data") as found:
        yield found


@pytest.fixture
async def patient(outside: Outside, tmp_path: Path) -> AsyncIterator[Patient]:
    """A live shop that lacks nothing."""
    async with healthy(outside, tmp_path / "data") as found:
        yield found
