"""How fast one of two workers on PostgreSQL takes over from the other: killed, cut off, frozen."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from connector.work.lease import EXIT_LEASE_LOST
from tests.cable import NoNetwork, cable
from tests.e2e.takeover import Worker, catch, freeze_in_purchase, kill, place, take_over_s, two_workers
from tests.postgres import PostgresServer, discard, launch_server

LEASE_S = 15.0
"""The product's default."""

CAUGHT_IN = [
    ("store.order", "OrderForShipping"),
    ("label.create", "create"),
    ("label.fetch", "file"),
    ("store.fulfil", "Fulfil"),
]
"""A step of each queue, and the call that hangs in it."""

KILLED_LIMIT_S, CUT_LIMIT_S = 5.0, 30.0


@contextmanager
def server(address: str = "127.0.0.1") -> Iterator[PostgresServer]:
    """A PostgreSQL of our own."""
    made = launch_server(address=address)
    try:
        yield made
    finally:
        discard(made)


def stop(worker: Worker) -> None:
    """End a life in order."""
    os.kill(worker.pid, signal.SIGTERM)
    worker.hear("ended")


def killed(rounds: int) -> dict[str, Any]:
    """Seconds from kill -9 to the survivor's first step in the same work, for each place and round."""
    took: dict[str, list[float]] = {step: [] for step, _ in CAUGHT_IN}
    twice = 0
    folder = Path(tempfile.mkdtemp(prefix="waybill-takeover-"))
    with (
        server() as postgres,
        place(folder, postgres.create_database()) as house,
        two_workers(house, lease_s=LEASE_S) as (lost, stays),
    ):
        for step, call in CAUGHT_IN * rounds:
            order_id, key = catch(house, lost, stays, step, call)
            at = kill(lost)
            took[step].append(round(take_over_s(at, stays, key), 2))
            lost.hear("ended")
            house.wait_shipped(order_id)
            twice += len(house.purchases(order_id)) != 1 or len(house.fulfilments(order_id)) != 1
            stop(stays)
    worst = max(max(times) for times in took.values())
    return {"case": "killed", "seconds": took, "worst_s": worst, "limit_s": KILLED_LIMIT_S, "orders_not_once": twice}


def cut() -> dict[str, Any]:
    """Seconds from the cut of a worker's cable to the survivor's first step in its work."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-takeover-"))
    try:
        with (
            cable() as line,
            server(line.here) as postgres,
            place(folder, postgres.create_database(), line) as house,
            two_workers(house, lease_s=LEASE_S, cable=line) as (lost, stays),
        ):
            step, call = CAUGHT_IN[0]
            order_id, key = catch(house, lost, stays, step, call)
            at = line.cut()
            took = round(take_over_s(at, stays, key), 2)
            house.wait_shipped(order_id)
            code = lost.hear("ended")["code"]
            once = len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1
    except NoNetwork as reason:
        return {"case": "cut", "skipped": str(reason)}
    wrong = int(not once) + int(code != EXIT_LEASE_LOST)
    return {"case": "cut", "worst_s": took, "limit_s": CUT_LIMIT_S, "orders_not_once": wrong}


def frozen() -> dict[str, Any]:
    """Purchases that a worker sends which was frozen past its lease and thawed after another had bought."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-takeover-"))
    with (
        server() as postgres,
        place(folder, postgres.create_database()) as house,
        two_workers(house, lease_s=LEASE_S) as (lost, stays),
    ):
        order_id, sent, code = freeze_in_purchase(house, lost, stays)
        once = len(house.purchases(order_id)) == len(house.fulfilments(order_id)) == 1
    wrong = int(not once) + int(code != EXIT_LEASE_LOST)
    return {"case": "frozen", "purchase_calls": sent, "exit_code": code, "orders_not_once": wrong}


def is_good(result: dict[str, Any]) -> bool:
    """Whether the promise was kept."""
    in_time = result.get("worst_s", 0.0) <= result.get("limit_s", 0.0)
    return in_time and not result.get("orders_not_once") and result.get("purchase_calls", 1) == 1


def main() -> int:
    """Run it; one JSON line for each case, 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="kills in each of the places")
    given = parser.parse_args()
    good = True
    cases: list[Callable[[], dict[str, Any]]] = [partial(killed, given.rounds), cut, frozen]
    for case in cases:
        result = case()
        good = good and is_good(result)
        print(json.dumps(result), flush=True)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
