"""The main job while the worker is killed at least 100 times on each database: nothing is bought or told twice."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from tests.e2e.boundaries import all_boundaries
from tests.e2e.killing import Call, Killings, killings
from tests.postgres import discard, launch_server

Kind = Literal["sqlite", "postgres"]

CALLS: list[tuple[Call, float]] = [("buy", 1.2), ("Fulfil", 1.2), ("buy", 5.7), ("Fulfil", 3.4)]
"""Calls to die in, and after how many seconds they take effect: before, and after, somebody looks for it."""

LIFE_S = 4.0
"""A life that has not come to the place where it should die is killed after so long, wherever it is."""


@contextmanager
def database(kind: Kind, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'waybill.db'}"
        return
    server = launch_server()
    try:
        yield server.create_database()
    finally:
        discard(server)


def die_often(run: Killings, kills: int, deadline: float) -> None:
    """First once at every boundary and in every call, then at random places until there are enough kills."""
    run.die_at_each(all_boundaries(), timeout_s=max(1.0, deadline - time.monotonic()))
    for call, effect_after_s in CALLS:
        run.until_all_ended()
        caught = run.die_in_call(call, effect_after_s)
        if effect_after_s < 2:
            run.await_effect(caught)
    run.until_all_ended()
    run.stop()
    places = all_boundaries()
    while sum(run.kills.values()) < kills:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {sum(run.kills.values())} of {kills} kills in time")
        if run.random.random() < 0.1:
            call, effect_after_s = run.random.choice(CALLS)
            run.until_all_ended()
            run.die_in_call(call, effect_after_s)
            continue
        run.live(die_at=run.random.sample(places, 4), nth=run.random.randint(1, 3))
        run.until_death(run.random.uniform(0.5, LIFE_S))


def faults(kind: Kind, kills: int, minutes: float, seed: int) -> dict[str, Any]:
    """One run on one database: its figures, and `violations`."""
    folder = Path(tempfile.mkdtemp(prefix=f"waybill-faults-{kind}-"))
    began = time.monotonic()
    with database(kind, folder) as url, killings(folder, url) as run:
        run.random.seed(seed)
        try:
            die_often(run, kills, began + minutes * 60)
            run.until_all_ended(120)
            run.stop()
            violations = run.violations()
        except AssertionError as error:
            violations = [str(error)[-4000:]]
        figures = run.figures()
        places = dict(sorted(run.kills.items()))
    if not violations:
        shutil.rmtree(folder, ignore_errors=True)
    kept = {} if not violations else {"logs": str(folder)}
    seconds = round(time.monotonic() - began)
    return {
        "database": kind,
        "seed": seed,
        "seconds": seconds,
        **figures,
        "places": places,
        "violations": violations,
    } | kept


def show(figures: dict[str, Any]) -> None:
    """A table for people."""
    print(f"\n{figures['database']}: {figures['kills']} kills in {figures['seconds']} s")
    for name in ("orders", "ended", "purchases", "orders_not_bought_once", "orders_not_fulfilled_once"):
        print(f"  {name.replace('_', ' '):<28} {figures[name]}")
    print(f"  {'purchases refused':<28} {figures['purchases_refused']}")
    print(f"  {'orphan shipments (allowed)':<28} {figures['orphan_shipments']}")
    print(f"  {'sweeps parked (allowed)':<28} {figures['sweeps_parked']}")
    for place, count in figures["places"].items():
        if count:
            print(f"    killed {place:<28} {count}")
    for violation in figures["violations"] or ["none"]:
        print(f"  violation: {violation}")


def main() -> int:
    """Run it; 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="at least so many on each database")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--minutes", type=float, default=12, help="the most for each database")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    kinds: list[Kind] = ["sqlite", "postgres"] if given.database == "both" else [given.database]
    found = [faults(kind, given.kills, given.minutes, given.seed) for kind in kinds]
    for figures in found:
        show(figures)
    for figures in found:
        print(json.dumps(figures))
    return int(any(figures["violations"] for figures in found))


if __name__ == "__main__":
    sys.exit(main())
