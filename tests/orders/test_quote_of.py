"""The quote an order came of: by what the store kept, else by goods, place and price; rather none than a wrong one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from carriers.money import Money
from connector.orders import view
from connector.orders.quote_of import Linked, quote_of
from connector.orders.view import NoSuchOrder
from connector.store import Order, ShippingLine
from tests.labels.world import BUYER, MUG, POT, World

pytestmark = pytest.mark.anyio


def link(world: World, order: Order) -> Linked | None:
    (group,) = order.groups
    return world.act(quote_of, world.shop_id, order, group)


def without_code(order: Order, price: int = 700, title: str = "") -> Order:
    """The store kept neither the code nor our id, only what the buyer was charged."""
    (group,) = order.groups
    line = ShippingLine("", title, Money(price, "EUR"))
    return replace(order, groups=(replace(group, service_code=""),), shipping_lines=(line,))


async def test_the_offer_is_found_by_the_code_that_the_store_kept(world: World) -> None:
    row = await world.quote()
    for offer in row.decision.offers:
        linked = link(world, world.place(offer=offer))
        assert linked is not None
        assert (linked.quote.id, linked.offer) == (row.id, offer)


async def test_the_offer_is_found_by_its_price_where_the_code_is_lost(world: World) -> None:
    row = await world.quote()
    linked = link(world, without_code(world.place(offer=row.decision.offers[0]), 1500))
    assert linked is not None
    assert linked.offer.code == "fake-express"


async def test_of_equal_prices_the_title_decides_and_without_one_none_is_taken(world: World) -> None:
    world.carrier.prices["Express"] = 700
    row = await world.quote()
    order = world.place(offer=row.decision.offers[0])
    titled = link(world, without_code(order, 700, "Fake Express"))
    assert titled is not None
    assert titled.offer.code == "fake-express"
    assert link(world, without_code(order, 700)) is None


async def test_another_price_is_no_offer_of_ours(world: World) -> None:
    row = await world.quote()
    assert link(world, without_code(world.place(offer=row.decision.offers[0]), 701)) is None


async def test_other_goods_another_place_or_a_long_time_are_another_quote(world: World) -> None:
    row = await world.quote(MUG, POT)
    offer = row.decision.offers[0]
    assert link(world, world.place(MUG, offer=offer)) is None
    assert link(world, world.place(replace(MUG, quantity=3), POT, offer=offer)) is None
    assert link(world, world.place(offer=offer, to=replace(BUYER, postal_code="1020"))) is None
    assert link(world, world.place(offer=offer, placed_at=world.clock.now() + timedelta(hours=49))) is None


async def test_the_order_of_the_lines_and_the_form_of_the_ids_do_not_matter(world: World) -> None:
    row = await world.quote(MUG, POT)
    mug = replace(MUG, variant_id="gid://shop/ProductVariant/mug-1")
    linked = link(world, world.place(POT, mug, offer=row.decision.offers[0], to=replace(BUYER, postal_code="10 10")))
    assert linked is not None
    assert linked.quote.id == row.id


async def test_the_newest_quote_before_the_order_counts(world: World) -> None:
    await world.quote()
    world.clock.advance(minutes=5)
    newer = await world.quote()
    order = world.place(offer=newer.decision.offers[0])
    world.clock.advance(hours=1)
    await world.quote()
    linked = link(world, order)
    assert linked is not None
    assert linked.quote.id == newer.id


async def test_an_order_without_a_quote_is_linked_to_none(world: World) -> None:
    assert link(world, world.place()) is None


# --- how a person names an order


async def test_an_order_is_found_by_our_id_the_stores_or_its_name(world: World) -> None:
    order = world.store.put(replace(world.place(), id="gid://shop/Order/450789"))
    await world.refresh(order.id)
    ours = world.order(order.id).id
    for name in (ours, order.id, "450789", order.name, order.name.lstrip("#")):
        assert world.order(name).id == ours


@pytest.mark.parametrize("name", ["", "%", "_", "______", "45078_", "5078%", "nobody"])
async def test_a_name_that_only_resembles_one_finds_nothing(world: World, name: str) -> None:
    order = world.store.put(replace(world.place(), id="gid://shop/Order/450789"))
    await world.refresh(order.id)
    with pytest.raises(NoSuchOrder):
        world.act(view.show, world.shop_id, name)
