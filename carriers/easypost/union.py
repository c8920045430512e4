"""What EasyPost has carriers told of goods on their way to people in the European Union. Pure.

Sources: EasyPost's guides "EU Regulatory Updates", "USPS Ship: EU Regulatory Updates" (the places, from USPS Postal
Bulletin 22715; without `commerce_type` no label is sold there) and "UPS: EU Regulatory Updates" (UPS may hold or send
back what does not say who is a business), all read in November 2026.
"""

from __future__ import annotations

from typing import Any

from carriers.customs import Customs, CustomsItem

PLACES = frozenset(
    "AT AX BE BG BL CY CZ DE DK EE ES FI FR GF GI GP GR HR HU IE IT LT LU LV MC MF MQ MT NL PL PT RE RO SE SI SK SM YT".split()  # noqa: E501, SIM905 - read as a list.
)
"""Countries and territories, as EasyPost names them, whose customs wants to know who sells to whom."""

_SOLD = frozenset({"merchandise", "sample"})


def options(customs: Customs | None, destination: str) -> dict[str, Any]:
    """Who sells to whom: a store is a business, and its buyers are taken for consumers, for whom more is asked."""
    if customs is None or destination not in PLACES or customs.contents not in _SOLD:
        return {}
    return {
        "commerce_type": "B2C",
        "carrier_options": {"ups": {"shipper_type": "business", "consignee_type": "consumer"}},
    }


def identifiers(item: CustomsItem) -> dict[str, str]:
    """The numbers of a product as far as they are known, for any destination."""
    said = {"code": item.sku, "manufacturer_product_id": item.mpn, "standardized_product_id": item.gtin}
    return {name: number for name, number in said.items() if number}
