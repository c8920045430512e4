"""Purchases whose worker is killed with SIGKILL, by the real engine against the simulators of EasyPost and Shopify."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from bench.faults_main import LIFE_S, database
from tests.e2e.boundaries import all_boundaries
from tests.e2e.killing import Killings, killings

AT_ONCE = 8
"""Orders on their way at any time: a death leaves that many purchases where they stand."""

PLACES = [place for place in all_boundaries() if place[1].startswith("label.")]


def die(run: Killings, purchases: int, deadline: float) -> set[str]:
    """Kill the worker until so many purchases were under way at a death, and as many deaths were died; which they are.

    Raises SystemExit when the time is over.
    """
    run.width = AT_ONCE
    hit: set[str] = set()
    while len(hit) < purchases or sum(run.kills.values()) < purchases:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {sum(run.kills.values())} kills of {len(hit)} purchases in time")
        run.live(die_at=run.random.sample(PLACES, 4), nth=run.random.randint(1, 2))
        run.until_death(run.random.uniform(0.4, LIFE_S))
        hit |= {story.order_id for story in run.active if story.stage == "paid"}
    return hit


def kill_purchases(kind: Literal["sqlite", "postgres"], purchases: int, minutes: float, seed: int) -> dict[str, Any]:
    """One run on one database: its figures, and `violations`."""
    folder = Path(tempfile.mkdtemp(prefix=f"waybill-kills-{kind}-"))
    began = time.monotonic()
    hit: set[str] = set()
    with database(kind, folder) as url, killings(folder, url) as run:
        run.random.seed(seed)
        try:
            hit = die(run, purchases, began + minutes * 60)
            run.until_all_ended(240)
            run.stop()
            violations = run.violations()
        except (AssertionError, SystemExit) as error:
            violations = [str(error)[-4000:]]
        figures = run.figures()
    if not violations:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "part": "kills",
        "database": kind,
        "seconds": round(time.monotonic() - began),
        "purchases_under_way_at_a_kill": len(hit),
        **figures,
        "violations": violations,
    }
