"""An order that is cancelled after its label was bought, and before anybody scanned it."""

from __future__ import annotations

import pytest

from carriers.errors import Unavailable
from connector.labels.tables import labels, parcels
from connector.labels.voids import NotVoidable
from connector.orders.cancelling import void_edited
from connector.words.reason import Reason
from tests.labels.fakes import Sale
from tests.labels.world import World

pytestmark = pytest.mark.anyio


async def cancelled(world: World, **settings: str) -> str:
    """An order with a bought label, cancelled in the store; its id."""
    await world.set(**settings)
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    world.change(order.id, cancelled=True)
    await world.refresh(order.id)
    return order.id


def actors(world: World) -> list[tuple[str, str]]:
    found = world.act(lambda connection: connection.execute(labels.select(world.shop_id)).all())
    return [(row.state, row.void_reason) for row in found]


@pytest.mark.need(49)
@pytest.mark.complaint(5)
async def test_its_label_is_voided_by_rule_with_the_reason_and_the_store_s_fulfilment_is_taken_back(
    world: World,
) -> None:
    await cancelled(world)
    assert world.carrier.voids == ["shp_1"]
    assert actors(world) == [("voided", "order_cancelled")]
    assert world.store.cancelled == ["ful_1"]
    assert world.matters() == []


@pytest.mark.need(49)
async def test_nothing_of_it_is_pushed_or_told_any_more(world: World) -> None:
    """A late scan of the voided label comes before a person, and not before the buyer."""
    await cancelled(world)
    told = len(world.store.timeline)
    scan = {"number": "TRK1", "events": [{"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}]}
    await world.deliver("tracking", scan, carrier=True)
    await world.pass_time(60)
    assert len(world.store.timeline) == told
    assert len(world.store.fulfilments) == 1
    assert world.matter_codes() == ["voided_scanned"]


async def test_a_shop_may_keep_its_labels_and_is_asked_then(world: World) -> None:
    order_id = await cancelled(world, void_on_cancel="no")
    assert world.carrier.voids == []
    assert world.matter_codes() == ["cancelled_with_label"]
    assert world.parcel(order_id).state == "bought"


async def unclear(world: World, play: Sale) -> str:
    """An order whose purchase was not answered, cancelled in the store meanwhile; its id."""
    order = await world.buy_from_quote()
    world.carrier.plays.append(play)
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "unknown"
    world.change(order.id, cancelled=True)
    await world.refresh(order.id)
    return order.id


async def test_while_its_purchase_is_unclear_the_store_is_hardly_asked_and_its_end_voids_the_label(
    any_world: World,
) -> None:
    """The carrier cannot be asked for a day."""
    world = any_world
    world.carrier.look_up_errors.extend(Unavailable("Down.") for _ in range(2 * 24 * 12))
    order_id = await unclear(world, "lost-answer")
    before = world.store.read.count(order_id)
    await world.pass_time(86_400, step_s=600)
    assert world.store.read.count(order_id) - before < 15
    world.carrier.look_up_errors.clear()
    await world.pass_time(60, step_s=30)
    assert world.carrier.voids == ["shp_1"]
    assert [each.state for each in world.order(order_id).parcels] == ["voided"]


async def test_where_nothing_was_bought_its_parcel_ends_and_nobody_is_asked(any_world: World) -> None:
    world = any_world
    order_id = await unclear(world, "lost-request")
    await world.pass_time(90, step_s=10)
    assert [each.state for each in world.order(order_id).parcels] == ["cancelled"]
    assert (world.carrier.sales, world.matters()) == ([], [])


async def test_a_purchase_that_has_not_left_yet_ends_with_its_order_at_once(any_world: World) -> None:
    """The carrier cannot be reached for now."""
    world = any_world
    order = await world.buy_from_quote()
    world.carrier.plays.append("not-sent")
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "buying"
    world.change(order.id, cancelled=True)
    await world.refresh(order.id)
    (parcel,) = world.order(order.id).parcels
    assert (parcel.state, world.label_states(parcel.id)) == ("cancelled", ["dropped"])
    await world.pass_time(120, step_s=30)
    assert world.carrier.sales == []


async def test_a_parcel_that_is_scanned_while_an_edit_is_taken_in_is_not_voided(world: World) -> None:
    await world.set(fulfil_when="handed_over")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    scan = {"number": "TRK1", "events": [{"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}]}
    await world.deliver("tracking", scan, carrier=True)
    await world.drain()
    (row,) = world.act(lambda connection: connection.execute(parcels.select(world.shop_id)).all())
    why = Reason("goods_edited")
    with pytest.raises(NotVoidable):
        world.act(void_edited, world.work, world.shop, row, why, world.clock.now())
    assert world.label_states(row.id) == ["bought"]
