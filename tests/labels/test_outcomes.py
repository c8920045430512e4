"""What becomes of a purchase that does not simply succeed, and of one that nobody should make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from carriers.carrier import Capabilities
from carriers.errors import Overloaded, Refused, Unavailable
from carriers.money import Money
from connector.labels.record import BUY
from connector.labels.tables import labels
from connector.labels.voids import request_void
from connector.orders.view import NothingToBuy
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import PERSON, RULE, World, a_world

pytestmark = pytest.mark.anyio


async def bought(world: World) -> str:
    """An order whose label was bought; its id."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    return order.id


# --- answers that never came


async def test_an_unclear_purchase_is_looked_up_and_not_repeated(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("lost-answer")
    await any_world.refresh(order.id)
    assert any_world.parcel(order.id).state == "unknown"
    await any_world.pass_time(5)
    assert any_world.parcel(order.id).state == "bought"
    assert any_world.carrier.attempts == ["shp_1"]


async def test_before_the_ceiling_nothing_is_bought_again_and_after_it_the_same_shipment_is(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("lost-request")
    await any_world.refresh(order.id)
    await any_world.pass_time(58)
    assert any_world.carrier.attempts == ["shp_1"]
    await any_world.pass_time(10)
    assert any_world.carrier.attempts == ["shp_1", "shp_1"]
    assert [sold.handle for sold in any_world.carrier.sales] == ["shp_1"]
    assert any_world.parcel(order.id).state == "bought"


async def test_a_purchase_fails_to_answer_three_times_at_most(world: World) -> None:
    """Then a person looks; their click looks it up once more and buys, with everything still bought once."""
    order = await world.buy_from_quote()
    world.carrier.plays.extend(["lost-request"] * 3)
    await world.refresh(order.id)
    await world.pass_time(3600, step_s=20)
    assert world.carrier.attempts == ["shp_1"] * 3
    assert world.matter_codes() == ["outcome_unclear"]
    assert world.parcel(order.id).state == "unknown"
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"
    assert len(world.carrier.sales) == 1
    assert world.matter_codes() == []


async def test_what_stayed_unclear_and_was_sold_is_found_by_a_click(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.plays.extend(["lost-request", "lost-request", "late"])
    await world.refresh(order.id)
    await world.pass_time(3600, step_s=20)
    world.carrier.finish_late()
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"
    assert len(world.carrier.attempts) == 3


async def test_an_edited_order_waits_while_its_purchase_is_unclear(world: World) -> None:
    """Its parcel may be paid for already: it is neither replaced nor let go."""
    order = await world.buy_from_quote()
    world.carrier.plays.extend(["lost-request"] * 3)
    await world.refresh(order.id)
    await world.pass_time(3600, step_s=20)
    (group,) = order.groups
    world.change_group(order.id, lines=group.lines[:1])
    await world.refresh(order.id)
    assert [each.state for each in world.order(order.id).parcels] == ["unknown"]
    assert "changed_after_label" in world.matter_codes()


async def test_an_unclear_purchase_of_a_carrier_that_may_sell_twice_waits_for_a_person(
    tmp_path: Path, clock: FrozenClock
) -> None:
    carrier = FakeCarrier(capabilities=Capabilities("unsafe", look_up_ceiling_s=60))
    async with a_world(f"sqlite:///{tmp_path / 'db'}", tmp_path, clock, carrier=carrier) as world:
        order = await world.buy_from_quote()
        carrier.plays.append("lost-request")
        await world.refresh(order.id)
        await world.pass_time(1800, step_s=30)
        assert (carrier.attempts, world.matter_codes()) == (["shp_1"], ["outcome_unclear"])
        await world.click_buy(order.id)
        assert world.parcel(order.id).state == "bought"
        assert len(carrier.sales) == 1


async def test_an_order_cancelled_while_its_purchase_is_unclear_is_not_bought_again(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("lost-request")
    await any_world.refresh(order.id)
    any_world.change(order.id, cancelled=True)
    await any_world.pass_time(600, step_s=10)
    assert any_world.carrier.sales == []
    assert [each.state for each in any_world.order(order.id).parcels] == ["cancelled"]


async def test_an_order_cancelled_while_its_purchase_is_unclear_is_voided_if_it_was_sold(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("late")
    await any_world.refresh(order.id)
    any_world.carrier.finish_late()
    any_world.change(order.id, cancelled=True)
    any_world.queue("orders.refresh", order.id)
    await any_world.pass_time(600, step_s=10)
    assert any_world.carrier.voids == ["shp_1"]
    assert any_world.balances() == {"buyer": -700, "shipping:income": 700, **QUOTED}


QUOTED = {"carrier:expected": -700, "postage:expected": 700}


async def test_look_ups_that_fail_go_on_and_come_before_a_person_after_ten_minutes(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.plays.append("lost-answer")
    world.carrier.look_up_errors.extend([Unavailable("Down.")] * 40)
    await world.refresh(order.id)
    await world.pass_time(500, step_s=10)
    assert world.matter_codes() == []
    await world.pass_time(400, step_s=10)
    assert world.matter_codes() == ["cannot_look_up"]
    await world.pass_time(1200, step_s=30)
    assert world.parcel(order.id).state == "bought"
    assert (world.carrier.attempts, world.matters()) == (["shp_1"], [])


# --- plain refusals


async def test_a_refused_purchase_says_why_and_can_be_bought_again(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.plays.append("refuse")
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    assert parcel.state == "refused"
    assert parcel.why is not None
    assert "not good enough" in parcel.why.say()
    assert world.matter_codes() == ["carrier_refused"]
    await world.pass_time(7200, step_s=600)
    assert world.carrier.sales == []
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.matter_codes() == []


async def test_a_worker_that_lost_its_lease_buys_nothing(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.work.held = False
    await any_world.refresh(order.id)
    await any_world.pass_time(50)
    assert any_world.carrier.attempts == []
    any_world.work.held = True
    await any_world.pass_time(600, step_s=10)
    assert any_world.parcel(order.id).state == "bought"
    assert any_world.carrier.attempts == ["shp_1"]


async def test_a_carrier_that_is_down_is_asked_again_later(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.create_error = Overloaded("Too many.", retry_after_s=5)
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "planned"
    world.carrier.create_error = None
    await world.pass_time(60)
    assert world.parcel(order.id).state == "bought"


@pytest.mark.complaint(8)
async def test_an_address_that_the_carrier_refuses_holds_the_parcel_with_the_carriers_words(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.create_error = Refused("The postal code is not of this country.")
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    assert parcel.state == "held"
    assert parcel.why is not None
    assert "postal code" in parcel.why.say()
    assert world.matter_codes() == ["carrier_refused"]


# --- prices and services that are not what they were


async def test_a_label_dearer_than_tolerated_is_held_for_the_rule_and_bought_by_a_person(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.prices["Ground"] = 751
    await any_world.refresh(order.id)
    assert any_world.parcel(order.id).state == "held"
    assert any_world.matter_codes() == ["dearer_than_quoted"]
    assert any_world.carrier.attempts == []
    await any_world.click_buy(order.id)
    assert any_world.carrier.sales[0].rate.price == Money(751, "EUR")


async def test_a_label_within_the_tolerance_is_bought_at_its_new_price(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.prices["Ground"] = 750
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.balances()["postage:bought"] == 750


async def test_a_service_that_is_gone_is_not_replaced_by_another(world: World) -> None:
    order = await world.buy_from_quote()
    del world.carrier.prices["Ground"]
    await world.refresh(order.id)
    assert world.matter_codes() == ["service_gone"]
    await world.click_buy(order.id)
    assert world.carrier.attempts == []


async def test_a_price_in_another_currency_is_not_paid(world: World) -> None:
    order = await world.buy_from_quote()
    world.carrier.currency = "USD"
    await world.refresh(order.id)
    assert world.matter_codes() == ["currency_changed"]
    assert world.carrier.attempts == []


async def test_without_a_quote_only_a_person_buys_and_gets_the_cheapest(world: World) -> None:
    order = world.place()
    await world.refresh(order.id)
    assert world.matter_codes() == ["quote_lost"]
    assert world.carrier.attempts == []
    await world.click_buy(order.id)
    assert [sold.rate.service for sold in world.carrier.sales] == ["Ground"]


@pytest.mark.parametrize("play", ["dearer", "other-service"])
async def test_a_label_that_is_not_what_was_intended_comes_before_a_person(world: World, play: str) -> None:
    order = await world.buy_from_quote()
    world.carrier.plays.append(play)  # type: ignore[arg-type]  # One of the literals.
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.matter_codes() == ["bought_differs"]
    (row,) = world.labels_of(world.parcel(order.id).id)
    assert world.balances()["postage:bought"] == row.booked_minor == world.carrier.sales[0].rate.price.minor


# --- test and live


@pytest.mark.complaint(9)
async def test_a_test_shop_never_spends_on_a_production_account(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.test_mode = False
    await any_world.refresh(order.id)
    await any_world.click_buy(order.id)
    assert any_world.matter_codes() == ["production_account_in_test"]
    assert any_world.carrier.attempts == []


@pytest.mark.complaint(9)
async def test_a_shop_that_became_a_test_shop_stops_a_purchase_that_was_intended_before(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.test_mode = False
    await any_world.set(mode="live", buy="on_paid", buy_after="0")
    any_world.carrier.plays.append("not-sent")
    await any_world.refresh(order.id)
    assert len(any_world.carrier.attempts) == 1
    await any_world.set(mode="test", buy="", buy_after="")
    await any_world.pass_time(120)
    assert len(any_world.carrier.attempts) == 1
    assert any_world.matter_codes() == ["production_account_in_test"]


async def test_a_live_shop_buys_no_sample_labels(world: World) -> None:
    await world.set(mode="live", buy="on_paid", buy_after="0")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.matter_codes() == ["test_account_in_live"]
    assert world.carrier.attempts == []


async def test_a_live_shop_buys_nothing_while_the_clock_is_moved(tmp_path: Path, clock: FrozenClock) -> None:
    carrier = FakeCarrier(test_mode=False)
    url = f"sqlite:///{tmp_path / 'db'}"
    async with a_world(url, tmp_path, clock, carrier=carrier, test_clock="3600:1") as world:
        await world.set(mode="live", buy="on_paid", buy_after="0")
        order = await world.buy_from_quote()
        await world.refresh(order.id)
        assert world.matter_codes() == ["moved_clock_in_live"]
        assert carrier.attempts == []


async def test_a_live_shop_buys_nothing_without_a_click(any_world: World) -> None:
    any_world.carrier.test_mode = False
    await any_world.set(mode="live")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    await any_world.pass_time(7200, step_s=600)
    assert any_world.carrier.created == []
    await any_world.click_buy(order.id)
    assert any_world.parcel(order.id).state == "bought"
    (row,) = any_world.labels_of(any_world.parcel(order.id).id)
    assert (row.actor_kind, row.actor_name) == ("person", "desk")


async def test_a_purchase_that_waits_for_its_time_is_not_made_once_rules_may_not_buy(any_world: World) -> None:
    await any_world.set(buy_after="30")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    await any_world.set(mode="live")
    await any_world.pass_time(7200, step_s=600)
    assert any_world.carrier.created == []
    assert any_world.parcel(order.id).state == "planned"


async def test_a_test_order_of_a_live_shop_waits_for_a_person(world: World) -> None:
    world.carrier.test_mode = False
    await world.set(mode="live", buy="on_paid", buy_after="0")
    order = await world.buy_from_quote(test=True)
    await world.refresh(order.id)
    assert world.matter_codes() == ["test_order_in_live"]
    assert world.carrier.created == []


# --- accounts and amounts


async def test_the_account_that_was_quoted_buys_and_no_other(tmp_path: Path, clock: FrozenClock) -> None:
    """Where it is not connected any more the parcel waits, and does not become another carrier's."""
    dear, cheap = FakeCarrier(prices={"Ground": 900}), FakeCarrier(name="Other", prices={"Ground": 100})
    url = f"sqlite:///{tmp_path / 'db'}"
    async with a_world(url, tmp_path, clock, carrier=dear, second_carrier=cheap) as world:
        order = await world.buy_from_quote()
        await world.refresh(order.id)
        assert [sold.rate.price.minor for sold in dear.sales] == [900]
        assert cheap.sales == []


async def test_a_rule_does_not_buy_again_what_was_voided(any_world: World) -> None:
    order_id = await bought(any_world)
    parcel = any_world.parcel(order_id)
    any_world.act(request_void, any_world.work, any_world.shop_id, parcel.id, "x", PERSON, any_world.clock.now())
    any_world.queue(BUY, parcel.id, RULE.kind, RULE.name)
    await any_world.drain()
    assert len(any_world.carrier.sales) == 1
    assert any_world.parcel(order_id).state == "voided"


async def test_every_amount_is_booked_once_and_all_of_them_are_even(any_world: World) -> None:
    await any_world.set(markup_percent="10")
    order_id = await bought(any_world)
    for _ in range(3):
        await any_world.refresh(order_id)
    kinds = [(each.kind, each.money.minor) for each in any_world.order(order_id).amounts]
    assert sorted(kinds) == [("bought", 700), ("charged", 770), ("quoted", 700)]
    assert sum(any_world.balances().values()) == 0
    assert any_world.balances() == {
        "carrier:expected": -700,
        "postage:expected": 700,
        "buyer": -770,
        "shipping:income": 770,
        "wallet": -700,
        "postage:bought": 700,
    }


async def test_nothing_is_left_to_buy_once_everything_is_bought(world: World) -> None:
    order_id = await bought(world)
    with pytest.raises(NothingToBuy):
        await world.click_buy(order_id)


async def test_a_created_shipment_that_lay_too_long_is_priced_again(world: World) -> None:
    """Rates of shipments expire: half a day later a new one is created, and the old one is let go unbought."""
    order = await world.buy_from_quote()
    await world.set(buy="manual")
    await world.refresh(order.id)
    parcel_id = world.parcel(order.id).id
    created_then_stopped(world)
    await world.click_buy(order.id)
    assert world.parcel(order.id).state == "bought"
    assert world.label_states(parcel_id) == ["bought", "dropped"]


def created_then_stopped(world: World) -> None:
    """Put an old created label there, as a run that ended right after it left it half a day ago."""
    (parcel,) = world.live_parcels("ord_1")
    rate = world.carrier._rates("shp_old", 1)[0]
    old = world.clock.now().replace(day=1)
    values = {
        "parcel_id": parcel.id,
        "account_id": world.account_id,
        "carrier": "fake",
        "state": "created",
        "handle": "shp_old",
        "rates": [{"account": rate.account, "carrier": rate.carrier, "service": rate.service,
                   "price": {"minor": 700, "currency": "EUR"}, "rate_id": rate.rate_id}],
        "actor_kind": "person",
        "actor_name": "desk",
        "why": {},
        "created_at": old,
    }  # fmt: skip
    insert = labels.insert(world.shop_id, id="lab_old", **values)
    world.act(lambda connection: connection.execute(insert))


def test_a_rate_keeps_what_it_is_when_its_price_moves() -> None:
    """Account, carrier and service are what makes it the promised one."""
    (rate, _) = FakeCarrier()._rates("shp", 1)
    assert replace(rate, price=Money(1, "EUR")).key == rate.key
