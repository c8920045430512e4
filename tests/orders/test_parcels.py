"""The parcel that is quoted is the parcel that is bought, whatever order its lines stand in, at its own price."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from carriers.measure import Weight
from connector import shop_settings
from connector.catalogue import keep
from connector.catalogue.keep import OwnRow
from connector.catalogue.measured import all_of
from connector.catalogue.memory import Products
from connector.catalogue.product import Values
from connector.labels.measured import record_parcel
from connector.labels.tables import parcels
from connector.quotes.decision import DecidedOffer
from connector.quotes.desk import QuoteDesk
from connector.quotes.kept_plans import forget_plans, load_plan
from connector.quotes.ledger import LedgerRow
from connector.storage import settings_versions
from connector.store import Cart, CartLine, RateCall
from tests.labels.world import BUYER, MUG, PERSON, POT, World

pytestmark = pytest.mark.anyio

CARTONS = [
    {"name": "small", "length_mm": 210, "width_mm": 160, "height_mm": 110, "tare_g": 90},
    {"name": "large", "length_mm": 410, "width_mm": 310, "height_mm": 210, "tare_g": 300, "max_gross_g": 20_000},
]
SIZES = {MUG.variant_id: (120, 100, 95), POT.variant_id: (250, 200, 180)}


async def with_catalogue(world: World) -> None:
    """The shop knows its products' sizes and has two cartons."""
    body = shop_settings.dump(world.shop.settings) | {"packing": {"cartons": CARTONS}}
    world.act(settings_versions.publish, world.shop_id, body, PERSON, world.clock.now())
    await world.house.directory.refresh()
    rows = [
        OwnRow(key, "", Values(length_mm=size[0], width_mm=size[1], height_mm=size[2])) for key, size in SIZES.items()
    ]
    world.act(keep.put_own, world.shop_id, rows)


async def quote(world: World, *lines: CartLine) -> LedgerRow:
    """A quote with the catalogue in memory."""
    house = world.house
    desk = QuoteDesk(house.clock.now, house.keyring.keyed_hash, house.ledger, products=Products(house.database))
    cart = Cart(lines, "EUR", destination=BUYER, location_id="loc_store")
    _, row = await desk.answer(world.shop.quoting, RateCall(cart, {"call": "1"}))
    await house.ledger.flush()
    return row


def ground(row: LedgerRow) -> DecidedOffer:
    return next(each for each in row.decision.offers if each.code == "fake-ground")


def rows_of(world: World) -> list[Any]:
    chosen = parcels.select(world.shop_id).where(parcels.c.state != "cancelled").order_by(parcels.c.number)
    return list(world.act(lambda connection: connection.execute(chosen).all()))


@pytest.mark.need(13)
@pytest.mark.complaint(15)
async def test_the_parcel_that_was_quoted_is_the_parcel_that_is_bought(any_world: World) -> None:
    await with_catalogue(any_world)
    row = await quote(any_world, MUG, POT)
    offer = ground(row)
    order = any_world.place(POT, MUG, offer=offer)  # The order lists its lines the other way round.
    await any_world.refresh(order.id)
    bought = rows_of(any_world)
    kept = any_world.act(load_plan, any_world.shop_id, row.plan_id)
    assert kept is not None
    assert [each.plan_id for each in bought] == [row.plan_id] * len(kept.parcels)
    for each, parcel in zip(bought, kept.parcels, strict=True):
        assert (each.grams, each.carton) == (parcel.gross.grams, parcel.carton)
        assert each.size_mm == [parcel.size.length, parcel.size.width, parcel.size.height] if parcel.size else False
    units = {line: count for each in bought for line, count in each.contents}
    (group,) = order.groups
    assert units == {line.id: line.quantity for line in group.lines}


async def test_each_label_is_compared_with_its_own_parcels_price(any_world: World) -> None:
    await with_catalogue(any_world)
    row = await quote(any_world, replace(POT, quantity=9), MUG)
    offer = ground(row)
    assert offer.bought_as is not None
    parts = offer.bought_as.parts
    assert len(parts) > 1
    order = any_world.place(replace(POT, quantity=9), MUG, offer=offer)
    await any_world.refresh(order.id)
    assert tuple(each.bought_as["minor"] for each in rows_of(any_world)) == parts
    assert sum(parts) == offer.bought_as.minor


async def test_a_plan_that_is_kept_no_more_is_made_again(world: World) -> None:
    await with_catalogue(world)
    row = await quote(world, MUG, POT)
    world.act(forget_plans, world.clock.now().replace(year=2030))
    order = world.place(MUG, POT, offer=ground(row))
    await world.refresh(order.id)
    assert {each.plan_id for each in rows_of(world)} == {row.plan_id}


async def test_an_order_without_a_quote_is_planned_with_what_the_catalogue_knows(world: World) -> None:
    await with_catalogue(world)
    order = world.place(MUG)
    await world.refresh(order.id)
    (bought,) = rows_of(world)
    assert (bought.carton, bought.size_mm) == ("small", [210, 160, 110])


async def test_a_parcel_that_was_weighed_is_kept_beside_its_plan_once(world: World) -> None:
    await with_catalogue(world)
    order = world.place(replace(MUG, quantity=2))
    await world.refresh(order.id)
    (bought,) = rows_of(world)
    for _ in range(2):
        world.act(
            record_parcel,
            world.shop_id,
            bought.id,
            grams=bought.grams + 100,
            size=None,
            source="carrier",
            cause="invoice 1",
            now=world.clock.now(),
        )
    (told,) = world.act(all_of, world.shop_id)
    assert (told.planned_grams, told.contents) == (bought.grams, ((MUG.variant_id, 2),))
    assert Weight(told.grams or 0) == Weight(bought.grams + 100)
    assert not world.act(
        record_parcel,
        world.shop_id,
        "par_unknown",
        grams=1,
        size=None,
        source="scale",
        cause="x",
        now=world.clock.now(),
    )
