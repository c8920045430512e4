"""Exchange rates that a merchant set: one currency's price in another, with the rate's date and source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from carriers.money import Money, exponent


class ExchangeRate(BaseModel):
    """One unit of `of` is `rate` units of `into`; both ISO 4217. `on` is the rate's day, `source` who says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    of: str = Field(pattern="^[A-Z]{3}$")
    into: str = Field(pattern="^[A-Z]{3}$")
    rate: Decimal = Field(gt=0, lt=Decimal(10) ** 12, decimal_places=12)
    on: date | None = None
    source: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _two_currencies(self) -> Self:
        if self.of == self.into:
            raise ValueError(f"{self.of} needs no rate into itself")
        return self

    def __str__(self) -> str:
        known = ", ".join(part for part in (self.source, self.on.isoformat() if self.on else "") if part)
        return f"1 {self.of} = {self.rate.normalize():f} {self.into}" + (f" ({known})" if known else "")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What an amount came to, and by which rate."""

    money: Money
    by: ExchangeRate


def exchange(money: Money, into: str, rates: Sequence[ExchangeRate]) -> Exchanged | None:
    """The amount in another currency, half a minor unit and more rounded up; None without a rate.

    A rate serves both ways; one that was set for this way goes first.
    """
    for rate in rates:
        if (rate.of, rate.into) == (money.currency, into):
            return Exchanged(Money.rounded(_short(money.amount * rate.rate), into), rate)
    for rate in rates:
        if (rate.into, rate.of) == (money.currency, into):
            return Exchanged(Money.rounded(_short(money.amount / rate.rate), into), rate)
    return None


def exchange_up(money: Money, into: str, rates: Sequence[ExchangeRate]) -> Money | None:
    """The least amount of the other currency that is worth no less; None without a rate. Exact, by whole numbers."""
    for rate in rates:
        if (rate.of, rate.into) == (money.currency, into):
            part, whole = rate.rate.as_integer_ratio()
            return _ceiling(money, part, whole, into)
    for rate in rates:
        if (rate.into, rate.of) == (money.currency, into):
            part, whole = rate.rate.as_integer_ratio()
            return _ceiling(money, whole, part, into)
    return None


def _ceiling(money: Money, part: int, whole: int, into: str) -> Money:
    part *= 10 ** exponent(into)
    whole *= 10 ** exponent(money.currency)
    return Money(-(-money.minor * part // whole), into)


def _short(amount: Decimal) -> Decimal:
    """As many digits as rounding to any currency's minor unit needs; Money takes no more than it can keep exactly."""
    return amount.quantize(Decimal(1).scaleb(-(exponent("CLF") + 6)))
