"""Find the quote that an order's group came of: same goods, same place, the offer that the buyer chose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from carriers.money import Money
from connector.quotes.decide import DecidedOffer
from connector.quotes.ledger import LedgerRow, goods_key, matching, variant_key
from connector.store import FulfilmentGroup, Order

_WINDOW = timedelta(hours=48)
_AFTER = timedelta(minutes=5)  # Clocks of stores are not ours.


@dataclass(frozen=True, slots=True)
class Linked:
    """The quote and the offer in it that the buyer chose."""

    quote: LedgerRow
    offer: DecidedOffer


def quote_of(connection: Connection, shop_id: str, order: Order, group: FulfilmentGroup) -> Linked | None:
    """By the service code that the store kept; where it lost the code, by the shipping line's price and title."""
    goods: dict[str, int] = {}
    for line in group.lines:
        if line.requires_shipping:
            name = variant_key(line.variant_id, line.sku)
            goods[name] = goods.get(name, 0) + line.quantity
    place = group.destination
    key = goods_key(place.country if place else "", place.postal_code if place else "", goods)
    rows = matching(connection, shop_id, key, order.placed_at + _AFTER, _WINDOW)
    codes = [code for code in (group.service_code, *(line.code for line in order.shipping_lines)) if code]
    for code in codes:
        for row in rows:
            offer = next((each for each in row.decision.offers if each.code == code), None)
            if offer is not None:
                return Linked(row, offer)
    for charged in order.shipping_lines:
        price = charged.price
        for row in rows:
            same = [each for each in row.decision.offers if Money(each.minor, each.currency) == price]
            named = [offer for offer in same if offer.name == charged.title] or same
            if len(named) == 1:
                return Linked(row, named[0])
    return None
