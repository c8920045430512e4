"""An order that is cancelled while its label stands on a list for the carrier's driver."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from carriers.carrier import Capabilities
from carriers.collection import (
    BookedPickup,
    Manifest,
    NotBooked,
    OfferedPickup,
    PickupOffer,
    PickupRequest,
)
from carriers.label import Rejected, Unknown
from connector.labels import collect, collect_rows
from connector.labels.voids import request_void
from connector.orders.cancelling import has_left
from connector.store import Order
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import PERSON, World, a_world
from webhooks.ports import Fence

pytestmark = pytest.mark.anyio

NOT_SENT = Rejected("not_sent", "The carrier could not be reached.", retry_after_s=30)
OVERLOADED = Rejected("overloaded", "Please be patient.", retry_after_s=30)


@dataclass
class Lists:
    """A carrier's lists: what was asked for, and what it says first."""

    says: deque[Manifest | Rejected | Unknown] = field(default_factory=deque)
    asked: list[list[str]] = field(default_factory=list)

    async def make_manifest(self, handles: Sequence[str], fence: Fence) -> Manifest | Rejected | Unknown:
        self.asked.append(list(handles))
        return self.says.popleft() if self.says else Manifest("mft_1", "made")

    async def find_manifest(self, handles: Sequence[str]) -> Manifest | None:
        return None

    async def manifest_state(self, handle: str) -> Manifest:
        return Manifest(handle, "made")

    async def offer_pickup(self, request: PickupRequest) -> OfferedPickup:
        return OfferedPickup("", ())

    async def book_pickup(self, handle: str, offer: PickupOffer, fence: Fence) -> BookedPickup | Rejected | Unknown:
        return NOT_SENT

    async def look_up_pickup(self, handle: str) -> BookedPickup | NotBooked:
        return NotBooked(handle)

    async def cancel_pickup(self, handle: str, fence: Fence) -> NotBooked | Rejected | Unknown:
        return NotBooked(handle)


async def labelled(world: World) -> tuple[Order, Any]:
    """An order with its label."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    (label,) = world.labels_of(world.parcel(order.id).id)
    assert label.state == "bought"
    return order, label


async def cancel(world: World, order: Order) -> None:
    world.change(order.id, cancelled=True)
    await world.refresh(order.id)


@pytest.mark.need(49)
@pytest.mark.complaint(5)
async def test_a_label_on_a_list_that_was_only_asked_for_is_voided_with_its_order(any_world: World) -> None:
    world = any_world
    order, label = await labelled(world)
    world.put_on_list(label.id, "asked")
    await cancel(world, order)
    assert (world.carrier.voids, world.matters()) == ([label.handle], [])


@pytest.mark.parametrize("state", ["unclear", "pending", "made"])
async def test_a_label_on_a_list_that_the_carrier_has_or_may_have_comes_before_a_person(
    world: World, state: str
) -> None:
    order, label = await labelled(world)
    world.put_on_list(label.id, state)
    await cancel(world, order)
    assert (world.carrier.voids, world.matter_codes()) == ([], ["cancelled_after_hand_over"])


async def test_a_label_on_a_list_that_was_only_asked_for_is_voided_with_an_edit(world: World) -> None:
    await world.set(fulfil_when="handed_over")
    order, label = await labelled(world)
    world.put_on_list(label.id, "asked")
    world.clock.advance(seconds=2)
    world.change_group(order.id, lines=order.groups[0].lines[:1])
    await world.refresh(order.id)
    await world.refresh(order.id)
    assert world.carrier.voids == [label.handle]
    assert "changed_after_hand_over" not in world.matter_codes()


async def test_a_list_that_leaves_during_a_void_leaves_the_label_off(any_world: World) -> None:
    """Whoever comes second sees what the first did, also where both began at once."""
    world = any_world
    _, label = await labelled(world)
    row = world.put_on_list(label.id, "asked")
    left: list[Any] = []
    job = threading.Thread(target=lambda: left.append(world.act(collect_rows.leaves, row, world.clock.now())))

    def void(connection: Connection) -> None:
        assert not has_left(connection, world.shop_id, label.id)
        job.start()
        time.sleep(0.2)  # The list tries to leave meanwhile; too slow a thread only comes later.
        request_void(connection, world.work, world.shop_id, label.parcel_id, "cancelled", PERSON, world.clock.now())

    world.act(void)
    job.join(60)
    assert (left[0].labels, left[0].state) == ([], "asked")


async def test_a_list_of_which_every_label_was_voided_is_not_asked_for_and_nobody_is_told(
    tmp_path: Path, clock: FrozenClock
) -> None:
    lists = Lists()
    carrier = FakeCarrier(capabilities=Capabilities("refused", 60, manifest=True), collector=lists)
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock, carrier=carrier) as world:
        _, label = await labelled(world)
        world.act(collect.ask_manifests, world.work, world.shop, PERSON, clock.now())
        world.act(request_void, world.work, world.shop_id, label.parcel_id, "wrong box", PERSON, clock.now())
        await world.drain()
        (row,) = world.act(collect.recent_manifests, world.shop_id)
        assert (row.state, lists.asked, world.matters()) == ("refused", [], [])


async def test_a_void_that_comes_after_the_list_has_left_sees_it(any_world: World) -> None:
    world = any_world
    _, label = await labelled(world)
    row = world.put_on_list(label.id, "asked")
    seen: list[bool] = []
    void = threading.Thread(target=lambda: seen.append(world.act(has_left, world.shop_id, label.id)))

    def leave(connection: Connection) -> None:
        collect_rows.leaves(connection, row, world.clock.now())
        void.start()
        time.sleep(0.2)

    world.act(leave)
    void.join(60)
    assert seen == [True]


@pytest.mark.parametrize("said", [NOT_SENT, OVERLOADED])
async def test_a_list_whose_request_never_left_keeps_no_label_from_being_voided(
    tmp_path: Path, clock: FrozenClock, said: Rejected
) -> None:
    """The carrier is down: it has no list, and the cancelled label is left off the next try."""
    lists = Lists(deque([said]))
    carrier = FakeCarrier(capabilities=Capabilities("refused", 60, manifest=True), collector=lists)
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock, carrier=carrier) as world:
        order, label = await labelled(world)
        clock.advance(seconds=1)
        _, other = await labelled(world)
        world.act(collect.ask_manifests, world.work, world.shop, PERSON, clock.now())
        await world.drain()
        await cancel(world, order)
        assert (carrier.voids, world.matters()) == ([label.handle], [])
        await world.pass_time(120)
        assert lists.asked == [[label.handle, other.handle], [other.handle]]
        (row,) = world.act(collect.recent_manifests, world.shop_id)
        assert row.state == "made"
