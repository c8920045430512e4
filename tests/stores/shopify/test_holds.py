"""Our own hold on a fulfillment order: shown with its reason, known again, and never mistaken for another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse, validate

from connector.store import FulfilmentGroup, GroupState, StoreRefused
from connector.stores.shopify import holds
from connector.stores.shopify.queries import SCOPES
from tests.simulators.shopify_graphql import MOST_POINTS, cost, covers, load_schema, load_scopes
from tests.simulators.shopify_shop import ShopifyWorld
from tests.stores.shopify.test_queries import fields_of

OPERATIONS = {
    name: text for name, text in vars(holds).items() if name.isupper() and isinstance(text, str) and "{" in text
}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_valid_cheap_and_covered_by_the_app_s_scopes(reference: Path, name: str) -> None:
    schema, document = load_schema(reference), parse(OPERATIONS[name])
    assert validate(schema, document) == []
    assert cost(schema, document, {}) <= MOST_POINTS
    scopes = load_scopes(reference)
    for field in fields_of(reference, document):
        wanted = scopes.get(field)
        assert not wanted or covers(frozenset(SCOPES), wanted), f"{field} needs one of {sorted(wanted)}"


async def group_of(shop: ShopifyWorld, order_id: str) -> FulfilmentGroup:
    order = await shop.store.order(order_id)
    assert order is not None
    return order.groups[0]


@pytest.mark.anyio
async def test_our_hold_is_set_once_seen_and_taken_off_and_the_group_stays_ready_for_us(shop: ShopifyWorld) -> None:
    order_id = shop.control.place_order()
    group, mine = await group_of(shop, order_id), shop.store.holds
    assert mine is not None
    assert not await mine.find(group.id)
    await mine.hold(group.id, "address", "The street has no number.", lambda: True)
    assert await mine.find(group.id)
    (shown,) = shop.control.order(order_id)["fulfillmentOrders"][0]["fulfillmentHolds"]
    assert (shown["reason"], shown["reasonNotes"]) == ("INCORRECT_ADDRESS", "The street has no number.")
    read = await group_of(shop, order_id)
    assert (read.state, read.held_by_us, read.hold_reasons) == (GroupState.READY, True, ())
    with pytest.raises(StoreRefused):
        await mine.hold(group.id, "address", "Once more.", lambda: True)
    assert await mine.release(group.id, lambda: True)
    assert not await mine.release(group.id, lambda: True)
    assert not (await group_of(shop, order_id)).held_by_us


@pytest.mark.anyio
async def test_what_the_store_holds_stays_held_when_ours_is_let_go(shop: ShopifyWorld) -> None:
    order_id = shop.control.place_order()
    shop.control.hold(order_id, "HIGH_RISK_OF_FRAUD")
    group, mine = await group_of(shop, order_id), shop.store.holds
    assert mine is not None
    assert not await mine.find(group.id)
    await mine.hold(group.id, "other", "Customs data is missing.", lambda: True)
    read = await group_of(shop, order_id)
    assert (read.state, read.held_by_us, read.hold_reasons) == (GroupState.HELD, True, ("high_risk_of_fraud",))
    await mine.release(group.id, lambda: True)
    assert (await group_of(shop, order_id)).state is GroupState.HELD


@pytest.mark.anyio
async def test_an_id_that_is_no_group_is_refused(shop: ShopifyWorld) -> None:
    mine = shop.store.holds
    assert mine is not None
    with pytest.raises(StoreRefused):
        await mine.hold("gid://shopify/Order/1", "other", "x", lambda: True)
