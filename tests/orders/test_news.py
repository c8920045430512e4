"""What stores and carriers post: read again, in any order, any number of times; and the sweep that needs none of it."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from connector.labels.tables import parcels
from connector.orders.refresh import REFRESH
from connector.storage import audit, persons
from connector.storage.settings_versions import publish
from connector.storage.shops import list_shops
from connector.store import Order, StoreRetryable
from connector.work.due import AT_ONCE
from connector.work.port import Task
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio


async def sweep(world: World) -> None:
    """One sweep of the shop's orders, as the clock starts it."""
    world.queue("orders.sweep")
    await world.drain()


def person_ids(world: World) -> list[str]:
    """In the order in which the orders were placed."""
    rows = world.act(lambda c: c.execute(parcels.select(world.shop_id)).all())
    return [row.person_id for row in sorted(rows, key=lambda row: str(row.order_external_id))]


def person(world: World, person_id: str) -> dict[str, str] | None:
    return world.act(persons.get, world.house.keyring, world.shop_id, person_id)


# --- the store's webhooks


@pytest.mark.need(73)
async def test_a_hundred_copies_among_others_buy_one_label_each(any_world: World) -> None:
    dice = random.Random(5)  # noqa: S311 - the same shuffle each time.
    orders = [await any_world.buy_from_quote() for _ in range(3)]
    news = [(orders[0].id, number % 20) for number in range(100)]
    news += [(order.id, number) for order in orders for number in range(5)]
    dice.shuffle(news)
    for at, (order_id, copy) in enumerate(news):
        await any_world.deliver("order", {"id": order_id}, key=f"{order_id} {copy}")
        if at % 10 == 0:
            await any_world.drain()
    await any_world.drain()
    assert Counter(sold.handle for sold in any_world.carrier.sales).total() == 3
    assert len(any_world.store.fulfilments) == 3
    for order in orders:
        assert any_world.parcel(order.id).state == "bought"


async def test_what_a_store_tells_in_several_messages_is_read_once(world: World) -> None:
    order = await world.buy_from_quote()
    await world.deliver("order", {"id": order.id, "hint": "paid"})
    await world.drain()
    before = world.store.read.count(order.id)
    for topic in ("updated", "fulfilled", "edited"):
        await world.deliver("order", {"id": order.id, "hint": topic})
    await world.drain()
    assert world.store.read.count(order.id) == before + 1
    await world.deliver("order", {"id": order.id, "hint": "updated again"})
    await world.drain()
    assert world.store.read.count(order.id) == before + 2


async def test_news_that_come_while_a_reading_fails_do_not_wait_as_long_as_its_next_try(world: World) -> None:
    order = await world.buy_from_quote()
    read = world.store.order

    async def fails(order_id: str) -> Order | None:
        world.store.order = read  # type: ignore[method-assign]
        task = Task(REFRESH, f"news:{world.shop_id}:{order_id}", world.shop_id, (order_id,))
        world.act(world.work.later, task, AT_ONCE)
        raise StoreRetryable("Down.")

    world.store.order = fails  # type: ignore[method-assign]
    await world.deliver("order", {"id": order.id})
    await world.drain()
    assert world.parcel(order.id).state == "bought"


async def test_the_order_of_the_webhooks_changes_nothing(world: World) -> None:
    """Created, paid, edited, held, released: whichever comes first, the order is read as it is now."""
    for permutation in itertools.islice(itertools.permutations(["created", "paid", "edited", "released"]), 0, None, 5):
        order = await world.buy_from_quote()
        before = len(world.carrier.sales)
        for topic in permutation:
            await world.deliver("order", {"id": order.id, "hint": topic})
            await world.drain()
        assert len(world.carrier.sales) == before + 1
        assert world.parcel(order.id).state == "bought"


async def test_news_of_a_group_find_their_order(world: World) -> None:
    order = await world.buy_from_quote()
    await world.deliver("group", {"id": order.groups[0].id})
    await world.deliver("group", {"id": "grp_nobody"})
    await world.drain()
    assert world.parcel(order.id).state == "bought"


async def test_topics_that_mean_nothing_are_done_without_an_effect(world: World) -> None:
    await world.deliver("weather", {"id": 1})
    await world.drain()
    assert world.store.read == []
    assert open_deliveries(world) == []


def open_deliveries(world: World) -> list[str]:
    table = world.house.inbox.table
    query = table.select().where(table.c.state != "done")
    return [row.id for row in world.act(lambda c: c.execute(query).all())]


async def test_a_delivery_loses_its_body_once_it_was_processed(world: World) -> None:
    await world.deliver("order", {"id": "ord_nobody"})
    await world.drain()
    table = world.house.inbox.table
    assert [row.body for row in world.act(lambda c: c.execute(table.select()).all())] == [None]


async def test_a_store_that_is_down_is_asked_again(world: World) -> None:
    order = await world.buy_from_quote()
    world.store.errors.extend([StoreRetryable("Down.")] * 2)
    await world.deliver("order", {"id": order.id})
    await world.pass_time(120)
    assert world.parcel(order.id).state == "bought"


async def test_news_of_a_shop_that_was_just_added_are_not_lost(world: World) -> None:
    """The web process knew the shop a moment earlier than the worker."""
    order = await world.buy_from_quote()
    fresh = world.house.directory
    fresh._state = type(fresh._state)()
    await world.deliver("order", {"id": order.id})
    await world.drain()
    assert world.parcel(order.id).state == "bought"


# --- uninstalled, and privacy


async def test_a_shop_that_removed_the_app_is_gone_and_its_purchases_stop(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    await any_world.deliver("gone", {})
    await any_world.drain()
    assert any_world.act(list_shops, any_world.house.keyring) == []
    await any_world.house.directory.refresh()
    await any_world.pass_time(3600, step_s=300)
    assert any_world.carrier.created == []


async def test_a_customer_who_asks_is_forgotten_and_the_others_are_not(any_world: World) -> None:
    orders = [await any_world.buy_from_quote() for _ in range(2)]
    for order in orders:
        await any_world.refresh(order.id)
    first, second = person_ids(any_world)
    await any_world.deliver("erase", {"orders": [orders[0].id]})
    await any_world.drain()
    assert person(any_world, first) is None
    assert person(any_world, second) is not None


async def test_a_shop_that_asks_has_everyone_forgotten(any_world: World) -> None:
    for _ in range(2):
        order = await any_world.buy_from_quote()
        await any_world.refresh(order.id)
    await any_world.deliver("erase", {})
    await any_world.drain()
    assert [person(any_world, each) for each in person_ids(any_world)] == [None, None]


async def test_requests_about_personal_data_are_on_the_audit(world: World) -> None:
    await world.deliver("export", {"orders": ["ord_1"]})
    await world.deliver("erase", {"orders": ["ord_1"]})
    await world.drain()
    actions = [each.action for each in world.act(audit.entries, world.shop_id)]
    assert actions[:2] == ["privacy.erase", "privacy.export"]


# --- the sweep


@pytest.mark.need(73)
async def test_an_order_whose_webhook_never_came_is_found_within_ten_minutes(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await sweep(any_world)
    assert any_world.parcel(order.id).state == "bought"
    any_world.clock.advance(minutes=3)
    second = await any_world.buy_from_quote()
    any_world.clock.advance(minutes=5)
    await sweep(any_world)
    assert any_world.parcel(second.id).state == "bought"


async def test_a_change_that_no_webhook_told_of_is_found(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await sweep(any_world)
    any_world.clock.advance(minutes=5)
    any_world.change(order.id, cancelled=True)
    await sweep(any_world)
    assert any_world.carrier.voids == ["shp_1"]


async def test_an_order_that_was_seen_as_it_is_now_is_not_read_again(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    reads = len(world.store.read)
    for _ in range(3):
        world.clock.advance(minutes=5)
        await sweep(world)
    assert len(world.store.read) == reads


async def test_the_sweep_goes_on_where_the_last_one_ended_with_an_overlap(world: World) -> None:
    """A store that lists a change ten minutes late is swept all the same."""
    await sweep(world)
    world.clock.advance(minutes=20)
    await sweep(world)
    late = await world.buy_from_quote()
    world.store.put(late, world.clock.now() - timedelta(minutes=10))
    world.clock.advance(minutes=1)
    await sweep(world)
    assert world.parcel(late.id).state == "bought"


async def test_a_sweep_that_failed_leaves_nothing_out(world: World) -> None:
    order = await world.buy_from_quote()
    listed = world.store.orders_since

    async def down(since: object) -> list[tuple[str, object]]:
        raise StoreRetryable("Down.")

    world.store.orders_since = down  # type: ignore[method-assign,assignment]
    await sweep(world)
    world.store.orders_since = listed  # type: ignore[method-assign]
    await world.pass_time(60)
    assert world.parcel(order.id).state == "bought"


async def test_orders_of_before_the_shop_was_connected_are_left_alone(world: World) -> None:
    world.place(updated_at=world.clock.now() - timedelta(days=3))
    await sweep(world)
    assert world.store.read == []


async def test_retention_forgets_persons_after_their_time(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    (person_id,) = person_ids(world)
    world.clock.advance(days=91)
    assert world.act(forget, world) == 1
    assert person(world, person_id) is None


def forget(connection: Connection, world: World) -> int:
    return persons.forget_due(connection, world.clock.now())


async def test_settings_that_are_published_hold_for_the_next_order(world: World) -> None:
    """Nothing has to be started again."""
    world.act(publish, world.shop_id, {"buy": "manual"}, PERSON, world.clock.now())
    await world.house.directory.refresh()
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "planned"
