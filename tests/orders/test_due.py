"""Paid orders against their thresholds: a coupon that was typed after the address, an edited cart, a store's discount.

A mug pair and a tea pot are 50.30: free from 50.00 on. What the service costs otherwise is the fake carrier's price.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from carriers.money import Money
from connector.orders import view
from connector.orders.due import as_paid, dues
from connector.orders.due_report import report
from connector.quotes.reduced import ReducedCart, ReducedLine, ReducedTotals
from connector.store import Order, ShippingLine
from tests.labels.world import World

pytestmark = pytest.mark.anyio

GOODS = Money(5030, "EUR")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def found(world: World, order: Order) -> Any:
    """The row of a compared order."""
    chosen = dues.select(world.shop_id).where(dues.c.order_id == world.order(order.id).id)
    return world.act(lambda connection: connection.execute(chosen).one())


async def usual_price(world: World) -> Money:
    row = await world.quote()
    offer = next(each for each in row.decision.offers if each.code == "fake-ground")
    return Money(offer.minor, offer.currency)


def charged(minor: int, paid: int | None = None) -> tuple[ShippingLine, ...]:
    return (ShippingLine("fake-ground", "FAKE Ground", eur(minor), "", None if paid is None else eur(paid)),)


@pytest.mark.complaint(22)
async def test_an_order_that_paid_what_was_due_is_right(world: World) -> None:
    await world.set(threshold="50.00:fake-ground")
    order = await world.buy_from_quote(subtotal=GOODS)
    assert order.shipping_lines[0].price == eur(0)
    await world.refresh(order.id)
    assert (found(world, order).kind, found(world, order).cost_minor) == ("right", 0)


@pytest.mark.complaint(21)
@pytest.mark.complaint(22)
async def test_a_coupon_used_after_the_address_is_found_and_counted_with_its_cost(any_world: World) -> None:
    """The platform did not ask again: shipping stayed free although goods for 45.30 were paid."""
    usual = await usual_price(any_world)
    await any_world.set(threshold="50.00:fake-ground")
    order = await any_world.buy_from_quote(subtotal=eur(4530))
    await any_world.refresh(order.id)
    told = any_world.act(report, any_world.shop_id, any_world.clock.now() - timedelta(days=1))
    assert (told.counts["free"], told.free_cost) == (1, (usual,))
    (known,) = told.orders
    assert (known.name, known.kind, known.due, known.paid, known.cost) == (order.name, "free", usual, eur(0), usual)
    assert known.label is not None
    assert known.label.minor > 0


async def test_a_cent_of_coupon_decides(world: World) -> None:
    await world.set(threshold="50.00:fake-ground")
    for paid, kind in ((5000, "right"), (4999, "free")):
        order = await world.buy_from_quote(subtotal=eur(paid))
        await world.refresh(order.id)
        assert found(world, order).kind == kind


async def test_goods_that_were_added_after_the_address_are_wrongly_charged(world: World) -> None:
    usual = await usual_price(world)
    await world.set(threshold="60.00:fake-ground")
    order = await world.buy_from_quote(subtotal=eur(6000))
    await world.refresh(order.id)
    told = world.act(report, world.shop_id, world.clock.now() - timedelta(days=1))
    (known,) = told.orders
    assert (known.kind, known.due, known.paid) == ("charged", eur(0), usual)
    assert told.charged_cost == (usual,)


async def test_what_the_stores_own_discount_took_off_is_not_wrongly_free(world: World) -> None:
    usual = await usual_price(world)
    await world.set(threshold="60.00:fake-ground")
    order = await world.buy_from_quote(subtotal=GOODS, shipping_lines=charged(usual.minor, 0))
    await world.refresh(order.id)
    assert (found(world, order).kind, found(world, order).cost_minor) == ("discounted", 0)


async def test_a_stores_discount_that_gives_what_is_due_is_right(world: World) -> None:
    """The threshold is published: the price stays, the store takes it off, and nothing is wrong."""
    usual = await usual_price(world)
    await world.set(threshold="50.00:fake-ground")
    order = await world.buy_from_quote(subtotal=GOODS, shipping_lines=charged(usual.minor, 0))
    await world.refresh(order.id)
    assert found(world, order).kind == "right"


async def test_an_order_without_its_quote_is_not_known(world: World) -> None:
    await world.set(threshold="50.00:fake-ground")
    order = await world.buy_from_quote(subtotal=None)
    await world.refresh(order.id)
    assert found(world, order).kind == "unknown"


async def test_without_a_threshold_nothing_is_compared(world: World) -> None:
    order = await world.buy_from_quote(subtotal=GOODS)
    await world.refresh(order.id)
    told = world.act(report, world.shop_id, world.clock.now() - timedelta(days=1))
    assert sum(told.counts.values()) == 0


async def test_an_order_is_counted_once_however_often_it_is_read(any_world: World) -> None:
    await any_world.set(threshold="50.00:fake-ground")
    order = await any_world.buy_from_quote(subtotal=eur(4530))
    for _ in range(3):
        await any_world.refresh(order.id)
    assert any_world.act(report, any_world.shop_id, any_world.clock.now() - timedelta(days=1)).counts["free"] == 1


def test_goods_as_paid_keep_what_the_platform_told_of_tax() -> None:
    """60.00 with a tenth of tax on top; after a coupon of 10.00 the total is 55.00."""
    totals = ReducedTotals(subtotal=6000, discount=0, total=6600, tax="excluded")
    cart = ReducedCart(lines=(ReducedLine(quantity=1, price=6000),), currency="EUR", totals=totals)
    paid = as_paid(cart, eur(5000)).totals
    assert paid is not None
    assert (paid.subtotal, paid.discount, paid.total, paid.tax) == (6000, 1000, 5500, "excluded")


@pytest.mark.parametrize(("cost_share", "flagged"), [("100", True), ("10", False)])
async def test_an_order_that_eats_its_margin_says_so(world: World, cost_share: str, *, flagged: bool) -> None:
    await world.set(threshold="50.00:fake-ground", guard="flag", guard_cost_share=cost_share, guard_tax="0")
    order = await world.buy_from_quote(subtotal=GOODS)
    await world.refresh(order.id)
    shown = world.act(view.show, world.shop_id, order.id)
    assert (shown.margin is not None and shown.margin.code == "guard_flagged") is flagged
