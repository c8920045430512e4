"""All of ours was down: told at the return, and over once every order is read; a restart is nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.attention.board import HOUSE, open_matters
from connector.orders import sweep
from connector.watch import outage
from connector.work.port import Task
from tests.watch.conftest import Watched

pytestmark = pytest.mark.anyio


async def sweep_orders(watched: Watched) -> None:
    watched.world.queue("orders.sweep")
    await watched.world.drain()


async def test_an_outage_is_told_at_the_return_and_over_when_the_orders_are_read(watched: Watched) -> None:
    world = watched.world
    await watched.pass_time(minutes=2)
    await sweep_orders(watched)
    world.clock.advance(minutes=30)
    missed = await world.buy_from_quote()
    world.clock.advance(minutes=30)
    watched.watch = watched.new_watch()
    told = await watched.pass_time(minutes=3)
    assert told == ["Waybill did not run from 2026-11-23 09:01 UTC to 2026-11-23 10:02 UTC"]
    await sweep_orders(watched)
    assert world.parcel(missed.id).state == "bought"
    told = await watched.pass_time(minutes=5)
    assert told == ["Over: Waybill did not run from 2026-11-23 09:01 UTC to 2026-11-23 10:02 UTC"]
    assert "all read now: 1" in watched.mailbox.arrived[-1].get_content()


async def test_a_restart_is_no_outage(watched: Watched) -> None:
    await watched.pass_time(minutes=2)
    watched.world.clock.advance(minutes=4)
    watched.watch = watched.new_watch()
    assert await watched.pass_time(minutes=5) == []


async def test_the_first_start_is_no_outage(watched: Watched) -> None:
    assert await watched.pass_time(minutes=5) == []
    assert watched.world.act(open_matters, HOUSE) == []


async def test_an_outage_is_not_over_while_orders_wait_to_be_read(watched: Watched) -> None:
    world = watched.world
    await watched.pass_time(minutes=2)
    world.clock.advance(hours=1)
    await watched.watch.round("web")
    await sweep_orders(watched)
    world.clock.advance(minutes=2)
    world.act(world.work.later, Task("orders.refresh", "waits", world.shop_id, ("ord_1",)), world.clock.now())
    shops = [world.shop_id]
    world.act(outage.make_up, shops, world.clock.now())
    assert [each.reason.code for each in world.act(open_matters, HOUSE)] == ["was_down"]
    await world.drain()
    world.act(outage.make_up, shops, world.clock.now())
    assert world.act(open_matters, HOUSE) == []


def test_every_sweep_comes_well_within_ten_minutes_of_a_return() -> None:
    assert sweep.EVERY + timedelta(minutes=2) < timedelta(minutes=10)
