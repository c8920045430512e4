"""A purchase is held to its promise, its address and the shop's conditions, through the very job that buys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from carriers.address import Address
from carriers.money import Money
from connector.catalogue import keep
from connector.catalogue.product import Values
from connector.labels.tables import parcels
from connector.orders.refresh import REFRESH
from connector.store import Order, ProductFacts
from connector.words.reason import Reason
from tests.labels.world import BUYER, MUG, World

pytestmark = pytest.mark.anyio

NO_STREET = replace(BUYER, street1="")
ABROAD = Address("CH", "8001", "ZH", "Zürich", "Bahnhofstrasse 1", name="Sample Buyer", phone="+41 44 1234567")


def why(world: World, order: Order) -> Reason:
    found = world.parcel(order.id).why
    assert found is not None
    return found


def intent(world: World, order: Order) -> Reason:
    """Why the label was bought as it was."""
    (row,) = [each for each in world.labels_of(world.parcel(order.id).id) if each.state == "bought"]
    return Reason.from_json(row.why)


async def corrected(world: World, order: Order, **address: Any) -> None:
    """The merchant writes another address into the store, which tells of it."""
    (group,) = world.store.orders[order.id].groups
    assert group.destination is not None
    world.clock.at += timedelta(seconds=2)
    world.change_group(order.id, destination=replace(group.destination, **address))
    await world.refresh(order.id)


# --- the promised day


async def late(world: World, **settings: str) -> Order:
    """An order that is read some days after its payment, so that its service would come late."""
    await world.set(**settings)
    order = await world.buy_from_quote()
    world.clock.at += timedelta(days=2)
    await world.refresh(order.id)
    return order


async def test_a_label_that_would_come_late_is_held_with_both_days_and_bought_by_a_click(world: World) -> None:
    order = await late(world)
    assert (world.parcel(order.id).state, why(world, order).code) == ("held", "later_than_promised")
    assert str(why(world, order).params["now"]) > str(why(world, order).params["promised"])
    assert world.carrier.attempts == []
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.carrier.sales[0].rate.service == "Ground"


async def test_a_label_that_would_come_late_is_stood_in_for_and_what_that_costs_is_in_reason_and_ledger(
    world: World,
) -> None:
    order = await late(world, unpromised="substitute")
    assert world.carrier.sales[0].rate.service == "Express"
    bought = intent(world, order)
    assert (bought.code, bought.params["difference"]) == ("substituted", Money(800, "EUR"))
    balances = world.balances()
    assert balances["postage:bought"] - balances["postage:expected"] == 800


async def test_a_label_that_would_come_late_is_refused_where_the_shop_says_so(world: World) -> None:
    order = await late(world, unpromised="refuse")
    assert (world.parcel(order.id).state, why(world, order).code) == ("refused", "later_than_promised")
    assert world.matter_codes() == ["later_than_promised"]
    assert world.carrier.attempts == []


async def test_the_tolerance_is_the_shop_s_own(world: World) -> None:
    """Twenty cents are too much for one shop, and nothing for another."""
    await world.set(tolerance="0%:0.10")
    order = await world.buy_from_quote()
    world.carrier.prices["Ground"] = 720
    await world.refresh(order.id)
    assert why(world, order).code == "dearer_than_quoted"
    await world.set(tolerance="0%:0.20")
    world.clock.advance(seconds=1)
    await world.release(order.id)
    assert world.parcel(order.id).state == "bought"


# --- addresses


@pytest.mark.complaint(8)
async def test_an_address_that_cannot_be_delivered_to_is_found_before_anything_is_asked_of_the_carrier(
    world: World,
) -> None:
    order = world.place(MUG, to=NO_STREET, offer=await offer_of(world))
    await world.refresh(order.id)
    assert (world.parcel(order.id).state, why(world, order).code) == ("held", "address_refused")
    assert "street" in why(world, order).say().lower()
    assert world.carrier.created == []


async def offer_of(world: World) -> Any:
    row = await world.quote(MUG)
    return next(each for each in row.decision.offers if each.code == "fake-ground")


BOX = "It does not deliver to a post office box: ask for a street, or use a post's service."
UPS, FEDEX = ("UPS", "Ground"), ("FedEx", "FEDEX_GROUND")


@pytest.mark.complaint(8)
@pytest.mark.parametrize(
    ("service", "typed", "said"),
    [
        (UPS, {"phone": ""}, "UPS will refuse this address. It wants the recipient's phone number."),
        (FEDEX, {"street1": "Stephansplatz"}, "FedEx will refuse this address. The street has no house number."),
        (
            UPS,
            {"street1": "PO Box 12"},
            f"UPS will refuse this address. {BOX}",
        ),
        (
            UPS,
            {"postal_code": "10 10 10"},
            "UPS will refuse this address. The postal code is not of the country's form, such as 1010.",
        ),
    ],
)
async def test_what_a_carrier_refuses_is_named_with_its_fix_before_the_carrier_is_asked(
    world: World, service: tuple[str, str], typed: dict[str, Any], said: str
) -> None:
    await world.set(buy="manual")
    order = world.place(MUG, to=replace(BUYER, **typed), offer=await offer_of(world))
    await world.refresh(order.id)
    chosen_by(world, order, *service)
    await world.click_buy(order.id)
    assert (world.parcel(order.id).state, why(world, order).say()) == ("held", said)
    assert world.matters()[0].cure.startswith("Correct the address in the store")
    assert world.carrier.created == []


def chosen_by(world: World, order: Order, carrier: str, service: str) -> None:
    """The buyer chose this carrier's service."""
    bought_as(world, order, how="service", carrier=carrier, service=service)


def bought_as(world: World, order: Order, **changes: str) -> None:
    """What the buyer chose is bought as this."""
    mine = parcels.c.id == world.parcel(order.id).id
    row = world.act(lambda connection: connection.execute(parcels.select(world.shop_id).where(mine)).one())
    kept = {**row.bought_as, **changes}
    world.act(lambda connection: connection.execute(parcels.update(world.shop_id).where(mine).values(bought_as=kept)))


NO_PHONE = "UPS will refuse this address. It wants the recipient's phone number."


def of_carrier(world: World, name: str, **prices: int) -> None:
    """What the shipments that are made from now on are offered for."""
    world.carrier.name = name
    world.carrier.prices = dict(prices)


@pytest.mark.complaint(8)
@pytest.mark.parametrize("how", ["cheapest", "without-quote", "offer"])
async def test_what_the_carrier_that_is_chosen_at_the_purchase_refuses_is_found_before_it_is_bought(
    world: World, how: str
) -> None:
    """Bought as the cheapest, without a quote, or with a lost one: nobody knew the carrier before its rates came."""
    await world.set(buy="manual")
    order = world.place(MUG, to=replace(BUYER, phone=""), offer=await offer_of(world))
    await world.refresh(order.id)
    match how:
        case "cheapest":
            bought_as(world, order, how="cheapest", carrier="", service="")
        case "offer":
            bought_as(world, order, how="offer", carrier="", service="ups-ground")
        case "without-quote":
            bought_as(world, order, how="offer", carrier="", service="store-standard")
    of_carrier(world, "UPS", Ground=700)
    await world.click_buy(order.id)
    assert (world.parcel(order.id).state, why(world, order).say()) == ("held", NO_PHONE)
    assert world.matters()[0].cure.startswith("Correct the address in the store")
    assert (world.carrier.attempts, len(world.carrier.created)) == ([], 1)
    world.clock.advance(seconds=1)
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"


async def test_a_rule_holds_the_cheapest_for_its_carrier_and_goes_on_once_the_address_is_mended(world: World) -> None:
    await world.set(buy_after="1")
    order = world.place(MUG, to=replace(BUYER, phone=""), offer=await offer_of(world))
    world.queue(REFRESH, order.id)
    await world.work.drain()
    bought_as(world, order, how="cheapest", carrier="", service="")
    of_carrier(world, "UPS", Ground=700)
    await world.pass_time(90, step_s=30)
    assert (world.parcel(order.id).state, why(world, order).say()) == ("held", NO_PHONE)
    await corrected(world, order, phone="+43 1 234567")
    await world.pass_time(90, step_s=30)
    assert (world.parcel(order.id).state, world.matters()) == ("bought", [])


async def test_a_substitute_whose_carrier_would_refuse_the_address_is_passed_over(world: World) -> None:
    """The promised carrier takes an address without a telephone, and the one that would stand in does not."""
    await world.set(unpromised="substitute", buy_after="1")
    order = world.place(MUG, to=replace(BUYER, phone=""), offer=await offer_of(world))
    world.queue(REFRESH, order.id)
    await world.work.drain()
    of_carrier(world, "UPS", Express=900)
    await world.pass_time(90, step_s=30)
    assert (world.parcel(order.id).state, why(world, order).code) == ("held", "service_gone")
    assert world.carrier.attempts == []


async def test_a_shop_that_wants_no_check_buys_the_cheapest_of_any_carrier(world: World) -> None:
    await world.set(buy="manual", check_address="no")
    order = world.place(MUG, to=replace(BUYER, phone=""), offer=await offer_of(world))
    await world.refresh(order.id)
    bought_as(world, order, how="cheapest", carrier="", service="")
    of_carrier(world, "UPS", Ground=700)
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"


@pytest.mark.complaint(8)
async def test_blanks_and_the_writing_of_a_postal_code_are_put_right_before_they_reach_the_carrier(
    world: World,
) -> None:
    untidy = replace(
        BUYER,
        name=" Sample  Buyer ",
        street1="Stephansplatz 3  ",
        city="\tWien ",
        postal_code=" A-1010 ",
        phone=" +43 1 234567 ",
    )
    order = world.place(MUG, to=untidy, offer=await offer_of(world))
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.carrier.created[0].destination == replace(BUYER, residential=None)


async def test_by_hand_a_corrected_address_says_that_it_waits_for_a_click(world: World) -> None:
    await world.set(buy="manual")
    order = world.place(MUG, to=NO_STREET, offer=await offer_of(world))
    await world.refresh(order.id)
    await world.click_buy(order.id)
    await corrected(world, order, street1="Stephansplatz 3")
    assert (world.parcel(order.id).state, why(world, order).code) == ("planned", "waits_for_click")
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"


async def test_an_address_that_is_corrected_in_the_store_goes_on_by_itself(world: World) -> None:
    order = world.place(MUG, to=NO_STREET, offer=await offer_of(world))
    await world.refresh(order.id)
    await corrected(world, order, street1="Stephansplatz 3")
    assert world.parcel(order.id).state == "bought"
    assert world.carrier.created[0].destination.street1 == "Stephansplatz 3"
    assert world.matters() == []


async def test_a_person_who_clicks_again_ships_as_typed(world: World) -> None:
    await world.set(buy="manual")
    order = world.place(MUG, to=NO_STREET, offer=await offer_of(world))
    await world.refresh(order.id)
    await world.click_buy(order.id)
    assert (world.parcel(order.id).state, why(world, order).code) == ("held", "address_refused")
    world.clock.advance(seconds=1)
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"


async def test_an_address_that_a_person_let_pass_is_looked_at_again_once_it_is_another_one(world: World) -> None:
    await world.set(buy="manual")
    order = world.place(MUG, to=NO_STREET, offer=await offer_of(world))
    await world.refresh(order.id)
    await world.click_buy(order.id)
    await world.set(buy="")
    await corrected(world, order, city="")
    await corrected(world, order, city="Linz", postal_code="40")
    assert (world.parcel(order.id).state, why(world, order).code) == ("held", "address_refused")
    assert world.carrier.created == []


async def test_a_shop_that_wants_no_check_buys_to_any_address(world: World) -> None:
    await world.set(check_address="no")
    order = world.place(MUG, to=NO_STREET, offer=await offer_of(world))
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"


# --- conditions


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"buy_up_to": "20.00"}, "over_value"), ({"buy_countries": "DE"}, "country_by_hand")],
)
@pytest.mark.parametrize("by", ["click", "release"])
async def test_an_order_beyond_the_shop_s_conditions_waits_for_a_person(
    world: World, settings: dict[str, str], code: str, by: str
) -> None:
    await world.set(**settings)
    order = await world.buy_from_quote(subtotal=Money(5030, "EUR"))
    await world.refresh(order.id)
    assert (world.parcel(order.id).state, world.matter_codes()) == ("held", [code])
    assert world.carrier.created == []
    world.clock.advance(seconds=1)
    await (world.click_buy if by == "click" else world.release)(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.matters() == []


async def test_an_order_within_the_shop_s_conditions_is_bought(world: World) -> None:
    await world.set(buy_up_to="50.30", buy_countries="AT,DE", buy_in_stock="yes")
    order = await world.buy_from_quote(subtotal=Money(5030, "EUR"))
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"


async def test_an_order_whose_value_nobody_tells_waits_under_a_limit(world: World) -> None:
    await world.set(buy_up_to="500.00")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.matter_codes() == ["over_value"]


async def stocked(world: World, stock: int, *, own: bool) -> None:
    """The location has so many mugs: as the merchant's table counts them, or as the store does after its sales."""
    places = {"loc_store": {"stock": stock}}
    if own:
        row = keep.OwnRow(MUG.variant_id, "", Values.model_validate({"places": places}))
        world.act(keep.put_own, world.shop_id, [row])
    else:
        fact = ProductFacts(MUG.variant_id, MUG.sku, stock={"loc_store": stock})
        world.act(keep.put_facts, world.shop_id, [fact], (), 1)


@pytest.mark.parametrize(("own", "count"), [(True, 2), (False, -2)])
async def test_of_two_orders_for_the_same_goods_the_first_gets_them_and_the_second_waits(
    world: World, own: bool, count: int
) -> None:
    """Two mugs are there, and four were sold: the store counts two too few, the merchant's table what lies there."""
    await stocked(world, count, own=own)
    await world.set(buy_in_stock="yes", buy_after="30")
    orders = []
    for _ in range(2):
        order = world.place(MUG, offer=await offer_of(world))
        orders.append(order)
        world.queue(REFRESH, order.id)
        await world.work.drain()
        world.clock.advance(seconds=60)
    await world.pass_time(40 * 60, step_s=300)
    assert [world.parcel(order.id).state for order in orders] == ["bought", "held"]
    assert why(world, orders[1]).say() == "More was sold than the location has of: Mug."
    await world.click_buy(orders[1].id)
    assert world.parcel(orders[1].id).state == "bought"


# --- across borders


@pytest.mark.need(61)
@pytest.mark.complaint(44)
async def test_a_parcel_abroad_without_customs_data_is_held_naming_product_and_field(world: World) -> None:
    row = await world.quote(MUG, to=ABROAD)
    offer = next(each for each in row.decision.offers if each.code == "fake-ground")
    order = world.place(MUG, to=ABROAD, offer=offer)
    await world.refresh(order.id)
    assert (world.parcel(order.id).state, why(world, order).code) == ("held", "customs_missing")
    assert "Mug" in why(world, order).say()
    assert world.carrier.created == []


async def test_what_the_store_and_the_shop_say_reaches_the_carrier_as_the_declaration(world: World) -> None:
    await world.set(customs_signer="Tea and Pots Ltd", incoterm="DAP", tax_numbers="EORI:SK1234567890:SK")
    row = await world.quote(MUG, to=ABROAD)
    offer = next(each for each in row.decision.offers if each.code == "fake-ground")
    order = world.place(MUG, to=ABROAD, offer=offer)
    (group,) = order.groups
    lines = tuple(replace(each, hs_code="691200", origin_country="SK") for each in group.lines)
    world.store.put(replace(order, groups=(replace(group, lines=lines),)))
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    customs = world.carrier.created[0].customs
    assert customs is not None
    assert (customs.signer, customs.incoterm) == ("Tea and Pots Ltd", "DAP")
    (item,) = customs.items
    assert (item.hs_code, item.origin_country, item.quantity) == ("691200", "SK", 2)
    assert item.value == Money(2580, "EUR")
    assert [(each.kind, each.number) for each in customs.tax_ids] == [("EORI", "SK1234567890")]


async def test_a_parcel_within_the_union_declares_nothing(world: World) -> None:
    order = await world.buy_from_quote()
    world.queue(REFRESH, order.id)
    await world.drain()
    assert world.carrier.created[0].customs is None
