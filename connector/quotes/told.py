"""Prices told before the checkout hold at the checkout: by which key a cart with a full address is the same cart. Pure.

Before the checkout only country and postal code are known, and neither the street nor who the buyer is. So the key
holds what prices depend on and both know: goods, their value, the parcels, settings, the place that they leave from,
and country and postal code.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime

from connector.catalogue.product import key_of
from connector.quotes.encoded import CartKey
from connector.quotes.ledger import LedgerRow
from connector.quotes.lru import Bounded
from connector.quotes.reduced import ReducedCart

CHANNEL = "storefront"
"""Marks an answer that was given before the checkout."""

_MOST_BYTES = 16 * 1024 * 1024
_ROW_BYTES = 6_000
_LINE_BYTES = 600


class Estimates:
    """Answers given before the checkout, found again while they hold; bounded in bytes."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._kept: Bounded[CartKey, LedgerRow] = Bounded(most_bytes)

    def get(self, key: CartKey, now: datetime) -> LedgerRow | None:
        """The answer to the same cart, while it holds."""
        found = self._kept.get(key)
        if found is None or (found.decision.valid_until is not None and now < found.decision.valid_until):
            return found
        self._kept.drop(key)
        return None

    def keep(self, key: CartKey, row: LedgerRow) -> None:
        """Keep an answer that nothing is missing in."""
        self._kept.put(key, row, _ROW_BYTES + _LINE_BYTES * len(row.cart.lines))


def told_key(cart: ReducedCart, settings_version: int, place: str, plan_id: str) -> str:
    """Equal for an estimate and the checkout of the same cart; empty where the address says what no estimate can know.

    That is a P.O. box, and that it is a company's or a home: carriers charge for both.
    """
    to = cart.destination
    if to is None or to.po_box or to.residential is not None:
        return ""
    postal = "".join(to.postal_code.split()).upper()
    goods: Counter[str] = Counter()
    for line in cart.lines:
        if line.requires_shipping:
            goods[key_of(line.variant_id, line.sku)] += line.quantity
    parts = (
        CHANNEL,
        str(settings_version),
        place,
        plan_id,
        f"{cart.goods.minor} {cart.currency}",
        to.country,
        postal,
        *(f"{units} {name}" for name, units in sorted(goods.items())),
    )
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
