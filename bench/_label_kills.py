"""Purchases whose worker is killed with SIGKILL, by the real engine against the simulators of EasyPost and Shopify."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

from bench.faults_main import database
from connector.labels.gates import Asked
from connector.labels.record import BUY
from connector.labels.tables import labels, parcels
from connector.orders.refresh import REFRESH
from connector.storage.audit import Actor
from connector.work import due
from connector.work.port import Task
from tests.e2e.boundaries import all_boundaries
from tests.e2e.killing import Killings, Story, killings
from tests.e2e.processes import until

AT_ONCE = 32
"""Labels wanted at any time: a death leaves up to 16 purchases (a shop's labels at once) where they stand."""

READ_AT_ONCE = 160
"""Orders that are placed and read together, before any of their labels is wanted."""

ANSWERS_S = 0.4
"""How long the carrier takes to sell; what it sells to a dead worker, it sells all the same."""

LONGEST_LIFE_S = 8.0
"""A life that has not come to its place by then is killed wherever it is."""

PLACES = [place for place in all_boundaries() if place[1].startswith("label.")]
_PERSON = Actor("person", "bench")
_UNDER_WAY = ("created", "intent", "sent", "unknown")

Pool = list[tuple[Story, str]]
"""Orders that were read, and the parcel of each."""


def die(run: Killings, purchases: int, deaths: int, deadline: float) -> set[str]:
    """Kill the worker so many times, and until so many purchases were under way at a death; the parcels' ids.

    Orders are read in peace; then their labels are asked for, a few more than can be bought at once. Raises SystemExit
    when the time is over.
    """
    run.only_labels = run.deaf = True
    run.world.settings("buy=manual")
    pool: Pool = []
    hit: set[str] = set()
    while len(hit) < purchases or sum(run.kills.values()) < deaths:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {len(hit)} purchases were under way at {sum(run.kills.values())} kills in time")
        wanted = AT_ONCE - len(run.active)
        if len(pool) < wanted:
            pool += _read_orders(run)
        _ask(run, [pool.pop() for _ in range(wanted)])
        run.world.easypost.forget_faults()
        run.world.easypost.fault("buy", "slow", times=1000, seconds=ANSWERS_S)
        run.live(die_at=run.random.sample(PLACES, 3), nth=run.random.randint(1, 24), alone_after=1000)
        run.until_death(run.random.uniform(2.0, LONGEST_LIFE_S), feed=False)
        hit |= _under_way(run)
    run.world.easypost.forget_faults()
    return hit


def _read_orders(run: Killings) -> Pool:
    """Place orders, and have a worker that does not die read them and plan their parcels."""
    stories = [Story(run.world.place(), cancels=False) for _ in range(READ_AT_ONCE)]
    _queue(run, [Task(REFRESH, f"bench:{each.order_id}", run.world.shop_id, (each.order_id,)) for each in stories])
    run.live(alone_after=1000)
    by_order = {each.order_id: each for each in stories}
    until(lambda: len(_planned(run, by_order)) == len(stories), "the orders to be read", 120)
    run.stop()
    return [(by_order[order_id], parcel_id) for order_id, parcel_id in _planned(run, by_order).items()]


def _planned(run: Killings, orders: Collection[str]) -> dict[str, str]:
    """The parcels of these orders that wait for a click."""
    query = parcels.select(run.world.shop_id, parcels.c.order_external_id, parcels.c.id).where(
        parcels.c.order_external_id.in_(orders), parcels.c.state == "planned"
    )
    with run.world.database.engine.connect() as connection:
        return {row.order_external_id: row.id for row in connection.execute(query)}


def _ask(run: Killings, wanted: Pool) -> None:
    """Click *Buy* on each."""
    args = {parcel_id: Asked(_PERSON).args(parcel_id) for _, parcel_id in wanted}
    _queue(run, [Task(BUY, f"bench:{parcel_id}", run.world.shop_id, args[parcel_id]) for parcel_id in args])
    run.stories += [story for story, _ in wanted]


def _queue(run: Killings, tasks: Sequence[Task]) -> None:
    with run.world.database.transaction() as connection:
        for task in tasks:
            due.queue(connection, task, run.world.now())


def _under_way(run: Killings) -> set[str]:
    """Parcels with a shipment that is made and whose label is not recorded."""
    query = labels.select(run.world.shop_id, labels.c.parcel_id).where(labels.c.state.in_(_UNDER_WAY))
    with run.world.database.engine.connect() as connection:
        return {row.parcel_id for row in connection.execute(query)}


def kill_purchases(
    kind: Literal["sqlite", "postgres"], purchases: int, deaths: int, minutes: float, seed: int
) -> dict[str, Any]:
    """One run on one database, of so many deaths in the middle of so many purchases: its figures, and `violations`."""
    folder = Path(tempfile.mkdtemp(prefix=f"waybill-kills-{kind}-"))
    began = time.monotonic()
    hit: set[str] = set()
    with database(kind, folder) as url, killings(folder, url) as run:
        run.random.seed(seed)
        try:
            hit = die(run, purchases, deaths, began + minutes * 60)
            run.until_all_ended(240)
            run.stop()
            violations = run.violations()
        except (AssertionError, SystemExit) as error:
            violations = [f"{str(error)[:200]} … {str(error)[-2000:]}"]
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
