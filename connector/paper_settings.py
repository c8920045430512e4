"""What a merchant sets about the packing table: the sheet, the slip's brand, what is laid in, and scanning.

Part of the shop's settings; the keys of a command line stand for single fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from carriers.money import Money

_COUNTRY = re.compile(r"[A-Z]{2}")


class InsertRule(BaseModel):
    """A card that is laid in where every one of its conditions holds; without conditions, always.

    `first_order`: the buyer's first as far as Waybill knows. `over`: the goods are worth at least so much.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    card: str = Field(min_length=1, max_length=80)
    first_order: bool = False
    tag: str = Field(default="", max_length=80)
    countries: tuple[str, ...] = ()
    over: Decimal | None = Field(default=None, ge=0)
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.over is None) != (not self.currency):
            raise ValueError("an amount needs its currency")
        if any(not _COUNTRY.fullmatch(each) for each in self.countries):
            raise ValueError("countries are two letters each")
        if any(sign in self.card + self.tag for sign in ":;&"):
            raise ValueError("a card's name and a tag hold no : ; or &")
        return self


class PaperSettings(BaseModel):
    """A description is the reason for its default."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    sheet: Literal["4x6", "a4", "letter"] = Field(
        default="4x6", description="A label printer's size; a4 and letter hold two labels."
    )
    slips: bool = Field(default=True, description="A packing slip lies before each label of a print.")
    brand: str = Field(default="", max_length=60, description="Without one, the shop's name.")
    color: str = Field(default="#222222", pattern="^#[0-9a-fA-F]{6}$", description="Black prints on every printer.")
    note: str = Field(default="", max_length=300, description="Without one, the slip says thank you.")
    inserts: tuple[InsertRule, ...] = Field(default=(), description="Nothing is laid in unless you say so.")
    scan: Literal["off", "required"] = Field(
        default="off", description="Not every table has a scanner; labels can be printed at once."
    )


FORMS: Mapping[str, str] = {
    "print_sheet": "4x6 | a4 | letter",
    "print_slips": "yes | no",
    "slip_brand": "a name, or empty",
    "slip_color": "a colour such as #1a4d8f",
    "slip_note": "a sentence, or empty",
    "slip_inserts": "CARD[:first_order][:tag=TAG][:country=DE&AT][:over=AMOUNT], several behind semicolons; or empty",
    "scan_to_pack": "off | required",
}
_FIELDS = {
    "print_sheet": "sheet",
    "print_slips": "slips",
    "slip_brand": "brand",
    "slip_color": "color",
    "slip_note": "note",
    "slip_inserts": "inserts",
    "scan_to_pack": "scan",
}


def reason(key: str) -> str:
    """Why the default is what it is."""
    return str(PaperSettings.model_fields[_FIELDS[key]].description)


def put(body: dict[str, Any], key: str, text: str, currency: str) -> None:
    """Set a key in a stored body, as it is typed. Raises ValueError, or ArithmeticError for an amount."""
    name = _FIELDS[key]
    if not text:
        body.pop(name, None)
    elif key == "print_slips":
        body[name] = {"yes": True, "no": False, "true": True, "false": False}[_known(text.lower())]
    elif key == "slip_inserts":
        rules = [_read_insert(part.strip(), currency) for part in text.split(";") if part.strip()]
        body[name] = [rule.model_dump(mode="json") for rule in rules]
    else:
        body[name] = text
    PaperSettings.model_validate(body)


def text_of(settings: PaperSettings, key: str) -> str:
    """A key's value as it is typed."""
    if key == "print_slips":
        return "yes" if settings.slips else "no"
    if key == "slip_inserts":
        return ";".join(_insert_text(each) for each in settings.inserts)
    return str(getattr(settings, _FIELDS[key]))


def _known(text: str) -> str:
    if text not in {"yes", "no", "true", "false"}:
        raise ValueError(text)
    return text


def _read_insert(text: str, currency: str) -> InsertRule:
    card, *conditions = (part.strip() for part in text.split(":"))
    said: dict[str, Any] = {"card": card}
    for condition in conditions:
        name, _, value = condition.partition("=")
        match name.strip():
            case "first_order" if not value:
                said["first_order"] = True
            case "tag" if value:
                said["tag"] = value.strip()
            case "country" if value:
                said["countries"] = tuple(each.strip().upper() for each in value.split("&"))
            case "over" if value:
                amount = Money.parse(Decimal(value.strip()), currency)
                said |= {"over": amount.amount, "currency": currency}
            case _:
                raise ValueError(condition)
    return InsertRule.model_validate(said)


def _insert_text(rule: InsertRule) -> str:
    parts = [rule.card]
    parts += ["first_order"] * rule.first_order
    parts += [f"tag={rule.tag}"] * bool(rule.tag)
    parts += [f"country={'&'.join(rule.countries)}"] * bool(rule.countries)
    parts += [] if rule.over is None else [f"over={rule.over:f}"]
    return ":".join(parts)
