"""An order that is read again: planned, bought as quoted, edited, held, released, cancelled; once, in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from carriers.label import Voided
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import Shipment
from connector.labels.record import BUY
from connector.labels.tables import parcels
from connector.storage import persons
from connector.store import CartLine, GroupState, Order
from tests.labels.world import BUYER, MUG, POT, RULE, World

pytestmark = pytest.mark.anyio

HEAVY = CartLine(3, Money(5000, "EUR"), Weight(9000), "ANVIL", "Anvil", "anvil-1")


def states(world: World, order_id: str) -> list[str]:
    return [each.state for each in world.order(order_id).parcels]


def during_create(world: World, act: Callable[[], Any]) -> None:
    """Something happens while the carrier is being asked to create the shipment."""
    create = world.carrier.create

    async def interrupted(shipment: Shipment) -> Any:
        world.carrier.create = create  # type: ignore[method-assign]
        made = await create(shipment)
        await act()
        return made

    world.carrier.create = interrupted  # type: ignore[method-assign]


def during_reading(world: World, act: Callable[[], Any]) -> None:
    """Something happens after the store has read the order, and before its answer is here."""
    read = world.store.order

    async def interrupted(order_id: str) -> Order | None:
        world.store.order = read  # type: ignore[method-assign]
        found = await read(order_id)
        await act()
        return found

    world.store.order = interrupted  # type: ignore[method-assign]


# --- what is planned


async def test_an_order_is_packed_and_bought_as_it_was_quoted(world: World) -> None:
    await world.set(default_carton="300x200x150:180")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    (asked,) = world.carrier.asked
    (made,) = world.carrier.created
    assert (made.parcel.weight, made.parcel.size) == (asked.parcels[0].weight, asked.parcels[0].size)
    assert parcel.grams == 2 * 420 + 980 + 180


async def test_the_quotes_settings_pack_the_parcel_even_if_they_were_changed_since(world: World) -> None:
    await world.set(default_carton="300x200x150:180")
    order = await world.buy_from_quote()
    await world.set(default_carton="600x400x300:900")
    await world.refresh(order.id)
    assert world.parcel(order.id).grams == 2 * 420 + 980 + 180


async def test_the_label_goes_to_the_buyer_with_name_and_street(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.carrier.created[0].destination == replace(BUYER, residential=None)


async def test_an_order_is_planned_once_however_often_it_is_read(any_world: World) -> None:
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    for _ in range(5):
        await any_world.refresh(order.id)
    assert states(any_world, order.id) == ["planned"]


async def test_an_unpaid_order_is_kept_and_nothing_is_planned(world: World) -> None:
    order = await world.buy_from_quote(paid=False)
    await world.refresh(order.id)
    assert world.order(order.id).parcels == ()
    world.change(order.id, paid=True)
    await world.refresh(order.id)
    assert states(world, order.id) == ["bought"]


async def test_an_order_that_the_store_does_not_know_changes_nothing(world: World) -> None:
    await world.refresh("ord_nobody")
    assert world.carrier.created == []


async def test_an_order_that_cannot_be_packed_comes_before_a_person_until_it_can(world: World) -> None:
    feather = CartLine(1, Money(100, "EUR"), None, "FEATHER", "Feather", "feather-1")
    order = world.place(feather)
    await world.refresh(order.id)
    assert world.matter_codes() == ["cannot_plan"]
    (group,) = order.groups
    world.change_group(order.id, lines=(replace(group.lines[0], weight=Weight(10)),))
    await world.refresh(order.id)
    assert world.matter_codes() == ["quote_lost"]


async def test_several_parcels_of_one_order_get_a_label_each(any_world: World) -> None:
    """Each is compared with its share of the quoted price, and the shares add up to it."""
    await any_world.set(default_carton="500x400x300:500:10000")
    order = await any_world.buy_from_quote(HEAVY)
    await any_world.refresh(order.id)
    assert states(any_world, order.id) == ["bought"] * 3
    assert len(any_world.carrier.sales) == 3
    rows = any_world.act(lambda c: c.execute(parcels.select(any_world.shop_id)).all())
    assert sum(row.bought_as["minor"] for row in rows) == 2100
    assert sorted(each.number for each in any_world.store.fulfilments.values()) == ["TRK1", "TRK2", "TRK3"]
    assert any_world.matter_codes() == []


@pytest.mark.parametrize("state", [GroupState.NOT_YET, GroupState.READY])
async def test_a_group_that_left_in_part_raises_no_alarm(world: World, state: GroupState) -> None:
    """The store takes shipped units out of the group; the parcels that left are not an edit."""
    world.store.partly_shipped = state
    await world.set(default_carton="500x400x300:500:10000", buy="manual")
    order = await world.buy_from_quote(HEAVY)
    await world.refresh(order.id)
    first = world.order(order.id).parcels[0]
    world.queue(BUY, first.id, "person", "desk")
    await world.drain()
    world.change(order.id)
    await world.refresh(order.id)
    assert world.matter_codes() == []
    assert sorted(states(world, order.id)) == ["bought", "planned", "planned"]
    world.clock.advance(seconds=1)
    await world.click_buy(order.id)
    assert states(world, order.id) == ["bought"] * 3


# --- edits


async def test_an_edit_before_the_purchase_replaces_the_parcel(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    (group,) = order.groups
    any_world.change_group(order.id, lines=group.lines[:1])
    await any_world.refresh(order.id)
    assert sorted(states(any_world, order.id)) == ["cancelled", "held"]
    assert any_world.matter_codes() == ["order_edited"]
    await any_world.pass_time(31 * 60, step_s=300)
    assert any_world.carrier.created == []
    await any_world.release(order.id)
    assert len(any_world.carrier.sales) == 1
    assert any_world.parcel(order.id).grams == 840
    assert any_world.matter_codes() == []


async def test_an_edited_order_keeps_the_service_that_the_buyer_chose(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote(service="fake-express")
    await world.refresh(order.id)
    (group,) = order.groups
    world.change_group(order.id, lines=group.lines[:1])
    await world.refresh(order.id)
    await world.release(order.id)
    assert [sold.rate.service for sold in world.carrier.sales] == ["Express"]


async def test_an_edit_that_no_webhook_told_of_is_seen_before_the_money_goes(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    (group,) = order.groups
    any_world.change_group(order.id, lines=group.lines[1:])
    await any_world.pass_time(62 * 60, step_s=60)
    assert any_world.matter_codes() == ["order_edited"]
    await any_world.release(order.id)
    assert [each.parcel.weight.grams for each in any_world.carrier.created] == [980]
    assert len(any_world.carrier.sales) == 1


async def test_a_new_address_before_the_purchase_is_the_one_on_the_label(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    await world.refresh(order.id)
    await world.pass_time(31 * 60, step_s=60)
    assert world.carrier.created[0].destination.street1 == "Graben 1"


@pytest.mark.complaint(1)
async def test_an_edit_while_the_carrier_is_asked_does_not_buy_the_old_parcel_too(any_world: World) -> None:
    """The parcel is replaced between the last check and the created shipment: that shipment stays an orphan."""
    order = await any_world.buy_from_quote()
    (group,) = order.groups

    async def edit() -> None:
        any_world.change_group(order.id, lines=group.lines[:1])
        any_world.queue("orders.refresh", order.id)
        await any_world.work.drain()

    during_create(any_world, edit)
    await any_world.refresh(order.id)
    await any_world.pass_time(300)
    await any_world.release(order.id)
    assert sorted(states(any_world, order.id)) == ["bought", "cancelled"]
    assert len(any_world.carrier.sales) == 1
    assert any_world.parcel(order.id).grams == 840


# --- cancellations


@pytest.mark.complaint(5)
async def test_an_order_cancelled_before_its_purchase_costs_nothing(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    any_world.change(order.id, cancelled=True)
    await any_world.refresh(order.id)
    await any_world.pass_time(3600, step_s=300)
    assert states(any_world, order.id) == ["cancelled"]
    assert any_world.carrier.created == []


@pytest.mark.complaint(5)
async def test_a_cancellation_that_no_webhook_told_of_is_seen_before_the_money_goes(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    any_world.change(order.id, cancelled=True)
    await any_world.pass_time(3600, step_s=300)
    assert states(any_world, order.id) == ["cancelled"]
    assert any_world.carrier.created == []


@pytest.mark.complaint(5)
async def test_an_order_cancelled_while_the_carrier_is_asked_is_not_bought(any_world: World) -> None:
    order = await any_world.buy_from_quote()

    async def cancel() -> None:
        any_world.change(order.id, cancelled=True)
        any_world.queue("orders.refresh", order.id)
        await any_world.work.drain()

    during_create(any_world, cancel)
    await any_world.refresh(order.id)
    await any_world.pass_time(600, step_s=10)
    assert any_world.carrier.sales == []
    assert states(any_world, order.id) == ["cancelled"]


@pytest.mark.need(49)
@pytest.mark.complaint(5)
async def test_an_order_cancelled_after_its_purchase_gets_its_money_back(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    any_world.change(order.id, cancelled=True)
    await any_world.refresh(order.id)
    await any_world.refresh(order.id)
    assert any_world.carrier.voids == ["shp_1"]
    assert states(any_world, order.id) == ["cancelled"]
    assert any_world.balances()["postage:expected"] == 700
    assert "wallet" not in any_world.balances()
    assert any_world.store.cancelled == ["ful_1"]


@pytest.mark.complaint(5)
async def test_a_refund_that_the_carrier_refuses_is_booked_as_lost_and_shown(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    any_world.carrier.void_answers.append(Voided("refused", "Too late."))
    any_world.change(order.id, cancelled=True)
    await any_world.refresh(order.id)
    assert any_world.balances()["postage:lost"] == 700
    assert any_world.matter_codes() == ["void_refused"]


async def test_an_order_cancelled_after_the_hand_over_comes_before_a_person(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    scan = {"number": "TRK1", "events": [{"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}]}
    await any_world.deliver("tracking", scan, carrier=True)
    any_world.change(order.id, cancelled=True)
    await any_world.refresh(order.id)
    assert any_world.carrier.voids == []
    assert any_world.matter_codes() == ["cancelled_after_hand_over"]
    assert states(any_world, order.id) == ["bought"]


# --- holds


async def held_and_let_go_of_elsewhere(world: World, **address: Any) -> Order:
    """The store holds an order; its address is changed there, and the hold is lifted, before it is read again."""
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, state=GroupState.HELD)
    await world.refresh(order.id)
    assert states(world, order.id) == ["held"]
    world.clock.advance(seconds=2)
    there = replace(BUYER, **address)
    world.change_group(order.id, state=GroupState.READY, hold_reasons=(), destination=there)
    await world.refresh(order.id)
    await world.pass_time(31 * 60, step_s=60)
    return order


async def test_an_order_that_is_let_go_of_goes_where_the_store_says_now(any_world: World) -> None:
    order = await held_and_let_go_of_elsewhere(any_world, street1="Stephansplatz 3")
    assert any_world.parcel(order.id).state == "bought"
    assert [each.destination.street1 for each in any_world.carrier.created] == ["Stephansplatz 3"]


async def test_an_order_that_is_let_go_of_to_another_country_waits_for_a_person(world: World) -> None:
    order = await held_and_let_go_of_elsewhere(world, country="CZ", postal_code="110 00", city="Praha")
    why = world.parcel(order.id).why
    assert why is not None
    assert (world.parcel(order.id).state, why.code) == ("held", "order_edited")
    assert world.carrier.created == []


async def test_a_hold_stops_the_purchase_and_its_release_lets_it_go_on(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    any_world.change_group(order.id, state=GroupState.HELD, hold_reasons=("fraud check",))
    await any_world.refresh(order.id)
    parcel = any_world.parcel(order.id)
    assert parcel.state == "held"
    assert parcel.why is not None
    assert "fraud check" in parcel.why.say()
    await any_world.pass_time(3600, step_s=300)
    assert any_world.carrier.created == []
    any_world.change_group(order.id, state=GroupState.READY, hold_reasons=())
    await any_world.refresh(order.id)
    await any_world.pass_time(31 * 60, step_s=60)
    assert len(any_world.carrier.sales) == 1


async def test_a_hold_that_no_webhook_told_of_stops_the_purchase(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, state=GroupState.HELD)
    await world.pass_time(3600, step_s=300)
    assert states(world, order.id) == ["held"]
    world.change_group(order.id, state=GroupState.READY)
    await world.refresh(order.id)
    await world.pass_time(31 * 60, step_s=60)
    assert states(world, order.id) == ["bought"]


@pytest.mark.parametrize("gone", [{"state": GroupState.SCHEDULED}, {"state": GroupState.NOT_YET}])
async def test_a_group_that_may_not_be_shipped_yet_is_bought_once_it_may(world: World, gone: dict[str, Any]) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, **gone)
    await world.pass_time(3600, step_s=300)
    assert states(world, order.id) == ["held"]
    world.clock.advance(seconds=5)
    world.change_group(order.id, state=GroupState.READY)
    await world.refresh(order.id)
    await world.pass_time(31 * 60, step_s=60)
    assert states(world, order.id) == ["bought"]


async def test_a_payment_that_was_taken_back_holds_the_purchase_until_it_returns(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change(order.id, paid=False)
    await world.pass_time(3600, step_s=300)
    assert states(world, order.id) == ["held"]
    world.clock.advance(seconds=5)
    world.change(order.id, paid=True)
    await world.refresh(order.id)
    await world.pass_time(31 * 60, step_s=60)
    assert states(world, order.id) == ["bought"]


async def test_a_release_leaves_the_parcel_that_has_its_label_alone(any_world: World) -> None:
    any_world.store.partly_shipped = GroupState.READY
    await any_world.set(default_carton="500x400x300:500:10000", buy="manual", fulfil_when="handed_over")
    order = await any_world.buy_from_quote(HEAVY)
    await any_world.refresh(order.id)
    first = any_world.order(order.id).parcels[0]
    any_world.queue(BUY, first.id, "person", "desk")
    await any_world.drain()
    any_world.change_group(order.id, state=GroupState.HELD)
    await any_world.refresh(order.id)
    any_world.clock.advance(seconds=5)
    any_world.change_group(order.id, state=GroupState.READY)
    await any_world.refresh(order.id)
    assert sorted(states(any_world, order.id)) == ["bought", "planned", "planned"]
    assert len(any_world.carrier.sales) == 1


async def test_a_risky_order_waits_for_a_person(any_world: World) -> None:
    order = await any_world.buy_from_quote(risky=True)
    await any_world.refresh(order.id)
    assert any_world.matter_codes() == ["risk_flagged"]
    assert any_world.carrier.created == []
    await any_world.click_buy(order.id)
    assert states(any_world, order.id) == ["bought"]
    assert any_world.matter_codes() == []


async def test_an_order_that_turns_out_risky_is_not_bought_by_a_rule(any_world: World) -> None:
    """Stores judge the risk some minutes after the payment."""
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    any_world.change(order.id, risky=True)
    await any_world.pass_time(3600, step_s=300)
    assert any_world.carrier.created == []
    assert any_world.matter_codes() == ["risk_flagged"]


# --- time


async def test_the_purchase_waits_by_the_clock_for_as_long_as_the_merchant_said(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    await world.pass_time(29 * 60, step_s=60)
    assert world.carrier.created == []
    await world.pass_time(60)
    assert states(world, order.id) == ["bought"]


async def test_what_the_buyer_paid_is_followed_to_nothing_and_back(any_world: World) -> None:
    """A shipping line that is taken off, put on again and raised within the second that the store dates it with."""
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    (paid,) = order.shipping_lines
    for minor in (700, 0, 500, 900, 0, 300):
        lines = (replace(paid, price=Money(minor, "EUR")),) if minor else ()
        any_world.change(order.id, shipping_lines=lines)
        await any_world.refresh(order.id)
        assert any_world.balances().get("shipping:income", 0) == minor


async def test_what_a_discount_of_the_store_took_off_shipping_was_not_paid(world: World) -> None:
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    (line,) = order.shipping_lines
    for paid in (700, 250, 0):
        world.change(order.id, shipping_lines=(replace(line, paid=Money(paid, "EUR")),))
        await world.refresh(order.id)
        assert (world.balances().get("shipping:income", 0), world.order(order.id).charged.minor) == (paid, paid)


async def test_an_older_reading_of_an_order_is_ignored(any_world: World) -> None:
    """Two readings overtake each other: what the store said last holds."""
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    any_world.change(order.id, cancelled=True)
    await any_world.refresh(order.id)
    any_world.store.put(order)
    await any_world.refresh(order.id)
    assert any_world.order(order.id).cancelled
    assert any_world.order(order.id).parcels == ()


# --- groups that move


async def test_units_that_were_shipped_elsewhere_cancel_the_parcel(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, state=GroupState.DONE)
    await world.refresh(order.id)
    assert states(world, order.id) == ["cancelled"]


async def test_goods_that_move_to_another_group_are_planned_anew(world: World) -> None:
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    (group,) = order.groups
    world.change(order.id, groups=(replace(group, id="grp_moved"),))
    await world.refresh(order.id)
    assert sorted(states(world, order.id)) == ["cancelled", "planned"]


async def test_goods_that_move_after_their_label_was_bought_are_not_bought_twice(any_world: World) -> None:
    await any_world.set(fulfil_when="handed_over")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    (group,) = order.groups
    any_world.change(order.id, groups=(replace(group, id="grp_moved"),))
    await any_world.refresh(order.id)
    await any_world.pass_time(600, step_s=60)
    assert len(any_world.carrier.sales) == 1
    assert (any_world.matter_codes(), any_world.carrier.voids) == ([], [])


# --- persons


async def test_the_address_is_kept_sealed_and_only_there(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    (row,) = world.act(lambda c: c.execute(parcels.select(world.shop_id)).all())
    fields = world.act(persons.get, world.house.keyring, world.shop_id, row.person_id)
    assert fields is not None
    assert (fields["name"], fields["street1"], fields["email"]) == (BUYER.name, BUYER.street1, BUYER.email)


async def test_a_forgotten_person_gets_no_label(world: World) -> None:
    await world.set(buy_after="30")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    (row,) = world.act(lambda c: c.execute(parcels.select(world.shop_id)).all())
    world.act(persons.forget, world.shop_id, row.person_id)
    await world.pass_time(1860, step_s=60)
    assert world.matter_codes() == ["person_forgotten"]
    assert world.carrier.created == []


async def test_a_rule_that_comes_late_finds_the_parcel_bought(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.queue(BUY, world.parcel(order.id).id, RULE.kind, RULE.name)
    await world.drain()
    assert len(world.carrier.sales) == 1
    assert [MUG.sku, POT.sku] == [line.sku for line in order.groups[0].lines]


async def test_a_reading_from_before_the_store_was_told_of_a_label_plans_nothing_again(any_world: World) -> None:
    """Two workers: one reads the order while the other buys its label and tells the store."""
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    during_reading(any_world, lambda: any_world.click_buy(order.id))
    await any_world.refresh(order.id)
    assert states(any_world, order.id) == ["bought"]
    assert (len(any_world.store.fulfilments), any_world.matter_codes()) == (1, [])
    await any_world.refresh(order.id)
    assert states(any_world, order.id) == ["bought"]
