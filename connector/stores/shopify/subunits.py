"""Amounts of rate calls: hundredths of the currency's unit, whatever the currency."""

from __future__ import annotations

from decimal import Decimal

from carriers.money import Money, exponent


def from_subunits(subunits: int, currency: str) -> Money:
    """Hundredths as money: 500 is 5.00 CAD and 100000 is 1000 JPY.

    Exact for every currency with two decimals or more. A part of a yen, which no shop can charge, is rounded half up.
    """
    if exponent(currency) == 2:
        return Money(subunits, currency)
    return Money.rounded(Decimal(subunits).scaleb(-2), currency)


def to_subunits(price: Money) -> int:
    """Money as hundredths: 1000 JPY is 100000.

    Shopify does not say what it expects for currencies with three decimals (KWD, BHD, …). Waybill assumes the same
    hundredths: 1.250 KWD is 125, and a last digit that they cannot hold is rounded half up (1.255 KWD is 126).
    """
    if exponent(price.currency) == 2:
        return price.minor
    scale = int(10 ** abs(exponent(price.currency) - 2))
    if exponent(price.currency) <= 2:
        return price.minor * scale
    return (2 * price.minor + scale) // (2 * scale)
