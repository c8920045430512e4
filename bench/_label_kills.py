"""Purchases whose worker is killed with SIGKILL, by the real engine against the simulators of EasyPost and Shopify."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from bench.faults_main import LIFE_S, database
from connector.labels.tables import labels
from tests.e2e.boundaries import all_boundaries
from tests.e2e.killing import Killings, killings

AT_ONCE = 24
"""Orders on their way at any time: a death leaves up to so many purchases where they stand."""

PLACES = [place for place in all_boundaries() if place[1].startswith("label.")]
_LEAST_KILLS = 100


def die(run: Killings, purchases: int, deadline: float) -> set[str]:
    """Kill the worker until so many purchases were in the middle of being made at a death; the parcels' ids.

    Raises SystemExit when the time is over.
    """
    run.width = AT_ONCE
    hit: set[str] = set()
    while len(hit) < purchases or sum(run.kills.values()) < min(purchases, _LEAST_KILLS):
        if time.monotonic() > deadline:
            raise SystemExit(f"only {len(hit)} purchases were under way at {sum(run.kills.values())} kills in time")
        run.live(die_at=run.random.sample(PLACES, 5), nth=run.random.randint(1, 8))
        run.until_death(run.random.uniform(1.0, LIFE_S))
        hit |= _under_way(run)
    return hit


def _under_way(run: Killings) -> set[str]:
    """Parcels with a shipment that is made and whose label is not recorded."""
    states = ("created", "intent", "sent", "unknown")
    query = labels.select(run.world.shop_id, labels.c.parcel_id).where(labels.c.state.in_(states))
    with run.world.database.engine.connect() as connection:
        return {row.parcel_id for row in connection.execute(query)}


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
