"""Fixtures that every test may use."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest_plugins = ["tests.postgres", "tests.copies"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest goes first, so that two processes end at about the same time; the order stays random else."""
    items.sort(key=lambda item: "/tests/e2e/" not in item.path.as_posix())


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio only, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def reference() -> Path:
    """The reference data: skipped where it is missing, a failure in CI."""
    here = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("WAYBILL_REFERENCE_DIR", here.parent / "shared" / "reference"))
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"No reference data at {folder}; set WAYBILL_REFERENCE_DIR.")
        pytest.skip(f"No reference data at {folder}; set WAYBILL_REFERENCE_DIR.")
    return folder


class FrozenClock:
    """A Clock that moves only when told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@pytest.fixture
def clock() -> FrozenClock:
    """A Monday morning that does not pass."""
    return FrozenClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
