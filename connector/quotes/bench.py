"""Answers that nobody gets: the same engine on a typed or an earlier cart, with settings that are not published.

Nothing is written, held or learned; carriers are asked once for all settings that ask them the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.catalogue.memory import Products, ShopProducts
from connector.quotes.behind import Difference, LiveAnswer
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.desk import QuoteDesk
from connector.quotes.ledger import LedgerRow
from connector.quotes.reduced import Place, ReducedCart
from connector.quotes.shop import QuotingShop
from connector.shop_settings import ShopSettings
from connector.store import Cart, CartLine, CartTotals, RateCall


class _Nowhere:
    """A ledger that keeps nothing."""

    def put(self, row: LedgerRow) -> None:
        """Nothing."""

    def repeat(self, shop_id: str, quote_id: str, at: datetime) -> None:
        """Nothing."""

    def live(self, answer: LiveAnswer) -> None:
        """Nothing."""

    def difference(self, difference: Difference) -> None:
        """Nothing."""


class _Fixed(Products):
    """One catalogue, as it is."""

    def __init__(self, products: ShopProducts) -> None:
        super().__init__(None)
        self._products = products

    def of(self, shop_id: str) -> ShopProducts:  # noqa: ARG002 - it is the shop's.
        """The catalogue."""
        return self._products


async def try_out(
    shop: QuotingShop,
    products: ShopProducts,
    cart: Cart,
    wanted: Sequence[ShopSettings],
    now: Callable[[], datetime],
    keyed_hash: Callable[[bytes], str],
) -> list[LedgerRow]:
    """What a checkout would be told of this cart under each of the settings, in their order."""
    carriers = CarrierAnswers()
    desks = [QuoteDesk(now, keyed_hash, _Nowhere(), carriers, products=_Fixed(products)) for _ in wanted]
    rows = []
    try:
        for desk, settings in zip(desks, wanted, strict=True):
            under = replace(shop, settings=settings, facts_by_origin={})
            _, row = await desk.answer(under, RateCall(cart), time.monotonic())
            rows.append(row)
    finally:
        await carriers.aclose()
    return rows


def cart_again(kept: ReducedCart) -> Cart:
    """The cart of an earlier quote as a checkout would send it, without what was not kept of the buyer."""
    currency = kept.currency
    totals = kept.totals
    return Cart(
        lines=tuple(
            CartLine(
                quantity=line.quantity,
                price=Money(line.price, currency),
                weight=None if line.grams is None else Weight(line.grams),
                sku=line.sku,
                name=line.name,
                variant_id=line.variant_id,
                product_id=line.product_id,
                vendor=line.vendor,
                requires_shipping=line.requires_shipping,
                taxable=line.taxable,
            )
            for line in kept.lines
        ),
        currency=currency,
        origin=_address(kept.origin),
        destination=_address(kept.destination),
        totals=None
        if totals is None
        else CartTotals(
            Money(totals.subtotal, currency),
            None if totals.discount is None else Money(totals.discount, currency),
            None if totals.total is None else Money(totals.total, currency),
            totals.tax,
        ),
        locale=kept.locale,
        customer_tags=kept.customer_tags,
        guest=kept.guest,
        location_id=kept.location_id,
    )


def _address(place: Place | None) -> Address | None:
    if place is None:
        return None
    return replace(place.address(), street1="P.O. Box") if place.po_box else place.address()
