"""By which numbers the Union's customs knows a product: the seller's, its maker's, the standard one. Pure.

Goods that are sold to people in the Union from outside it are declared with them since 1 November 2026. Sources:
EasyPost's guides "EU Regulatory Updates" and "USPS Ship: EU Regulatory Updates" (fields, lengths, which are needed);
Shopify's ProductVariantComplianceKey (what stands in for a maker's number that nobody has said); GS1's check digit. All
read in November 2026.
"""

from __future__ import annotations

from typing import NamedTuple

LONGEST_SELLER = 128
LONGEST_MAKER = 64
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})


class Identifiers(NamedTuple):
    """Empty is not known; `gtin` is empty where a product has none."""

    seller: str = ""
    maker: str = ""
    gtin: str = ""


def identifiers(*, key: str, sku: str, mpn: str, barcode: str) -> Identifiers:
    """The numbers of a product; `key` is how the store or the catalogue names it.

    Where no maker's number is known, the barcode stands in for it, then the SKU, then the key. What is longer than
    customs takes is left out, never cut: half a number would name another product.
    """
    ours = key.removeprefix("sku:").strip()
    known = [each.strip() for each in (sku, ours)]
    return Identifiers(
        seller=_first(known, LONGEST_SELLER),
        maker=_first([mpn.strip(), barcode.strip(), *known], LONGEST_MAKER),
        gtin=gtin(barcode),
    )


def gtin(barcode: str) -> str:
    """The digits of a GTIN, EAN, UPC or ISBN-13; empty where a barcode is none of these."""
    digits = "".join(each for each in barcode if each not in " -")
    if len(digits) not in _GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
        return ""
    weighed = sum(int(each) * (3 if place % 2 else 1) for place, each in enumerate(reversed(digits)))
    return digits if weighed % 10 == 0 and int(digits) else ""


def _first(known: list[str], longest: int) -> str:
    return next((each for each in known if 0 < len(each) <= longest), "")
