"""Thirty planted faults: the check-up names the cause of each, with its cure, and accuses nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkup.plants import FAULTS
from tests.checkup.world import Outside, as_text, healthy

pytestmark = pytest.mark.anyio


@pytest.mark.complaint(23, 24, 28, 33)
@pytest.mark.parametrize("name", FAULTS)
async def test_the_cause_is_named_and_nothing_else(outside: Outside, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    async with healthy(outside, tmp_path / "data", **dict(fault.settings)) as patient:
        await fault.plant(patient)
        checkup = await patient.check()
    found = {finding.reason.code: finding for finding in checkup.findings}
    assert set(found) == {fault.cause}, as_text(checkup)
    said = found[fault.cause].reason.say()
    assert fault.words in said
    cure = found[fault.cause].cure
    assert cure
    assert "…" not in said + cure
    assert "()" not in said + cure
