"""The store shows why an order waits, as long as it waits for us; our hold stops nobody but people in the store."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import anyio.lowlevel
import pytest

from connector.labels.by_hand import read_typed
from connector.labels.store_holds import REASONS
from connector.orders.by_hand import ship_by_hand
from connector.store import HoldReason, Order, StoreCapabilities, StoreRefused, StoreRetryable
from connector.words.reason import codes
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeStore
from tests.labels.world import BUYER, MUG, PERSON, World, a_world
from webhooks.ports import Fence

pytestmark = pytest.mark.anyio

Play = Literal["lost-answer", "lost-request", "late", "refuse"]


@dataclass
class Holds:
    """What the store shows, by group, and how often it was asked to."""

    shown: dict[str, tuple[HoldReason, str]] = field(default_factory=dict)
    plays: deque[Play] = field(default_factory=deque)
    writes: int = 0
    late: dict[str, tuple[HoldReason, str]] = field(default_factory=dict)

    def arrive(self) -> None:
        """What was late takes effect."""
        self.shown |= self.late

    async def find(self, group_id: str) -> bool:
        await anyio.lowlevel.checkpoint()
        return group_id in self.shown

    async def hold(self, group_id: str, reason: HoldReason, note: str, fence: Fence) -> None:
        assert group_id not in self.shown, "a store refuses a second hold"
        await self._write(group_id, (reason, note))

    async def release(self, group_id: str, fence: Fence) -> bool:
        there = group_id in self.shown
        await self._write(group_id, None)
        return there

    async def _write(self, group_id: str, value: tuple[HoldReason, str] | None) -> None:
        await anyio.lowlevel.checkpoint()
        self.writes += 1
        play = self.plays.popleft() if self.plays else None
        if play == "refuse":
            raise StoreRefused("This group cannot be held.")
        if play == "late" and value is not None:
            self.late[group_id] = value
        elif play != "lost-request":
            self.shown.pop(group_id, None)
            if value is not None:
                self.shown[group_id] = value
        if play is not None:
            raise StoreRetryable("The store did not answer.")


@pytest.fixture
def holds() -> Holds:
    return Holds()


@pytest.fixture
async def showing(tables_url: str, tmp_path: Path, clock: FrozenClock, holds: Holds) -> AsyncIterator[World]:
    """A world whose store shows holds."""
    can = StoreCapabilities(10.0, 0, fulfil_ceiling_s=60, events=True, cart_totals=True, hold=True)
    store = FakeStore(capabilities=can, holds=holds)
    async with a_world(tables_url, tmp_path, clock, store=store) as world:
        yield world


async def held(world: World) -> Order:
    """An order whose address has no street."""
    row = await world.quote(MUG)
    offer = next(each for each in row.decision.offers if each.code == "fake-ground")
    order = world.place(MUG, offer=offer, to=replace(BUYER, street1=""))
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "held"
    world.clock.advance(seconds=2)
    return order


def by_its_group(order: Order, holds: Holds) -> tuple[HoldReason, str] | None:
    return holds.shown.get(order.groups[0].id)


@pytest.mark.complaint(8)
async def test_a_held_order_is_held_in_the_store_with_its_reason_until_its_address_is_corrected(
    showing: World, holds: Holds
) -> None:
    order = await held(showing)
    shown = by_its_group(order, holds)
    assert shown is not None
    assert shown[0] == "address"
    assert "street" in shown[1].lower()
    showing.change_group(order.id, destination=BUYER)
    await showing.refresh(order.id)
    assert (showing.parcel(order.id).state, holds.shown) == ("bought", {})
    assert len(showing.store.fulfilments) == 1
    assert holds.writes == 2


@pytest.mark.parametrize("by", ["click", "release"])
async def test_letting_go_of_an_order_takes_the_hold_off_before_the_store_is_told_that_it_left(
    showing: World, holds: Holds, by: str
) -> None:
    order = await held(showing)
    await (showing.click_buy if by == "click" else showing.release)(order.id)
    await showing.pass_time(30)
    assert (showing.parcel(order.id).state, holds.shown) == ("bought", {})
    assert len(showing.store.fulfilments) == 1


async def test_readings_of_a_held_order_tell_the_store_nothing_twice(showing: World, holds: Holds) -> None:
    order = await held(showing)
    for _ in range(3):
        await showing.refresh(order.id)
    assert holds.writes == 1


async def test_an_order_that_is_bought_or_waits_for_something_else_is_not_held_there(
    showing: World, holds: Holds
) -> None:
    await showing.refresh((await showing.buy_from_quote()).id)
    await showing.refresh((await showing.buy_from_quote(risky=True)).id)
    assert (holds.shown, holds.writes) == ({}, 0)


async def test_a_shop_that_wants_nothing_shown_has_its_hold_taken_off(showing: World, holds: Holds) -> None:
    order = await held(showing)
    await showing.set(tell_store_of_holds="no")
    await showing.refresh(order.id)
    assert holds.shown == {}


@pytest.mark.parametrize("play", ["lost-answer", "lost-request"])
async def test_an_answer_that_never_came_is_looked_up(showing: World, holds: Holds, play: Play) -> None:
    holds.plays.append(play)
    order = await held(showing)
    await showing.pass_time(60)
    assert by_its_group(order, holds) is not None
    holds.plays.append(play)
    showing.change_group(order.id, destination=BUYER)
    await showing.refresh(order.id)
    await showing.pass_time(120)
    assert (showing.parcel(order.id).state, holds.shown) == ("bought", {})
    assert len(showing.store.fulfilments) == 1


async def test_a_hold_that_comes_to_be_after_we_looked_for_it_is_let_go_all_the_same(
    showing: World, holds: Holds
) -> None:
    holds.plays.append("late")
    order = await held(showing)
    showing.change_group(order.id, destination=BUYER)
    await showing.refresh(order.id)
    assert (showing.parcel(order.id).state, showing.store.fulfilments) == ("bought", {})
    holds.arrive()
    await showing.pass_time(200)
    assert (holds.shown, len(showing.store.fulfilments)) == ({}, 1)


async def test_a_store_that_refuses_the_hold_changes_nothing_here(showing: World, holds: Holds) -> None:
    holds.plays.append("refuse")
    order = await held(showing)
    assert (holds.shown, showing.matter_codes()) == ({}, ["address_refused"])
    await showing.release(order.id)
    assert showing.parcel(order.id).state == "bought"


async def test_another_reason_takes_the_place_of_the_first(showing: World, holds: Holds) -> None:
    order = await held(showing)
    before = by_its_group(order, holds)
    await showing.set(buy_countries="DE")
    showing.change_group(order.id, destination=BUYER)
    await showing.refresh(order.id)
    after = by_its_group(order, holds)
    assert before is not None
    assert after is not None
    assert (before[0], after[0]) == ("address", "other")


async def test_what_left_by_hand_is_not_held_any_more(showing: World, holds: Holds) -> None:
    order = await held(showing)
    typed = read_typed("Sample Post", "RR123456789SK", "", "", "EUR")
    args = (showing.work, showing.shop_id, order.id, typed, PERSON, showing.clock.now())
    showing.act(ship_by_hand, *args, notify_buyer=False)
    await showing.drain()
    await showing.pass_time(30)
    assert holds.shown == {}
    assert len(showing.store.fulfilments) == 1


async def test_a_cancelled_order_is_not_held_by_us(showing: World, holds: Holds) -> None:
    order = await held(showing)
    showing.change(order.id, cancelled=True)
    await showing.refresh(order.id)
    assert holds.shown == {}


@pytest.mark.parametrize("step", ["hold.find", "hold.set", "hold.release"])
@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_worker_that_dies_at_any_boundary_leaves_the_store_in_line(
    showing: World, holds: Holds, step: str, side: str
) -> None:
    def die_once(_count: int) -> None:
        if showing.boundaries[-1] == f"{side} {step}":
            showing.on_boundary = None
            showing.die()

    showing.on_boundary = die_once
    order = await held(showing)
    await showing.pass_time(30)
    assert by_its_group(order, holds) is not None
    showing.change_group(order.id, destination=BUYER)
    await showing.refresh(order.id)
    await showing.pass_time(60)
    assert (showing.parcel(order.id).state, holds.shown) == ("bought", {})
    assert holds.writes == 2, "set once, let go once"
    assert f"{side} {step}" in showing.boundaries


def test_every_hold_that_is_shown_has_a_text() -> None:
    assert set(REASONS) <= codes()
