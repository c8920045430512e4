"""Whatever happens to an order, in whatever order it is read: its live labels hold what the store wants, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.labels.tables import LIVE, labels, parcels
from connector.orders.refresh import REFRESH
from connector.store import FulfilmentGroup, GroupState, Order, OrderLine
from connector.tracking.tables import trackings
from tests.conftest import FrozenClock
from tests.labels.world import BUYER, World, a_world

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAITING = frozenset({"planned", "held", "refused"})
HOMES = (BUYER, replace(BUYER, street1="Graben 1"), replace(BUYER, city="Linz", postal_code="4020"))
TOLD = {"changed_after_hand_over", "changed_after_label", "shipped_without_label", "order_edited", "beyond_quote",
        "label_exists_already", "label_was_voided", "quote_lost"}  # fmt: skip

units = st.tuples(st.integers(0, 3), st.integers(0, 2)).filter(any)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("goods"), units),
        st.tuples(st.just("address"), st.integers(0, len(HOMES) - 1)),
        st.tuples(st.just("rename"), st.integers(1, 9)),
        st.tuples(st.just("regroup"), st.integers(1, 9)),
        st.tuples(st.just("move"), st.sampled_from(["loc_store", "loc_other"])),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("stale"), st.just(0)),
        st.tuples(st.just("scan"), st.just(0)),
        st.tuples(st.just("hand"), st.integers(0, 1)),
        st.tuples(st.just("lose"), st.just(0)),
        st.tuples(st.just("click"), st.just(0)),
        st.tuples(st.just("crash"), st.integers(1, 25)),
        st.tuples(st.just("wait"), st.just(0)),
    ),
    min_size=1,
    max_size=8,
)


@given(steps)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_live_labels_hold_what_the_store_wants_or_a_person_was_told_and_no_unit_has_two(
    plan: list[tuple[str, Any]],
) -> None:
    anyio.run(_play, plan)


async def _play(plan: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        async with a_world(f"sqlite:///{folder}/db", Path(folder), FrozenClock(NOW)) as world:
            await world.set(fulfil_when="handed_over")
            order = await world.buy_from_quote()
            await world.refresh(order.id)
            clicked = False
            for act, value in plan:
                await _step(world, order, act, value)
                clicked = clicked or act == "click"
                _check_no_unit_twice(world, clicked=clicked)
            await world.refresh(order.id)
            await world.pass_time(1200, step_s=120)
            await world.refresh(order.id)
            _check_end(world, order)


async def _step(world: World, order: Order, act: str, value: Any) -> None:
    world.clock.advance(seconds=1)
    if act in IN_STORE:
        group = _open_group(world, order)
        if group is not None:
            _change(world, order, group, **IN_STORE[act](order, group, value))
    elif act == "scan":
        await _scan(world, order)
    elif act == "hand":
        _ship_by_hand(world, order, value)
    elif act == "lose":
        world.carrier.plays.append("lost-answer")
    elif act == "wait":
        await world.pass_time(300, step_s=60)
    else:
        await _read(world, order, act, value)


async def _read(world: World, order: Order, act: str, value: int) -> None:
    now = world.store.orders[order.id]
    if act == "stale":
        world.store.put(replace(now, groups=order.groups, updated_at=order.updated_at))
    if act == "crash":
        world.kill_at = len(world.boundaries) + value
    for _ in range(value if act == "read" else 1):
        world.queue(REFRESH, order.id)
    await world.drain()
    world.kill_at = None
    if act == "stale":
        world.store.put(now)
    if act == "click" and any(each.state in WAITING for each in world.live_parcels(order.id)):
        await world.click_buy(order.id, another="the buyer asked for it")


def _kept(order: Order, counts: tuple[int, ...]) -> tuple[OrderLine, ...]:
    lines = zip(order.groups[0].lines, counts, strict=True)
    return tuple(replace(line, quantity=count) for line, count in lines if count)


IN_STORE: dict[str, Callable[[Order, FulfilmentGroup, Any], dict[str, Any]]] = {
    "goods": lambda order, _group, counts: {"lines": _kept(order, counts)},
    "address": lambda _order, _group, number: {"destination": HOMES[number]},
    "rename": lambda _order, group, number: {
        "lines": tuple(replace(line, id=f"{line.id.split('~')[0]}~{number}") for line in group.lines)
    },
    "regroup": lambda _order, _group, number: {"id": f"grp_{number}_again"},
    "move": lambda _order, _group, location: {"location_id": location},
}


def _ship_by_hand(world: World, order: Order, place: int) -> None:
    """Somebody fulfils a unit in the store, if one waits there."""
    group = _open_group(world, order)
    if group is None or len(group.lines) <= place or not group.lines[place].quantity:
        return
    world.store.ship_by_hand(order.id, group.id, (group.lines[place].id, 1))
    world.change(order.id)


def _open_group(world: World, order: Order) -> FulfilmentGroup | None:
    return next((each for each in world.store.orders[order.id].groups if each.state is GroupState.READY), None)


def _change(world: World, order: Order, group: FulfilmentGroup, **fields: Any) -> None:
    now = world.store.orders[order.id]
    groups = tuple(replace(group, **fields) if each is group else each for each in now.groups)
    at = max(world.clock.now(), now.updated_at + timedelta(seconds=1))
    world.store.put(replace(now, groups=groups), at)


async def _scan(world: World, order: Order) -> None:
    for number in (label.tracking_code for label in _live(world) if label.state == "bought"):
        event = {"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}
        await world.deliver("tracking", {"number": number, "events": [event]}, carrier=True)
    await world.drain()


def _live(world: World) -> list[Any]:
    chosen = labels.select(world.shop_id).where(labels.c.state.in_(LIVE))
    return list(world.act(lambda connection: connection.execute(chosen).all()))


def _goods(contents: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for line, count in contents:
        found[line.split("~")[0]] += count
    return found


def _labelled(world: World) -> tuple[Counter[str], Counter[str]]:
    """The goods of live labels: those that the store counts as waiting, and those that were told as shipped."""
    rows = {row.id: row for row in world.act(lambda c: c.execute(parcels.select(world.shop_id)).all())}
    told = {
        row.label_id: row.fulfil_state for row in world.act(lambda c: c.execute(trackings.select(world.shop_id)).all())
    }
    waiting, shipped = Counter[str](), Counter[str]()
    for label in _live(world):
        goods = _goods(rows[label.parcel_id].contents)
        if told.get(label.id) == "done":
            shipped += goods
        else:
            waiting += goods
    return waiting, shipped


def _check_no_unit_twice(world: World, *, clicked: bool) -> None:
    """More labelled than was ever wanted at once would be a second label for the same units."""
    waiting, shipped = _labelled(world)
    if not clicked:  # A person may buy once more, with a reason.
        assert all(count <= 3 for count in (waiting + shipped).values())
    rows = world.act(lambda c: c.execute(parcels.select(world.shop_id).where(parcels.c.state == "cancelled")).all())
    cancelled = {row.id for row in rows}
    assert not [label for label in _live(world) if label.parcel_id in cancelled], "a replaced parcel has no live label"


def _check_end(world: World, order: Order) -> None:
    waiting, _ = _labelled(world)
    wanted: Counter[str] = Counter()
    for group in world.store.orders[order.id].groups:
        if group.state in {GroupState.READY, GroupState.NOT_YET}:
            wanted += _goods((line.id, line.quantity) for line in group.lines)
    told = TOLD & set(world.matter_codes())
    assert waiting == wanted or told, (waiting, wanted, world.matter_codes())
    if not {"changed_after_hand_over", "changed_after_label", "shipped_without_label"} & told:
        assert not waiting - wanted, (waiting, wanted)
