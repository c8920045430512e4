"""From a carrier's price to the one that rules start from: account, list or expected price, in the cart's currency."""

from __future__ import annotations

from decimal import Decimal

from connector.quotes.answers import KeptRate
from connector.rules.exchange import exchange
from connector.rules.facts import Priced, Step
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason


def base_price(
    code: str, rate: KeptRate, settings: ShopSettings, currency: str, expected: tuple[int, int] | None = None
) -> Priced | Reason:
    """The price with its first steps; the reason where it cannot be told in the cart's currency.

    `expected`: what invoices add to such a rate in permille, and on how many labels that was seen.
    """
    priced = Priced(code, rate.price, (Step.to(Reason("step_carrier", {"carrier": rate.carrier}), rate.price),))
    listed = rate.list_price
    if settings.price_basis == "list" and listed is not None and listed != priced.price:
        priced = priced.then(Reason("step_list_price", {"carrier": rate.carrier}), listed)
    if settings.price_basis == "expected" and expected is not None and expected[0]:
        permille, labels = expected
        invoiced = priced.price + priced.price.percent(Decimal(permille) / 10)
        share = f"{Decimal(permille) / 10:+f}"
        priced = priced.then(Reason("step_expected_invoice", {"percent": share, "labels": labels}), invoiced)
    return in_currency(priced, settings, currency)


def in_currency(priced: Priced, settings: ShopSettings, currency: str) -> Priced | Reason:
    """The same price in the cart's currency, by the merchant's exchange rate; the reason where there is none."""
    if priced.price.currency == currency:
        return priced
    exchanged = exchange(priced.price, currency, settings.exchange_rates)
    if exchanged is None:
        return Reason("other_currency", {"price": priced.price, "currency": currency})
    return priced.then(Reason("step_exchanged", {"rate": str(exchanged.by)}), exchanged.money)
