"""An order that is edited after its label was bought, and before the carrier scanned it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.label import Created, Voided
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import Shipment
from connector.labels.tables import labels, parcels
from connector.storage.audit import Actor, entries
from connector.store import GroupState, Order, OrderLine
from connector.tracking.tables import trackings
from tests.labels.world import BUYER, World

pytestmark = pytest.mark.anyio

FAR = datetime(2100, 1, 1, tzinfo=UTC)
CUP = OrderLine("lin_cup", 1, Money(900, "EUR"), Weight(300), "CUP-1", "Cup", "cup-1")
SCAN = {"number": "TRK1", "events": [{"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}]}


async def labelled(world: World, **settings: str) -> Order:
    """An order with a bought label of which the store hears at the hand-over."""
    await world.set(**{"fulfil_when": "handed_over", **settings})
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    return order


async def edited(world: World, order: Order, **group: Any) -> None:
    """The order is changed in the store, and read three times."""
    world.clock.advance(seconds=2)
    world.change_group(order.id, **group)
    for _ in range(3):
        await world.refresh(order.id)


def states(world: World, order: Order) -> list[str]:
    return [each.state for each in world.order(order.id).parcels]


def row_of(world: World, parcel_id: str) -> Any:
    chosen = parcels.select(world.shop_id).where(parcels.c.id == parcel_id)
    return world.act(lambda connection: connection.execute(chosen).one())


# --- goods


async def test_other_goods_void_the_label_once_and_the_new_parcel_waits_for_one_click(any_world: World) -> None:
    world = any_world
    order = await labelled(world)
    await edited(world, order, lines=order.groups[0].lines[:1])
    assert world.carrier.voids == ["shp_1"]
    assert states(world, order) == ["cancelled", "held"]
    assert world.matter_codes() == ["order_edited"]
    assert len(world.carrier.sales) == 1
    await world.release(order.id)
    assert states(world, order) == ["cancelled", "bought"]
    assert world.carrier.created[1].parcel.weight == Weight(2 * 420)
    assert world.carrier.sales[1].rate.service == "Ground"
    assert world.matters() == []
    assert world.balances()["postage:bought"] == 700


async def test_the_edit_stands_on_the_label_and_on_the_audit_as_the_reason(world: World) -> None:
    order = await labelled(world)
    await edited(world, order, lines=order.groups[0].lines[:1])
    (label,) = world.act(lambda c: c.execute(labels.select(world.shop_id)).all())
    assert (label.state, label.void_reason) == ("voided", "goods_edited")
    (entry,) = [each for each in world.act(entries, world.shop_id, subject=label.id) if each.action == "label.void"]
    assert (entry.actor, entry.detail) == (Actor("rule", "void_on_edit"), {"reason": "goods_edited"})


async def test_a_shop_that_buys_by_hand_clicks_once_for_the_new_label(world: World) -> None:
    await world.set(fulfil_when="handed_over", buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    await world.click_buy(order.id)
    await edited(world, order, lines=order.groups[0].lines[:1])
    assert states(world, order) == ["cancelled", "planned"]
    await world.click_buy(order.id)
    assert states(world, order) == ["cancelled", "bought"]


async def test_goods_that_are_added_leave_the_label_alone_and_get_a_parcel_of_their_own(any_world: World) -> None:
    world = any_world
    order = await labelled(world)
    await edited(world, order, lines=(*order.groups[0].lines, CUP))
    assert world.carrier.voids == []
    first, second = world.order(order.id).parcels
    assert (first.state, first.number, first.count) == ("bought", 1, 2)
    assert (second.state, second.number, second.count) == ("held", 2, 2)
    assert row_of(world, second.id).contents == [["lin_cup", 1]]
    await world.release(order.id)
    assert world.matter_codes() == ["beyond_quote"]  # Nobody quoted it, so no rule pays for it.
    await world.click_buy(order.id)
    assert [sold.rate.service for sold in world.carrier.sales] == ["Ground", "Ground"]


@pytest.mark.parametrize(
    "harmless",
    [
        {"tags": ("gift", "note: please ring")},
        {"name": "#1001-E"},
        {"email": "other@example.com", "phone": "+43 1 7654321"},
    ],
)
async def test_what_does_not_change_the_parcel_voids_nothing(world: World, harmless: dict[str, Any]) -> None:
    order = await labelled(world)
    world.change(order.id, **harmless)
    await world.refresh(order.id)
    assert (states(world, order), world.carrier.voids, world.matters()) == (["bought"], [], [])


async def test_a_line_that_needs_no_shipping_voids_nothing(world: World) -> None:
    order = await labelled(world)
    card = replace(CUP, id="lin_card", sku="CARD", variant_id="card-1", requires_shipping=False)
    await edited(world, order, lines=(*order.groups[0].lines, card))
    assert (states(world, order), world.carrier.voids, world.matters()) == (["bought"], [], [])


async def test_a_line_that_was_taken_off_and_added_again_voids_nothing_and_is_told_by_its_new_id(world: World) -> None:
    order = await labelled(world)
    first, second = order.groups[0].lines
    await edited(world, order, lines=(first, replace(second, id="lin_again")))
    assert (states(world, order), world.carrier.voids, world.matters()) == (["bought"], [], [])
    await world.deliver("tracking", SCAN, carrier=True)
    await world.drain()
    (told,) = world.store.fulfilments.values()
    assert dict(told.lines) == {first.id: 2, "lin_again": 1}


async def test_an_edit_that_is_taken_back_before_it_was_read_has_no_effect(world: World) -> None:
    order = await labelled(world)
    world.change_group(order.id, lines=order.groups[0].lines[:1])
    world.change_group(order.id, lines=order.groups[0].lines)
    await world.refresh(order.id)
    assert (states(world, order), world.carrier.voids) == (["bought"], [])


async def test_of_several_labels_only_the_one_that_does_not_fit_is_voided(world: World) -> None:
    await world.set(default_carton="500x400x300:500:1600")  # A mug and a pot, or two mugs, at a time.
    order = await labelled_in_parts(world)
    before = {each.id for each in world.live_parcels(order.id)}
    pot = next(line for line in order.groups[0].lines if line.sku == "POT-1")
    others = tuple(line for line in order.groups[0].lines if line is not pot)
    await edited(world, order, lines=others)
    stayed = {each.id for each in world.live_parcels(order.id) if each.state == "bought"}
    assert len(world.carrier.voids) == 1
    assert len(before - stayed) == 1


async def labelled_in_parts(world: World) -> Order:
    await world.set(fulfil_when="handed_over")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert {each.state for each in world.live_parcels(order.id)} == {"bought"}
    assert len(world.live_parcels(order.id)) > 1
    return order


async def test_a_void_that_the_carrier_refuses_is_a_loss_and_the_new_parcel_goes_its_way(world: World) -> None:
    order = await labelled(world)
    world.carrier.void_answers.append(Voided("refused", "Too late."))
    await edited(world, order, lines=order.groups[0].lines[:1])
    assert world.balances()["postage:lost"] == 700
    await world.release(order.id)
    assert states(world, order) == ["cancelled", "bought"]
    assert world.matter_codes() == ["void_refused"]


# --- place


async def test_another_address_voids_the_label_and_the_new_one_is_bought_by_rule(any_world: World) -> None:
    """As before the label: within its country an order goes where the store says, after the usual waiting time."""
    world = any_world
    order = await labelled(world, buy_after="0")
    await edited(world, order, destination=replace(BUYER, street1="Graben 1"))
    assert world.carrier.voids == ["shp_1"]
    assert states(world, order) == ["cancelled", "bought"]
    assert [each.destination.street1 for each in world.carrier.created] == [BUYER.street1, "Graben 1"]
    assert world.matters() == []


async def test_another_country_voids_the_label_and_the_new_parcel_waits_for_a_person(world: World) -> None:
    order = await labelled(world)
    to = replace(BUYER, country="DE", postal_code="10115", city="Berlin", province="")
    await edited(world, order, destination=to)
    assert (states(world, order), world.matter_codes()) == (["cancelled", "held"], ["order_edited"])


async def test_nothing_of_the_old_place_is_left_where_an_order_goes_to_another_country(world: World) -> None:
    """Some countries have no postal codes or provinces, which a store tells by its silence."""
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    to = replace(BUYER, country="IE", postal_code="", province="", city="Dublin", street1="1 Main Street")
    await edited(world, order, destination=to)
    await world.click_buy(order.id)
    destination = world.carrier.created[0].destination
    assert (destination.country, destination.postal_code, destination.province) == ("IE", "", "")


@pytest.mark.parametrize(
    "same",
    [
        {"street1": " Stephansplatz  3 "},
        {"city": "WIEN"},
        {"province": "Wien"},
        {"phone": "+43 1 7654321"},
        {"postal_code": "A-1010"},
        {"street1": ""},  # A store that does not tell it any more.
    ],
)
async def test_the_same_place_written_otherwise_voids_nothing(world: World, same: dict[str, Any]) -> None:
    order = await labelled(world)
    await edited(world, order, destination=replace(BUYER, **same))
    assert (states(world, order), world.carrier.voids, world.matters()) == (["bought"], [], [])


async def test_an_address_that_changes_after_the_store_was_told_has_its_fulfilment_taken_back(world: World) -> None:
    """The store gives the goods back, perhaps in a new group, and they are planned once."""
    order = await labelled(world, fulfil_when="label")
    assert len(world.store.fulfilments) == 1
    await edited(world, order, destination=replace(BUYER, street1="Graben 1"))
    await world.pass_time(300, step_s=60)
    assert world.store.cancelled == ["ful_1"]
    assert states(world, order) == ["cancelled", "bought"]
    assert world.carrier.sales[1].rate.service == "Ground"
    assert [each.number for each in world.store.fulfilments.values()] == ["TRK1", "TRK2"]
    assert world.matters() == []


async def test_many_messages_while_the_store_takes_a_label_back_make_one_more_reading_not_many(world: World) -> None:
    order = await labelled(world, fulfil_when="label")
    world.clock.advance(seconds=2)
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    world.queue("orders.refresh", order.id)
    for number in range(10):
        row = trackings.update(world.shop_id).values(fulfil_state="withdrawn", claim="another run", claimed_at=FAR)
        if number:
            world.act(lambda connection, row=row: connection.execute(row))
        await world.refresh(order.id)
        world.clock.advance(seconds=1)
    before = world.store.read.count(order.id)
    await world.pass_time(125, step_s=125)
    assert world.store.read.count(order.id) == before + 1


async def test_goods_that_move_to_another_location_leave_with_a_label_from_there(world: World) -> None:
    order = await labelled(world)
    moved = replace(order.groups[0], id="grp_moved", location_id="loc_other")
    world.change(order.id, groups=(moved,))
    await world.refresh(order.id)
    await world.refresh(order.id)
    assert world.carrier.voids == ["shp_1"]
    (new,) = world.live_parcels(order.id)
    assert row_of(world, new.id).store_location_id == "loc_other"


async def test_a_group_that_is_split_has_its_label_voided_and_a_parcel_for_each_part(world: World) -> None:
    order = await labelled(world)
    (group,) = order.groups
    first, second = group.lines
    parts = (replace(group, lines=(first,)), replace(group, id="grp_split", lines=(replace(second, id="lin_split"),)))
    world.change(order.id, groups=parts)
    for _ in range(3):
        await world.refresh(order.id)
    assert world.carrier.voids == ["shp_1"]
    rows = [row_of(world, each.id) for each in world.live_parcels(order.id)]
    assert sorted((row.group_id, row.contents) for row in rows) == [
        (group.id, [[first.id, 2]]),
        ("grp_split", [["lin_split", 1]]),
    ]
    assert world.balances()["postage:expected"] == 700  # One quote, however many groups it is shipped in.


async def test_a_label_whose_goods_the_store_puts_into_a_new_group_goes_with_them(world: World) -> None:
    order = await labelled(world)
    world.change(order.id, groups=(replace(order.groups[0], id="grp_new"),))
    await world.refresh(order.id)
    assert (states(world, order), world.carrier.voids, world.matters()) == (["bought"], [], [])
    await world.deliver("tracking", SCAN, carrier=True)
    await world.drain()
    assert [each.group_id for each in world.store.fulfilments.values()] == ["grp_new"]


# --- what is never voided


@pytest.mark.parametrize("change", [{"lines": ()}, {"destination": replace(BUYER, street1="Graben 1")}])
async def test_a_scanned_parcel_is_never_voided_and_a_person_is_told(world: World, change: dict[str, Any]) -> None:
    order = await labelled(world)
    world.store.fulfil_plays.append("refuse")  # So that its units stay in the group.
    await world.deliver("tracking", SCAN, carrier=True)
    await world.drain()
    lines = order.groups[0].lines[:1] if "lines" in change else order.groups[0].lines
    await edited(world, order, **{**change, "lines": lines})
    assert world.carrier.voids == []
    assert states(world, order) == ["bought"]
    assert "changed_after_hand_over" in world.matter_codes()


async def test_a_parcel_on_a_list_that_the_carrier_has_is_not_voided(world: World) -> None:
    order = await labelled(world)
    (label,) = world.labels_of(world.parcel(order.id).id)
    world.put_on_list(label.id)
    await edited(world, order, lines=order.groups[0].lines[:1])
    assert (world.carrier.voids, world.matter_codes()) == ([], ["changed_after_hand_over"])


async def test_a_shop_may_keep_its_labels_and_is_asked_once(world: World) -> None:
    order = await labelled(world, void_on_edit="no")
    await edited(world, order, lines=order.groups[0].lines[:1])
    assert (world.carrier.voids, world.matter_codes()) == ([], ["changed_after_label"])
    await edited(world, order, lines=order.groups[0].lines)
    assert world.matters() == []


async def test_goods_that_left_without_their_label_come_before_a_person(world: World) -> None:
    order = await labelled(world)
    await edited(world, order, state=GroupState.DONE, lines=())
    assert (world.carrier.voids, world.matter_codes()) == ([], ["shipped_without_label"])


async def test_a_fulfilment_that_somebody_took_back_in_the_store_gets_no_second_label_by_itself(world: World) -> None:
    order = await labelled(world, fulfil_when="label")
    again = replace(order.groups[0], id="grp_again")
    world.change(order.id, groups=(*world.store.orders[order.id].groups, again))
    await world.refresh(order.id)
    assert len(world.carrier.sales) == 1
    assert world.matter_codes() == ["label_exists_already"]


# --- purchases under way


async def test_an_edit_while_the_purchase_is_unclear_waits_for_its_end_and_voids_then(any_world: World) -> None:
    world = any_world
    await world.set(fulfil_when="handed_over")
    order = await world.buy_from_quote()
    world.carrier.plays.append("lost-answer")
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "unknown"
    world.change_group(order.id, lines=order.groups[0].lines[:1])
    await world.refresh(order.id)
    assert states(world, order) == ["unknown"]
    await world.pass_time(300, step_s=30)
    assert world.carrier.voids == ["shp_1"]
    assert states(world, order) == ["cancelled", "held"]


async def test_an_address_that_changes_while_the_purchase_is_unclear_voids_what_was_bought(any_world: World) -> None:
    world = any_world
    await world.set(fulfil_when="handed_over")
    order = await world.buy_from_quote()
    world.carrier.plays.append("lost-answer")
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "unknown"
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    await world.refresh(order.id)
    await world.pass_time(300, step_s=30)
    assert world.carrier.voids == ["shp_1"]
    assert states(world, order) == ["cancelled", "bought"]
    assert world.carrier.created[-1].destination.street1 == "Graben 1"


async def test_a_purchase_that_did_not_happen_is_not_made_again_for_the_address_of_before(any_world: World) -> None:
    """It was edited while nobody knew; the shipment is let go of, and what is bought goes to the new one."""
    world = any_world
    order = await world.buy_from_quote()
    world.carrier.plays.append("lost-request")
    await world.refresh(order.id)
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "unknown"
    await world.pass_time(600, step_s=5)
    (sold,) = world.carrier.sales
    assert (sold.handle, world.carrier.created[1].destination.street1) == ("shp_2", "Graben 1")
    assert (states(world, order)[-1], world.carrier.voids) == ("bought", [])


async def test_an_address_edited_just_before_the_purchase_is_on_the_label_though_nobody_told_of_it(
    any_world: World,
) -> None:
    world = any_world
    await world.set(buy_after="10")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    await world.pass_time(1800, step_s=10)
    assert world.parcel(order.id).state == "bought"
    assert [each.destination.street1 for each in world.carrier.created] == ["Graben 1"]
    assert (world.carrier.voids, world.matters()) == ([], [])


async def test_goods_that_were_moved_just_before_the_purchase_are_not_bought_from_their_old_place(world: World) -> None:
    await world.set(buy_after="10")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.change_group(order.id, location_id="loc_other")
    await world.pass_time(1800, step_s=10)
    assert (len(world.carrier.sales), world.carrier.voids) == (1, [])
    assert row_of(world, world.parcel(order.id).id).store_location_id == "loc_other"


async def test_a_shipment_that_was_made_for_another_address_is_not_bought(world: World) -> None:
    """The carrier has the shipment, and was away when its label was to be bought."""
    order = await world.buy_from_quote()
    world.carrier.plays.append("not-sent")
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "buying"
    world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
    await world.refresh(order.id)
    await world.pass_time(120, step_s=30)
    (sold,) = world.carrier.sales
    assert world.carrier.created[1].destination.street1 == "Graben 1"
    assert (states(world, order), sold.handle) == (["cancelled", "bought"], "shp_2")


async def test_an_address_that_changes_while_the_shipment_is_made_is_on_the_label(any_world: World) -> None:
    world = any_world
    order = await world.buy_from_quote()
    create = world.carrier.create

    async def slow(shipment: Shipment) -> Created:
        world.carrier.create = create  # type: ignore[method-assign]
        created = await create(shipment)
        world.change_group(order.id, destination=replace(BUYER, street1="Graben 1"))
        await world.refresh(order.id)
        return created

    world.carrier.create = slow  # type: ignore[method-assign]
    await world.refresh(order.id)
    await world.pass_time(60, step_s=30)
    (sold,) = world.carrier.sales
    assert world.parcel(order.id).state == "bought"
    assert sold.handle != "shp_1"
    assert {each.destination.street1 for each in world.carrier.created[1:]} == {"Graben 1"}


async def test_an_older_reading_of_the_same_second_does_not_undo_an_edit(world: World) -> None:
    """The store dates both readings alike; the one that was asked for first is taken in last."""
    order = await labelled(world)
    old = world.store.orders[order.id]
    read = world.store.order

    async def slow(order_id: str) -> Order | None:
        world.store.order = read  # type: ignore[method-assign]
        world.clock.advance(seconds=1)
        (group,) = old.groups
        world.store.put(replace(old, groups=(replace(group, lines=group.lines[:1]),)))
        await world.refresh(order_id)
        return old

    world.store.order = slow  # type: ignore[method-assign]
    await world.refresh(order.id)
    assert world.carrier.voids == ["shp_1"]
    assert states(world, order) == ["cancelled", "held"]
