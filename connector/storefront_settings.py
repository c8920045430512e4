"""What a merchant sets about the storefront: whether prices are told before the checkout, to whom, in what words.

Part of the shop's settings; the keys of a command line stand for single fields.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

CLASS = "class/"
"""In front of a service class where a template is for all services of that class."""
ANY = "*"

NamePart = Literal["carrier", "service"]
DescriptionPart = Literal["carrier", "service", "days", "from", "to"]
_NAME_PARTS = frozenset(get_args(NamePart))
_DESCRIPTION_PARTS = frozenset(get_args(DescriptionPart))

_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    "január", "február", "marec", "marc", "apríl", "máj", "jún", "júl", "august", "september", "október", "november",
    "december", "sty", "lut", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru",
)  # fmt: skip
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\.\s?\d{1,2}\.|\d{1,2}/\d{1,2}/\d{2,4}"
    rf"|\b\d{{1,2}}\.?\s?(?:{'|'.join(_MONTHS)})\w*\b|\b(?:{'|'.join(_MONTHS)})[a-z]*\.?\s\d{{1,2}}\b",
    re.IGNORECASE,
)
_SIGNS = "€$£¥₹₽₺₩֏₴₪"
_PRICE = re.compile(rf"[{_SIGNS}]|\d\s?(?:zł|kč|ft|lei)\b|\b\d+[.,]\d{{2}}\b", re.IGNORECASE)
_CODES = (
    "EUR|USD|GBP|CHF|CZK|PLN|HUF|RON|BGN|SEK|NOK|DKK|ISK|UAH|RSD|TRY|AMD|GEL|JPY|CNY|INR|AUD|CAD|NZD|AED|SAR|KWD|EGP"
)
_CODED_PRICE = re.compile(rf"\b(?:{_CODES})\s?\d|\d\s?(?:{_CODES})\b")
_ID = re.compile(r"\d{6,}|\b[a-z]{2,5}_[0-9a-z]{10,}\b|\b(?=\w*\d)(?=\w*[A-Za-z])\w{14,}\b")
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_OFFER = re.compile(r"\*|class/[a-z_]{1,20}|[a-z0-9][\w-]{0,78}")


class WordingSetting(BaseModel):
    """What a service is called, and what is said of it, in one language.

    `offer` is an offer's code, `class/` and a service class, or `*` for all; an empty `locale` is every language. An
    empty template leaves the usual text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    offer: str = Field(max_length=79)
    locale: str = Field(default="", max_length=20)
    name: str = Field(default="", max_length=80)
    description: str = Field(default="", max_length=200)

    @field_validator("offer")
    @classmethod
    def _is_an_offer(cls, value: str) -> str:
        if not _OFFER.fullmatch(value):
            raise ValueError("a template is for an offer's code, class/ and a service class, or * for all")
        return value

    @field_validator("locale")
    @classmethod
    def _is_a_locale(cls, value: str) -> str:
        if value and not _LOCALE.fullmatch(value):
            raise ValueError("a locale is such as sk or pt-br")
        return value

    @field_validator("name")
    @classmethod
    def _name_is_stable(cls, value: str) -> str:
        why = _unknown_part(value, _NAME_PARTS) or fault_of_name(value)
        if why:
            raise ValueError(why)
        return _typable(value)

    @field_validator("description")
    @classmethod
    def _description_can_be_filled(cls, value: str) -> str:
        why = _unknown_part(value, _DESCRIPTION_PARTS)
        if why:
            raise ValueError(why)
        return _typable(value)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.name or self.description):
            raise ValueError("a template has a name, a description, or both")
        return self


def fault_of_name(text: str) -> str:
    """Why this is no name that stays the same (the platform tells options apart by it); empty where it is one."""
    if _DATE.search(text):
        return "a name holds no date"
    if _PRICE.search(text) or _CODED_PRICE.search(text):
        return "a name holds no price"
    return "a name holds no id" if _ID.search(text) else ""


def _unknown_part(text: str, known: frozenset[str]) -> str:
    try:
        parts = [(name, spec, way) for _, name, spec, way in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return "a brace is not closed"
    wrong = [name for name, spec, way in parts if name not in known or spec or way]
    if wrong:
        return f"there is no {{{wrong[0]}}} here, only {', '.join(f'{{{name}}}' for name in sorted(known))}"
    return ""


def _typable(text: str) -> str:
    if any(sign in text for sign in ";|") or not text.isprintable():
        raise ValueError("a template holds no ; and no |")
    return text


class StorefrontSettings(BaseModel):
    """Prices before the checkout, and the words in which options are offered."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    on: bool = Field(default=False, description="Prices are told outside the checkout only if you want them to be.")
    key: str = Field(
        default="",
        pattern="^(?:[0-9a-z]{16,40})?$",
        description="Made from the shop's id; another one ends the use of the old address.",
    )
    origins: tuple[str, ...] = Field(default=(), description="Only pages on the store's own domain may ask.")
    places_a_day: int = Field(
        default=40, ge=1, le=10_000, description="More than a buyer asks for, less than a price list is made of."
    )
    language: str = Field(
        default="en", pattern="^[a-z]{2,3}$", description="Said where a buyer's own language has no text."
    )
    wording: tuple[WordingSetting, ...] = Field(
        default=(), description="Options are called as their carrier calls them."
    )

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            parts = urlsplit(each)
            host = parts.hostname or ""
            port = f":{parts.port}" if parts.port is not None else ""
            if parts.scheme not in {"https", "http"} or not host or each != f"{parts.scheme}://{host}{port}":
                raise ValueError("an origin is such as https://www.example.com, without a path")
        return value

    @model_validator(mode="after")
    def _templates_differ(self) -> Self:
        named = [(each.offer, each.locale) for each in self.wording]
        if len(set(named)) != len(named):
            raise ValueError("two templates are for one offer and one language")
        return self


def storefront_key(shop_id: str, settings: StorefrontSettings) -> str:
    """The public key in the storefront's address: the merchant's own, else one made from the shop's id."""
    return settings.key or sha256(f"storefront {shop_id}".encode()).hexdigest()[:24]


FORMS: Mapping[str, str] = {
    "storefront": "on | off",
    "storefront_key": "16 to 40 small letters and digits, or empty",
    "storefront_origins": "origins such as https://www.example.com, several behind commas; or empty",
    "storefront_places": "destinations that one visitor may ask for in a day, such as 40",
    "language": "a language such as en",
    "wording": "OFFER[@LOCALE]:NAME[|DESCRIPTION], several behind semicolons; or empty",
}
"""The keys of the command line that stand for parts of these settings, and how each is written."""

_FIELDS = {
    "storefront": "on",
    "storefront_key": "key",
    "storefront_origins": "origins",
    "storefront_places": "places_a_day",
}


def reason(key: str) -> str:
    """Why the default is as it is."""
    return str(StorefrontSettings.model_fields[_FIELDS.get(key, key)].description)


def put(body: dict[str, Any], key: str, text: str, _currency: str = "") -> None:
    """Set a key in a stored body, as it is typed; empty goes back to the default. Raises ValueError."""
    field = _FIELDS.get(key, key)
    if not text:
        body.pop(field, None)
    elif key == "storefront":
        body[field] = {"on": True, "off": False}[text] if text in {"on", "off"} else text
        if text not in {"on", "off"}:
            raise ValueError(text)
    elif key == "storefront_places":
        body[field] = int(text)
    elif key == "storefront_origins":
        body[field] = [part.strip().lower() for part in text.split(",") if part.strip()]
    elif key == "wording":
        body[field] = [_template(part.strip()) for part in text.split(";") if part.strip()]
    else:
        body[field] = text
    StorefrontSettings.model_validate(body)


def text_of(settings: StorefrontSettings, key: str) -> str:
    """A key's value, as it is typed."""
    match key:
        case "storefront":
            return "on" if settings.on else "off"
        case "storefront_origins":
            return ",".join(settings.origins)
        case "wording":
            return ";".join(map(_template_text, settings.wording))
        case _:
            return str(getattr(settings, _FIELDS.get(key, key)))


def _template(text: str) -> dict[str, Any]:
    head, colon, said = text.partition(":")
    if not colon:
        raise ValueError(text)
    offer, _, locale = head.strip().partition("@")
    name, _, description = said.partition("|")
    body = {"offer": offer, "locale": locale.replace("_", "-").lower(), "name": name.strip()}
    return {**body, "description": description.strip()}


def _template_text(each: WordingSetting) -> str:
    head = f"{each.offer}@{each.locale}" if each.locale else each.offer
    return f"{head}:{each.name}|{each.description}" if each.description else f"{head}:{each.name}"
