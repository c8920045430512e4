"""The rate callback of Shopify's checkout: its request as a Cart, our answer as its bytes. Pure.

Strict about what a price depends on, lenient about the rest: unknown fields are passed over, and nulls are taken
wherever the documented and the recorded requests have them (`order_totals` come as strings or integers).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NoReturn, assert_never

import msgspec

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.store import Answer, Cart, CartLine, CartTotals, Incoming, Offer, RateCall, Refusal, UseBackup
from connector.stores.shopify.mapping import gid, grams, text_of
from connector.stores.shopify.settings import HMACMode
from connector.stores.shopify.subunits import from_subunits, to_subunits
from connector.stores.shopify.usual_call import properties_of, read_usual
from webhooks.receiver import Reply
from webhooks.signatures import Valid, check_shopify

_MOST_UNITS = 1_000_000
_MOST_GRAMS = 100_000_000
_MOST_SUBUNITS = 10**15
_LONGEST_TEXT = 1000
_JSON = (("content-type", "application/json"),)


def read_rate_call(incoming: Incoming, secrets: tuple[str, ...], mode: HMACMode) -> RateCall | Refusal:
    """Understand a rate call, or say which field cannot be.

    `require` refuses what is not signed by one of `secrets`; `prefer` only tells (Shopify's contract does not promise
    a signature, and the URL's token has proved the call already); `off` does not look.
    """
    signature = _signature(incoming, secrets, mode)
    if mode == "require" and signature != "valid":
        return Refusal(401, "signature_missing" if signature == "absent" else "signature_wrong")
    try:
        return RateCall(read_usual(incoming.raw) or _read_cart(_parse(incoming.raw)), signature=signature)
    except _Refused as refused:
        return Refusal(400, refused.code, refused.field)


def write_answer(answer: Answer | UseBackup | Refusal) -> Reply:
    """The bytes that Shopify takes. Equal answers give equal bytes.

    No offers is an empty list with 200: "cannot ship there". Not knowing is 503, upon which Shopify shows the shop's
    backup rates.
    """
    match answer:
        case Answer():
            return _written(answer.offers)
        case UseBackup():
            return _reply(503, {"error": {"code": answer.code}})
        case Refusal():
            named = {"field": answer.field} if answer.field else {}
            return _reply(answer.status, {"error": {"code": answer.code} | named})
        case _:
            assert_never(answer)


_replies: OrderedDict[int, tuple[tuple[Offer, ...], Reply]] = OrderedDict()
_MOST_REPLIES = 1024


def _written(offers: tuple[Offer, ...]) -> Reply:
    """The very same offers, kept for calls that are alike, are written once."""
    found = _replies.get(id(offers))
    if found is not None and found[0] is offers:
        return found[1]
    reply = _reply(200, {"rates": [_rate(offer) for offer in offers]})
    _replies[id(offers)] = (offers, reply)
    if len(_replies) > _MOST_REPLIES:
        _replies.popitem(last=False)
    return reply


def _reply(status: int, body: object) -> Reply:
    try:
        return Reply(status, _WRITER.encode(body), _JSON)
    except UnicodeEncodeError:  # A lone half of a character, which nobody can show.
        text = json.dumps(msgspec.to_builtins(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Reply(status, text.encode("utf-8", "replace"), _JSON)


class _Rate(msgspec.Struct, omit_defaults=True, gc=False):
    """A price as Shopify takes it, in the order in which it is written."""

    service_name: str
    service_code: str
    description: str
    total_price: str
    currency: str
    phone_required: bool = False
    min_delivery_date: str | None = None
    max_delivery_date: str | None = None


_WRITER = msgspec.json.Encoder()


def _rate(offer: Offer) -> _Rate:
    price, earliest, latest = offer.price, offer.earliest, offer.latest
    first = None if earliest is None else _date(earliest)
    return _Rate(
        offer.name,
        offer.code,
        offer.description,
        str(to_subunits(price)),
        price.currency,
        offer.phone_required,
        first,
        first if latest is earliest else None if latest is None else _date(latest),
    )


def _date(at: datetime) -> str:
    """As in the documented sample: 2013-04-12 14:48:45 -0400."""
    text = at.isoformat(" ", "seconds")  # strftime takes ten times as long.
    return f"{text[:19]} {text[19:].replace(':', '')}"


def _signature(
    incoming: Incoming, secrets: tuple[str, ...], mode: HMACMode
) -> Literal["valid", "absent", "wrong", "unsigned"]:
    if mode == "off":
        return "unsigned"
    header = incoming.headers.get("x-shopify-hmac-sha256") or incoming.headers.get("shopify-hmac-sha256")
    if not header:
        return "absent"
    return "valid" if isinstance(check_shopify(incoming.raw, header, secrets), Valid) else "wrong"


# --- reading ----------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    def __init__(self, code: str, field: str) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class _Fields:
    """An object of the request with its place in it, so that a refusal can name the field."""

    place: str
    values: Mapping[str, Any]

    def refuse(self, code: str, name: str) -> NoReturn:
        raise _Refused(code, f"{self.place}.{name}")

    def inner(self, name: str) -> _Fields | None:
        """An object inside; None for null and absent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse("not_an_object", name)
        return _Fields(f"{self.place}.{name}", value)

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number, also in digits between quotes; None for null and absent."""
        value = self.values.get(name)
        if value is None or (type(value) is int and least <= value <= most):
            return value
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            self.refuse("not_a_number", name)
        if isinstance(value, str) and not (value.isascii() and 0 < len(value) <= 30):
            self.refuse("not_a_number", name)
        try:
            number = Decimal(value)
        except InvalidOperation:
            self.refuse("not_a_number", name)
        if not number.is_finite() or number.adjusted() > 30:
            self.refuse("out_of_range", name)
        if number != number.to_integral_value():
            self.refuse("not_a_whole_number", name)
        if not least <= number <= most:
            self.refuse("out_of_range", name)
        return int(number)

    def needed(self, name: str, *, least: int, most: int) -> int:
        """The same, and it must be there."""
        number = self.whole(name, least=least, most=most)
        if number is None:
            self.refuse("missing", name)
        return number

    def text(self, name: str) -> str:
        """Text that a price depends on: "" for null; numbers are taken as their digits."""
        value = self.values.get(name)
        if isinstance(value, bool | dict | list):
            self.refuse("not_text", name)
        text = text_of(value)
        if len(text) > _LONGEST_TEXT:
            self.refuse("too_long", name)
        return text

    def any_text(self, name: str) -> str:
        """Text that only people read: "" for whatever is not text, cut to a bearable length."""
        value = self.values.get(name)
        if type(value) is str and len(value) <= _LONGEST_TEXT and value.isprintable():
            return value.strip()  # The usual case: a checkout waits, and a cart has a hundred such fields.
        return text_of(value)[:_LONGEST_TEXT] if isinstance(value, str | int) else ""

    def flag(self, name: str) -> bool:
        """True unless the request says false."""
        return self.values.get(name) is not False


def _parse(raw: bytes) -> _Fields:
    try:
        body = json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _Refused("malformed", "body") from error
    if not isinstance(body, dict):
        raise _Refused("not_an_object", "body")
    rate = body.get("rate")
    if not isinstance(rate, dict):
        raise _Refused("missing" if rate is None else "not_an_object", "rate")
    return _Fields("rate", rate)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are no JSON.


def _read_cart(rate: _Fields) -> Cart:
    currency = rate.text("currency").upper()
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        rate.refuse("not_a_currency" if currency else "missing", "currency")
    tags, guest = _customer(rate)
    return Cart(
        lines=_lines(rate, currency),
        currency=currency,
        origin=_address(rate.inner("origin")),
        destination=_address(rate.inner("destination")),
        totals=_totals(rate.inner("order_totals"), currency),
        locale=rate.any_text("locale") or "en",
        customer_tags=tags,
        guest=guest,
    )


def _lines(rate: _Fields, currency: str) -> tuple[CartLine, ...]:
    items = rate.values.get("items")
    if not isinstance(items, list) or not items:
        rate.refuse("missing" if not items else "not_a_list", "items")
    return tuple(_line(_Fields(f"rate.items[{i}]", _object(item, i)), currency) for i, item in enumerate(items))


def _object(item: object, index: int) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise _Refused("not_an_object", f"rate.items[{index}]")
    return item


def _line(item: _Fields, currency: str) -> CartLine:
    return CartLine(
        quantity=item.needed("quantity", least=1, most=_MOST_UNITS),
        price=_money(item.needed("price", least=0, most=_MOST_SUBUNITS), currency),
        weight=_weight(item.whole("grams", least=0, most=_MOST_GRAMS)),
        sku=item.any_text("sku"),
        name=item.any_text("name"),
        variant_id=gid("ProductVariant", item.any_text("variant_id")),
        product_id=gid("Product", item.any_text("product_id")),
        vendor=item.any_text("vendor"),
        requires_shipping=item.flag("requires_shipping"),
        taxable=item.flag("taxable"),
        properties=properties_of(item.values.get("properties")),
    )


def _weight(per_unit: int | None) -> Weight | None:
    return None if per_unit is None else grams(per_unit)


def _money(subunits: int, currency: str) -> Money:
    return from_subunits(subunits, currency)


def _totals(totals: _Fields | None, currency: str) -> CartTotals | None:
    """Sums over the whole cart; they may pass the items', which are one group's. None without a subtotal."""
    if totals is None:
        return None
    subtotal = totals.whole("subtotal_price", least=0, most=_MOST_SUBUNITS)
    discount = totals.whole("discount_amount", least=0, most=_MOST_SUBUNITS)
    total = totals.whole("total_price", least=0, most=_MOST_SUBUNITS)
    if subtotal is None:
        return None
    return CartTotals(
        subtotal=_money(subtotal, currency),
        discount=None if discount is None else _money(discount, currency),
        total=None if total is None else _money(total, currency),
    )


def _customer(rate: _Fields) -> tuple[tuple[str, ...] | None, bool]:
    """The customer's tags, and whether nobody is logged in. Absent (before November 2025): nothing is known."""
    if "customer" not in rate.values:
        return None, True
    customer = rate.values["customer"]
    if not isinstance(customer, dict):
        return (), True
    tags = customer.get("tags")
    return tuple(text_of(tag) for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (), False


def _address(fields: _Fields | None) -> Address | None:
    """An address as far as it is known; None where nothing is."""
    if fields is None:
        return None
    country = fields.text("country").upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        fields.refuse("not_a_country", "country")
    second = (fields.text("address2"), fields.any_text("address3"))
    address = Address(
        country=country,
        postal_code=fields.text("postal_code") or fields.text("zip"),
        province=fields.text("province"),
        city=fields.text("city"),
        street1=fields.text("address1"),
        street2=", ".join(part for part in second if part),
        name=fields.any_text("name"),
        company=fields.any_text("company_name"),
        phone=fields.any_text("phone"),
        email=fields.any_text("email"),
        residential={"residential": True, "commercial": False}.get(fields.any_text("address_type").lower()),
    )
    return None if address == Address(country="") else address
