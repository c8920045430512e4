"""What the carrier tells becomes what the store is told: once, in order, and looked up before it is repeated."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from connector.labels.voids import request_void
from connector.store import FulfilRequest
from connector.tracking.record import Followed, begin
from connector.tracking.tables import store_events, strays, tracking_events, trackings
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
STORY = [
    ("label_made", 0),
    ("in_transit", 6),
    ("out_for_delivery", 30),
    ("attempted", 34),
    ("delivered", 54),
]  # fmt: skip


def update(*steps: tuple[str, float], number: str = "TRK1") -> dict[str, Any]:
    """What a carrier posts about a parcel."""
    events = [{"status": status, "at": (START + timedelta(hours=hour)).isoformat()} for status, hour in steps]
    return {"number": number, "events": events}


async def follow(world: World, **settings: str) -> str:
    """An order whose label was bought; its id."""
    if settings:
        await world.set(**settings)
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    return order.id


def follow_without_buying(world: World, number: str) -> None:
    """A label that begins to be followed, as its purchase records it."""
    order = world.place()
    followed = Followed(
        shop_id=world.shop_id,
        label_id=f"lab_{number}",
        parcel_id=f"par_{number}",
        order_id=order.id,
        order_external_id=order.id,
        group_id=order.groups[0].id,
        lines=(),
        store_location_id="loc_store",
        account_id=world.account_id,
        carrier="Fake",
        tracking_code=number,
        tracker="",
        url="",
        notify_buyer=False,
    )
    world.act(begin, world.work, followed, fulfil_now=True, now=world.clock.now())


async def tell(world: World, *steps: tuple[str, float], number: str = "TRK1") -> None:
    await world.deliver("tracking", update(*steps, number=number), carrier=True)
    await world.drain()


def timeline(world: World) -> list[str]:
    return [step.status.value for step in world.store.timeline]


def told(world: World) -> dict[str, str]:
    rows = world.act(lambda c: c.execute(store_events.select(world.shop_id)).all())
    return {row.status: row.state for row in rows}


# --- carrier events


@pytest.mark.need(36, 73)
async def test_the_timeline_ends_with_the_delivery_for_every_order_of_five_updates(world: World) -> None:
    """All 120 orders, each with duplicates among them; each update is the history so far, as carriers post it."""
    updates = [STORY[: count + 1] for count in range(5)]
    dice = random.Random(7)  # noqa: S311 - the same shuffles each time.
    for at, permutation in enumerate(itertools.permutations(range(5))):
        world.store.timeline.clear()
        follow_without_buying(world, f"TRK{at}")
        posted = [*permutation]
        for _ in range(2):
            posted.insert(dice.randrange(len(posted) + 1), dice.choice(permutation))
        for which in posted:
            await world.deliver("tracking", update(*updates[which], number=f"TRK{at}"), carrier=True)
            if dice.random() < 0.4:
                await world.drain()
        await world.drain()
        shown = timeline(world)
        assert shown[-1] == "delivered", permutation
        assert len(set(shown)) == len(shown), permutation
    rows = world.act(lambda c: c.execute(trackings.select(world.shop_id)).all())
    assert {row.status for row in rows} == {"delivered"}


async def test_single_scans_in_any_order_end_with_the_delivery(any_world: World) -> None:
    """Carriers that post one scan at a time: what is older than what the store shows is not told any more."""
    for at, permutation in enumerate([*itertools.permutations(STORY[1:])][:: 1 if any_world.database.is_sqlite else 6]):
        number = f"TRK{at}"
        any_world.store.timeline.clear()
        follow_without_buying(any_world, number)
        for step in permutation:
            await tell(any_world, step, number=number)
        await tell(any_world, permutation[0], number=number)
        shown = timeline(any_world)
        assert shown[-1] == "delivered"
        order = [status for status, _ in STORY]
        assert [order.index(status) for status in shown] == sorted(order.index(status) for status in shown)


async def test_scans_of_one_moment_are_told_in_the_order_of_their_progress(world: World) -> None:
    await follow(world)
    await tell(world, ("delivered", 6), ("out_for_delivery", 6), ("in_transit", 6))
    assert timeline(world) == ["in_transit", "out_for_delivery", "delivered"]


async def test_a_scan_further_on_at_the_same_moment_is_told_too(world: World) -> None:
    await follow(world)
    await tell(world, ("in_transit", 6))
    await tell(world, ("out_for_delivery", 6))
    assert timeline(world) == ["in_transit", "out_for_delivery"]


async def test_a_delivery_is_told_once_even_if_its_time_is_corrected(world: World) -> None:
    await follow(world)
    await tell(world, ("delivered", 54))
    await tell(world, ("delivered", 50))
    assert timeline(world) == ["delivered"]


async def test_a_late_scan_changes_nothing_after_the_delivery(world: World) -> None:
    order_id = await follow(world)
    await tell(world, ("delivered", 54))
    await tell(world, ("in_transit", 60))
    assert timeline(world) == ["delivered"]
    assert world.parcel(order_id).tracking.status == "delivered"  # type: ignore[union-attr]  # It is followed.


async def test_older_steps_are_kept_as_superseded(world: World) -> None:
    await follow(world)
    await tell(world, ("out_for_delivery", 30))
    await tell(world, ("in_transit", 6))
    assert told(world) == {"out_for_delivery": "done", "in_transit": "superseded"}


@pytest.mark.complaint(38)
async def test_a_label_that_nobody_scanned_is_not_shown_as_on_its_way(world: World) -> None:
    order_id = await follow(world)
    await tell(world, ("label_made", 0))
    assert timeline(world) == []
    assert world.parcel(order_id).tracking.status == "label_made"  # type: ignore[union-attr]  # It is followed.


async def test_news_of_an_unknown_parcel_are_kept_until_its_label_appears(any_world: World) -> None:
    """The carrier's webhook may overtake the answer to the purchase."""
    await tell(any_world, ("in_transit", 6))
    assert len(any_world.act(lambda c: c.execute(strays.select(any_world.shop_id)).all())) == 1
    order_id = await follow(any_world)
    assert any_world.parcel(order_id).tracking.status == "in_transit"  # type: ignore[union-attr]  # It is followed.
    assert timeline(any_world) == ["in_transit"]
    assert any_world.act(lambda c: c.execute(strays.select(any_world.shop_id)).all()) == []


async def test_news_that_passed_for_a_strangers_are_taken_in_by_the_sweep(any_world: World) -> None:
    """On PostgreSQL an update may be stored beside the transaction that records its label, and see neither."""
    await tell(any_world, ("in_transit", 6))
    columns = any_world.act(lambda c: c.execute(strays.select(any_world.shop_id)).mappings().all())
    order_id = await follow(any_world)
    again = {name: value for name, value in columns[0].items() if name != "shop_id"}
    any_world.act(lambda c: c.execute(tracking_events.delete(any_world.shop_id)))
    any_world.act(lambda c: c.execute(strays.insert(any_world.shop_id, **again)))
    any_world.queue("labels.sweep")
    await any_world.drain()
    assert any_world.parcel(order_id).tracking.status == "in_transit"  # type: ignore[union-attr]  # It is followed.
    assert any_world.act(lambda c: c.execute(tracking_events.select(any_world.shop_id)).all()) != []
    assert any_world.act(lambda c: c.execute(strays.select(any_world.shop_id)).all()) == []


async def test_a_delivery_that_comes_twice_has_one_effect(any_world: World) -> None:
    await follow(any_world)
    for _ in range(5):
        await any_world.deliver("tracking", update(("in_transit", 6)), carrier=True, key="same")
    await any_world.drain()
    assert timeline(any_world) == ["in_transit"]


# --- the fulfilment


async def test_the_store_is_told_number_company_link_and_units(world: World) -> None:
    await follow(world, store_notifies="no")
    (request,) = world.store.fulfilments.values()
    assert (request.number, request.company, request.url) == ("TRK1", "Fake", "https://track.example/TRK1")
    assert dict(request.lines) == {"lin_1_1": 2, "lin_1_2": 1}
    assert not request.notify_buyer


async def test_the_store_hears_of_the_parcel_when_it_was_handed_over_if_so_set(world: World) -> None:
    await follow(world, fulfil_when="handed_over")
    assert world.store.fulfilments == {}
    await tell(world, ("label_made", 0))
    assert world.store.fulfilments == {}
    await tell(world, ("in_transit", 6))
    assert len(world.store.fulfilments) == 1
    assert timeline(world) == ["in_transit"]


@pytest.mark.parametrize("play", ["lost-answer", "lost-request"])
async def test_a_fulfilment_without_an_answer_is_looked_up_before_it_is_repeated(any_world: World, play: str) -> None:
    any_world.store.fulfil_plays.append(play)  # type: ignore[arg-type]  # One of the literals.
    await follow(any_world)
    await any_world.pass_time(200)
    assert len(any_world.store.fulfilments) == 1


async def test_a_lost_fulfilment_is_not_repeated_before_the_stores_ceiling(world: World) -> None:
    world.store.fulfil_plays.append("lost-request")
    await follow(world)
    await world.pass_time(55)
    assert world.store.fulfilments == {}


@pytest.mark.parametrize("play", ["lost-answer", "lost-request"])
async def test_a_step_without_an_answer_is_looked_up_before_it_is_repeated(any_world: World, play: str) -> None:
    await follow(any_world)
    any_world.store.event_plays.append(play)  # type: ignore[arg-type]  # One of the literals.
    await tell(any_world, ("in_transit", 6))
    await any_world.pass_time(200)
    assert timeline(any_world) == ["in_transit"]


async def test_runs_at_once_tell_the_store_once(any_world: World) -> None:
    await any_world.set(fulfil_when="handed_over")
    order_id = await follow(any_world)
    (row,) = any_world.labels_of(any_world.parcel(order_id).id)
    await any_world.deliver("tracking", update(*STORY), carrier=True)
    for number in range(10):
        any_world.queue("tracking.push", row.id, key=f"push {number}")
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(any_world.work.drain)
    await any_world.pass_time(120)
    assert len(any_world.store.fulfilments) == 1
    assert timeline(any_world) == [status for status, _ in STORY[1:]]


async def test_a_worker_killed_at_any_point_tells_the_store_each_step_once(world: World) -> None:
    await follow(world, fulfil_when="handed_over")
    world.boundaries.clear()
    await tell(world, *STORY)
    whole = len(world.boundaries)
    for kill_at in range(1, whole + 1):
        number = f"TRK{len(world.carrier.created) + 1}"
        world.store.timeline.clear()
        before = len(world.store.fulfilments)
        await follow(world)
        world.boundaries.clear()
        world.kill_at = kill_at
        await tell(world, *STORY, number=number)
        world.kill_at = None
        await world.pass_time(200, step_s=10)
        assert len(world.store.fulfilments) == before + 1
        assert timeline(world) == [status for status, _ in STORY[1:]], kill_at


# --- refusals and withdrawals


async def test_a_refused_fulfilment_comes_before_a_person(world: World) -> None:
    world.store.fulfil_plays.append("refuse")
    await follow(world)
    assert world.matter_codes() == ["store_refused_fulfilment"]
    await world.pass_time(3600, step_s=600)
    assert world.store.fulfilments == {}


async def test_a_number_that_a_person_entered_by_hand_is_found_with_the_next_news(world: World) -> None:
    world.store.fulfil_plays.append("refuse")
    await follow(world, fulfil_when="label")
    (row,) = world.act(lambda c: c.execute(trackings.select(world.shop_id)).all())
    request = FulfilRequest(row.order_external_id, row.group_id, (), "Fake", row.tracking_code, "", notify_buyer=False)
    world.store.fulfilments["ful_by_hand"] = request
    await tell(world, ("in_transit", 6))
    assert timeline(world) == ["in_transit"]
    assert world.matter_codes() == []


async def test_a_refused_step_does_not_keep_the_others_from_the_store(world: World) -> None:
    await follow(world)
    world.store.event_plays.append("refuse")
    await tell(world, *STORY)
    assert timeline(world) == ["out_for_delivery", "attempted", "delivered"]
    assert told(world)["in_transit"] == "refused"
    assert world.matter_codes() == ["store_refused_event"]


async def test_a_fulfilment_that_was_not_told_yet_is_not_told_after_the_void(world: World) -> None:
    order_id = await follow(world, fulfil_when="handed_over")
    parcel = world.parcel(order_id)
    world.act(request_void, world.work, world.shop_id, parcel.id, "x", PERSON, world.clock.now())
    await world.drain()
    await tell(world, ("in_transit", 6))
    assert world.store.fulfilments == {}


async def test_a_withdrawal_that_the_store_made_already_is_done(world: World) -> None:
    order_id = await follow(world)
    world.store.cancelled.append("ful_1")
    world.act(request_void, world.work, world.shop_id, world.parcel(order_id).id, "x", PERSON, world.clock.now())
    await world.drain()
    (row,) = world.act(lambda c: c.execute(trackings.select(world.shop_id)).all())
    assert row.fulfil_state == "cancelled"
    assert world.matter_codes() == []


async def test_a_label_voided_while_the_store_is_told_is_taken_back_there(any_world: World) -> None:
    """The answer to the fulfilment is lost, the label is voided: the store's fulfilment is looked up and cancelled."""
    any_world.store.fulfil_plays.append("lost-answer")
    order_id = await follow(any_world)
    parcel = any_world.parcel(order_id)
    any_world.act(request_void, any_world.work, any_world.shop_id, parcel.id, "x", PERSON, any_world.clock.now())
    await any_world.pass_time(200)
    assert any_world.store.cancelled == ["ful_1"]
