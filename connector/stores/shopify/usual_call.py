"""The usual rate call of Shopify's checkout, read by a reader that knows its fields. Pure.

Most calls have each field in its documented type, and reading those must be cheap: a checkout waits. Whatever differs
is left to the patient reader in `rates`, which gives the same carts and names the field that cannot be.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct

from carriers.address import Address
from carriers.measure import Weight
from connector.store import Cart, CartLine, CartTotals
from connector.stores.shopify.mapping import text_of
from connector.stores.shopify.subunits import from_subunits

_LONGEST_TEXT = 1000
_MOST_UNITS = 1_000_000
_MOST_GRAMS = 100_000_000
_MOST_SUBUNITS = 10**15
_DIGITS = 15

Text = Annotated[str, Meta(max_length=_LONGEST_TEXT)]
Subunits = Annotated[int, Meta(ge=0, le=_MOST_SUBUNITS)]
Country = Annotated[str, Meta(pattern=r"^(?:[A-Za-z]{2})?\Z")]
Currency = Annotated[str, Meta(pattern=r"^[A-Za-z]{3}\Z")]
Id = Annotated[int, Meta(ge=0, lt=10**18)]


class Item(Struct, gc=False):
    """A line of the call."""

    quantity: Annotated[int, Meta(ge=1, le=_MOST_UNITS)]
    price: Subunits
    grams: Annotated[int, Meta(ge=0, le=_MOST_GRAMS)] | None = None
    sku: Text | None = None
    name: Text | None = None
    variant_id: Id | None = None
    product_id: Id | None = None
    vendor: Text | None = None
    requires_shipping: bool | None = None
    taxable: bool | None = None
    properties: Any = None


class Place(Struct, gc=False):
    """Where the goods leave from or go to."""

    country: Country | None = None
    postal_code: Text | None = None
    zip: Text | None = None
    province: Text | None = None
    city: Text | None = None
    address1: Text | None = None
    address2: Text | None = None
    address3: Text | None = None
    name: Text | None = None
    company_name: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    address_type: Text | None = None


class Totals(Struct, gc=False):
    """The whole cart's sums; they come as whole numbers or as digits between quotes."""

    subtotal_price: Subunits | Text | None = None
    discount_amount: Subunits | Text | None = None
    total_price: Subunits | Text | None = None


class Rate(Struct, gc=False):
    """What is asked."""

    currency: Currency
    items: Annotated[list[Item], Meta(min_length=1)]
    origin: Place | None = None
    destination: Place | None = None
    order_totals: Totals | None = None
    locale: Text | None = None
    customer: Any = UNSET


class Call(Struct, gc=False):
    """The body of a rate call."""

    rate: Rate


_READER = msgspec.json.Decoder(Call)
_RESIDENTIAL = {"residential": True, "commercial": False}


class _Unusual(Exception):
    """A text that has to be cleaned first."""


def read_usual(raw: bytes) -> Cart | None:
    """The cart where every field is as usual; None where one is not, or where it is no JSON at all."""
    try:
        return _cart(_READER.decode(raw).rate)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, _Unusual):
        return None


def _cart(rate: Rate) -> Cart:
    currency = rate.currency.upper()
    totals, customer = rate.order_totals, rate.customer
    tags: tuple[str, ...] | None = None if customer is UNSET else ()
    guest = True
    if isinstance(customer, dict):
        told, guest = customer.get("tags"), False
        if isinstance(told, list):
            tags = tuple([_plain(tag) for tag in told if isinstance(tag, str)])
    return Cart(
        lines=tuple([_line(item, currency) for item in rate.items]),
        currency=currency,
        origin=None if rate.origin is None else _address(rate.origin),
        destination=None if rate.destination is None else _address(rate.destination),
        totals=None if totals is None else _totals(totals, currency),
        locale=_plain(rate.locale) or "en",
        customer_tags=tags,
        guest=guest,
    )


def _line(item: Item, currency: str) -> CartLine:
    variant, product = item.variant_id, item.product_id
    return CartLine(
        item.quantity,
        from_subunits(item.price, currency),
        weight_of_grams(item.grams) if item.grams else None,
        _plain(item.sku),
        _plain(item.name),
        "" if variant is None else f"gid://shopify/ProductVariant/{variant}",
        "" if product is None else f"gid://shopify/Product/{product}",
        _plain(item.vendor),
        item.requires_shipping is not False,
        item.taxable is not False,
        properties_of(item.properties) if item.properties else {},
    )


def properties_of(value: object) -> dict[str, str]:
    """A line's own properties, which a buyer may have typed; nested ones mean nothing to us."""
    if not isinstance(value, dict):
        return {}
    return {text_of(name): text_of(said) for name, said in value.items() if isinstance(said, str | int)}


def _totals(totals: Totals, currency: str) -> CartTotals | None:
    subtotal, discount, total = (
        None if each is None else from_subunits(_number(each), currency)
        for each in (totals.subtotal_price, totals.discount_amount, totals.total_price)
    )
    return None if subtotal is None else CartTotals(subtotal, discount, total)


def _number(told: int | str) -> int:
    if isinstance(told, int):
        return told
    if not (told.isascii() and told.isdecimal() and len(told) <= _DIGITS):
        raise _Unusual
    return int(told)


def _address(place: Place) -> Address | None:
    second = [part for part in (_plain(place.address2), _plain(place.address3)) if part]
    address = Address(
        country=place.country.upper() if place.country else "",
        postal_code=_plain(place.postal_code) or _plain(place.zip),
        province=_plain(place.province),
        city=_plain(place.city),
        street1=_plain(place.address1),
        street2=", ".join(second),
        name=_plain(place.name),
        company=_plain(place.company_name),
        phone=_plain(place.phone),
        email=_plain(place.email),
        residential=_RESIDENTIAL.get(_plain(place.address_type).lower()),
    )
    return None if address == NOTHING_KNOWN else address


def _plain(said: str | None) -> str:
    if not said:
        return ""
    if not said.isprintable():
        raise _Unusual
    return said.strip()


NOTHING_KNOWN = Address(country="")
weight_of_grams = lru_cache(maxsize=8192)(Weight)
