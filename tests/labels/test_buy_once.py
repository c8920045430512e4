"""One live label for a parcel: whatever the number of clicks, deliveries, runs, crashes and lost answers."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from sqlalchemy.exc import IntegrityError

from carriers.carrier import Capabilities
from connector.labels.record import BUY
from connector.labels.tables import labels
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import PERSON, RULE, World, a_world

pytestmark = pytest.mark.anyio


def exactly_one_of_each(world: World, order_id: str) -> None:
    """One label was sold and is live, it is the one we know, the store knows it, and the amounts say so."""
    parcel = world.parcel(order_id)
    assert parcel.state == "bought"
    sales = [sold for sold in world.carrier.sales if shipment_of(world, sold.handle) == parcel.id]
    assert len(sales) == 1
    live = [row for row in world.labels_of(parcel.id) if row.state == "bought"]
    assert [row.handle for row in live] == [sales[0].handle]
    told = [each for each in world.store.fulfilments.values() if each.order_id == order_id]
    assert [each.number for each in told] == [sales[0].tracking_code]
    booked = [each.money for each in world.order(order_id).amounts if each.kind == "bought"]
    assert booked == [sales[0].rate.price]


def shipment_of(world: World, handle: str) -> str:
    """The parcel's id, which the shipment carries as its reference."""
    return world.carrier.created[int(handle.removeprefix("shp_")) - 1].reference


async def test_a_paid_order_gets_the_label_that_the_buyer_was_promised(any_world: World) -> None:
    order = await any_world.buy_from_quote(service="fake-express")
    await any_world.refresh(order.id)
    exactly_one_of_each(any_world, order.id)
    assert any_world.carrier.sales[0].rate.service == "Express"


@pytest.mark.complaint(1)
async def test_twelve_clicks_buy_one_label(any_world: World) -> None:
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel_id = any_world.parcel(order.id).id
    for number in range(12):
        any_world.queue(BUY, parcel_id, PERSON.kind, PERSON.name, key=f"click {number}")
    await any_world.drain()
    exactly_one_of_each(any_world, order.id)


@pytest.mark.complaint(1, 10)
async def test_fifty_runs_at_once_buy_one_label(any_world: World) -> None:
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel_id = any_world.parcel(order.id).id
    for number in range(50):
        any_world.queue(BUY, parcel_id, RULE.kind if number % 2 else PERSON.kind, "any", key=f"run {number}")
    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(any_world.work.drain)
    await any_world.pass_time(200)
    exactly_one_of_each(any_world, order.id)
    assert len(any_world.carrier.attempts) == 1


@pytest.mark.parametrize("play", ["lost-answer", "lost-request", "not-sent", "late"])
async def test_runs_at_once_buy_one_label_when_answers_are_lost(any_world: World, play: str) -> None:
    """Ten runs, of which the first three purchases all go wrong in the same way."""
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel_id = any_world.parcel(order.id).id
    any_world.carrier.plays.extend([play, play])  # type: ignore[list-item]  # One of the literals.
    for number in range(10):
        any_world.queue(BUY, parcel_id, PERSON.kind, "any", key=f"run {number}")
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(any_world.work.drain)
    await any_world.pass_time(20)
    any_world.carrier.finish_late()
    await any_world.pass_time(600, step_s=10)
    exactly_one_of_each(any_world, order.id)


@pytest.mark.need(20)
async def test_the_database_refuses_a_second_live_label(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    (row,) = any_world.labels_of(any_world.parcel(order.id).id)
    values = {name: value for name, value in row._mapping.items() if name not in {"id", "shop_id"}}
    for state in ("created", "intent", "sent", "unknown", "bought"):
        second = labels.insert(row.shop_id, id=f"lab_second_{state}", **(values | {"state": state}))
        with pytest.raises(IntegrityError):
            any_world.act(lambda connection, insert=second: connection.execute(insert))


async def test_a_label_without_an_intent_cannot_be_bought(any_world: World) -> None:
    """The table itself refuses a purchase that does not say what and for how much."""
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    (row,) = any_world.labels_of(any_world.parcel(order.id).id)
    change = labels.update(row.shop_id).where(labels.c.id == row.id).values(minor=None)
    with pytest.raises(IntegrityError):
        any_world.act(lambda connection: connection.execute(change))


@pytest.mark.complaint(10)
@pytest.mark.parametrize("play", ["sell", "lost-answer", "lost-request", "not-sent"])
async def test_a_worker_killed_at_any_point_leaves_one_label_and_one_fulfilment(
    any_world: World, play: str, clock: FrozenClock
) -> None:
    """Killed before and after each step and each transaction; whoever comes next runs the job from its top."""
    world = any_world
    order = await world.buy_from_quote()
    world.carrier.plays.append(play)  # type: ignore[arg-type]  # One of the literals.
    world.boundaries.clear()
    await world.refresh(order.id)
    await world.pass_time(200, step_s=10)
    exactly_one_of_each(world, order.id)
    whole = len(world.boundaries)
    assert whole > 20
    step = {"sell": 1, "lost-request": 2}.get(play, 3) if world.database.is_sqlite else 5
    for kill_at in range(1, whole + 1, step):
        order = await world.buy_from_quote()
        world.carrier.plays.append(play)  # type: ignore[arg-type]  # One of the literals.
        world.boundaries.clear()
        world.kill_at = kill_at
        await world.refresh(order.id)
        await world.pass_time(400, step_s=20)
        world.kill_at = None
        exactly_one_of_each(world, order.id)
        world.carrier.plays.clear()


async def test_a_worker_killed_while_the_carrier_sells_finds_the_label(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.after_sale = any_world.die
    await any_world.refresh(order.id)
    await any_world.pass_time(20)
    exactly_one_of_each(any_world, order.id)
    assert len(any_world.carrier.attempts) == 1


async def test_a_carrier_that_sells_twice_is_not_asked_twice(
    tmp_path: Path, clock: FrozenClock, database_url: str
) -> None:
    carrier = FakeCarrier(capabilities=Capabilities("unsafe", look_up_ceiling_s=60))
    async with a_world(database_url, tmp_path, clock, carrier=carrier) as world:
        order = await world.buy_from_quote()
        carrier.plays.append("lost-request")
        await world.refresh(order.id)
        await world.pass_time(3600, step_s=60)
        assert carrier.attempts == ["shp_1"]
        assert world.matter_codes() == ["outcome_unclear"]
