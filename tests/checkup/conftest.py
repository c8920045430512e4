"""The servers that these tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.checkup.world import Outside, Patient, carrier_outside, healthy


@pytest.fixture(scope="module")
def outside(reference: Path) -> Iterator[Outside]:
    with carrier_outside(reference) as found:
        yield found


@pytest.fixture
async def patient(outside: Outside, tmp_path: Path) -> AsyncIterator[Patient]:
    """A live shop that lacks nothing."""
    async with healthy(outside, tmp_path / "data") as found:
        yield found
