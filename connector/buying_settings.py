"""What a merchant sets about purchases: how far a label may be from its promise, and what Waybill buys by itself.

Part of the shop's settings; the keys of a command line stand for single fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from carriers.money import Money


class BuyingSettings(BaseModel):
    """A description is the reason for its default. Conditions hold for purchases by rule; a click passes them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    percent: Decimal = Field(default=Decimal(5), ge=0, le=100, decimal_places=2)
    amount: Decimal = Field(
        default=Decimal("0.50"), ge=0, description="A label may cost the larger of both more than its quote."
    )
    otherwise: Literal["substitute", "hold", "refuse"] = Field(
        default="hold", description="What cannot be bought as promised waits for a person, who sees why."
    )
    max_value: Decimal | None = Field(default=None, ge=0, description="Orders of any value are bought by themselves.")
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    countries: tuple[str, ...] = Field(default=(), description="Labels to any country are bought by themselves.")
    in_stock: bool = Field(default=False, description="Not every store counts its stock.")
    checked_address: bool = Field(
        default=True, description="A label to an address that its carrier refuses costs a day; so it waits for its fix."
    )
    verify: Literal["off", "carrier", "required"] = Field(
        default="off", description="Asking the carrier about each address may cost money."
    )
    void_on_cancel: bool = Field(
        default=True, description="Nobody wants to pay for the label of an order that was cancelled before it left."
    )
    void_on_edit: bool = Field(
        default=True, description="A label with the wrong goods or address helps nobody, and its money comes back."
    )
    tell_store: bool = Field(
        default=True, description="Whoever opens a held order in the store shall see why it does not leave."
    )

    @field_validator("countries")
    @classmethod
    def _are_countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not re.fullmatch("[A-Z]{2}", each) for each in value):
            raise ValueError("countries are two letters each")
        return value


FORMS: Mapping[str, str] = {
    "tolerance": "PERCENT%:AMOUNT, such as 5%:0.50",
    "unpromised": "substitute | hold | refuse",
    "buy_up_to": "an amount of goods such as 500.00, or empty",
    "buy_countries": "countries such as DE,AT, or empty",
    "buy_in_stock": "yes | no",
    "check_address": "yes | no",
    "verify_address": "off | carrier | required",
    "void_on_cancel": "yes | no",
    "void_on_edit": "yes | no",
    "tell_store_of_holds": "yes | no",
}
"""The keys of the command line that stand for parts of these settings, and how each is written."""

_FIELDS = {
    "tolerance": "amount",
    "unpromised": "otherwise",
    "buy_up_to": "max_value",
    "buy_countries": "countries",
    "buy_in_stock": "in_stock",
    "check_address": "checked_address",
    "verify_address": "verify",
    "void_on_cancel": "void_on_cancel",
    "void_on_edit": "void_on_edit",
    "tell_store_of_holds": "tell_store",
}
_SWITCH = {"yes": True, "no": False, "true": True, "false": False}


def reason(key: str) -> str:
    """Why the default is as it is."""
    return str(BuyingSettings.model_fields[_FIELDS[key]].description)


def put(body: dict[str, Any], key: str, text: str, currency: str) -> None:
    """Set a key in a stored body, as it is typed; empty goes back to the default. Raises ValueError."""
    field = _FIELDS[key]
    if not text:
        for name in {"tolerance": ("percent", "amount"), "buy_up_to": ("max_value", "currency")}.get(key, (field,)):
            body.pop(name, None)
    elif key == "tolerance":
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?)%:(\d+(?:\.\d+)?)", text)
        if found is None:
            raise ValueError(text)
        body["percent"], body["amount"] = found[1], str(Money.parse(found[2], currency).amount)
    elif key == "buy_up_to":
        body["max_value"], body["currency"] = str(Money.parse(text, currency).amount), currency
    elif key == "buy_countries":
        body[field] = [part.strip().upper() for part in text.split(",") if part.strip()]
    elif key in {"buy_in_stock", "check_address", "void_on_cancel", "void_on_edit", "tell_store_of_holds"}:
        if text.lower() not in _SWITCH:
            raise ValueError(text)
        body[field] = _SWITCH[text.lower()]
    else:
        body[field] = text
    BuyingSettings.model_validate(body)


def text_of(settings: BuyingSettings, key: str) -> str:
    """A key's value, as it is typed."""
    if key == "tolerance":
        return f"{settings.percent:f}%:{settings.amount:f}"
    if key == "buy_up_to":
        return "" if settings.max_value is None else f"{settings.max_value:f}"
    if key == "buy_countries":
        return ",".join(settings.countries)
    value = getattr(settings, _FIELDS[key])
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
