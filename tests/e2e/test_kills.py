"""The worker is killed at every boundary and in the middle of calls: one purchase, one fulfilment, every order ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.boundaries import all_boundaries
from tests.e2e.killing import Call, Caught, Killings, killings

pytestmark = [pytest.mark.slow, pytest.mark.complaint(1), pytest.mark.complaint(10)]

SAMPLE = [
    ("after", "label.create"),
    ("after", "label.purchase"),
    ("after", "store.fulfil"),
]
"""Boundaries at which something outside or in the database has just changed, which the next life must find."""


LATE_S: dict[Call, float] = {"buy": 5.7, "Fulfil": 3.4}
"""Just within the ceilings that carrier and store promise: 100 and 60 s of business time."""


def test_work_ends_once_though_the_worker_dies_at_every_boundary(reference: Path, tmp_path: Path) -> None:
    """And in the middle of a purchase and a fulfilment that take effect after somebody looked for it in vain."""
    with killings(tmp_path, f"sqlite:///{tmp_path / 'waybill.db'}") as run:
        run.die_at_each(all_boundaries(), timeout_s=150)
        run.until_all_ended()
        late = [run.die_in_call("buy", LATE_S["buy"]), run.die_in_call("Fulfil", LATE_S["Fulfil"])]
        run.until_all_ended()
        assert run.violations() == []
        for caught in late:
            _looked_before_the_effect(run, caught)
        assert run.violations() == []


def _looked_before_the_effect(run: Killings, caught: Caught) -> None:
    """A busy machine may look too late; then once more."""
    for _ in range(3):
        if caught.looked:
            return
        caught = run.die_in_call(caught.call, LATE_S[caught.call])
        run.until_all_ended()
    assert caught.looked


def test_the_same_holds_on_postgresql(reference: Path, tmp_path: Path, postgres_url: str) -> None:
    """A sample of the boundaries; and calls whose effect comes before anybody looks. `scripts/faults main` has all."""
    with killings(tmp_path, postgres_url) as run:
        run.die_at_each(SAMPLE, timeout_s=90)
        calls: list[Call] = ["buy", "Fulfil"]
        for call in calls:
            run.until_all_ended()
            early = run.die_in_call(call, 2)
            run.await_effect(early)
            assert early.looked == 0
        run.until_all_ended()
        assert run.violations() == []
