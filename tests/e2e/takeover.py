"""Two workers on PostgreSQL, one of which dies, is cut off, or freezes in the middle of work: what the other does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.work.lease import list_executors
from tests.cable import Cable
from tests.e2e.processes import Talker
from tests.e2e.world import World, world
from tests.simulators.easypost import CALLS

SPEED = 30
"""Of business time: EasyPost's look-up ceiling of 100 s passes in 3.3 s."""

SLOW_S = 60.0
"""How long a call takes in which a worker is caught; longer than anything waits here."""


@dataclass
class Worker:
    """A worker of which every boundary is heard, with its time."""

    talker: Talker
    pid: int = 0

    def live(self, **told: Any) -> None:
        """Begin its life."""
        self.talker.tell({"watch": True, **told})
        self.pid = self.hear("started")["pid"]

    def hear(self, event: str, timeout_s: float = 60, **wanted: str) -> dict[str, Any]:
        """The next event of this kind with these details; others before it are dropped."""
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            heard = self.talker.hear(left)
            if heard and heard["event"] == event and all(heard.get(name) == value for name, value in wanted.items()):
                return heard
        raise AssertionError(f"{self.talker.name} never said {event} {wanted}\n{self.talker.tail()}")


@contextmanager
def place(folder: Path, database_url: str, cable: Cable | None = None) -> Iterator[World]:
    """A house without workers; with a `cable`, one that workers at its far end reach."""
    with world(folder, database_url, speed=SPEED, host=cable.here if cable else None) as house:
        house.add_shop()
        house.start("serve", name="web")
        house.add_carrier()
        house.wait_known()
        yield house


@contextmanager
def two_workers(house: World, *, lease_s: float, cable: Cable | None = None) -> Iterator[tuple[Worker, Worker]]:
    """The worker that will be lost (at the far end of the cable) and the one that stays; neither lives yet."""
    prefix: Sequence[str] = cable.prefix if cable else ()
    lease = {"WAYBILL_LEASE_S": str(lease_s)}
    lost = house.start_mortal("lost", prefix=prefix, **lease)
    stays = house.start_mortal("stays", **lease)
    try:
        yield Worker(lost), Worker(stays)
    finally:
        lost.end()
        stays.end()


def catch(house: World, lost: Worker, stays: Worker, step: str, call: str) -> tuple[str, str]:
    """Let the first worker hang in a step of a fresh order, then start the other; the order, and the work's key."""
    control = house.easypost if call in CALLS else house.shopify
    control.fault(call, "slow", seconds=SLOW_S)
    lost.live()
    order_id = house.place()
    house.shopify.deliver(topics=["orders/paid"])
    key = str(lost.hear("crossed", boundary="before", step=step)["key"])
    stays.live()
    house.until(lambda: _alive(house) == 2, "both workers to hold their leases")
    return order_id, key


def take_over_s(since: float, stays: Worker, key: str) -> float:
    """Seconds from that moment to the survivor's first step in the caught work."""
    return float(stays.hear("crossed", key=key)["at"]) - since


def kill(worker: Worker) -> float:
    """Kill -9; the moment."""
    at = time.monotonic()
    os.kill(worker.pid, signal.SIGKILL)
    return at


def freeze_in_purchase(house: World, lost: Worker, stays: Worker) -> tuple[str, int, int]:
    """Freeze the first worker just before it buys, let the other finish the order, thaw the first.

    Returns the order, how many purchases were sent, and the thawed worker's exit code.
    """
    lost.live(die_at=[["before", "label.purchase"]], freeze=True)
    calls = house.easypost.state()["calls"].get("buy", 0)
    order_id = house.place()
    house.shopify.deliver(topics=["orders/paid"])
    lost.hear("reached")
    stays.live()
    house.wait_shipped(order_id)
    os.kill(lost.pid, signal.SIGCONT)
    ended = lost.hear("ended", timeout_s=20)
    return order_id, house.easypost.state()["calls"]["buy"] - calls, int(ended["code"])


def _alive(house: World) -> int:
    with house.database.engine.connect() as connection:
        return sum(each.is_alive for each in list_executors(connection))
