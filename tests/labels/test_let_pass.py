"""What a person lets pass is what they saw: a first click keeps to the promise, and many at once do so always."""

from __future__ import annotations

import pytest

from carriers.money import Money
from connector.words.reason import Reason
from tests.labels.world import World

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
    (label,) = [each for each in any_world.labels_of(any_world.parcel(order.id).id) if each.state == "bought"]
    assert Reason.from_json(label.why).code == "beyond_promise"
    assert Reason.from_json(label.why).params["difference"] == Money(19200, "EUR")


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
