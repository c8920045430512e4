"""A shop's variants as the catalogue reads them: page by page, or those of single products, with chosen metafields."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from carriers.money import Money
from connector.store import ProductFacts, ProductPage
from connector.stores.shopify import queries
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.mapping import Node, gid, text_of, understood, weight_of

_PRODUCTS_AT_ONCE = 25
_MOST_FIELDS = 12
"""More names than that are read in vain: Shopify prices each one for every variant of a page."""


async def page(api: ShopAPI, after: str, fields: tuple[str, ...]) -> ProductPage:
    """The next variants by id. Raises StoreError."""
    data = await api.read(*_asked(after or None, None, fields))
    with understood("products"):
        found = data["productVariants"]
        info = found["pageInfo"]
        variants = tuple(facts_of(node) for node in found["nodes"])
        return ProductPage(variants, str(info["endCursor"]) if info["hasNextPage"] else "")


async def variants_of(api: ShopAPI, product_ids: list[str], fields: tuple[str, ...]) -> list[ProductFacts]:
    """Every variant of these products (gids or numbers). Raises StoreError."""
    numbers = [known.rsplit("/", 1)[1] for one in dict.fromkeys(product_ids) if (known := gid("Product", one))]
    found: list[ProductFacts] = []
    for start in range(0, len(numbers), _PRODUCTS_AT_ONCE):
        search = f"product_ids:{','.join(numbers[start : start + _PRODUCTS_AT_ONCE])}"
        operation, variables = _asked(None, search, fields)
        with understood("variants"):
            pages = api.pages(operation, variables, lambda data: data["productVariants"])
            found += [facts_of(node) async for node in pages]
    return found


def facts_of(node: Node) -> ProductFacts:
    """What the shop knows of a variant; a metafield of the variant comes before the product's of the same name."""
    item, product = node["inventoryItem"], node["product"]
    return ProductFacts(
        variant_id=str(node["id"]),
        sku=text_of(node["sku"]),
        name=text_of(node["displayName"]),
        weight=weight_of(item["measurement"]["weight"]),
        hs_code=text_of(item["harmonizedSystemCode"]),
        origin_country=text_of(item["countryCodeOfOrigin"]),
        product_id=str(product["id"]),
        barcode=text_of(node["barcode"]),
        vendor=text_of(product["vendor"]),
        tags=tuple(text_of(tag) for tag in product["tags"]),
        collections=tuple(text_of(each["handle"]) for each in product["collections"]["nodes"]),
        unit_cost=_cost(item["unitCost"]),
        price=Decimal(str(node["price"])),
        requires_shipping=bool(item["requiresShipping"]),
        fields=_fields(product) | _fields(node),
    )


def _asked(after: str | None, search: str | None, fields: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    variables: dict[str, Any] = {"after": after, "query": search}
    keys = [name for name in dict.fromkeys(fields) if "." in name][:_MOST_FIELDS]
    if not keys:
        return queries.PRODUCTS, variables
    return queries.PRODUCTS_WITH_FIELDS, variables | {"keys": keys}


def _fields(owner: Node) -> dict[str, str]:
    nodes: list[Mapping[str, Any]] = (owner.get("metafields") or {}).get("nodes") or []
    return {f"{text_of(each['namespace'])}.{text_of(each['key'])}": str(each["value"]) for each in nodes}


def _cost(node: Node | None) -> Money | None:
    return None if node is None else Money.rounded(str(node["amount"]), str(node["currencyCode"]))
