"""A purchase that the carrier refused, and booked after all: its money and its label are found and accounted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from carriers.errors import Unavailable
from carriers.label import NotBought, Purchased, Rejected
from carriers.rate import Rate
from carriers.tracking import TrackingStatus
from connector.labels.tables import labels
from tests.labels.world import BUYER, World

pytestmark = pytest.mark.anyio

QUOTED_AND_CHARGED = {"carrier:expected": -700, "postage:expected": 700, "buyer": -700, "shipping:income": 700}


async def given_up(world: World) -> str:
    """An order whose label was refused, while the carrier goes on to book it; its id."""
    order = await world.buy_from_quote()
    world.carrier.plays.append("refuse-late")
    await world.refresh(order.id)
    assert (world.parcel(order.id).state, world.carrier.sales) == ("refused", [])
    world.carrier.finish_late()
    return order.id


async def sweep(world: World, seconds: float = 601) -> None:
    await world.pass_time(seconds, step_s=seconds)
    world.queue("labels.sweep")
    await world.drain()


async def test_a_refused_label_that_was_booked_after_all_is_taken_for_its_parcel(any_world: World) -> None:
    order_id = await given_up(any_world)
    await sweep(any_world)
    parcel = any_world.parcel(order_id)
    assert parcel.label is not None
    assert (parcel.state, parcel.label.state, parcel.label.booked_minor) == ("bought", "bought", 700)
    assert [each.sha256 is not None for each in parcel.files] == [True]
    assert any_world.balances() == {**QUOTED_AND_CHARGED, "wallet": -700, "postage:bought": 700}
    assert any_world.matter_codes() == ["bought_late"]
    assert len(any_world.store.fulfilments) == 1


async def test_one_that_was_replaced_meanwhile_is_given_back_and_the_parcel_keeps_its_label(any_world: World) -> None:
    order_id = await given_up(any_world)
    await any_world.pass_time(5)
    await any_world.click_buy(order_id)
    (_, second) = any_world.labels_of(any_world.parcel(order_id).id)
    assert second.tracking_code == "TRK2"
    await sweep(any_world)
    parcel = any_world.parcel(order_id)
    assert parcel.label is not None
    assert (parcel.state, parcel.label.tracking_code) == ("bought", "TRK2")
    assert any_world.label_states(parcel.id) == ["bought", "voided"]
    assert any_world.carrier.voids == ["shp_1"]
    assert any_world.balances() == {**QUOTED_AND_CHARGED, "wallet": -700, "postage:bought": 700}
    assert any_world.matter_codes() == ["bought_late_surplus"]


@pytest.mark.parametrize("elsewhere", [{"street1": "Graben 1"}, {"city": "Linz", "postal_code": "4020"}])
async def test_one_for_the_address_of_before_an_edit_is_given_back_and_is_never_the_parcel_s_label(
    any_world: World, elsewhere: dict[str, Any]
) -> None:
    world = any_world
    order_id = await given_up(world)
    world.change_group(order_id, destination=replace(BUYER, **elsewhere))
    await world.refresh(order_id)
    await sweep(world)
    parcel = world.parcel(order_id)
    assert (parcel.state, world.label_states(parcel.id)) == ("refused", ["voided"])
    assert (world.carrier.voids, world.store.fulfilments) == (["shp_1"], {})
    (label,) = world.labels_of(parcel.id)
    assert label.void_reason == "address_edited"
    assert sorted(world.matter_codes()) == ["bought_late_elsewhere", "carrier_refused"]
    assert world.balances() == QUOTED_AND_CHARGED
    await world.click_buy(order_id)
    assert (world.parcel(order_id).state, world.carrier.created[-1].destination.street1) == (
        "bought",
        elsewhere.get("street1", BUYER.street1),
    )


async def test_another_telephone_number_is_no_other_address(world: World) -> None:
    order_id = await given_up(world)
    world.change_group(order_id, destination=replace(BUYER, phone="+43 1 7654321"))
    await world.refresh(order_id)
    await sweep(world)
    assert (world.parcel(order_id).state, world.carrier.voids) == ("bought", [])


async def test_an_address_that_changes_while_the_carrier_is_asked_is_seen_all_the_same(any_world: World) -> None:
    world = any_world
    order_id = await given_up(world)
    look_up = world.carrier.look_up

    async def slow(handle: str, rate: Rate | None = None) -> Purchased | Rejected | NotBought:
        world.carrier.look_up = look_up  # type: ignore[method-assign]
        found = await look_up(handle, rate)
        world.change_group(order_id, destination=replace(BUYER, street1="Graben 1"))
        await world.refresh(order_id)
        return found

    world.carrier.look_up = slow  # type: ignore[method-assign]
    for _ in range(2):
        await sweep(world)
    assert (world.parcel(order_id).state, world.carrier.voids) == ("refused", ["shp_1"])


async def test_one_of_goods_that_were_edited_meanwhile_is_given_back(any_world: World) -> None:
    world = any_world
    order_id = await given_up(world)
    (group,) = world.store.orders[order_id].groups
    world.change_group(order_id, lines=group.lines[:1])
    await world.refresh(order_id)
    await sweep(world)
    old, new = sorted(world.order(order_id).parcels, key=lambda each: each.state != "cancelled")
    assert (old.state, new.label, world.carrier.voids) == ("cancelled", None, ["shp_1"])
    assert world.carrier.sales[0].tracking_code not in {each.number for each in world.store.fulfilments.values()}


async def test_a_scan_of_a_surplus_label_is_put_before_a_person_and_the_store_hears_nothing(any_world: World) -> None:
    """Somebody printed it at the carrier: the parcel travels under a number that the buyer does not have."""
    order_id = await given_up(any_world)
    await any_world.pass_time(5)
    await any_world.click_buy(order_id)
    await sweep(any_world)
    before = len(any_world.store.fulfilments)
    scan = {"status": TrackingStatus.IN_TRANSIT, "at": (any_world.clock.now() + timedelta(hours=1)).isoformat()}
    await any_world.deliver("tracking", {"number": "TRK1", "events": [scan]}, carrier=True)
    await any_world.drain()
    assert sorted(any_world.matter_codes()) == ["bought_late_surplus", "voided_scanned"]
    assert len(any_world.store.fulfilments) == before
    parcel = any_world.parcel(order_id)
    assert parcel.label is not None
    assert parcel.label.tracking_code == "TRK2"


async def test_one_of_a_cancelled_parcel_is_given_back(any_world: World) -> None:
    order_id = await given_up(any_world)
    any_world.change(order_id, cancelled=True)
    await any_world.refresh(order_id)
    await sweep(any_world)
    (parcel,) = any_world.order(order_id).parcels
    assert (parcel.state, any_world.carrier.voids) == ("cancelled", ["shp_1"])
    assert any_world.balances() == QUOTED_AND_CHARGED


async def test_what_was_not_booked_is_asked_about_three_times_and_then_left_alone(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.plays.append("refuse")
    await world.refresh(order.id)
    for _ in range(2):
        await sweep(world)
    assert world.carrier.look_ups == ["shp_1"]
    await sweep(world, 3600)
    world.carrier.look_up_errors.append(Unavailable("Down."))
    await sweep(world, 86_400)
    for _ in range(3):
        await sweep(world, 86_400)
    assert world.carrier.look_ups == ["shp_1"] * 3
    (label,) = world.labels_of(world.parcel(order.id).id)
    assert (label.state, label.void_due) == ("refused", None)


async def test_a_shipment_that_never_left_for_the_purchase_is_not_asked_about(world: World) -> None:
    order = await world.buy_from_quote()
    world.store.orders[order.id] = world.change(order.id, cancelled=True)
    await world.refresh(order.id)
    await sweep(world)
    assert world.carrier.look_ups == []
    chosen = labels.select(world.shop_id, labels.c.void_due).where(labels.c.void_due.is_not(None))
    assert world.act(lambda connection: connection.execute(chosen).all()) == []


async def test_two_looks_at_once_account_for_it_once(any_world: World) -> None:
    await given_up(any_world)
    await any_world.pass_time(601, step_s=601)
    (label,) = any_world.act(lambda c: c.execute(labels.select(any_world.shop_id)).all())
    for at in range(2):
        any_world.queue("labels.late", label.id, key=f"late {at}")
    await any_world.drain()
    assert any_world.balances() == {**QUOTED_AND_CHARGED, "wallet": -700, "postage:bought": 700}


async def test_a_carrier_that_asks_for_patience_is_asked_again_and_nothing_is_refused(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("overloaded")
    await any_world.refresh(order.id)
    assert any_world.parcel(order.id).state == "buying"
    await any_world.pass_time(60)
    assert any_world.parcel(order.id).state == "bought"
    assert (len(any_world.carrier.sales), any_world.matter_codes()) == (1, [])


async def test_a_label_that_came_without_a_file_is_put_before_a_person_until_it_has_one(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.plays.append("no-file")
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.matter_codes() == ["label_file_bad"]
    world.carrier.give_files()
    await world.pass_time(120)
    assert world.matter_codes() == []
    assert [each.sha256 is not None for each in world.parcel(order.id).files] == [True]
