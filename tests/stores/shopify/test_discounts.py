"""Free shipping as the shop's own automatic discount: made once, changed, taken back, and valid in the schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse, validate

from carriers.money import Money
from connector.store import FreeShippingDiscount, StoreRefused
from connector.stores.shopify import discounts
from connector.stores.shopify.discounts import discount_input
from tests.conftest import FrozenClock
from tests.simulators.shopify_graphql import MOST_POINTS, cost, covers, load_schema, load_scopes
from tests.simulators.shopify_shop import ShopifyWorld
from tests.stores.shopify.test_queries import fields_of

OPERATIONS = {
    name: text for name, text in vars(discounts).items() if name.isupper() and isinstance(text, str) and "{" in text
}
FROM_50 = FreeShippingDiscount("Free from 50", Money(5000, "USD"), ("US", "CA"), Money(990, "USD"))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_valid_cheap_and_covered_by_the_optional_scope(reference: Path, name: str) -> None:
    schema, document = load_schema(reference), parse(OPERATIONS[name])
    assert validate(schema, document) == []
    assert cost(schema, document, {}) <= MOST_POINTS
    scopes = load_scopes(reference)
    for field in fields_of(reference, document):
        wanted = scopes.get(field)
        assert not wanted or covers(frozenset({discounts.SCOPE}), wanted), f"{field} needs one of {sorted(wanted)}"


def test_amounts_are_in_major_units_and_coupons_stay_usable() -> None:
    body = discount_input(FROM_50)
    assert body["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": "50.00"}}
    assert body["maximumShippingPrice"] == "9.90"
    assert body["destination"] == {"countries": {"add": ["US", "CA"], "includeRestOfWorld": False}}
    assert body["combinesWith"] == {"orderDiscounts": True, "productDiscounts": True, "shippingDiscounts": False}
    assert "startsAt" not in body
    assert discount_input(FreeShippingDiscount("All", Money(5000, "JPY")))["destination"] == {"all": True}


@pytest.mark.anyio
async def test_a_discount_is_made_once_changed_and_taken_back(shop: ShopifyWorld, clock: FrozenClock) -> None:
    mine = shop.store.discounts
    assert mine is not None
    assert await mine.find("Free from 50") is None
    made = await mine.put(FROM_50, "", lambda: True)
    assert await mine.find("Free from 50") == made
    assert await mine.put(FROM_50, made, lambda: True) == made
    assert await mine.drop(made, lambda: True)
    assert not await mine.drop(made, lambda: True)
    again = await mine.put(FROM_50, made, lambda: True)
    assert again != made
    assert await mine.find("Free from 50") == again


@pytest.mark.anyio
async def test_what_shopify_refuses_is_told_and_no_foreign_id_is_deleted(shop: ShopifyWorld) -> None:
    mine = shop.store.discounts
    assert mine is not None
    await mine.put(FROM_50, "", lambda: True)
    with pytest.raises(StoreRefused):
        await mine.put(FROM_50, "", lambda: True)
    with pytest.raises(StoreRefused):
        await mine.drop("gid://shopify/Order/1", lambda: True)
