"""A window is kept from the quote to the parcel, restarts at a later payment, and is held against the delivery."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connector.insight.kept_dates import kept_report
from connector.insight.punctuality import SWEEP, count_lanes, hold_against
from connector.promises.history import Count
from connector.promises.lanes import LaneID
from connector.promises.window import Spot
from connector.promises.zones import zone_at
from connector.quotes.kept_windows import (
    Promised,
    forget_older,
    keep_promise,
    lane_sizes,
    late_by,
    load_lanes,
    promised_window,
    replace_lanes,
)
from connector.quotes.window_tables import parcel_promises
from tests.labels.world import World

pytestmark = pytest.mark.anyio


def promised(world: World, parcel_id: str) -> Promised:
    found = world.act(promised_window, world.shop_id, parcel_id)
    assert found is not None
    return found


async def scans(world: World, number: str, *events: tuple[str, str]) -> None:
    told = {"number": number, "events": [{"status": status, "at": at} for status, at in events]}
    await world.deliver("tracking", told, carrier=True)
    await world.drain()


async def test_the_parcel_keeps_the_window_of_its_offer(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    found = promised(any_world, any_world.parcel(order.id).id)
    assert found.quoted is not None
    assert found.now == found.quoted
    assert found.restarted_at is None
    assert found.quoted.ships_on == date(2026, 11, 24)
    assert found.quoted.earliest <= found.quoted.latest
    assert found.quoted.by == "carrier"


async def test_a_later_payment_restarts_the_window_and_both_are_kept(world: World) -> None:
    order = await world.buy_from_quote(paid=False)
    await world.refresh(order.id)
    world.clock.at += timedelta(days=2)
    world.change(order.id, paid=True)
    await world.refresh(order.id)
    found = promised(world, world.parcel(order.id).id)
    assert found.quoted is not None
    assert found.now is not None
    assert (found.quoted.ships_on, found.now.ships_on) == (date(2026, 11, 24), date(2026, 11, 26))
    assert found.now.latest > found.quoted.latest
    assert found.restarted_at == world.store.orders[order.id].updated_at


async def test_the_settings_of_the_quote_count_at_the_payment_too(world: World) -> None:
    order = await world.buy_from_quote(paid=False)
    await world.refresh(order.id)
    await world.set(handling_days="20")
    world.clock.at += timedelta(days=1)
    world.change(order.id, paid=True)
    await world.refresh(order.id)
    found = promised(world, world.parcel(order.id).id)
    assert found.now is not None
    assert found.now.ships_on == date(2026, 11, 25)


async def test_an_order_without_a_quote_has_no_window_and_still_teaches_its_lane(world: World) -> None:
    order = world.place()
    await world.refresh(order.id)
    found = promised(world, world.parcel(order.id).id)
    assert (found.quoted, found.now) == (None, None)


@pytest.mark.need(29)
@pytest.mark.need(30)
async def test_what_became_of_a_promise_is_written_down_once(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel = any_world.parcel(order.id)
    window = promised(any_world, parcel.id).now
    assert window is not None
    day_after = datetime.combine(window.latest + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=11)
    await scans(any_world, "TRK1", ("in_transit", "2026-11-24T16:00:00+00:00"))
    now = day_after + timedelta(hours=1)
    any_world.clock.at = now
    assert any_world.act(hold_against, any_world.shop, now) == 0
    any_world.act(count_lanes, any_world.shop, now)
    assert set(any_world.act(lane_sizes, any_world.shop_id).values()) == {0}  # Under way: nothing has arrived.
    report = any_world.act(kept_report, any_world.shop_id, 90, now)
    assert (report.whole.parcels, report.under_way, report.overdue) == (0, 1, 1)

    await scans(any_world, "TRK1", ("delivered", day_after.isoformat()))
    for _ in range(2):
        any_world.queue(SWEEP)
        await any_world.drain()
    report = any_world.act(kept_report, any_world.shop_id, 90, now)
    assert (report.whole.parcels, report.whole.late, report.whole.late_days) == (1, 1, 1)
    assert report.whole.percent_kept == 0.0
    (lane,) = report.lanes
    assert (lane.service, lane.from_country, lane.to_country) == ("Ground", "SK", "AT")
    (counted,) = any_world.act(lane_sizes, any_world.shop_id).items()
    assert (counted[0].account_id, counted[0].to_region, counted[1]) == (any_world.account_id, "9", 1)


def test_early_late_and_in_time() -> None:
    first, last = date(2026, 11, 24), date(2026, 11, 26)
    found = [late_by(first, last, date(2026, 11, day)) for day in (22, 24, 25, 26, 29)]
    assert found == [-2, 0, 0, 0, 3]
    assert late_by(None, None, first) is None


def test_a_scan_abroad_counts_for_the_day_that_it_was_there() -> None:
    assert zone_at("SK", "SK", "Europe/Bratislava") == "Europe/Bratislava"
    assert zone_at("JP", "SK", "Europe/Bratislava") == "Asia/Tokyo"
    assert zone_at("", "SK", "Europe/Bratislava") == "Europe/Bratislava"
    assert zone_at("XX", "SK", "Europe/Bratislava") == "Europe/Bratislava"


def learn(world: World, parcels: int) -> bool:
    lane = LaneID(world.account_id, "Fake", "Ground", "SK", "BL", "AT", "9")
    week = date(2026, 11, 16).toordinal() // 7
    return bool(world.act(replace_lanes, world.shop_id, {lane: [Count(week, 5, parcels)]}))


@pytest.mark.need(27)
async def test_thirty_parcels_of_a_lane_make_its_dates(world: World) -> None:
    """The carrier says otherwise, and so it was until there were thirty."""
    assert learn(world, 29)
    await world.house.directory.refresh()
    by = {each.code: each for each in (await world.quote()).decision.offers}
    assert (by["fake-ground"].dates_by, by["fake-ground"].coverage) == ("carrier", None)
    assert learn(world, 40)
    assert not learn(world, 40)
    await world.house.directory.refresh()
    row = await world.quote()
    by = {each.code: each for each in row.decision.offers}
    ground = by["fake-ground"]
    assert ground.dates_by == "history"
    assert ground.coverage == 975
    assert ground.latest is not None
    assert ground.latest.date() == date(2026, 12, 1)
    assert "19 of 20 arrive by then" in ground.description
    assert by["fake-express"].dates_by == "carrier"
    assert list(row.facts.lanes) == [f"{world.account_id}/Fake/Ground"]


async def test_promises_go_after_their_time(world: World) -> None:
    now = world.clock.now()
    keep = (Spot("SK"), Spot("AT"), Promised(None, None))
    world.act(keep_promise, world.shop_id, "par_1", "ord_1", *keep, now - timedelta(days=900))
    world.act(keep_promise, world.shop_id, "par_2", "ord_2", *keep, now)
    assert world.act(forget_older, now - timedelta(days=800)) == 1

    def left(connection: Any) -> list[str]:
        return list(connection.execute(parcel_promises.select(world.shop_id, parcel_promises.c.parcel_id)).scalars())

    assert world.act(left) == ["par_2"]
    assert world.act(load_lanes, world.shop_id, 90).estimates == {}
