"""Goods of an order that somebody fulfils in the store by hand: no label is voided that may be on their box."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carriers.measure import Weight
from carriers.money import Money
from connector.labels.voids import request_void
from connector.store import CartLine, GroupState, Order
from tests.labels.world import BUYER, PERSON, POT, World

pytestmark = pytest.mark.anyio

ANVILS = CartLine(3, Money(5000, "EUR"), Weight(9000), "ANVIL", "Anvil", "anvil-1")
IN_PART = pytest.mark.parametrize("partly_shipped", [GroupState.NOT_YET, GroupState.READY])


async def three_labels(world: World, *more: CartLine) -> Order:
    """An order of three anvils, each in a parcel with its label; the store hears of each at its hand-over."""
    await world.set(default_carton="500x400x300:500:10000", fulfil_when="handed_over")
    order = await world.buy_from_quote(ANVILS, *more)
    await world.refresh(order.id)
    assert {each.state for each in world.order(order.id).parcels} == {"bought"}
    return order


async def scan(world: World, number: str) -> None:
    event = {"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}
    await world.deliver("tracking", {"number": number, "events": [event]}, carrier=True)
    await world.drain()


async def ship_by_hand(world: World, order: Order, line: int = 0, units: int = 1) -> None:
    (group,) = order.groups
    world.store.ship_by_hand(order.id, group.id, (group.lines[line].id, units))
    await read(world, order)


async def read(world: World, order: Order) -> None:
    """The order changed in the store, and is read three times."""
    world.clock.advance(seconds=2)
    world.change(order.id)
    for _ in range(3):
        await world.refresh(order.id)


def states(world: World, order: Order) -> list[str]:
    return sorted(each.state for each in world.order(order.id).parcels)


@IN_PART
async def test_no_label_of_a_parcel_that_was_fulfilled_by_hand_is_voided(
    any_world: World, partly_shipped: GroupState
) -> None:
    """Nobody knows which of the two boxes it was, or whether its label is on it: a person does."""
    world = any_world
    world.store.partly_shipped = partly_shipped
    order = await three_labels(world)
    await scan(world, "TRK1")
    await ship_by_hand(world, order)
    assert world.carrier.voids == []
    assert states(world, order) == ["bought"] * 3
    assert world.matter_codes() == ["shipped_without_label"]


@IN_PART
async def test_none_is_voided_where_nothing_of_the_order_was_told_before(
    world: World, partly_shipped: GroupState
) -> None:
    world.store.partly_shipped = partly_shipped
    order = await three_labels(world)
    await ship_by_hand(world, order)
    assert (world.carrier.voids, world.matter_codes()) == ([], ["shipped_without_label"])


async def test_a_person_who_voids_the_label_that_was_not_used_has_answered(world: World) -> None:
    order = await three_labels(world)
    await scan(world, "TRK1")
    await ship_by_hand(world, order)
    (matter,) = world.matters()
    world.act(request_void, world.work, world.shop_id, matter.subject, "not used", PERSON, world.clock.now())
    await read(world, order)
    assert (len(world.carrier.voids), world.matters()) == (1, [])
    assert states(world, order) == ["bought", "bought", "cancelled"]
    assert len(world.carrier.sales) == 3


async def test_an_edit_beside_it_voids_none_either_as_nobody_knows_which(world: World) -> None:
    order = await three_labels(world)
    await scan(world, "TRK1")
    (group,) = order.groups
    world.store.ship_by_hand(order.id, group.id, (group.lines[0].id, 1))
    (left,) = world.store.orders[order.id].groups
    world.change_group(order.id, lines=tuple(replace(each, quantity=0) for each in left.lines), state=GroupState.READY)
    await read(world, order)
    assert world.carrier.voids == []
    assert world.matter_codes() == ["shipped_without_label"] * 2


async def test_an_edit_of_other_goods_voids_their_label_all_the_same(world: World) -> None:
    order = await three_labels(world, replace(POT, weight=Weight(9000)))
    await scan(world, "TRK1")
    (group,) = order.groups
    world.store.ship_by_hand(order.id, group.id, (group.lines[0].id, 1))
    (left,) = world.store.orders[order.id].groups
    pot = group.lines[1].id
    world.change_group(order.id, lines=tuple(each for each in left.lines if each.id != pot), state=GroupState.READY)
    await read(world, order)
    assert len(world.carrier.voids) == 1
    assert states(world, order) == ["bought", "bought", "bought", "cancelled"]
    assert world.matter_codes() == ["shipped_without_label"]


async def test_an_address_that_changes_beside_it_voids_no_label_that_may_be_on_the_box(world: World) -> None:
    order = await three_labels(world)
    await scan(world, "TRK1")
    (group,) = order.groups
    world.store.ship_by_hand(order.id, group.id, (group.lines[0].id, 1))
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    await read(world, order)
    assert world.carrier.voids == []
    assert sorted(world.matter_codes()) == ["changed_after_hand_over"] + ["shipped_without_label"] * 2


async def test_a_cancellation_beside_it_asks_a_person_about_each_label_that_may_be_on_the_box(world: World) -> None:
    order = await three_labels(world)
    await ship_by_hand(world, order)
    world.change(order.id, cancelled=True)
    await read(world, order)
    assert world.carrier.voids == []
    assert world.matter_codes().count("cancelled_with_label") == 3


async def test_what_the_carrier_has_on_its_list_is_what_was_fulfilled_by_hand(world: World) -> None:
    order = await three_labels(world)
    parcel = world.order(order.id).parcels[0]
    (label,) = world.labels_of(parcel.id)
    world.put_on_list(label.id)
    await ship_by_hand(world, order)
    assert (states(world, order), world.carrier.voids, world.matters()) == (["bought"] * 3, [], [])


async def test_the_rest_of_a_group_of_which_a_part_was_fulfilled_by_hand_is_bought_by_a_click(world: World) -> None:
    """Nothing had a label yet; the store says of what is left that it is in progress."""
    await world.set(default_carton="500x400x300:500:30000", buy="manual")
    order = await world.buy_from_quote(ANVILS)
    await world.refresh(order.id)
    await ship_by_hand(world, order)
    await world.click_buy(order.id)
    parcel = world.parcel(order.id)
    assert (parcel.state, world.carrier.created[-1].parcel.weight) == ("bought", Weight(2 * 9000 + 500))
    assert world.matters() == []


async def test_a_label_that_turns_out_bought_after_its_goods_left_by_hand_comes_before_a_person(
    any_world: World,
) -> None:
    world = any_world
    await world.set(fulfil_when="handed_over")
    order = await world.buy_from_quote()
    world.carrier.plays.append("lost-answer")
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "unknown"
    (group,) = order.groups
    world.store.ship_by_hand(order.id, group.id, *((line.id, line.quantity) for line in group.lines))
    await read(world, order)
    await world.pass_time(120, step_s=5)
    assert (states(world, order), world.matter_codes()) == (["bought"], ["shipped_without_label"])
