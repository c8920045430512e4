"""A tracking number that a person types: kept once, told to the store once, corrected, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from carriers.measure import Weight
from carriers.money import Money
from connector.labels import by_hand
from connector.labels.by_hand import Moved, NotByHand, NotTyped, Shipped, Typed, read_typed
from connector.labels.tables import labels, parcels
from connector.orders import view
from connector.orders.by_hand import ship_by_hand
from connector.storage import audit
from connector.store import CartLine, FulfilRequest
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio

POST = Typed("Sample Post", "RR123456789SK", "https://post.example/RR123456789SK", Money(540, "EUR"))


async def an_order(world: World, *lines: CartLine) -> str:
    """A paid order whose labels nobody buys by himself; the store's id of it."""
    await world.set(buy="manual")
    order = await world.buy_from_quote(*lines)
    await world.refresh(order.id)
    return order.id


def ship(world: World, order_id: str, typed: Typed = POST, parcel_id: str | None = None) -> Shipped:
    return world.act(
        ship_by_hand,
        world.work,
        world.shop_id,
        order_id,
        typed,
        PERSON,
        world.clock.now(),
        notify_buyer=True,
        parcel_id=parcel_id,
    )


def correct(world: World, label_id: str, typed: Typed, version: int | None = None) -> bool:
    return world.act(
        by_hand.correct, world.work, world.shop_id, label_id, typed, PERSON, world.clock.now(), version=version
    )


def take_back(world: World, label_id: str, version: int | None = None) -> str:
    return world.act(
        by_hand.take_back, world.work, world.shop_id, label_id, "typo", PERSON, world.clock.now(), version=version
    )


def told(world: World) -> list[FulfilRequest]:
    """The store's live fulfilments."""
    return [each for name, each in world.store.fulfilments.items() if name not in world.store.cancelled]


def parcel_of(world: World, order_id: str) -> Any:
    """The order's only parcel."""
    return world.parcel(order_id)


async def settle(world: World) -> None:
    await world.drain()
    await world.pass_time(200)


@pytest.mark.need(23)
async def test_a_typed_number_reaches_the_store_once_and_no_carrier(any_world: World) -> None:
    order_id = await an_order(any_world)
    shipped = ship(any_world, order_id)
    await settle(any_world)
    (request,) = told(any_world)
    assert (request.company, request.number, request.url) == (POST.carrier, POST.number, POST.url)
    assert request.notify_buyer
    assert (any_world.carrier.created, any_world.carrier.sales) == ([], [])
    parcel = parcel_of(any_world, order_id)
    assert (parcel.state, parcel.label.id, parcel.tracking.fulfil_state) == ("bought", shipped.label_id, "done")
    assert parcel.tracking.handed_over_at is not None
    assert any_world.balances()["postage:bought"] == 540


async def test_a_second_click_with_the_same_number_changes_nothing(any_world: World) -> None:
    order_id = await an_order(any_world)
    first = ship(any_world, order_id)
    second = ship(any_world, order_id)
    await settle(any_world)
    third = ship(any_world, order_id)
    assert first.new
    assert second == third == Shipped(first.label_id, first.parcel_id, new=False)
    assert len(told(any_world)) == 1
    assert any_world.balances()["postage:bought"] == 540


async def test_another_number_for_the_same_parcel_is_refused(world: World) -> None:
    order_id = await an_order(world)
    shipped = ship(world, order_id)
    other = Typed("Sample Post", "RR000000001SK")
    with pytest.raises(NotByHand, match="No parcel of this order waits"):
        ship(world, order_id, other)
    with pytest.raises(NotByHand, match=f"as {POST.number}: correct that number"):
        ship(world, order_id, other, shipped.parcel_id)


@pytest.mark.parametrize("play", ["lost-answer", "lost-request"])
async def test_the_store_is_told_once_though_its_answer_was_lost(any_world: World, play: Any) -> None:
    order_id = await an_order(any_world)
    any_world.store.fulfil_plays.append(play)
    ship(any_world, order_id)
    await settle(any_world)
    assert len(told(any_world)) == 1
    assert parcel_of(any_world, order_id).tracking.fulfil_state == "done"


async def test_a_worker_that_dies_anywhere_tells_the_store_once(world: World) -> None:
    """Killed before and after each step and transaction of the push in turn."""
    kill_at = 0
    while True:
        order_id = await an_order(world)
        number = f"KILL{kill_at:04}"
        ship(world, order_id, Typed("Sample Post", number))
        world.boundaries.clear()
        world.kill_at, world.dead = kill_at, False
        await world.drain()
        reached_end = world.kill_at is not None
        world.kill_at, world.dead = None, False
        await settle(world)
        assert [each.number for each in told(world)].count(number) == 1, kill_at
        assert parcel_of(world, order_id).tracking.fulfil_state == "done"
        if reached_end:
            break
        kill_at += 1
    assert kill_at > 5


@pytest.mark.complaint(1)
async def test_a_parcel_with_a_bought_label_takes_no_typed_number(any_world: World) -> None:
    order_id = await an_order(any_world)
    await any_world.click_buy(order_id)
    parcel = parcel_of(any_world, order_id)
    with pytest.raises(NotByHand, match=r"has a label already, TRK1: void that one first"):
        ship(any_world, order_id, POST, parcel.id)
    with pytest.raises(NotByHand, match="No parcel of this order waits"):
        ship(any_world, order_id)


@pytest.mark.complaint(1)
async def test_a_click_on_buy_after_a_typed_number_buys_nothing(any_world: World) -> None:
    order_id = await an_order(any_world)
    any_world.act(view.request_purchase, any_world.work, any_world.shop_id, order_id, PERSON, any_world.clock.now())
    ship(any_world, order_id)
    await settle(any_world)
    assert any_world.carrier.sales == []
    with pytest.raises(view.NothingToBuy):
        await any_world.click_buy(order_id)


async def test_a_label_that_is_being_bought_keeps_a_typed_number_out(world: World) -> None:
    order_id = await an_order(world)
    world.carrier.plays.append("late")
    world.act(view.request_purchase, world.work, world.shop_id, order_id, PERSON, world.clock.now())
    await world.drain()
    parcel = parcel_of(world, order_id)
    assert parcel.state == "unknown"
    with pytest.raises(NotByHand, match="is being bought just now"):
        ship(world, order_id, POST, parcel.id)


async def test_no_second_live_label_can_be_written_beside_a_typed_number(any_world: World) -> None:
    order_id = await an_order(any_world)
    shipped = ship(any_world, order_id)
    row = any_world.act(lambda c: c.execute(labels.select(any_world.shop_id)).one())
    twin = {name: value for name, value in row._mapping.items() if name != "shop_id"} | {"id": "lab_twin"}
    with pytest.raises(IntegrityError):
        any_world.act(lambda c: c.execute(labels.insert(any_world.shop_id, **twin)))
    assert shipped.new


@pytest.mark.parametrize("when", ["before the store is told", "while it is told", "after it was told"])
async def test_a_corrected_number_replaces_the_first_in_the_store(any_world: World, when: str) -> None:
    order_id = await an_order(any_world)
    label_id = ship(any_world, order_id).label_id
    if when == "while it is told":
        any_world.store.fulfil_plays.append("lost-answer")
    if when != "before the store is told":
        await any_world.drain()
    other = Typed("Other Post", "XY99", "", Money(600, "EUR"))
    assert correct(any_world, label_id, other)
    assert not correct(any_world, label_id, other)
    await settle(any_world)
    (request,) = told(any_world)
    assert (request.company, request.number, request.url) == ("Other Post", "XY99", "")
    assert len(any_world.store.fulfilments) == 1
    assert any_world.balances()["postage:bought"] == 600
    parcel = parcel_of(any_world, order_id)
    assert (parcel.label.tracking_code, parcel.tracking.tracking_code) == ("XY99", "XY99")
    assert (parcel.tracking.fulfil_state, parcel.tracking.told_stale) == ("done", None)


@pytest.mark.parametrize("play", ["lost-answer", "lost-request"])
async def test_a_correction_whose_answer_was_lost_is_made_again(world: World, play: Any) -> None:
    order_id = await an_order(world)
    label_id = ship(world, order_id).label_id
    await settle(world)
    world.store.correction_plays.append(play)
    correct(world, label_id, Typed("Sample Post", "XY99"))
    await settle(world)
    assert [each.number for each in told(world)] == ["XY99"]


async def test_a_correction_that_the_store_refuses_comes_before_a_person(world: World) -> None:
    order_id = await an_order(world)
    label_id = ship(world, order_id).label_id
    await settle(world)
    world.store.correction_plays.append("refuse")
    other = Typed("Sample Post", "XY99")
    correct(world, label_id, other)
    await settle(world)
    assert world.matter_codes() == ["store_refused_correction"]
    assert correct(world, label_id, other), "the same number again asks the store again"
    await settle(world)
    assert [each.number for each in told(world)] == ["XY99"]
    assert world.matter_codes() == []


async def test_what_the_store_refused_is_told_again_after_a_correction(world: World) -> None:
    order_id = await an_order(world)
    world.store.fulfil_plays.append("refuse")
    label_id = ship(world, order_id).label_id
    await settle(world)
    assert world.matter_codes() == ["store_refused_fulfilment"]
    assert told(world) == []
    assert correct(world, label_id, POST)
    await settle(world)
    assert [each.number for each in told(world)] == [POST.number]
    assert world.matter_codes() == []


async def test_a_number_that_is_taken_back_leaves_the_store_and_frees_the_parcel(any_world: World) -> None:
    order_id = await an_order(any_world)
    label_id = ship(any_world, order_id).label_id
    await settle(any_world)
    take_back(any_world, label_id)
    await settle(any_world)
    assert told(any_world) == []
    assert not {"postage:bought", "merchant", "wallet"} & any_world.balances().keys()
    with pytest.raises(Moved):
        take_back(any_world, label_id)
    await any_world.click_buy(order_id, another="the number was of another parcel")
    await settle(any_world)
    assert len(any_world.carrier.sales) == 1
    assert [each.number for each in told(any_world)] == ["TRK1"]


async def test_the_same_number_may_be_typed_again_at_once_after_it_was_taken_back(any_world: World) -> None:
    """The store has not let go of the first fulfilment yet: the second one waits for that."""
    order_id = await an_order(any_world)
    label_id = ship(any_world, order_id).label_id
    await settle(any_world)
    parcel_id = take_back(any_world, label_id)
    again = ship(any_world, order_id, POST, parcel_id)
    await settle(any_world)
    assert again.new
    assert len(any_world.store.fulfilments) == 2
    assert [each.number for each in told(any_world)] == [POST.number]


async def test_voiding_a_parcel_that_went_by_hand_takes_the_number_back(world: World) -> None:
    from connector.labels.voids import request_void

    order_id = await an_order(world)
    shipped = ship(world, order_id)
    await settle(world)
    now = world.clock.now()
    world.act(request_void, world.work, world.shop_id, shipped.parcel_id, "typo", PERSON, now)
    await settle(world)
    assert told(world) == []
    assert world.carrier.voids == []
    assert world.label_states(shipped.parcel_id) == ["voided"]


async def test_parcels_that_went_together_become_one(any_world: World) -> None:
    heavy = CartLine(3, Money(1000, "EUR"), Weight(900), "BAG-1", "Bag", "bag-1")
    await any_world.set(default_carton="300x200x100:100:1100")
    order_id = await an_order(any_world, heavy)
    assert len(any_world.live_parcels(order_id)) == 3
    first = ship(any_world, order_id)
    assert ship(any_world, order_id) == Shipped(first.label_id, first.parcel_id, new=False)
    await settle(any_world)
    parcel = parcel_of(any_world, order_id)
    assert (parcel.number, parcel.count, parcel.grams) == (1, 1, 3 * 1000)
    (request,) = told(any_world)
    assert [units for _, units in request.lines] == [3]


async def test_one_parcel_of_several_goes_by_hand_and_the_others_are_bought(world: World) -> None:
    heavy = CartLine(3, Money(1000, "EUR"), Weight(900), "BAG-1", "Bag", "bag-1")
    await world.set(default_carton="300x200x100:100:1100")
    order_id = await an_order(world, heavy)
    one, two, _three = [each.id for each in world.live_parcels(order_id)]
    ship(world, order_id, POST, one)
    with pytest.raises(NotByHand, match="has this number already"):
        ship(world, order_id, POST, two)
    await settle(world)
    await world.click_buy(order_id)
    await settle(world)
    assert sorted(each.number for each in told(world)) == sorted([POST.number, "TRK1", "TRK2"])
    assert [each.state for each in world.live_parcels(order_id)] == ["bought"] * 3


async def test_a_stale_page_corrects_and_takes_back_nothing(any_world: World) -> None:
    order_id = await an_order(any_world)
    label_id = ship(any_world, order_id).label_id
    correct(any_world, label_id, Typed("Sample Post", "XY99"), version=0)
    with pytest.raises(Moved):
        correct(any_world, label_id, POST, version=0)
    with pytest.raises(Moved):
        take_back(any_world, label_id, version=0)
    assert parcel_of(any_world, order_id).label.tracking_code == "XY99"


async def test_a_bought_label_is_neither_corrected_nor_taken_back(world: World) -> None:
    order_id = await an_order(world)
    await world.click_buy(order_id)
    label_id = parcel_of(world, order_id).label.id
    with pytest.raises(NotByHand):
        correct(world, label_id, POST)
    with pytest.raises(NotByHand):
        take_back(world, label_id)


async def test_a_cancelled_parcel_and_a_stranger_s_are_refused(world: World) -> None:
    order_id = await an_order(world)
    parcel_id = parcel_of(world, order_id).id
    other = await an_order(world)
    with pytest.raises(NotByHand, match="no such parcel"):
        ship(world, other, POST, parcel_id)
    world.change(order_id, cancelled=True)
    await world.refresh(order_id)
    with pytest.raises(NotByHand):
        ship(world, order_id, POST, parcel_id)
    states = world.act(lambda c: c.execute(parcels.select(world.shop_id, parcels.c.state)).scalars().all())
    assert sorted(states) == ["cancelled", "planned"]


async def test_each_act_is_in_the_audit_with_who_did_it(world: World) -> None:
    order_id = await an_order(world)
    label_id = ship(world, order_id).label_id
    correct(world, label_id, Typed("Sample Post", "XY99"))
    take_back(world, label_id)
    entries = world.act(audit.entries, world.shop_id, subject=label_id)
    assert [each.action for each in entries] == [
        "label.by_hand_taken_back",
        "label.by_hand_corrected",
        "label.by_hand",
    ]
    assert {each.actor for each in entries} == {PERSON}
    assert entries[1].detail["was"] == POST.number


async def test_an_order_that_is_cancelled_after_the_hand_over_comes_before_a_person(world: World) -> None:
    order_id = await an_order(world)
    ship(world, order_id)
    await settle(world)
    world.change(order_id, cancelled=True)
    await world.refresh(order_id)
    assert world.matter_codes() == ["cancelled_after_hand_over"]
    assert len(told(world)) == 1


def test_what_is_typed_is_tidied() -> None:
    typed = read_typed("  Sample \n Post ", " 1Z 999 AA1 ", "", "7,5", "EUR")
    assert typed == Typed("Sample Post", "1Z999AA1", "", Money(750, "EUR"))
    assert read_typed("P", "123", "https://a.example/?n=1", "", "JPY") == Typed("P", "123", "https://a.example/?n=1")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("carrier", {"carrier": " "}),
        ("carrier", {"carrier": "x" * 61}),
        ("carrier", {"carrier": "a\x00b"}),
        ("number", {"number": ""}),
        ("number", {"number": "ab"}),
        ("number", {"number": "<b>123</b>"}),
        ("number", {"number": "1" * 81}),
        ("url", {"url": "javascript:alert(1)"}),
        ("url", {"url": "https://"}),
        ("url", {"url": "https://a@b.example/"}),
        ("url", {"url": "https://[bad/"}),
        ("url", {"url": 'https://a.example/"onclick'}),
        ("url", {"url": "https://a.example/" + "x" * 500}),
        ("price", {"price": "seven"}),
        ("price", {"price": "-1"}),
        ("price", {"price": "1.005"}),
        ("price", {"price": "NaN"}),
    ],
)
def test_bad_input_names_its_field(field: str, given: dict[str, str]) -> None:
    fields = {"carrier": "Post", "number": "123", "url": "", "price": "", "currency": "EUR"} | given
    with pytest.raises(NotTyped) as refused:
        read_typed(**fields)
    assert refused.value.detail == field
