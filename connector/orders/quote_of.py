"""Find the quote that an order's group came of: by its id, else same goods, same place, the offer that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from carriers.money import Money
from connector.quotes.decision import BoughtAs, DecidedOffer
from connector.quotes.ledger import LedgerRow, goods_key, load, matching, variant_key
from connector.store import FulfilmentGroup, Order, ShippingLine

_WINDOW = timedelta(hours=48)
_AFTER = timedelta(minutes=5)  # Clocks of stores are not ours.


@dataclass(frozen=True, slots=True)
class Linked:
    """The quote and the offer in it that the buyer chose."""

    quote: LedgerRow
    offer: DecidedOffer

    @property
    def plan_id(self) -> str:
        """The parcels that the offer is for; empty where they are not known."""
        return self.offer.plan_id or self.quote.plan_id


def quote_of(connection: Connection, shop_id: str, order: Order, group: FulfilmentGroup) -> Linked | None:
    """By what the store kept (quote id, service code); where it lost them, by the shipping line's price and title."""
    if group.quote_id:
        row = load(connection, shop_id, group.quote_id)
        linked = None if row is None else _by_code([group.service_code], [row])
        if linked is not None:
            return linked
    place = group.destination
    key = goods_key(place.country if place else "", place.postal_code if place else "", _goods(group))
    rows = matching(connection, shop_id, key, order.placed_at + _AFTER, _WINDOW)
    codes = [group.service_code, *(line.code for line in order.shipping_lines)]
    return _by_code(codes, rows) or _by_price(order.shipping_lines, rows)


def link_of(connection: Connection, parcels: Sequence[Any]) -> Linked | None:
    """What the parcels before an edit were linked to: other goods now, and still the service that the buyer chose."""
    for parcel in parcels:
        row = load(connection, parcel.shop_id, parcel.quote_id) if parcel.quote_id else None
        linked = None if row is None else _by_code([parcel.offer_code], [row])
        if linked is not None:
            return linked
    return None


def priced_again(order: Order, group: FulfilmentGroup) -> dict[str, Any] | None:
    """Where the quote is lost and the store kept our offer's code: that service, at most for what the buyer paid.

    Prices are asked anew when the label is made; None where the order names no offer.
    """
    line = next((line for line in order.shipping_lines if line.code and line.code == group.service_code), None)
    if line is None:
        return None
    return BoughtAs(
        account_id="",
        account="",
        carrier="",
        service=line.code,
        minor=line.price.minor,
        currency=line.price.currency,
        how="offer",
    ).whole()


def _goods(group: FulfilmentGroup) -> dict[str, int]:
    goods: dict[str, int] = {}
    for line in group.lines:
        if line.requires_shipping:
            name = variant_key(line.variant_id, line.sku)
            goods[name] = goods.get(name, 0) + line.quantity
    return goods


def _by_code(codes: Sequence[str], rows: Sequence[LedgerRow]) -> Linked | None:
    found = (
        Linked(r, offer) for code in codes if code for r in rows for offer in r.decision.offers if offer.code == code
    )
    return next(found, None)


def _by_price(charged: Sequence[ShippingLine], rows: Sequence[LedgerRow]) -> Linked | None:
    for line in charged:
        for row in rows:
            same = [offer for offer in row.decision.offers if Money(offer.minor, offer.currency) == line.price]
            named = [offer for offer in same if offer.name == line.title] or same
            if len(named) == 1:
                return Linked(row, named[0])
    return None
