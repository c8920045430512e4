"""After the purchase: the files that are kept, and the label that is taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from carriers.errors import Unavailable
from carriers.label import Voided
from carriers.money import Money
from connector.labels import record
from connector.labels.files import FileMissing
from connector.labels.voids import NotVoidable, request_void
from connector.orders.view import ReasonNeeded
from connector.storage import audit
from connector.store import GroupState
from tests.labels.world import PERSON, World
from webhooks.ports import Fence

pytestmark = pytest.mark.anyio

QUOTED_AND_CHARGED = {"carrier:expected": -700, "postage:expected": 700, "buyer": -700, "shipping:income": 700}


async def bought(world: World, **fields: Any) -> str:
    """An order whose label was bought; its id."""
    order = await world.buy_from_quote(**fields)
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    return order.id


def void(world: World, order_id: str, reason: str = "wrong box") -> None:
    """A person takes the label back; nobody has asked the carrier yet."""
    parcel = world.parcel(order_id)
    world.act(request_void, world.work, world.shop_id, parcel.id, reason, PERSON, world.clock.now())


def at_once(call: Callable[..., Awaitable[Voided]], callers: int) -> Callable[..., Awaitable[Voided]]:
    """The call, answered only when so many wait for it."""
    waiting: list[str] = []
    all_there = anyio.Event()

    async def gathered(handle: str, fence: Fence) -> Voided:
        waiting.append(handle)
        if len(waiting) == callers:
            all_there.set()
        with anyio.fail_after(10):
            await all_there.wait()
        return await call(handle, fence)

    return gathered


# --- files


@pytest.mark.need(20)
async def test_label_files_are_kept_at_purchase_and_lie_encrypted_on_disk(any_world: World) -> None:
    order_id = await bought(any_world)
    (row,) = any_world.parcel(order_id).files
    assert any_world.house.shelf.get(row.sha256) == any_world.carrier.file_content
    stored = [path.read_bytes() for path in (any_world.folder / "labels").rglob("*") if path.is_file()]
    assert len(stored) == 1
    assert b"PDF" not in stored[0]
    assert b"street" not in stored[0]


async def test_a_file_that_could_not_be_fetched_is_fetched_later(world: World) -> None:
    world.carrier.file_errors.extend([Unavailable("Down.")] * 2)
    order_id = await bought(world)
    assert [row.sha256 for row in world.parcel(order_id).files] == [None]
    await world.pass_time(60)
    (row,) = world.parcel(order_id).files
    assert world.house.shelf.get(row.sha256) == world.carrier.file_content


async def test_equal_files_are_kept_once(world: World) -> None:
    shelf = world.house.shelf
    assert shelf.put(b"one") == shelf.put(b"one")
    assert len(list((world.folder / "labels").rglob("*.sealed"))) == 1


async def test_a_file_that_is_gone_or_was_changed_is_not_handed_out(world: World) -> None:
    shelf = world.house.shelf
    first, second = shelf.put(b"one"), shelf.put(b"two")
    paths = {path.stem: path for path in (world.folder / "labels").rglob("*.sealed")}
    paths[first].write_text(paths[second].read_text())
    with pytest.raises(FileMissing):
        shelf.get(first)
    assert shelf.forget(second)
    with pytest.raises(FileMissing):
        shelf.get(second)
    assert not shelf.forget(second)


# --- voids


async def test_a_voided_label_is_out_of_use_at_once_and_another_can_be_bought(any_world: World) -> None:
    order_id = await bought(any_world)
    void(any_world, order_id)
    parcel = any_world.parcel(order_id)
    assert parcel.state == "voided"
    assert any_world.act(record.live_label, any_world.shop_id, parcel.id) is None
    await any_world.drain()
    any_world.clock.advance(seconds=1)
    with pytest.raises(ReasonNeeded):
        await any_world.click_buy(order_id)
    await any_world.click_buy(order_id, another="wrong box")
    assert any_world.label_states(parcel.id) == ["bought", "voided"]
    assert [sold.handle for sold in any_world.carrier.sales] == ["shp_1", "shp_2"]
    assert any_world.balances() == {**QUOTED_AND_CHARGED, "wallet": -700, "postage:bought": 700}


@pytest.mark.parametrize(
    ("answer", "books", "matters"),
    [
        (Voided("voided"), {}, []),
        (Voided("nothing_charged"), {}, []),
        (Voided("refused", "Too late."), {"wallet": -700, "postage:lost": 700}, ["void_refused"]),
        (Voided("requested"), {"wallet": -700, "carrier:refund_due": 700}, []),
    ],
)
async def test_the_money_of_a_void_is_booked_as_the_carrier_answers(
    any_world: World, answer: Voided, books: dict[str, int], matters: list[str]
) -> None:
    order_id = await bought(any_world)
    void(any_world, order_id)
    any_world.carrier.void_answers.append(answer)
    await any_world.drain()
    assert any_world.balances() == {**QUOTED_AND_CHARGED, **books}
    assert any_world.matter_codes() == matters


async def test_a_refund_that_was_asked_for_is_followed_until_the_money_is_back(world: World) -> None:
    order_id = await bought(world)
    void(world, order_id)
    world.carrier.void_answers.extend([Voided("requested")] * 3)
    await world.pass_time(24 * 3600, step_s=3600)
    assert world.carrier.voids == ["shp_1"], "the refund is asked for once, then looked at"
    assert world.balances() == QUOTED_AND_CHARGED


async def test_a_refund_that_does_not_come_is_put_before_a_person_after_a_month(world: World) -> None:
    order_id = await bought(world)
    void(world, order_id)
    world.carrier.void_answers.extend([Voided("requested")] * 200)
    await world.pass_time(29 * 86400, step_s=6 * 3600)
    assert world.matter_codes() == []
    await world.pass_time(3 * 86400, step_s=6 * 3600)
    assert world.matter_codes() == ["refund_overdue"]


async def test_a_void_without_a_clear_answer_is_asked_again(world: World) -> None:
    order_id = await bought(world)
    void(world, order_id)
    world.carrier.void_answers.append(Voided("unknown"))
    await world.pass_time(60)
    assert world.carrier.voids == ["shp_1", "shp_1"]
    assert world.balances() == QUOTED_AND_CHARGED


async def test_two_runs_of_one_void_book_one_outcome(any_world: World) -> None:
    """One hears that the money is back, the other that the label was voided before: the first to write counts."""
    order_id = await bought(any_world)
    void(any_world, order_id)
    (row,) = any_world.labels_of(any_world.parcel(order_id).id)
    any_world.queue("labels.void", row.id)
    any_world.carrier.void_answers.extend([Voided("voided"), Voided("refused", "It was voided before.")])
    any_world.carrier.void = at_once(any_world.carrier.void, 2)  # type: ignore[method-assign,assignment]
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(any_world.work.drain)
    assert len(any_world.carrier.voids) == 2
    outcomes = [each.kind for each in any_world.order(order_id).amounts if each.kind in {"refunded", "lost"}]
    assert len(outcomes) == 1
    assert sum(any_world.balances().values()) == 0
    assert any_world.matter_codes() == (["void_refused"] if outcomes == ["lost"] else [])


async def test_a_parcel_without_a_bought_label_cannot_be_voided(any_world: World) -> None:
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    with pytest.raises(NotVoidable):
        void(any_world, order.id)


async def test_a_label_is_voided_once(any_world: World) -> None:
    order_id = await bought(any_world)
    parcel = any_world.parcel(order_id)
    void(any_world, order_id)
    with pytest.raises(NotVoidable):
        any_world.act(request_void, any_world.work, any_world.shop_id, parcel.id, "x", PERSON, any_world.clock.now())
    await any_world.drain()
    assert any_world.carrier.voids == ["shp_1"]


async def test_the_store_takes_back_the_fulfilment_of_a_voided_label(any_world: World) -> None:
    order_id = await bought(any_world)
    void(any_world, order_id)
    await any_world.drain()
    assert any_world.store.cancelled == ["ful_1"]
    (group,) = any_world.store.orders[order_id].groups
    assert group.state is GroupState.READY


async def test_a_void_is_on_the_audit_with_who_and_why(world: World) -> None:
    order_id = await bought(world)
    void(world, order_id, "wrong box")
    (entry,) = [each for each in world.act(audit.entries, world.shop_id) if each.action == "label.void"]
    assert (entry.actor, entry.detail) == (PERSON, {"reason": "wrong box"})


async def test_what_was_booked_says_when_why_and_for_which_label(world: World) -> None:
    order_id = await bought(world)
    (entry,) = [each for each in world.order(order_id).amounts if each.kind == "bought"]
    (row,) = world.labels_of(world.parcel(order_id).id)
    assert (entry.money, entry.label_id, entry.cause) == (Money(700, "EUR"), row.id, row.id)
    assert entry.at == world.clock.now()
