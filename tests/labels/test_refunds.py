"""Voids and their money through the whole house: what is booked, what is shown, and what a person is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carriers.easypost import CAPABILITIES as EASYPOST
from carriers.invoice import MoneyBack
from carriers.label import Voided, VoidState
from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.insight.ledger_check import check
from connector.labels import claims, invoice_news, voids
from connector.labels.claims import NotClaimable
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.voids import NotVoidable, request_void
from connector.orders import view
from connector.storage import audit
from connector.storage.audit import Actor
from tests.labels.invoicing import book_invoice
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio


async def voided(world: World, *answers: Voided) -> str:
    """An order whose label was bought and taken back; the carrier answers in turn. Its id."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.carrier.void_answers.extend(answers)
    parcel = world.parcel(order.id)
    world.act(request_void, world.work, world.shop_id, parcel.id, "wrong box", PERSON, world.clock.now())
    await world.drain()
    return order.id


def said(world: World, order_id: str) -> str:
    """How the refund is shown."""
    ((_, reason),) = world.parcel(order_id).refunds
    return reason.code


def said_of_any(world: World, order_id: str) -> str:
    """What is said of the only refund, whichever parcel it is of."""
    ((_, reason),) = [refund for parcel in world.order(order_id).parcels for refund in parcel.refunds]
    return reason.code


def ties(world: World) -> bool:
    return world.act(check, world.shop_id).gaps == ()


@pytest.mark.parametrize(
    ("carrier", "days"), [("USPS", 30), ("UPS", 90), ("UPSDAP", 90), ("FedEx", 90), ("FedExDefault", 90)]
)
def test_the_windows_of_carriers_are_those_that_they_publish(carrier: str, days: int) -> None:
    """EasyPost's refund guide: USPS within 30 days of the purchase, UPS and FedEx within 90."""
    assert EASYPOST.void_window_days(carrier) == days


@pytest.mark.complaint(5)
async def test_an_order_that_is_cancelled_gives_its_label_back_and_is_followed_to_the_money(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.carrier.void_answers.extend([Voided("requested"), Voided("voided")])
    world.change(order.id, cancelled=True)
    await world.refresh(order.id)
    assert said_of_any(world, order.id) == "refund_requested"
    await world.pass_time(7 * 3600, step_s=3600)
    assert said_of_any(world, order.id) == "refund_back"
    assert ties(world)


@pytest.mark.need(79)
@pytest.mark.complaint(14)
async def test_a_label_of_the_shops_own_contract_costs_what_its_carrier_asks_and_nothing_more(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.balances()["wallet"] == -700
    assert [each.money.minor for each in world.order(order.id).amounts if each.label_id is not None] == [700]


async def test_refunded_is_not_said_before_the_money_is_there(any_world: World) -> None:
    order_id = await voided(any_world, Voided("requested"), Voided("accepted"), Voided("requested"))
    assert said(any_world, order_id) == "refund_requested"
    await any_world.pass_time(7 * 3600, step_s=3600)
    assert said(any_world, order_id) == "refund_accepted"
    assert any_world.balances()["carrier:refund_due"] == 700
    assert ties(any_world)
    await any_world.pass_time(13 * 3600, step_s=3600)
    assert said(any_world, order_id) == "refund_back"
    assert "carrier:refund_due" not in any_world.balances()
    assert ties(any_world)


async def test_a_label_billed_on_its_scan_says_that_nothing_was_charged(world: World) -> None:
    order_id = await voided(world, Voided("nothing_charged"))
    assert said(world, order_id) == "refund_nothing"
    assert [each.kind for each in world.order(order_id).amounts if each.kind in {"refunded", "uncharged"}] == [
        "uncharged"
    ]
    assert ties(world)


@pytest.mark.complaint(6)
async def test_a_refused_refund_can_be_asked_for_again_and_come_after_all(world: World) -> None:
    order_id = await voided(world, Voided("refused", "Not yet."))
    assert world.balances()["postage:lost"] == 700
    assert world.matter_codes() == ["void_refused"]
    (label,) = world.labels_of(world.parcel(order_id).id)
    world.act(voids.ask_again, world.work, label, PERSON, world.clock.now())
    assert world.matter_codes() == []
    assert ties(world)
    await world.drain()
    assert said(world, order_id) == "refund_back"
    assert "postage:lost" not in world.balances()
    assert ties(world)
    (label,) = world.labels_of(world.parcel(order_id).id)
    with pytest.raises(NotVoidable):
        world.act(voids.ask_again, world.work, label, PERSON, world.clock.now())


@pytest.mark.parametrize(("stands", "shown"), [("voided", "refund_back"), ("accepted", "refund_accepted")])
async def test_news_of_a_refund_have_the_carrier_asked_how_it_stands(
    world: World, stands: VoidState, shown: str
) -> None:
    """Where the carrier bills the merchant itself a granted void is not money yet."""
    order_id = await voided(world, Voided("requested"))
    world.carrier.void_answers.append(Voided(stands))
    news = MoneyBack("shp_1", "", "Fake", world.clock.now(), "rfnd_1")
    for _ in range(2):
        world.act(invoice_news.take_in, world.work, world.shop_id, world.account_id, news, world.clock.now())
    assert said(world, order_id) == "refund_requested"
    await world.drain()
    assert said(world, order_id) == shown
    assert [each.kind for each in world.order(order_id).amounts].count("refunded") == (stands == "voided")
    assert ties(world)


async def test_a_webhook_brings_the_money_once(world: World) -> None:
    order_id = await voided(world, Voided("requested"))
    news = MoneyBack("shp_1", "", "Fake", world.clock.now() + timedelta(days=1), "rfnd_1")
    for _ in range(2):
        world.act(invoice_news.take_in, world.work, world.shop_id, world.account_id, news, world.clock.now())
        await world.drain()
    assert said(world, order_id) == "refund_back"
    assert [each.kind for each in world.order(order_id).amounts].count("refunded") == 1
    assert ties(world)
    await world.pass_time(24 * 3600, step_s=6 * 3600)
    assert world.carrier.voids == ["shp_1"]


async def test_an_invoice_that_gives_less_back_leaves_the_rest_as_a_loss(world: World) -> None:
    order_id = await voided(world, Voided("accepted"))
    line = InvoiceLine(2, "TRK1", Money(-500, "EUR"), "CREDIT-7")
    done = world.act(book_invoice, world.shop_id, [line], "adjustment", world.clock.now())
    assert (done.refunded, done.booked) == (1, 0)
    assert said(world, order_id) == "refund_back"
    assert world.balances()["postage:lost"] == 200
    assert ties(world)


async def test_a_scan_of_a_voided_label_is_put_before_a_person_once(world: World) -> None:
    order_id = await voided(world, Voided("requested"))
    number = world.labels_of(world.parcel(order_id).id)[0].tracking_code
    for hours in (1, 2):
        at = (world.clock.now() + timedelta(hours=hours)).isoformat()
        about = {"number": number, "events": [{"status": TrackingStatus.IN_TRANSIT, "at": at}]}
        await world.deliver("tracking", about, carrier=True)
        await world.drain()
    assert world.matter_codes() == ["voided_scanned"]


@pytest.mark.complaint(1)
async def test_another_label_is_an_act_with_a_reason(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel = any_world.parcel(order.id)
    now = any_world.clock.now()
    any_world.act(view.another_label, any_world.work, any_world.shop_id, parcel.id, "torn", PERSON, now)
    await any_world.pass_time(30)
    assert any_world.label_states(parcel.id) == ["bought", "voided"]
    (entry,) = [each for each in any_world.act(audit.entries, any_world.shop_id) if each.action == "label.another"]
    assert entry.detail == {"reason": "torn"}
    assert ties(any_world)


async def test_a_label_that_is_on_its_way_is_replaced_by_none(any_world: World) -> None:
    """The carrier would refuse its void: nothing is asked, booked as lost, or taken back from the store."""
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel = any_world.parcel(order.id)
    scan = {"status": TrackingStatus.IN_TRANSIT, "at": (any_world.clock.now() + timedelta(hours=1)).isoformat()}
    await any_world.deliver("tracking", {"number": "TRK1", "events": [scan]}, carrier=True)
    await any_world.drain()
    before, now = any_world.balances(), any_world.clock.now()
    with pytest.raises(view.NothingToBuy, match="scanned"):
        any_world.act(view.another_label, any_world.work, any_world.shop_id, parcel.id, "lost", PERSON, now)
    await any_world.pass_time(30)
    assert (any_world.label_states(parcel.id), any_world.carrier.voids, any_world.matter_codes()) == (
        ["bought"],
        [],
        [],
    )
    assert any_world.balances() == before
    assert len(any_world.store.fulfilments) == 1


@pytest.mark.complaint(3)
async def test_a_refund_that_is_on_its_way_does_not_keep_another_label_back(any_world: World) -> None:
    order_id = await voided(any_world, Voided("requested"))
    parcel = any_world.parcel(order_id)
    assert (parcel.state, said(any_world, order_id)) == ("voided", "refund_requested")
    any_world.clock.advance(seconds=1)
    await any_world.click_buy(order_id, another="wrong box")
    assert any_world.label_states(parcel.id) == ["bought", "void_requested"]
    assert ties(any_world)


async def test_a_claim_is_booked_until_it_is_paid_or_denied(world: World) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel_id, by = world.parcel(order.id).id, Actor("command", "waybill")

    def note(act: claims.ClaimAct, amount: str) -> Money:
        world.clock.advance(minutes=1)
        return world.act(
            claims.note_claim, world.shop_id, parcel_id, act, amount, "weighed wrongly", by, world.clock.now()
        )

    assert note("claimed", "5.00") == Money(500, "EUR")
    assert note("claim_paid", "3.00") == Money(200, "EUR")
    with pytest.raises(NotClaimable):
        note("claim_lost", "2.01")
    assert note("claim_lost", "2.00") == Money(0, "EUR")
    assert world.balances()["postage:claimed"] == -300
    assert ties(world)


async def test_what_the_buyer_pays_more_or_less_after_an_edit_is_booked_too(world: World) -> None:
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    (line,) = world.store.orders[order.id].shipping_lines
    from dataclasses import replace

    for minor in (900, 300):
        world.clock.advance(minutes=1)
        world.change(order.id, shipping_lines=(replace(line, price=Money(minor, "EUR")),))
        world.clock.advance(minutes=1)
        await world.refresh(order.id)
    assert world.balances()["shipping:income"] == 300
    assert ties(world)
