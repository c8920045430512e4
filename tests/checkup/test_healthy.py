"""A shop in good order is left in peace."""

from __future__ import annotations

import pytest

from connector.attention.board import open_matters
from connector.checkup.kept import latest
from tests.checkup.world import Patient, as_text

pytestmark = pytest.mark.anyio


async def test_a_healthy_shop_has_nothing_to_be_told(patient: Patient) -> None:
    checkup = await patient.check()
    assert checkup.is_clean, as_text(checkup)
    assert len(checkup.passed) >= 15
    assert await patient.house.database.run(open_matters, patient.shop_id) == []
    kept = await patient.house.database.run(latest, patient.shop_id)
    assert kept == checkup
