"""What a person lets pass is what they saw: a first click keeps to the promise, and many at once do so always."""

from __future__ import annotations

import pytest

from carriers.money import Money
from connector.orders import batches
from connector.orders.listing import OrderFilter
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio


@pytest.mark.complaint(5)
async def test_the_first_click_buys_at_the_quoted_price_only_and_the_second_at_the_price_it_saw(
    any_world: World,
) -> None:
    """A shop that buys by hand: what its page shows is the quote, and a click buys that or asks."""
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    any_world.carrier.prices["Ground"] = 9900
    await any_world.refresh(order.id)
    await any_world.click_buy(order.id)
    parcel = any_world.parcel(order.id)
    assert (parcel.state, parcel.why and parcel.why.code) == ("held", "dearer_than_quoted")
    assert any_world.carrier.attempts == []
    any_world.carrier.prices["Ground"] = 19900
    await any_world.pass_time(5)
    await any_world.click_buy(order.id)
    assert (any_world.parcel(order.id).state, any_world.carrier.attempts) == ("held", [])
    await any_world.pass_time(5)
    await any_world.click_buy(order.id)
    assert any_world.carrier.sales[0].rate.price == Money(19900, "EUR")
    why = any_world.parcel(order.id).chosen
    assert why is not None
    assert (why.code, why.params["difference"]) == ("beyond_promise", Money(19200, "EUR"))


async def test_a_release_lets_pass_what_the_hold_said(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.prices["Ground"] = 9900
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "held"
    world.carrier.prices["Ground"] = 19900
    world.clock.advance(seconds=1)
    await world.release(order.id)
    assert (world.parcel(order.id).state, world.carrier.attempts) == ("held", [])
    world.clock.advance(seconds=1)
    await world.release(order.id)
    assert world.carrier.sales[0].rate.price == Money(19900, "EUR")


async def by_the_dozen(world: World, *order_ids: str) -> batches.Batch:
    """A batch of these orders, bought."""
    now = world.clock.now()
    ids = [world.order(each).id for each in order_ids]
    batch_id = world.act(batches.make, world.shop_id, ids, PERSON, now)
    world.act(batches.buy, world.work, world.shop_id, batch_id, PERSON, now)
    await world.drain()
    await world.pass_time(60, step_s=20)
    return world.act(batches.load, world.shop_id, batch_id)


async def test_a_batch_holds_what_became_dearer_however_often_it_is_asked(any_world: World) -> None:
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    any_world.carrier.prices["Ground"] = 9900
    await any_world.refresh(order.id)
    for _ in range(3):
        batch = await by_the_dozen(any_world, order.id)
        assert [each.outcome for each in batch.items] == ["stopped"]
        parcel = any_world.parcel(order.id)
        assert (parcel.state, parcel.why and parcel.why.code) == ("held", "dearer_than_quoted")
    assert any_world.carrier.attempts == []
    any_world.carrier.prices["Ground"] = 700
    batch = await by_the_dozen(any_world, order.id)
    assert [each.outcome for each in batch.items] == ["bought"], "its cause is gone"


async def test_a_batch_leaves_alone_what_only_a_persons_look_lets_go_of(any_world: World) -> None:
    await any_world.set(buy_up_to="1.00")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    assert any_world.matter_codes() == ["over_value"]
    (item,) = (await by_the_dozen(any_world, order.id)).items
    assert item.why is not None
    assert (item.outcome, item.why.code) == ("stopped", "held_look_first")
    assert "1.00 EUR" in item.why.say()
    assert (any_world.parcel(order.id).state, any_world.carrier.attempts) == ("held", [])
    await any_world.click_buy(order.id)
    assert any_world.parcel(order.id).state == "bought"


async def test_what_is_held_or_refused_is_on_no_batch_unless_it_is_asked_for(world: World) -> None:
    await world.set(buy_up_to="1.00")
    held = await world.buy_from_quote()
    await world.refresh(held.id)
    await world.set(buy_up_to="", buy="manual")
    free = await world.buy_from_quote()
    await world.refresh(free.id)
    assert world.act(batches.matching, world.shop_id, OrderFilter()) == [world.order(free.id).id]
    assert world.act(batches.matching, world.shop_id, OrderFilter(state="held")) == [world.order(held.id).id]
