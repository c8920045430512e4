"""What a cart is worth as a rule reads it: before or after discounts, with or without tax, all items or some. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from connector.rules.facts import CallFacts, CartSums

Discounts = Literal["after_discounts", "before_discounts"]
TaxBasis = Literal["displayed", "with_tax", "without_tax"]


def worth(
    call: CallFacts,
    discounts: Discounts = "after_discounts",
    tax: TaxBasis = "displayed",
    tax_percent: Decimal | None = None,
    items: int | None = None,
    lines: int | None = None,
) -> int | None:
    """The value in minor units; None where the tax cannot be told.

    `items` is what the meant lines are worth (None: the whole cart counts) and `lines` what all of the call's lines
    are. A discount of the order is spread by line value over all lines, the share rounded up; an unknown one is none.
    Where the tax is unknown the lower reading counts.
    """
    sums = call.sums or CartSums(
        sum(line.price * line.quantity for line in call.lines) if lines is None else lines
    )  # fmt: skip
    value = sums.subtotal if items is None else items
    if discounts == "after_discounts" and sums.discount:
        whole = max(sums.subtotal, value)
        value -= sums.discount if items is None else -(-sums.discount * value // whole) if whole else 0
    return _taxed(max(value, 0), sums.tax, tax, tax_percent)


def _taxed(value: int, displayed: str, wanted: TaxBasis, percent: Decimal | None) -> int | None:
    """Taken as displayed where that is what is wanted, and where adding tax could only promise more than there is."""
    if wanted == "displayed" or (wanted == "with_tax" and displayed != "excluded"):
        return value
    if wanted == "without_tax" and displayed == "excluded":
        return value
    if percent is None:
        return value if wanted == "with_tax" else None
    part, whole = (percent / 100 + 1).as_integer_ratio()
    return value * part // whole if wanted == "with_tax" else value * whole // part
