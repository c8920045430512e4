"""An order whose purchase is unclear, ticked among many others: only a person who looks at it may buy it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from carriers.carrier import Capabilities
from connector.orders import batches
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import PERSON, World, a_world

pytestmark = pytest.mark.anyio


def buy_by_the_dozen(world: World, order_id: str) -> None:
    now = world.clock.now()
    batch_id = world.act(batches.make, world.shop_id, [world.order(order_id).id], PERSON, now)
    world.act(batches.buy, world.work, world.shop_id, batch_id, PERSON, now)


@pytest.mark.parametrize("looked_for_s", [10, 1800])
@pytest.mark.complaint(1)
async def test_a_batch_buys_nothing_again_that_may_be_sold_twice(
    tmp_path: Path, clock: FrozenClock, looked_for_s: int
) -> None:
    """Neither while it is looked up, nor when only a person can tell."""
    carrier = FakeCarrier(capabilities=Capabilities("unsafe", look_up_ceiling_s=60))
    async with a_world(f"sqlite:///{tmp_path / 'db'}", tmp_path, clock, carrier=carrier) as world:
        order = await world.buy_from_quote()
        carrier.plays.append("lost-request")
        await world.refresh(order.id)
        await world.pass_time(looked_for_s, step_s=30)
        buy_by_the_dozen(world, order.id)
        await world.pass_time(1800, step_s=30)
        assert (carrier.attempts, world.matter_codes()) == (["shp_1"], ["outcome_unclear"])
        await world.click_buy(order.id)
        assert (world.parcel(order.id).state, len(carrier.sales)) == ("bought", 1)
