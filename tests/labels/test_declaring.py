"""Whatever parcels an order is split into, what customs is told of them sums up to what the buyer paid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from connector.labels.declaring import share
from connector.orders.declared import declared
from connector.store import FulfilmentGroup, GroupState, OrderLine
from tests.labels.test_terms import ABROAD
from tests.labels.world import MUG, POT, World


def a_line(at: int, units: int, minor: int) -> OrderLine:
    price = Money(minor // units, "EUR")
    return OrderLine(f"lin_{at}", units, price, name=f"Thing {at}", total=Money(minor, "EUR"), total_units=units)


@given(st.data())
def test_the_parcels_of_an_order_declare_together_exactly_its_goods(data: st.DataObject) -> None:
    amounts = data.draw(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 10**6)), min_size=1, max_size=6))
    lines = tuple(a_line(at, units, minor) for at, (units, minor) in enumerate(amounts))
    group = FulfilmentGroup("grp", GroupState.READY, lines, None)
    parcels = data.draw(st.integers(1, 5))
    before = {line.id: 0 for line in lines}
    declared_in_all = 0
    for number in range(parcels):
        for line in lines:
            left = line.quantity - before[line.id]
            units = left if number == parcels - 1 else data.draw(st.integers(0, left))
            if not units:
                continue
            said = declared(replace(group, lines=(replace(line, quantity=left),)), [line.id])["lines"][line.id]
            value = share(said, before[line.id], units)
            assert value is not None
            declared_in_all += value.minor
            before[line.id] += units
    assert declared_in_all == sum(minor for _, minor in amounts)


@pytest.mark.parametrize("said", [{}, {"total": 900, "of": 3, "currency": "EUR"}])
def test_units_that_the_total_does_not_hold_are_told_by_their_price(said: dict[str, Any]) -> None:
    assert share(said, 2, 2) is None


@pytest.mark.anyio
async def test_a_discount_that_no_unit_price_shows_is_declared_to_the_cent(world: World) -> None:
    """Three mugs at 12.90 less 10.00 cost 28.70: the parcels declare 28.70, and not three times a rounded price."""
    await world.set(customs_signer="Tea Ltd", default_carton="300x200x100:100:1100")
    mugs = replace(MUG, quantity=3)
    row = await world.quote(mugs, POT, to=ABROAD)
    offer = next(each for each in row.decision.offers if each.code == "fake-ground")
    order = world.place(mugs, POT, to=ABROAD, offer=offer)
    (group,) = order.groups
    first, pot = (replace(line, hs_code="691200", origin_country="SK") for line in group.lines)
    sold = replace(first, total=Money(2870, "EUR"), total_units=3)
    world.store.put(replace(order, groups=(replace(group, lines=(sold, pot)),)))
    await world.refresh(order.id)
    told = [shipment.customs for shipment in world.carrier.created]
    assert len(told) == len(world.live_parcels(order.id)) > 1
    values: dict[str, int] = {}
    for customs in told:
        assert customs is not None
        for item in customs.items:
            values[item.sku] = values.get(item.sku, 0) + item.value.minor
    assert values == {"MUG-1": 2870, "POT-1": 2450}
