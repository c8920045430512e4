"""The price before the checkout: a page's cart as the checkout would send it, and the answer for a buyer. Pure.

Weights, vendors and tags of variants are the catalogue's; what a page says of them counts only where nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.catalogue.product import Product
from connector.quotes.decision import DecidedOffer, Decision
from connector.quotes.ledger import LedgerRow
from connector.quotes.reduced import ReducedCart
from connector.rules.exchange import ExchangeRate, exchange
from connector.shop_settings import ShopSettings
from connector.store import Cart, CartLine, CartTotals
from connector.words.locale import RIGHT_TO_LEFT, amount_text, days_text, spoken
from connector.words.reason import Reason

_LONGEST_SHELF_NAME = 200


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A line as a page has it. `unit_price` before discounts, None where the page does not say; `grams` per unit."""

    variant_id: str
    sku: str
    quantity: int
    unit_price: Money | None = None
    grams: int | None = None
    requires_shipping: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks: goods, the discount on them, and where to, as far as that is known.

    `currency` is what amounts are shown in; empty is the shop's.
    """

    lines: tuple[AskedLine, ...]
    destination: Address | None = None
    discount: Money | None = None
    locale: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a page cannot be answered: a code, and the field that is to blame."""

    code: Literal["missing", "no_rate", "out_of_range"]
    field: str


Shelf = Callable[[str, str], Product | None]
"""What the catalogue knows of a variant, by its id and SKU."""


def cart_of(asked: Asked, shop_currency: str, rates: Sequence[ExchangeRate], shelf: Shelf) -> Cart | Fault:
    """The cart as the checkout would send it: in the shop's currency, of a guest, with totals over all its lines.

    The catalogue's price counts where it has one in the shop's currency.
    """
    lines: list[CartLine] = []
    for at, line in enumerate(asked.lines):
        known = shelf(line.variant_id, line.sku)
        price = _price(line, known, shop_currency, rates)
        if not isinstance(price, Money):
            return Fault(price, f"lines[{at}].unit_price")
        lines.append(_line(line, known, price))
    subtotal = Money(sum(line.price.minor * line.quantity for line in lines), shop_currency)
    discount = Money.zero(shop_currency)
    if asked.discount is not None:
        off = exchange(asked.discount, shop_currency, rates) if asked.discount.currency != shop_currency else None
        if off is None and asked.discount.currency != shop_currency:
            return Fault("no_rate", "discount")
        discount = asked.discount if off is None else off.money
        if discount > subtotal:
            return Fault("out_of_range", "discount")
    shipped = tuple(line for line in lines if line.requires_shipping)
    return Cart(
        lines=shipped or tuple(lines),  # As platforms send it: what is not shipped is in the totals alone.
        currency=shop_currency,
        destination=asked.destination,
        totals=CartTotals(subtotal, discount),
        locale=asked.locale,
        customer_tags=(),
        guest=True,
    )


def _price(
    line: AskedLine, known: Product | None, shop_currency: str, rates: Sequence[ExchangeRate]
) -> Money | Literal["missing", "no_rate"]:
    if known is not None and known.price:
        return Money.rounded(known.price, shop_currency)
    if line.unit_price is None:
        return "missing"
    if line.unit_price.currency == shop_currency:
        return line.unit_price
    changed = exchange(line.unit_price, shop_currency, rates)
    return "no_rate" if changed is None else changed.money


def _line(line: AskedLine, known: Product | None, price: Money) -> CartLine:
    if known is None:
        weight = None if line.grams is None else Weight(line.grams)
        return CartLine(
            quantity=line.quantity,
            price=price,
            weight=weight,
            sku=line.sku,
            variant_id=line.variant_id,
            requires_shipping=line.requires_shipping,
        )
    grams = line.grams if known.weight_g is None else known.weight_g
    return CartLine(
        quantity=line.quantity,
        price=price,
        weight=None if grams is None else Weight(grams),
        sku=known.sku or line.sku,
        name=known.name[:_LONGEST_SHELF_NAME],
        variant_id=line.variant_id or ("" if known.key.startswith("sku:") else known.key),
        product_id=known.product_id,
        vendor=known.vendor,
        requires_shipping=line.requires_shipping if known.requires_shipping is None else known.requires_shipping,
    )


# --- the answer -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a buyer sees it. `price` is in the shop's currency; `shown` perhaps in the buyer's, then rounded."""

    code: str
    name: str
    description: str
    price: Money
    shown: Money
    text: str
    earliest: date | None
    latest: date | None
    when: str


@dataclass(frozen=True, slots=True)
class Towards:
    """How far it is to free shipping: what is missing (None once it is reached), the share of the way in percent."""

    missing: Money | None
    percent: int
    text: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a buyer may read of an answer: no carrier's words, no account, no cost.

    `message` says why there are no options. `language` is that of the texts.
    """

    outcome: Literal["offers", "not_served", "unknown"]
    options: tuple[Option, ...]
    message: str
    progress: Towards | None
    language: str
    until: datetime | None

    @property
    def right_to_left(self) -> bool:
        """How its texts run."""
        return self.language in RIGHT_TO_LEFT


def estimate_of(row: LedgerRow, settings: ShopSettings, asked: Asked, progress: Towards | None) -> Estimate:
    """The answer for a page, in the buyer's language and currency as far as the merchant set a rate for it."""
    language = spoken(asked.locale, settings.storefront.language)
    decision = row.decision
    options = tuple(_option(each, asked.currency, settings.exchange_rates, language) for each in decision.offers)
    outcome: Literal["offers", "not_served", "unknown"] = "unknown"
    if options:
        outcome = "offers"
    elif decision.outcome == "not_served":
        outcome = "not_served"
    message = "" if options else why_none(decision, row.cart).say(language)
    return Estimate(outcome, options, message, progress, language, decision.valid_until)


def nowhere(settings: ShopSettings, asked: Asked, progress: Towards | None) -> Estimate:
    """The answer to a page that did not say where to."""
    language = spoken(asked.locale, settings.storefront.language)
    return Estimate("unknown", (), Reason("estimate_say_where").say(language), progress, language, None)


def why_none(decision: Decision, cart: ReducedCart) -> Reason:
    """Why there is no option, as a buyer may read it."""
    if decision.why is not None and decision.why.code == "goods_restricted":
        item = str(decision.why.params.get("item", ""))
        named = next((line.name for line in cart.lines if line.name and item in (line.sku, line.name)), item)
        return Reason("estimate_restricted", {"item": named})
    if decision.why is not None and decision.why.code == "nothing_to_ship":
        return Reason("estimate_nothing_to_ship")
    if decision.outcome == "not_served":
        return Reason("estimate_not_served")
    return Reason("estimate_at_checkout")


def _option(offer: DecidedOffer, wanted: str, rates: Sequence[ExchangeRate], language: str) -> Option:
    price = Money(offer.minor, offer.currency)
    shown = in_buyers_currency(price, wanted, rates)
    first = None if offer.earliest is None else offer.earliest.date()
    last = None if offer.latest is None else offer.latest.date()
    return Option(
        code=offer.code,
        name=offer.name,
        description=offer.description,
        price=price,
        shown=shown,
        text=price_text(shown, language),
        earliest=first,
        latest=last,
        when=days_text(first, last, language) if first is not None and last is not None else "",
    )


def price_text(price: Money, language: str) -> str:
    """The price as a buyer reads it; free is a word."""
    return amount_text(price, language) if price.minor else Reason("estimate_free").say(language)


def in_buyers_currency(price: Money, wanted: str, rates: Sequence[ExchangeRate]) -> Money:
    """The price in the currency that the page shows; in the shop's where the merchant set no rate."""
    if not wanted or wanted == price.currency:
        return price
    changed = exchange(price, wanted, rates)
    return price if changed is None else changed.money
