"""The worker is killed at every step of the packing table: one list, driver, hold and purchase, none given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.boundaries import desk_boundaries
from tests.e2e.desk_stories import table
from tests.e2e.desk_truth import violations

pytestmark = [pytest.mark.slow, pytest.mark.need(20, 21)]


def test_the_table_s_work_ends_once_though_the_worker_dies_at_every_boundary(reference: Path, tmp_path: Path) -> None:
    """Before and after each step, with answers lost on the way; in both ways a list and a driver are looked up."""
    with table(tmp_path, f"sqlite:///{tmp_path / 'waybill.db'}") as run:
        run.die_at_each(desk_boundaries(), timeout_s=400)
        run.until_all_ended(240)
        assert violations(run) == []
