"""What a merchant sets of the margin guard: its keys, and how each is typed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from carriers.money import Money


class GuardSettings(BaseModel):
    """A description is the reason for its default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    act: Literal["off", "flag", "cap", "refuse"] = Field(
        default="flag", description="A flag costs no sale: prices change only when you say so."
    )
    share_percent: Decimal = Field(
        default=Decimal(100), ge=0, le=1000, description="Up to here the order still pays for its shipping."
    )
    cost_share_percent: Decimal | None = Field(
        default=None, ge=0, le=100, description="Without one, a product without a cost switches the guard off."
    )
    fee_percent: Decimal = Field(
        default=Decimal(3), ge=0, le=50, description="Most payments cost about 3 %; a fixed part goes behind a plus."
    )
    fee_fixed: Decimal = Field(default=Decimal(0), ge=0, le=1000)
    fee_currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    adjustment_percent: Decimal = Field(
        default=Decimal(2), ge=0, le=100, description="Carriers correct some labels upwards after they were bought."
    )
    tax_percent: Decimal | None = Field(
        default=None, ge=0, le=100, description="Without one, the guard is off where prices may hold tax."
    )

    @model_validator(mode="after")
    def _fee_fits_its_currency(self) -> Self:
        if self.fee_fixed:
            Money.parse(self.fee_fixed, self.fee_currency)
        return self


FORMS: Mapping[str, str] = {
    "guard": "off | flag | cap | refuse",
    "guard_share": "a percentage of the margin, such as 100",
    "guard_cost_share": "a percentage of the price, such as 60, or empty",
    "guard_fee": "a percentage, perhaps with a fixed amount, such as 2.9+0.30",
    "guard_adjustment": "a percentage of the label's price, such as 2",
    "guard_tax": "the percentage of tax in your prices, such as 20, or empty",
}
"""The keys of the command line, and how each is written."""

_FIELDS = {
    "guard": "act",
    "guard_share": "share_percent",
    "guard_cost_share": "cost_share_percent",
    "guard_fee": "fee_percent",
    "guard_adjustment": "adjustment_percent",
    "guard_tax": "tax_percent",
}


def reason(key: str) -> str:
    """Why the default is as it is."""
    return str(GuardSettings.model_fields[_FIELDS[key]].description)


def put(body: dict[str, Any], key: str, text: str, currency: str) -> None:
    """Write what was typed into the stored body; empty goes back to the default. Raises ValueError."""
    field = _FIELDS[key]
    if key == "guard_fee":
        for each in ("fee_percent", "fee_fixed", "fee_currency"):
            body.pop(each, None)
        if text:
            percent, _, fixed = text.partition("+")
            body["fee_percent"] = _percent(percent)
            if fixed:
                amount = Money.parse(fixed.strip(), currency)
                body |= {"fee_fixed": str(amount.amount), "fee_currency": currency}
    elif not text:
        body.pop(field, None)
    else:
        body[field] = text if key == "guard" else _percent(text)
    GuardSettings.model_validate(body)  # A fault is told with the key that was typed.


def text_of(settings: GuardSettings, key: str) -> str:
    """A key's value as it is typed."""
    if key == "guard_fee" and settings.fee_fixed:
        return f"{settings.fee_percent:f}+{settings.fee_fixed:f}"
    value = getattr(settings, _FIELDS[key])
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _percent(text: str) -> str:
    value = Decimal(text.strip().removesuffix("%"))
    if not value.is_finite():
        raise ValueError(text)
    return str(value)
