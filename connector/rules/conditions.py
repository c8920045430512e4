"""What a rule may ask about a call; each condition says what it needs and why it did not hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from carriers.money import Money
from connector.rules.facts import CallFacts
from connector.words.reason import Reason


class Condition(BaseModel, ABC):
    """One small question; `kind` names it in stored rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    help: ClassVar[str] = ""

    @abstractmethod
    def why_not(self, call: CallFacts) -> Reason | None:
        """None where the condition holds, else the reason why it does not."""


class SubtotalAtLeast(Condition):
    """The cart is worth this much or more, after product and order discounts, as the shop displays prices."""

    help: ClassVar[str] = "The cart's value after discounts is this amount or more."
    kind: Literal["subtotal_at_least"] = "subtotal_at_least"
    amount: Decimal = Field(ge=0, description="From this amount on, inclusive, in major units of the currency.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217; other currencies do not match.")

    def why_not(self, call: CallFacts) -> Reason | None:
        """Compared exactly, in minor units."""
        limit = _limit(self.amount, self.currency)
        if call.subtotal.currency != self.currency:
            return Reason("condition_other_currency", {"wanted": self.currency, "found": call.subtotal.currency})
        if call.subtotal < limit:
            return Reason("condition_subtotal_below", {"missing": limit - call.subtotal, "limit": limit})
        return None


class CountryIn(Condition):
    """The parcel goes to one of these countries."""

    help: ClassVar[str] = "The destination is in one of these countries."
    kind: Literal["country_in"] = "country_in"
    countries: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = Field(
        min_length=1, description="ISO 3166-1 alpha-2 codes."
    )

    def why_not(self, call: CallFacts) -> Reason | None:
        """An unknown destination is in none."""
        if call.country in self.countries:
            return None
        return Reason("condition_other_country", {"country": call.country or "?"})


AnyCondition = Annotated[SubtotalAtLeast | CountryIn, Field(discriminator="kind")]


@lru_cache(maxsize=4096)
def _limit(amount: Decimal, currency: str) -> Money:
    return Money.parse(amount, currency)
