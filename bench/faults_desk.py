"""The packing table while the worker is killed: each list, driver, hold, batch and typed number once."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.faults_main import LIFE_S, Kind, database
from tests.e2e.boundaries import desk_boundaries
from tests.e2e.desk_stories import LATE, Table, table
from tests.e2e.desk_truth import figures, violations

LATE_S = 3.0
"""When a call takes effect that outlives its worker: after the next life has looked, within every ceiling (4 s)."""

_QUICK_KILLS, _QUICK_MINUTES = 40, 8.0


def die_often(run: Table, kills: int, deadline: float) -> None:
    """Once at every boundary, once in each call that changes something, then at random until there are enough kills.

    Raises SystemExit when the time is over.
    """
    run.die_at_each(desk_boundaries(), max(1.0, deadline - time.monotonic()))
    for call in LATE:
        run.die_late(call, LATE_S, max(1.0, deadline - time.monotonic()))
    places = desk_boundaries()
    while sum(run.kills.values()) < kills:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {sum(run.kills.values())} of {kills} kills in time")
        run.live(die_at=run.random.sample(places, 6), nth=run.random.randint(1, 3), alone_after=1000)
        run.until_death(run.random.uniform(0.5, LIFE_S))


def faults(kind: Kind, kills: int, minutes: float, seed: int) -> dict[str, Any]:
    """One run on one database: its figures, and `violations`."""
    folder = Path(tempfile.mkdtemp(prefix=f"waybill-desk-{kind}-"))
    began = time.monotonic()
    with database(kind, folder) as url, table(folder, url) as run:
        run.random.seed(seed)
        try:
            die_often(run, kills, began + minutes * 60)
            run.until_all_ended(240)
            run.stop()
            wrong = violations(run)
        except (AssertionError, SystemExit) as error:
            wrong = [str(error)[-4000:]]
        found = figures(run)
        places = {place: count for place, count in sorted(run.kills.items()) if count}
    if not wrong:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = round(time.monotonic() - began)
    kept = {"logs": str(folder)} if wrong else {}
    return {"database": kind, "seed": seed, "seconds": seconds, **found, "places": places, "violations": wrong} | kept


def show(found: dict[str, Any]) -> None:
    """A table for people."""
    print(f"\n{found['database']}: {found['kills']} kills in {found['seconds']} s")
    for name in ("orders", "batches", "purchases", "lists", "drivers_sent", "drivers_sent_home", "holds_set",
                 "numbers_corrected", "not_ended"):  # fmt: skip
        print(f"  {name.replace('_', ' '):<20} {found[name]}")
    for place, count in found["places"].items():
        print(f"    killed {place:<26} {count}")
    for violation in found["violations"] or ["none"]:
        print(f"  violation: {violation}")


def main() -> int:
    """Run it; 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="at least so many on each database")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--minutes", type=float, default=12, help="the most for each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{_QUICK_KILLS} kills on each database, within {_QUICK_MINUTES:g} minutes each",
    )
    given = parser.parse_args()
    kills, minutes = (_QUICK_KILLS, _QUICK_MINUTES) if given.quick else (given.kills, given.minutes)
    kinds: list[Kind] = ["sqlite", "postgres"] if given.database == "both" else [given.database]
    found = [faults(kind, kills, minutes, given.seed) for kind in kinds]
    for each in found:
        show(each)
    for each in found:
        print(json.dumps(each))
    return int(any(each["violations"] for each in found))


if __name__ == "__main__":
    sys.exit(main())
