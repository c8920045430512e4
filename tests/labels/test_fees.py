"""Fees that a carrier takes beside the postage: booked with the label, and back only where the carrier says so."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.easypost import mapping
from carriers.label import Purchased, Voided
from carriers.money import Money
from connector.insight.ledger_check import check
from connector.insight.truth_rows import order_cost
from connector.labels import voids
from connector.labels.amounts import Entry, entries
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.tables import labels
from connector.labels.voids import request_void
from tests.labels.invoicing import book_invoice
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio

LABEL_FEE, INSURANCE = ("LabelFee", Money(2, "EUR")), ("InsuranceFee", Money(100, "EUR"))
SOLD = {
    "id": "shp_1",
    "tracking_code": "1Z",
    "refund_status": "refunded",
    "selected_rate": {"id": "rate_1", "carrier": "USPS", "service": "Priority", "rate": "5.93", "currency": "USD"},
    "postage_label": {"label_url": "https://x/1.pdf"},
    "fees": [
        {"type": "LabelFee", "amount": "0.01000", "charged": True, "refunded": True},
        {"type": "PostageFee", "amount": "5.93000", "charged": True, "refunded": True},
        {"type": "InsuranceFee", "amount": "0.50000", "charged": True, "refunded": False},
        {"type": "TrackerFee", "amount": "0.02000", "charged": False, "refunded": False},
    ],
}


async def bought(world: World, *fees: tuple[str, Money]) -> str:
    """An order whose label was bought with these fees; its id."""
    world.carrier.fees = fees
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    return order.id


def fees(world: World, order_id: str) -> list[Entry]:
    return [each for each in world.order(order_id).amounts if each.kind in {"fee", "fee_back"}]


def ties(world: World) -> bool:
    return world.act(check, world.shop_id).gaps == ()


async def void(world: World, order_id: str, answer: Voided) -> Any:
    world.carrier.void_answers.append(answer)
    (label,) = world.labels_of(world.parcel(order_id).id)
    world.act(request_void, world.work, world.shop_id, label.parcel_id, "wrong box", PERSON, world.clock.now())
    await world.drain()
    return world.labels_of(label.parcel_id)[0]


def invoiced(world: World, number: str, minor: int, *charges: tuple[str, int], invoice: str = "I-1") -> None:
    line = InvoiceLine(2, number, Money(minor, "EUR"), invoice, charges=charges)
    world.act(book_invoice, world.shop_id, [line], "total", world.clock.now())


def test_what_easypost_takes_beside_the_postage_is_read_and_what_it_gave_back_of_it() -> None:
    sold = mapping.purchased(SOLD)
    assert isinstance(sold, Purchased)
    assert sold.fees == (("LabelFee", Money(1, "USD")), ("InsuranceFee", Money(50, "USD")))
    assert mapping.voided(SOLD) == Voided("voided", fees_back=("LabelFee",))


async def test_each_fee_beside_the_postage_is_an_amount_with_its_cause(any_world: World) -> None:
    order_id = await bought(any_world, LABEL_FEE, INSURANCE, ("TrackerFee", Money(0, "EUR")))
    (label,) = any_world.labels_of(any_world.parcel(order_id).id)
    assert {(each.cause, each.money.minor, each.label_id) for each in fees(any_world, order_id)} == {
        (f"{label.id}:fee:LabelFee", 2, label.id),
        (f"{label.id}:fee:InsuranceFee", 100, label.id),
    }
    stands = any_world.balances()
    assert (stands["wallet"], stands["postage:bought"], stands["postage:fees"]) == (-802, 700, 102)
    assert ties(any_world)


async def test_a_carrier_without_fees_leaves_rate_and_ledger_as_they_were(world: World) -> None:
    order_id = await bought(world)
    (label,) = world.labels_of(world.parcel(order_id).id)
    assert (fees(world, order_id), "fees" in label.booked_rate) == ([], False)


async def test_a_fee_that_is_missing_in_the_ledger_is_seen_by_its_check(world: World) -> None:
    await bought(world, LABEL_FEE)
    gone = entries.delete(world.shop_id).where(entries.c.kind == "fee")
    world.act(lambda connection: connection.execute(gone))
    assert [gap.what.code for gap in world.act(check, world.shop_id).gaps] == ["ledger_fee"]


async def test_fees_are_a_cause_of_their_own_of_what_an_order_cost_more(world: World) -> None:
    order_id = await bought(world, LABEL_FEE)
    cost = world.act(order_cost, world.shop_id, world.order(order_id).id, "EUR")
    assert cost is not None
    assert (cost.quoted, cost.bought) == (Money(700, "EUR"), Money(702, "EUR"))
    assert cost.causes == (("label_fee", Money(2, "EUR")),)


async def test_a_void_gives_no_fee_back_that_the_carrier_does_not_say_it_gave_back(world: World) -> None:
    order_id = await bought(world, LABEL_FEE)
    await void(world, order_id, Voided("voided"))
    assert [each.kind for each in fees(world, order_id)] == ["fee"]
    assert (world.balances()["wallet"], ties(world)) == (-2, True)


async def test_a_fee_that_the_carrier_gave_back_is_booked_back_once(any_world: World) -> None:
    order_id = await bought(any_world, LABEL_FEE, INSURANCE)
    await void(any_world, order_id, Voided("requested", fees_back=("LabelFee",)))
    any_world.carrier.void_answers.append(Voided("voided", fees_back=("LabelFee", "NewFee")))
    await any_world.pass_time(7 * 3600, step_s=3600)
    assert [each.money.minor for each in fees(any_world, order_id) if each.kind == "fee_back"] == [2]
    assert (any_world.balances()["wallet"], ties(any_world)) == (-100, True)


@pytest.mark.parametrize("by", ["invoice", "person"])
async def test_money_that_is_seen_with_exactly_the_fees_on_top_gives_them_back(world: World, by: str) -> None:
    order_id = await bought(world, LABEL_FEE)
    label = await void(world, order_id, Voided("accepted"))
    now = world.clock.now()
    if by == "person":
        world.act(voids.note_money_back, label, "7.02", now, now, PERSON)
    else:
        for _ in range(2):
            line = InvoiceLine(2, label.tracking_code, Money(-702, "EUR"), "")
            world.act(book_invoice, world.shop_id, [line], "adjustment", now)
    assert {(each.kind, each.money.minor) for each in fees(world, order_id)} == {("fee", 2), ("fee_back", 2)}
    assert ("wallet" in world.balances(), "postage:lost" in world.balances(), ties(world)) == (False, False, True)


@pytest.mark.parametrize(
    ("minor", "charges", "added"),
    [
        (700, (), 0),
        (702, (), 0),
        (702, (("Postage", 700), ("Label Fee", 2)), 0),
        (752, (("Postage", 750), ("LABEL_FEE", 2)), 50),
        (750, (("Postage", 750),), 50),
    ],
)
async def test_an_invoice_of_whole_prices_counts_no_fee_twice(
    world: World, minor: int, charges: tuple[tuple[str, int], ...], added: int
) -> None:
    order_id = await bought(world, LABEL_FEE)
    (label,) = world.labels_of(world.parcel(order_id).id)
    for _ in range(2):
        invoiced(world, label.tracking_code, minor, *charges)
    assert sum(each.money.minor for each in world.order(order_id).amounts if each.kind == "adjusted") == added
    cost = world.act(order_cost, world.shop_id, world.order(order_id).id, "EUR")
    assert cost is not None
    assert cost.invoiced == Money(702 + added, "EUR")
    assert sum(money.minor for _, money in cost.causes) == 2 + added
    assert ties(world)


async def test_fees_of_a_label_that_was_booked_late_are_booked_too(any_world: World) -> None:
    """Once for the label that is taken, and once for one that another had replaced meanwhile and is given back."""
    any_world.carrier.fees = (LABEL_FEE,)
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("refuse-late")
    await any_world.refresh(order.id)
    any_world.carrier.finish_late()
    await any_world.pass_time(5)
    await any_world.click_buy(order.id)
    await any_world.pass_time(601, step_s=601)
    any_world.queue("labels.sweep")
    await any_world.drain()
    assert any_world.label_states(any_world.parcel(order.id).id) == ["bought", "voided"]
    taken = labels.select(any_world.shop_id, labels.c.id)
    ids = {row.id for row in any_world.act(lambda connection: connection.execute(taken).all())}
    assert {each.cause for each in fees(any_world, order.id)} == {f"{each}:fee:LabelFee" for each in ids}
    assert (any_world.balances()["postage:fees"], ties(any_world)) == (4, True)
