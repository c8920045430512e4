"""A house for every test."""

from __future__ import annotations

import pytest

from tests.http.house import House


@pytest.fixture
def house() -> House:
    """Two shops, one carrier account, one app; all well."""
    return House()
