"""The test bench: a cart is typed, or taken from an earlier quote, and answered now and with other settings.

Nothing that is done here is published, kept or held: it is a page that only shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carriers.address import Address
from carriers.money import Money, MoneyError
from connector import shop_settings
from connector.catalogue.memory import Products, ShopProducts
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Page, View
from connector.managing.rules import BadRules, draft_of
from connector.quotes import ledger
from connector.quotes.bench import cart_again, try_out
from connector.quotes.estimate import Asked, AskedLine, Fault, cart_of
from connector.quotes.explain import explain
from connector.quotes.ledger import LedgerRow
from connector.shop_settings import SettingsError, ShopSettings
from connector.store import Cart

_MOST_TYPED = 6000
_MOST_LINES = 100
_FIELDS = ("lines", "country", "postal", "city", "discount", "locale", "changes", "quote", "draft")


@dataclass(frozen=True, slots=True)
class Tried:
    """One side of the bench: its first sentence, the whole explanation, and the row that it is made of."""

    answer: str
    explanation: str
    row: LedgerRow


@dataclass(frozen=True, slots=True)
class Pair:
    """An option on both sides; None where a side does not have it."""

    code: str
    name: str
    before: Money | None
    after: Money | None


class _Wrong(Exception):
    """What cannot be tried: the field that is to blame, and why."""

    def __init__(self, field: str, text: str = "", code: str = "") -> None:
        super().__init__(field)
        self.complaint = Complaint(code, field, text)


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The form, and below it both answers once a cart is named."""
    typed = {name: ask.query.get(name, "")[:_MOST_TYPED] for name in _FIELDS}
    values: dict[str, object] = {"sides": None, "pairs": (), "given": typed, "has_draft": False}
    try:
        draft = await draft_of(house.database, ask.shop)
    except BadRules:
        draft = None
    values["has_draft"] = draft is not None
    if not (typed["lines"].strip() or typed["quote"].strip()):
        return View("bench.html", values)
    try:
        other = _other_settings(ask, typed)
        if typed["draft"] and draft is not None:
            other = other.model_copy(update={"rules": draft[1]})
        products = await Products(house.database).load(ask.shop.id)
        cart = await _cart(house, ask, typed, products)
    except _Wrong as wrong:
        return View("bench.html", values, wrong.complaint)
    rows = await try_out(
        ask.shop.quoting, products, cart, (ask.shop.settings, other), house.now, house.keyring.keyed_hash
    )
    values["sides"] = [_tried(row) for row in rows]
    values["pairs"] = _pairs(*rows)
    return View("bench.html", values)


def _other_settings(ask: Ask, typed: Mapping[str, str]) -> ShopSettings:
    changes = {}
    for line in typed["changes"].splitlines():
        key, equals, value = line.strip().partition("=")
        if not line.strip():
            continue
        if not equals:
            raise _Wrong("changes", code="bench.not_a_change")
        changes[key.strip()] = value
    try:
        return shop_settings.change(ask.shop.settings, changes, ask.shop.record.currency)
    except SettingsError as error:
        raise _Wrong("changes", error.message) from error


async def _cart(house: DeskHouse, ask: Ask, typed: Mapping[str, str], products: ShopProducts) -> Cart:
    if typed["quote"].strip() and not typed["lines"].strip():
        row = await house.database.run(ledger.load, ask.shop.id, typed["quote"].strip())
        if row is None:
            raise _Wrong("quote", code="bench.no_quote")
        return cart_again(row.cart)
    currency = ask.shop.record.currency
    country = typed["country"].strip().upper()
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise _Wrong("country", code="bench.no_country")
    try:
        discount = Money.parse(typed["discount"].strip(), currency) if typed["discount"].strip() else None
    except MoneyError as error:
        raise _Wrong("discount", error.message) from error
    asked = Asked(
        lines=_lines(typed["lines"], currency),
        destination=Address(country, typed["postal"].strip(), city=typed["city"].strip()),
        discount=discount,
        locale=typed["locale"].strip(),
    )
    cart = cart_of(asked, currency, ask.shop.settings.exchange_rates, products.shelf)
    if isinstance(cart, Fault):
        field = "discount" if cart.field == "discount" else "lines"
        raise _Wrong(field, code="bench.too_much_off" if field == "discount" else "bench.no_price")
    return cart


def _lines(text: str, currency: str) -> tuple[AskedLine, ...]:
    """`SKU or variant, quantity, price of one, grams of one`, each on a line; the last three may be left out."""
    found = []
    for line in text.splitlines()[:_MOST_LINES]:
        if not line.strip():
            continue
        name, quantity, price, grams, *more = [*(part.strip() for part in line.split(",")), "", "", ""][:5]
        if more and more[0]:
            raise _Wrong("lines", code="bench.not_a_line")
        is_id = name.isdecimal() or name.startswith("gid://")
        try:
            found.append(
                AskedLine(
                    variant_id=name if is_id else "",
                    sku="" if is_id else name,
                    quantity=int(quantity or 1),
                    unit_price=Money.parse(price, currency) if price else None,
                    grams=int(grams) if grams else None,
                )
            )
        except (ValueError, MoneyError) as error:
            raise _Wrong("lines", code="bench.not_a_line") from error
        if not 0 < found[-1].quantity <= 10_000 or (found[-1].grams or 0) < 0 or not name:
            raise _Wrong("lines", code="bench.not_a_line")
    return tuple(found)


def _tried(row: LedgerRow) -> Tried:
    lines = explain(row)
    return Tried(lines[0], "\n".join(lines[2:]), row)


def _pairs(before: LedgerRow, after: LedgerRow) -> list[Pair]:
    """Each option once, in the order of the side that has it."""
    was = {each.code: each for each in before.decision.offers}
    now = {each.code: each for each in after.decision.offers}
    found = []
    for code in dict.fromkeys((*was, *now)):
        one, other = was.get(code), now.get(code)
        either = other or one
        assert either is not None  # noqa: S101 - one of them has it.
        found.append(
            Pair(
                code,
                either.name,
                None if one is None else Money(one.minor, one.currency),
                None if other is None else Money(other.minor, other.currency),
            )
        )
    return found


PAGES = (Page("/bench", place="bench", role="owner", show=show),)
