"""The worker is killed at every boundary and in the middle of calls: one purchase, one fulfilment, every order ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.boundaries import all_boundaries
from tests.e2e.killing import Call, killings

pytestmark = [pytest.mark.slow, pytest.mark.complaint(1), pytest.mark.complaint(10)]

SAMPLE = [
    ("after", "label.create"),
    ("after", "label.purchase"),
    ("after", "store.fulfil"),
]
"""Boundaries at which something outside or in the database has just changed, which the next life must find."""


def test_work_ends_once_though_the_worker_dies_at_every_boundary(reference: Path, tmp_path: Path) -> None:
    """And in the middle of a purchase and a fulfilment that take effect after somebody looked for it in vain."""
    with killings(tmp_path, f"sqlite:///{tmp_path / 'waybill.db'}") as run:
        run.die_at_each(all_boundaries(), timeout_s=150)
        run.until_all_ended()
        late = [run.die_in_call("buy", 5.7), run.die_in_call("Fulfil", 3.4)]
        run.until_all_ended()
        assert run.violations() == []
        assert all(caught.looked for caught in late)


def test_the_same_holds_on_postgresql(reference: Path, tmp_path: Path, postgres_url: str) -> None:
    """A sample of the boundaries; and calls whose effect comes before anybody looks. `scripts/faults main` has all."""
    with killings(tmp_path, postgres_url) as run:
        run.die_at_each(SAMPLE, timeout_s=90)
        calls: list[Call] = ["buy", "Fulfil"]
        for call in calls:
            run.until_all_ended()
            early = run.die_in_call(call, 1.2)
            run.await_effect(early)
            assert early.looked == 0
        run.until_all_ended()
        assert run.violations() == []
