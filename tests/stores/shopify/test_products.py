"""Shopify's variants as the catalogue reads them: metafields of variant and product, unit cost, news."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from carriers.money import Money
from connector.store import ProductNews
from connector.stores.shopify.products import facts_of
from connector.stores.shopify.webhook import read_webhook


def node(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "id": "gid://shopify/ProductVariant/42",
        "sku": "MUG",
        "displayName": "Mug - Blue",
        "barcode": None,
        "price": "12.90",
        "inventoryItem": {
            "harmonizedSystemCode": "691200",
            "countryCodeOfOrigin": "SK",
            "requiresShipping": True,
            "unitCost": {"amount": "2.105", "currencyCode": "EUR"},
            "measurement": {"weight": {"unit": "GRAMS", "value": 0}},
        },
        "product": {
            "id": "gid://shopify/Product/7",
            "vendor": "Acme",
            "tags": ["kitchen"],
            "collections": {"nodes": [{"handle": "mugs"}]},
            "metafields": {"nodes": [{"namespace": "custom", "key": "length", "value": "120"}]},
        },
        "metafields": {"nodes": [{"namespace": "custom", "key": "length", "value": "130"}]},
    }
    return usual | changes


def test_a_variants_own_field_comes_before_its_products() -> None:
    facts = facts_of(node())
    assert facts.fields == {"custom.length": "130"}
    assert facts_of(node(metafields=None)).fields == {"custom.length": "120"}
    assert (facts.product_id, facts.collections, facts.weight) == ("gid://shopify/Product/7", ("mugs",), None)
    assert facts.unit_cost == Money(211, "EUR")
    assert facts.price == Decimal("12.90")


@pytest.mark.parametrize("topic", ["products/create", "products/update", "products/delete"])
def test_a_changed_product_is_named_by_its_id(topic: str) -> None:
    assert read_webhook(topic, b'{"id": 7}') == [ProductNews("gid://shopify/Product/7", topic)]
    assert read_webhook(topic, b'{"id": "no number"}') == []
