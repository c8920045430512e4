"""What rules may know of a call, from what is kept of it: the reduced cart, the facts and the planned parcels. Pure."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.catalogue.product import Product
from connector.packing.plan import Plan
from connector.quotes.facts import Facts
from connector.quotes.reduced import Place, ReducedCart, ReducedLine, ReducedTotals
from connector.rules.facts import CallFacts, CartSums, Destination, LineFacts, ParcelFacts, Silent
from connector.shop_settings import ShopSettings

_NOTHING = Product()


def call_facts(
    cart: ReducedCart,
    facts: Facts,
    settings: ShopSettings,
    planned: Plan | None,
    now: datetime,
    silent: tuple[Silent, ...] = (),
) -> CallFacts:
    """The call as conditions and thresholds ask for it; `planned` is None where it could not be packed.

    `silent` are the carriers whose prices are missing through a failure.
    """
    return CallFacts(
        currency=cart.currency,
        lines=tuple([_line(line) for line in cart.lines]),
        sums=_sums(cart.totals),
        destination=_destination(cart.destination),
        location=facts.location_id,
        store_location=cart.location_id,
        customer_tags=None if cart.customer_tags is None else _folded(cart.customer_tags),
        guest=cart.guest,
        now=now.astimezone(_zone(facts.timezone)),
        parcels=() if planned is None else _parcels(planned),
        rates=settings.exchange_rates,
        silent=silent,
    )


def _line(line: ReducedLine) -> LineFacts:
    known = line.product or _NOTHING
    return LineFacts(
        quantity=line.quantity,
        price=line.price,
        grams=known.weight_g if line.grams is None else line.grams,
        sku=line.sku or known.sku,
        name=line.name,
        variant=line.variant_id.rsplit("/", 1)[-1],
        product=line.product_id.rsplit("/", 1)[-1],
        vendor=line.vendor or known.vendor,
        tags=_folded(known.tags),
        collections=_folded(known.collections),
        hazmat=known.hazmat,
        requires_shipping=line.requires_shipping,
        taxable=line.taxable,
        gift_card=line.gift_card,
        unit_cost=None if known.unit_cost is None else known.unit_cost.money,
    )


@lru_cache(maxsize=4096)
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def _sums(totals: ReducedTotals | None) -> CartSums | None:
    if totals is None:
        return None
    return CartSums(totals.subtotal, totals.discount, totals.total, totals.tax, totals.shipping_discount)


def _destination(place: Place | None) -> Destination | None:
    if place is None or not place.country:
        return None
    return Destination(place.country, place.province, place.city, place.postal_code, place.po_box, place.residential)


def _parcels(planned: Plan) -> tuple[ParcelFacts, ...]:
    return tuple(
        [
            ParcelFacts(
                each.gross.grams, None if each.size is None else (each.size.length, each.size.width, each.size.height)
            )
            for each in planned.parcels
        ]
    )


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    """The zone, or UTC for a name that this machine's list does not have: a store may know newer ones."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
