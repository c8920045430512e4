"""The daily cap and the empty wallet: buying stops at once, for one reason told once, and goes on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from carriers.label import Purchased, Rejected, Unknown
from carriers.rate import Rate
from connector.labels import spending
from connector.labels.gates import shut_gates
from connector.labels.tables import labels, parcels
from connector.orders.release import NothingToRelease, release
from connector.orders.view import CapReached
from tests.labels.fakes import REJECTIONS
from tests.labels.world import BUYER, PERSON, RULE, World
from webhooks.ports import Fence

pytestmark = pytest.mark.anyio
TOP_UP = "labels.sweep"


class Wallet:
    """What stands in the account: the carrier sells while it is filled, and counts how often it was asked."""

    def __init__(self, world: World, *, filled: bool) -> None:
        self.filled = filled
        self.asked = 0
        self._sell = world.carrier.purchase
        world.carrier.purchase = self._purchase  # type: ignore[method-assign]  # The fake's till.

    async def _purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        self.asked += 1
        return await self._sell(handle, rate, fence) if self.filled else REJECTIONS["empty-wallet"]


def parcel_states(world: World) -> dict[str, int]:
    """How many parcels of the shop stand where."""
    rows = world.act(lambda connection: connection.execute(parcels.select(world.shop_id)).all())
    return {state: sum(row.state == state for row in rows) for state in sorted({row.state for row in rows})}


async def paid_orders(world: World, count: int) -> list[str]:
    """So many paid orders of one quote, each taken in; what they buy is not done yet."""
    row = await world.quote()
    offer = next(each for each in row.decision.offers if each.code == "fake-ground")
    placed = [world.place(offer=offer).id for _ in range(count)]
    for order_id in placed:
        world.queue("orders.refresh", order_id)
    return placed


# --- the wallet


async def test_five_hundred_orders_and_an_empty_wallet_are_one_matter_and_few_calls(world: World) -> None:
    wallet = Wallet(world, filled=False)
    await world.set(buy_after="0")
    await paid_orders(world, 500)
    await world.work.drain(limit=5000)
    assert world.matter_codes() == ["wallet_empty"]
    assert parcel_states(world) == {"planned": 500}
    assert wallet.asked == 1
    assert len(world.carrier.created) == 1
    await world.pass_time(3600, step_s=120)
    assert world.matter_codes() == ["wallet_empty"]
    assert wallet.asked <= 10
    (gate,) = world.act(shut_gates, world.shop_id)
    assert gate.waiting >= 499


async def test_an_empty_wallet_stops_its_own_account_and_goes_on_after_a_payment(any_world: World) -> None:
    wallet = Wallet(any_world, filled=False)
    placed = await paid_orders(any_world, 6)
    await any_world.drain()
    for order_id in placed:
        why = any_world.parcel(order_id).why
        assert why is not None
        assert why.code == "wallet_empty"
    wallet.filled = True
    await any_world.pass_time(5 * 60, step_s=30)
    assert parcel_states(any_world) == {"bought": 6}
    assert wallet.asked == 7
    assert any_world.act(shut_gates, any_world.shop_id) == []
    assert any_world.matter_codes() == []


async def test_a_label_that_is_too_dear_for_what_is_left_keeps_no_cheaper_one_waiting(world: World) -> None:
    """The first in the line costs 15.00 and never goes through; the others cost 7.00."""
    sell = world.carrier.purchase

    async def till(handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        return REJECTIONS["empty-wallet"] if rate.price.minor > 1000 else await sell(handle, rate, fence)

    world.carrier.purchase = till  # type: ignore[method-assign]  # The fake's till.
    dear = await world.buy_from_quote(service="fake-express")
    await world.refresh(dear.id)
    cheap = await paid_orders(world, 3)
    await world.drain()
    await world.pass_time(30 * 60, step_s=60)
    assert [world.parcel(each).state for each in cheap] == ["bought"] * 3
    assert world.parcel(dear.id).state == "planned"
    assert world.matter_codes() == ["wallet_empty"]


async def test_a_click_after_a_payment_lets_everything_go_on_at_once(any_world: World) -> None:
    wallet = Wallet(any_world, filled=False)
    first, *_ = await paid_orders(any_world, 3)
    await any_world.drain()
    wallet.filled = True
    any_world.clock.advance(seconds=61)
    await any_world.click_buy(first)
    assert parcel_states(any_world) == {"bought": 3}


async def test_many_clicks_on_an_empty_wallet_try_once_a_minute(world: World) -> None:
    await world.set(buy="manual")
    wallet = Wallet(world, filled=False)
    placed = await paid_orders(world, 20)
    await world.drain()
    for order_id in placed:
        await world.click_buy(order_id)
    assert wallet.asked == 1
    assert world.matter_codes() == ["wallet_empty"]


async def test_an_order_that_is_cancelled_while_it_waits_for_money_is_not_bought(any_world: World) -> None:
    wallet = Wallet(any_world, filled=False)
    first, second = await paid_orders(any_world, 2)
    await any_world.drain()
    any_world.change(first, cancelled=True)
    await any_world.refresh(first)
    wallet.filled = True
    await any_world.pass_time(30 * 60, step_s=60)
    assert any_world.parcel(second).state == "bought"
    assert len(any_world.carrier.sales) == 1
    assert any_world.matter_codes() == []


async def test_a_gate_at_which_nothing_waits_any_more_opens(world: World) -> None:
    Wallet(world, filled=False)
    (only,) = await paid_orders(world, 1)
    await world.drain()
    world.change(only, cancelled=True)
    await world.refresh(only)
    await world.pass_time(30 * 60, step_s=60)
    assert world.matter_codes() == []
    assert world.act(shut_gates, world.shop_id) == []


async def test_the_sweep_takes_up_a_gate_whose_probe_was_lost(world: World) -> None:
    wallet = Wallet(world, filled=False)
    await paid_orders(world, 2)
    await world.drain()
    world.act(world.work.forget, f"probe:{world.shop_id}:{world.account_id}")
    wallet.filled = True
    world.clock.advance(minutes=30)
    world.queue(TOP_UP)
    await world.drain()
    assert parcel_states(world) == {"bought": 2}


# --- the cap


async def test_nothing_is_bought_by_itself_past_the_daily_cap_and_it_goes_on_the_next_day(any_world: World) -> None:
    """Three labels of 7.00 fit under 25.00; midnight is the shop's, in Bratislava."""
    any_world.clock.at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    await any_world.set(daily_cap="25.00")
    await paid_orders(any_world, 5)
    await any_world.drain()
    assert parcel_states(any_world) == {"bought": 3, "planned": 2}
    assert any_world.matter_codes() == ["daily_cap_reached"]
    assert "21.00 EUR" in any_world.matters()[0].reason.say()
    any_world.clock.at = datetime(2026, 11, 22, 22, 50, tzinfo=UTC)
    await any_world.drain()
    assert parcel_states(any_world) == {"bought": 3, "planned": 2}
    any_world.clock.at = datetime(2026, 11, 22, 23, 11, tzinfo=UTC)
    await any_world.drain()
    assert parcel_states(any_world) == {"bought": 5}
    assert any_world.matter_codes() == []


async def test_two_workers_do_not_pass_the_cap_together(any_world: World) -> None:
    await any_world.set(daily_cap="14.50", buy_after="1")
    await paid_orders(any_world, 6)
    await any_world.drain()
    any_world.clock.advance(minutes=2)
    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(any_world.work.drain)
    assert len(any_world.carrier.sales) == 2
    assert any_world.matter_codes() == ["daily_cap_reached"]


async def test_a_raised_cap_lets_the_queue_go_on(world: World) -> None:
    await world.set(daily_cap="10.00")
    await paid_orders(world, 3)
    await world.drain()
    assert len(world.carrier.sales) == 1
    await world.set(daily_cap="100.00")
    await world.pass_time(11 * 60, step_s=60)
    assert len(world.carrier.sales) == 3


async def test_a_person_passes_the_cap_only_by_saying_why(any_world: World) -> None:
    await any_world.set(daily_cap="10.00")
    _, second = await paid_orders(any_world, 2)
    await any_world.drain()
    with pytest.raises(CapReached, match="daily cap of 10"):
        await any_world.click_buy(second)
    assert len(any_world.carrier.sales) == 1
    await any_world.click_buy(second, over_cap="The buyer waits")
    assert len(any_world.carrier.sales) == 2
    assert any_world.parcel(second).state == "bought"


async def test_a_click_that_would_pass_the_cap_waits_like_any_other(world: World) -> None:
    """Whoever clicks before the cap's gate is shut is told on the order."""
    await world.set(daily_cap="5.00", buy="manual")
    (only,) = await paid_orders(world, 1)
    await world.drain()
    await world.click_buy(only)
    assert world.carrier.sales == []
    why = world.parcel(only).why
    assert why is not None
    assert why.code == "daily_cap_reached"


async def test_a_price_in_another_currency_stops_the_account_unless_it_can_be_exchanged(world: World) -> None:
    await world.set(daily_cap="10.00", buy="manual")
    world.carrier.currency = "USD"
    orders = [world.place().id for _ in range(2)]
    for order_id in orders:
        await world.refresh(order_id)
        await world.click_buy(order_id)
    assert world.carrier.sales == []
    assert world.matter_codes() == ["cap_not_comparable"]
    await world.set(exchange_rates="USD/EUR:0.90")
    await world.pass_time(15 * 60, step_s=60)
    assert len(world.carrier.sales) == 1
    assert world.matter_codes() == ["daily_cap_reached"]


async def test_what_was_voided_does_not_count_against_the_cap(world: World) -> None:
    await world.set(daily_cap="10.00")
    await paid_orders(world, 1)
    await world.drain()
    now = world.clock.now()
    assert world.act(spending.today, world.shop, now).spent.minor == 700
    world.act(lambda c: c.execute(labels.update(world.shop_id).values(state="voided")))
    assert world.act(spending.today, world.shop, now).spent.minor == 0


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
        (datetime(2026, 3, 29, 12, 0, tzinfo=UTC), datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_the_shop_is(now: datetime, start: datetime) -> None:
    assert spending.start_of_day(now, "Europe/Bratislava") == start


def test_a_time_zone_that_nobody_knows_is_utc() -> None:
    now = datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert spending.start_of_day(now, "Mars/Olympus") == now - timedelta(hours=5)


# --- live shops and holds


async def test_a_test_order_is_never_bought_on_a_live_shop_not_even_by_a_click(world: World) -> None:
    world.carrier.test_mode = False
    await world.set(mode="live", buy="on_paid", buy_after="0")
    order = await world.buy_from_quote(test=True)
    await world.refresh(order.id)
    await world.click_buy(order.id)
    assert world.carrier.created == []
    assert world.matter_codes() == ["test_order_in_live"]
    with pytest.raises(NothingToRelease):
        await world.release(order.id)


async def test_a_released_risky_order_is_bought_by_the_rule_and_on_the_audit(any_world: World) -> None:
    order = await any_world.buy_from_quote(risky=True)
    await any_world.refresh(order.id)
    assert any_world.parcel(order.id).state == "held"
    await any_world.release(order.id)
    parcel = any_world.parcel(order.id)
    assert parcel.state == "bought"
    (label,) = any_world.labels_of(parcel.id)
    assert label.actor_kind == RULE.kind
    assert any_world.matter_codes() == []
    with pytest.raises(NothingToRelease):
        any_world.act(release, any_world.work, any_world.shop, order.id, PERSON, "again", any_world.clock.now())


async def test_a_release_on_a_manual_shop_waits_for_the_click(world: World) -> None:
    order = await world.buy_from_quote(risky=True)
    await world.refresh(order.id)
    await world.set(buy="manual")
    await world.release(order.id)
    assert world.parcel(order.id).state == "planned"
    assert world.carrier.created == []


async def test_a_store_hold_is_let_go_of_in_the_store(world: World) -> None:
    await world.set(buy_after="5")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change(order.id, paid=False)
    await world.pass_time(6 * 60, step_s=60)
    assert world.parcel(order.id).state == "held"
    with pytest.raises(NothingToRelease, match="store holds it"):
        await world.release(order.id)


async def test_another_country_holds_the_parcel_where_the_shop_buys_by_itself(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, destination=replace(BUYER, country="DE"))
    await world.refresh(order.id)
    await world.pass_time(40 * 60, step_s=300)
    assert world.matter_codes() == ["order_edited"]
    assert world.carrier.created == []
