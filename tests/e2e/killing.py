"""Orders that go their whole way while the worker is killed again and again; and what must be true afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Literal

from sqlalchemy import update

from connector.labels.tables import labels
from connector.tracking.tables import trackings
from connector.work import due
from connector.work.failures import Failure, list_failures
from tests.e2e.boundaries import Boundary
from tests.e2e.processes import Talker, until
from tests.e2e.world import CARRIER_SECRET, World, world

SPEED = 15
"""Of business time: EasyPost's look-up ceiling of 100 s passes in 6.7 s, Shopify's of 60 s in 4 s."""

KEEP_GOING_S = 60.0

Call = Literal["buy", "Fulfil"]
_STEPS: dict[Call, str] = {"buy": "label.purchase", "Fulfil": "store.fulfil"}
_DELIVER_EVERY_S = 0.25


@dataclass
class Story:
    """One order on its way. A cancelled one is bought, told to the store, voided and taken back."""

    order_id: str
    cancels: bool
    stage: Literal["paid", "travels", "cancelled", "ended"] = "paid"


@dataclass
class Caught:
    """A call in the middle of which the worker died: how often the outcome was looked up until it had its effect."""

    call: Call
    effects: int
    looks: int = 0
    looked: int | None = None


@dataclass
class Killings:
    """A world whose one worker dies often. `kills` counts by place.

    With `only_labels` an order's story ends when its label is bought and told to the store. While `deaf` none of the
    store's messages arrives.
    """

    world: World
    worker: Talker
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - what a test can repeat
    width: int = 3
    only_labels: bool = False
    deaf: bool = False
    stories: list[Story] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    _pid: int | None = None
    _delivered_at: float = 0.0
    _caught: list[Caught] = field(default_factory=list)
    _spared: list[str] = field(default_factory=list)

    # --- lives ------------------------------------------------------------------------------------------------------

    def live(self, **told: Any) -> None:
        """Start the worker's next life; see `mortal_worker`."""
        assert self._pid is None
        self.worker.tell(told)
        heard = self.worker.hear(30)
        assert heard is not None, f"no life began in 30 s\n{self.worker.tail()}"
        assert heard["event"] == "started", f"{heard}\n{self.worker.tail()}"
        self._pid = heard["pid"]

    def until_death(self, timeout_s: float, *, feed: bool = True) -> str | None:
        """Let stories go on until the life ends by itself: where. After `timeout_s` it is killed anywhere: None."""
        place: str | None = None
        end = time.monotonic() + timeout_s
        while self._pid is not None:
            self.go_on(feed=feed)
            while (heard := self.worker.hear(0.03)) is not None:
                if heard["event"] == "reached":
                    self._spared.append(heard["key"])
                    place = f"{heard['boundary']} {heard['step']}"
                elif heard["event"] == "ended":
                    crashed = heard["code"] == -signal.SIGSEGV
                    assert crashed or heard["code"] == -signal.SIGKILL, (
                        f"ended with {heard['code']}\n{self.worker.tail()}"
                    )
                    self._pid = None
                    if crashed:  # A death like any other for what is promised; it is counted, and its trace logged.
                        self.kills["crashed"] += 1
                        return None
            if self._pid is not None and time.monotonic() > end:
                self.kill()
                return None
        assert place is not None, "it ended, and no place was heard of"
        self.kills[place] += 1
        return place

    def kill(self) -> None:
        """Kill the life from outside, by its id, wherever it is."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
        self._await_end()
        self.kills["anywhere"] += 1

    def stop(self) -> None:
        """End the life in order."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGTERM)
            self._await_end()

    def _await_end(self) -> None:
        while (heard := self.worker.hear(30)) is not None:
            if heard["event"] == "ended":
                self._pid = None
                return
        raise AssertionError(f"no end was heard of in 30 s\n{self.worker.tail()}")

    # --- ways to die ------------------------------------------------------------------------------------------------

    def die_at_each(self, places: Iterable[Boundary], timeout_s: float) -> None:
        """One death at each of these boundaries, in the order in which the work comes there.

        One piece of work dies once only, so that the next life takes it up at once: what died twice runs alone, and
        waits for its turn. The exception can be reached in no other way.
        """
        left = set(places)
        end = time.monotonic() + timeout_s
        while left:
            self.live(die_at=sorted(left), spare=self._spared, anyhow=["store.has_event"])
            place = self.until_death(max(1.0, end - time.monotonic()))
            assert place is not None, f"never came to {sorted(left)}\n{self.stuck()}"
            side, _, step = place.partition(" ")
            left.remove((side, step))

    def die_in_call(self, call: Call, effect_after_s: float) -> Caught:
        """Die while the other party works on a call, which takes effect so long after it arrived.

        A fresh order is what is worked on; nothing else may be on its way to the same call.
        """
        self.stop()
        caught = Caught(call, self._effects(call))
        self._fault(call, "slow", effect_after_s)
        self.live(die_at=[["before", _STEPS[call]]], after_s=0.2)
        self.place()
        place = self.until_death(KEEP_GOING_S, feed=False)
        assert place == f"before {_STEPS[call]}"
        self.kills[place] -= 1
        self.kills[f"in {_STEPS[call]}"] += 1
        caught.looks = self._looks(call)
        assert self._effects(call) == caught.effects, "the call had its effect before the worker's death was heard of"
        self._caught.append(caught)
        return caught

    def await_effect(self, caught: Caught, timeout_s: float = 10) -> None:
        """Until the call has taken effect, whether or not a worker lives."""
        until(lambda: self._has_effect(caught), f"the effect of {caught.call}", timeout_s, 0.02)

    def _has_effect(self, caught: Caught) -> bool:
        if caught.looked is None and self._effects(caught.call) > caught.effects:
            caught.looked = self._looks(caught.call) - caught.looks
        return caught.looked is not None

    def _fault(self, call: Call, kind: str, seconds: float) -> None:
        control = self.world.easypost if call == "buy" else self.world.shopify
        control.fault(call, kind, seconds=seconds)

    def _looks(self, call: Call) -> int:
        control = self.world.easypost if call == "buy" else self.world.shopify
        return int(control.state()["calls"].get("look_up" if call == "buy" else "Fulfilments", 0))

    def _effects(self, call: Call) -> int:
        if call == "buy":
            return len(self.world.easypost.state()["purchases"])
        return len(self.world.shopify.state()["fulfillments"])

    # --- stories ----------------------------------------------------------------------------------------------------

    def place(self) -> Story:
        """One more paid order; every third will be cancelled."""
        story = Story(self.world.place(), cancels=len(self.stories) % 3 == 2)
        self.stories.append(story)
        self._deliver()
        return story

    @property
    def active(self) -> list[Story]:
        """Stories that have not ended."""
        return [story for story in self.stories if story.stage != "ended"]

    def go_on(self, *, feed: bool) -> None:
        """Play buyers, store and carrier for a moment."""
        while feed and len(self.active) < self.width:
            self.place()
        if time.monotonic() > self._delivered_at + _DELIVER_EVERY_S:
            self._deliver()
        for caught in self._caught:
            self._has_effect(caught)
        rows = self._rows([story.order_id for story in self.active])
        for story in self.active:
            if story.order_id in rows:
                self._turn(story, rows[story.order_id])

    def until_all_ended(self, timeout_s: float = KEEP_GOING_S) -> None:
        """Let a worker live until every story has ended."""
        if self._pid is None:
            self.live()
        end = time.monotonic() + timeout_s
        while self.active:
            self.go_on(feed=False)
            assert time.monotonic() < end, self.stuck()
            time.sleep(0.05)

    def stuck(self) -> str:
        """What does not go on, and the end of the worker's log."""
        lines = [f"{each.order_id} {each.stage}: {self.world.order(each.order_id)}" for each in self.active]
        return "\n".join([*lines, self.worker.tail(6000)])

    def _deliver(self) -> None:
        """What a busy house does not take (503, or no answer in time) the sweep finds."""
        if self.deaf:
            return
        statuses = set(self.world.shopify.deliver())
        assert statuses <= {200, 503, 0}, f"webhooks were answered with {statuses}"
        self._delivered_at = time.monotonic()

    def _rows(self, order_ids: list[str]) -> dict[str, Any]:
        """Where the labels of these orders stand."""
        query = (
            trackings.select(self.world.shop_id, trackings.c.order_external_id, trackings.c.fulfil_state)
            .add_columns(trackings.c.parcel_id, labels.c.state, labels.c.handle, labels.c.void_checks)
            .where(labels.c.id == trackings.c.label_id, trackings.c.order_external_id.in_(order_ids))
        )
        with self.world.database.engine.connect() as connection:
            return {row.order_external_id: row for row in connection.execute(query)}

    def _turn(self, story: Story, row: Any) -> None:
        match story.stage:
            case "paid" if row.state == "bought" and row.fulfil_state == "done":
                self._after_shipping(story, row.parcel_id)
            case "travels" if self._store_shows(story, "IN_TRANSIT"):
                story.stage = "ended"
            case "cancelled":
                self._take_back(story, row)
            case _:
                pass

    def _after_shipping(self, story: Story, parcel_id: str) -> None:
        if self.only_labels:
            story.stage = "ended"
            return
        if story.cancels:
            self.world.shopify.cancel(story.order_id)
            story.stage = "cancelled"
            return
        scan = {"status": "in_transit", "datetime": stamp(self.world.now()), "city": "San Francisco", "country": "US"}
        hook = self.world.carrier_hook_url
        assert self.world.easypost.scan_and_post(parcel_id, scan, url=hook, secret=CARRIER_SECRET) == 200
        story.stage = "travels"

    def _take_back(self, story: Story, row: Any) -> None:
        """The carrier grants the refund as soon as it was asked for; the next look at it comes at once."""
        if row.state == "void_requested" and row.void_checks:
            self.world.easypost.change_shipment(row.handle, refund_status="refunded")
            with self.world.database.transaction() as connection:
                waiting = update(due._due).where(due._due.c.name == "labels.void")
                connection.execute(waiting.values(due_at=due.AT_ONCE))
        if row.state == "voided" and row.fulfil_state == "cancelled":
            story.stage = "ended"

    def _store_shows(self, story: Story, status: str) -> bool:
        return any(each["displayStatus"] == status for each in self.world.fulfilments(story.order_id))

    # --- the truth --------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        """What came of it, as the simulators and the failure list have it."""
        state = self.world.easypost.state()
        with self.world.database.engine.connect() as connection:
            failures = list_failures(connection, states=("failed", "parked"))
        bought = [len(self.world.purchases(story.order_id)) for story in self.stories]
        fulfilled = [len(self.world.fulfilments(story.order_id)) for story in self.stories]
        return {
            "kills": sum(self.kills.values()),
            "crashes": self.kills["crashed"],
            "orders": len(self.stories),
            "ended": len(self.stories) - len(self.active),
            "purchases": len(state["purchases"]),
            "orders_not_bought_once": sum(count != 1 for count in bought),
            "orders_not_fulfilled_once": sum(count != 1 for count in fulfilled),
            "purchases_refused": sum(state["refused_purchases"].values()),
            "orphan_shipments": state["orphans"],
            "given_up": [f"{each.state} {each.task.name}: {each.message}" for each in failures if not _is_sweep(each)],
            "sweeps_parked": sum(map(_is_sweep, failures)),
        }

    def violations(self) -> list[str]:
        """What must not be; an empty list is the promise kept."""
        figures = self.figures()
        must_be_none = ("orders_not_bought_once", "orders_not_fulfilled_once", "given_up")
        found = [f"{name}: {figures[name]}" for name in must_be_none if figures[name]]
        if figures["purchases"] != figures["orders"]:
            found.append(f"{figures['purchases']} purchases for {figures['orders']} orders")
        if figures["ended"] != figures["orders"]:
            found.append(f"{figures['orders'] - figures['ended']} orders did not end")
        return found


@contextmanager
def killings(folder: Path, database_url: str) -> Iterator[Killings]:
    """A house that is set up, with a web process and a worker that has not begun its first life."""
    with world(folder, database_url, speed=SPEED) as made:
        worker = made.start_mortal()
        made.add_shop()
        made.start("serve", name="web")
        made.add_carrier()
        made.wait_known()
        yield Killings(made, worker)


def _is_sweep(failure: Failure) -> bool:
    """What the clock queues is parked too if it was under way at three deaths in a row; its next turn comes anyway."""
    return failure.state == "parked" and failure.task.name.endswith((".sweep", ".retention"))


def stamp(at: datetime) -> str:
    """A moment as EasyPost writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
