"""A past order as Shopify tells it, as a cart with what the buyer paid for shipping. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from carriers.address import Address
from carriers.money import Money
from connector.store import Cart, CartLine, CartTotals, PastOrder
from connector.stores.shopify.mapping import Node, moment_of, money_of, text_of


def past_order(node: Node, lines: Sequence[Node]) -> PastOrder | None:
    """None for a cancelled or test order, and for one in which nothing needs shipping."""
    goods = tuple(_line(line) for line in lines if line["quantity"] > 0)
    if node["cancelledAt"] or node["test"] or not any(line.requires_shipping for line in goods):
        return None
    currency = str(node["currencyCode"])
    subtotal = Money(sum(line.price.minor * line.quantity for line in goods), currency)
    after_discounts = money_of(node["subtotalPriceSet"])
    shipping = node["shippingLines"]["nodes"]
    charged = sum((money_of(line["discountedPriceSet"]).minor for line in shipping), 0)
    cart = Cart(
        goods,
        currency,
        destination=_place(node.get("shippingAddress")),
        totals=CartTotals(
            subtotal,
            Money(max(0, subtotal.minor - after_discounts.minor), currency),
            after_discounts,
            "included" if node["taxesIncluded"] else "excluded",
        ),
        locale=text_of(node.get("customerLocale")),
    )
    return PastOrder(
        id=str(node["id"]),
        name=text_of(node["name"]),
        placed_at=moment_of(node["createdAt"]),
        cart=cart,
        charged=Money(charged, currency),
        shipping_title=text_of(shipping[0]["title"]) if shipping else "",
    )


def _line(node: Node) -> CartLine:
    return CartLine(
        quantity=int(node["quantity"]),
        price=money_of(node["originalUnitPriceSet"]),
        sku=text_of(node["sku"]),
        name=text_of(node["name"]),
        variant_id=str((node["variant"] or {}).get("id", "")),
        product_id=str((node["product"] or {}).get("id", "")),
        vendor=text_of(node["vendor"]),
        requires_shipping=bool(node["requiresShipping"]),
        taxable=bool(node["taxable"]),
    )


def _place(address: Node | None) -> Address | None:
    if not address or not address.get("countryCodeV2"):
        return None
    return Address(
        country=str(address["countryCodeV2"]),
        postal_code=text_of(address.get("zip")),
        province=text_of(address.get("provinceCode")),
        city=text_of(address.get("city")),
    )
