"""The list of orders: newest first, narrowed, page by page, and found by a name or a number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connector.labels.by_hand import Typed
from connector.orders import listing
from connector.orders.by_hand import ship_by_hand
from connector.orders.listing import OrderFilter, OrderLine
from connector.storage.keyset import Mark
from tests.labels.world import BUYER, PERSON, World

pytestmark = pytest.mark.anyio


async def some_orders(world: World, count: int) -> list[str]:
    """Orders an hour apart, the oldest first; our ids."""
    await world.set(buy="manual")
    found = []
    for number in range(count):
        world.clock.advance(hours=1)
        order = world.place(name=f"#{1001 + number}")
        await world.refresh(order.id)
        found.append(world.order(order.id).id)
    return found


def names(world: World, mark: Mark | None = None, most: int = 50, **chosen: Any) -> list[str]:
    page = world.act(listing.page, world.shop_id, OrderFilter(**chosen), mark, most)
    return [line.name for line in page.lines]


async def test_pages_go_down_and_up_again_without_a_gap(any_world: World) -> None:
    await some_orders(any_world, 7)
    seen, marks, mark = [], [], None
    while True:
        page = any_world.act(listing.page, any_world.shop_id, OrderFilter(), mark, 3)
        seen.append([line.name for line in page.lines])
        marks.append(page.newer)
        if page.older is None:
            break
        mark = Mark.read(str(page.older))
    assert seen == [["#1007", "#1006", "#1005"], ["#1004", "#1003", "#1002"], ["#1001"]]
    assert marks[0] is None
    back = any_world.act(listing.page, any_world.shop_id, OrderFilter(), marks[2], 3)
    assert [line.name for line in back.lines] == seen[1]
    top = any_world.act(listing.page, any_world.shop_id, OrderFilter(), back.newer, 3)
    assert [line.name for line in top.lines] == seen[0]
    assert top.newer is None


async def test_each_filter_narrows(any_world: World) -> None:
    ids = await some_orders(any_world, 3)
    first, second, _third = ids
    await any_world.click_buy(first)
    any_world.carrier.plays.append("refuse")
    await any_world.click_buy(second)
    assert names(any_world, state="bought") == ["#1001"]
    assert names(any_world, state="refused") == ["#1002"]
    assert names(any_world, not_bought=True) == ["#1003", "#1002"]
    assert names(any_world, needs_person=True) == ["#1002"]
    assert names(any_world, country="at") == ["#1003", "#1002", "#1001"]
    assert names(any_world, country="SK") == []
    assert names(any_world, name="1002") == names(any_world, name="#1002") == ["#1002"]
    at = any_world.order(second).placed_at
    assert names(any_world, since=at) == ["#1003", "#1002"]
    assert names(any_world, until=at) == ["#1001"]
    assert names(any_world, since=at, until=at + timedelta(minutes=1), needs_person=True) == ["#1002"]


async def test_a_line_says_how_far_the_order_is(world: World) -> None:
    one, two = await some_orders(world, 2)
    await world.click_buy(one)
    bought, waiting = reversed(world.act(listing.page, world.shop_id, OrderFilter()).lines)
    assert (waiting.id, waiting.can_buy, waiting.bought) == (two, True, ())
    (parcel,) = bought.bought
    assert (bought.can_buy, parcel.number, parcel.carrier, parcel.status) == (False, "TRK1", "Fake", "label_made")


async def test_an_order_is_found_by_name_number_and_id(any_world: World) -> None:
    one, two = await some_orders(any_world, 2)
    await any_world.click_buy(one)
    typed = Typed("Post", "RR1SK")
    now = any_world.clock.now()
    any_world.act(ship_by_hand, any_world.work, any_world.shop_id, two, typed, PERSON, now, notify_buyer=False)

    def found(text: str) -> list[str]:
        lines: tuple[OrderLine, ...] = any_world.act(listing.search, any_world.shop_id, text)
        return [line.id for line in lines]

    assert found("1001") == found("#1001") == found(" trk1 ") == found(one) == [one]
    assert found("RR 1 SK") == found(any_world.parcel(two).id) == [two]
    assert found("") == found("nothing") == found("%") == []


async def test_other_shops_orders_are_not_listed(world: World) -> None:
    (order_id,) = await some_orders(world, 1)
    assert world.act(listing.page, "shop_other", OrderFilter()).lines == ()
    assert world.act(listing.search, "shop_other", "#1001") == ()
    assert world.act(listing.some, "shop_other", [order_id]) == ()
    assert [line.id for line in world.act(listing.some, world.shop_id, ["ord_none", order_id, order_id])] == [order_id]


async def test_a_download_reads_on_until_its_bound(world: World) -> None:
    await some_orders(world, 5)
    everything = world.act(lambda connection: list(listing.pages(connection, world.shop_id, OrderFilter())))
    assert len(everything) == 5
    some = world.act(lambda connection: list(listing.pages(connection, world.shop_id, OrderFilter(), 2)))
    assert [line.name for line in some] == ["#1005", "#1004"]


async def test_the_country_of_an_edited_order_follows(world: World) -> None:
    (order_id,) = await some_orders(world, 1)
    external = world.order(order_id).external_id
    world.change_group(external, destination=type(BUYER)("SK", "811 01"))
    await world.refresh(external)
    assert names(world, country="SK") == ["#1001"]


@pytest.mark.parametrize("text", ["", "x", "-", "-1", "-.", "-12x.id", "+" + "9" * 30 + ".id", "-1."])
def test_what_is_no_mark_is_none(text: str) -> None:
    assert Mark.read(text) is None
