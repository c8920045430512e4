"""Answers pages before the checkout: the same engine, caches and held prices as the checkout, nothing beside them."""

from __future__ import annotations

from decimal import Decimal

from carriers.address import Address
from carriers.money import Money
from connector.quotes.call_facts import call_facts
from connector.quotes.desk import QuoteDesk
from connector.quotes.estimate import Asked, Estimate, Fault, Towards, cart_of, estimate_of, nowhere
from connector.quotes.facts import Facts
from connector.quotes.reduced import ReducedCart
from connector.quotes.shop import QuotingShop
from connector.rules.compiled import compiled
from connector.rules.exchange import ExchangeRate
from connector.rules.progress import progress
from connector.shop_settings import ShopSettings
from connector.store import RateCall
from connector.words.locale import amount_text, spoken

_NO_POSTAL_CODES = """
AE AG AO AW BF BI BJ BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GQ GY HK JM KI KM KN KP LC LY ML MO
MR MW NR NU QA RW SC SL SR SS ST SX SY TD TF TG TK TL TO TT TV TZ UG VU WS YE ZW
"""
NO_POSTAL_CODE = frozenset(_NO_POSTAL_CODES.split())
"""Countries that have no postal codes: there the country alone is a destination."""


def is_priced(destination: Address | None) -> bool:
    """Whether prices can be told for it: carriers ask for a postal code where there is one."""
    if destination is None or not destination.country:
        return False
    return bool(destination.postal_code) or destination.country in NO_POSTAL_CODE


async def estimate(
    desk: QuoteDesk, shop: QuotingShop, currency: str, asked: Asked, received_at: float
) -> Estimate | Fault:
    """The answer to a page, or which field of its question is wrong. `currency` is the shop's.

    Without a destination that prices can be told for, only the way to free shipping is told, and nobody is asked.
    """
    products = await desk.products.load(shop.id)
    cart = cart_of(asked, currency, shop.settings.exchange_rates, products.shelf)
    if isinstance(cart, Fault):
        return cart
    call = RateCall(cart)
    if not is_priced(cart.destination):
        seen, facts = desk.seen(shop, call)
        return nowhere(shop.settings, asked, _way(seen, facts, shop.settings, asked, desk))
    row = await desk.estimate(shop, call, received_at)
    return estimate_of(row, shop.settings, asked, _way(row.cart, row.facts, shop.settings, asked, desk))


def _way(cart: ReducedCart, facts: Facts, settings: ShopSettings, asked: Asked, desk: QuoteDesk) -> Towards | None:
    """How far it is to free shipping; None where the merchant has no threshold that holds for this cart."""
    limits = compiled(settings.rules).thresholds
    if not limits:
        return None
    language = spoken(asked.locale, settings.storefront.language)
    rate = rate_into(asked.currency, cart.currency, settings.exchange_rates)
    found = progress(limits, call_facts(cart, facts, settings, None, desk.now()), asked.currency or None, rate)
    text = found.say(language)
    if not text:
        return None
    if found.missing is None:
        return Towards(None, 100, text)
    text = text.replace(str(found.missing), amount_text(found.missing, language))
    return Towards(found.missing, _percent(found.missing, found.limit), text)


def _percent(missing: Money, limit: Money | None) -> int:
    """The share of the way that lies behind; 100 only where nothing is missing."""
    if limit is None or limit.minor <= 0:
        return 0
    return max(0, min(99, 100 - -(-missing.minor * 100 // limit.minor)))


def rate_into(wanted: str, currency: str, rates: tuple[ExchangeRate, ...]) -> Decimal | None:
    """What one unit of a currency is in the wanted one, by the merchant's rates; None where there is none."""
    for rate in rates:
        if (rate.of, rate.into) == (currency, wanted):
            return rate.rate
    for rate in rates:
        if (rate.into, rate.of) == (currency, wanted):
            return 1 / rate.rate
    return None
