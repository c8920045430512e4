"""A page's question: JSON to what is asked, or the field that is wrong. Pure.

What the page says of goods is taken for what it is worth; see `quotes.estimate` for what counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NoReturn

from carriers.address import Address
from carriers.money import Money, MoneyError
from connector.quotes.estimate import Asked, AskedLine

MOST_LINES = 200
_MOST_UNITS = 10_000
_MOST_GRAMS = 10_000_000
_LONGEST = 120
_POSTAL = re.compile(r"[\w][\w\s-]{0,14}", re.UNICODE)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}")

Code = Literal["malformed", "missing", "wrong_type", "out_of_range", "too_many", "unknown_currency", "not_a_country"]


class Unreadable(Exception):
    """Why a question cannot be taken: a code, and the field that is to blame."""

    def __init__(self, code: Code, field: str) -> None:
        super().__init__(code)
        self.code: Code = code
        self.field = field


def read_question(raw: bytes, shop_currency: str) -> Asked:
    """The question. Raises Unreadable."""
    try:
        body = json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable("malformed", "body") from error
    if not isinstance(body, dict):
        raise Unreadable("wrong_type", "body")
    currency = _currency(body.get("currency"), shop_currency)
    return Asked(
        lines=_lines(body, currency),
        destination=_destination(body.get("destination")),
        discount=_amount(body.get("discount"), currency, "discount"),
        locale=_locale(body.get("locale")),
        currency=currency,
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are no JSON.


def _currency(value: object, shop_currency: str) -> str:
    if value is None or value == "":
        return shop_currency
    text = value.upper() if isinstance(value, str) else ""
    if not re.fullmatch("[A-Z]{3}", text):
        raise Unreadable("unknown_currency", "currency")
    return text


def _locale(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise Unreadable("wrong_type", "locale")
    return value if _LOCALE.fullmatch(value) else ""


def _lines(body: Mapping[str, Any], currency: str) -> tuple[AskedLine, ...]:
    lines, product = body.get("lines"), body.get("product")
    if lines is None and product is not None:
        return (_line(product, "product", currency),)
    if lines is None:
        raise Unreadable("missing", "lines")
    if not isinstance(lines, list):
        raise Unreadable("wrong_type", "lines")
    if not lines:
        raise Unreadable("missing", "lines")
    if len(lines) > MOST_LINES:
        raise Unreadable("too_many", "lines")
    return tuple(_line(each, f"lines[{at}]", currency) for at, each in enumerate(lines))


def _line(value: object, place: str, currency: str) -> AskedLine:
    if not isinstance(value, dict):
        raise Unreadable("wrong_type", place)
    variant, sku = _id(value.get("variant_id"), f"{place}.variant_id"), _id(value.get("sku"), f"{place}.sku")
    if not (variant or sku):
        raise Unreadable("missing", f"{place}.variant_id")
    quantity = _whole(value.get("quantity", 1), f"{place}.quantity", 1, _MOST_UNITS)
    grams = value.get("grams")
    ships = value.get("requires_shipping", True)
    if not isinstance(ships, bool):
        raise Unreadable("wrong_type", f"{place}.requires_shipping")
    return AskedLine(
        variant_id=variant,
        sku=sku,
        quantity=quantity,
        unit_price=_amount(value.get("unit_price"), currency, f"{place}.unit_price"),
        grams=None if grams is None else _whole(grams, f"{place}.grams", 0, _MOST_GRAMS),
        requires_shipping=ships,
    )


def _id(value: object, field: str) -> str:
    """A variant's id as the platform gives it to pages: digits, its global id, or text."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable("wrong_type", field)
    text = str(value).strip()
    if len(text) > _LONGEST or not text.isprintable():
        raise Unreadable("out_of_range", field)
    return text


def _whole(value: object, field: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable("wrong_type", field)
    if not least <= value <= most:
        raise Unreadable("out_of_range", field)
    return value


def _amount(value: object, currency: str, field: str) -> Money | None:
    """A decimal number in text or as a number, in major units."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable("wrong_type", field)
    if isinstance(value, str) and not re.fullmatch(r"\d{1,13}(?:\.\d{1,8})?", value):
        raise Unreadable("wrong_type", field)
    try:
        amount = Money.rounded(value, currency)
    except MoneyError as error:
        raise Unreadable("out_of_range", field) from error
    if amount.minor < 0:
        raise Unreadable("out_of_range", field)
    return amount


def _destination(value: object) -> Address | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unreadable("wrong_type", "destination")
    fields = {name: _text(value.get(name), f"destination.{name}") for name in _FIELDS}
    country = fields["country"].upper()
    if not country:
        if any(fields.values()):
            raise Unreadable("missing", "destination.country")
        return None
    if not re.fullmatch("[A-Z]{2}", country):
        raise Unreadable("not_a_country", "destination.country")
    postal = " ".join(fields["postal_code"].split()).upper()
    if postal and not _POSTAL.fullmatch(postal):
        raise Unreadable("out_of_range", "destination.postal_code")
    return Address(country, postal, fields["province"], fields["city"])


_FIELDS = ("country", "postal_code", "province", "city")


def _text(value: object, field: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable("wrong_type", field)
    text = str(value).strip()
    if len(text) > _LONGEST or not text.isprintable():
        raise Unreadable("out_of_range", field)
    return text
