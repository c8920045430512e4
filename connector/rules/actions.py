"""What a rule may do to the prices of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from carriers.money import Money
from connector.rules.facts import Priced
from connector.words.reason import Reason


class Action(BaseModel, ABC):
    """One small change; `kind` names it in stored rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    help: ClassVar[str] = ""

    @abstractmethod
    def apply(self, services: Sequence[Priced]) -> list[Priced]:
        """The same services, in the same order, with new prices and the steps that say why."""


class PercentChange(Action):
    """Add a share of the price to it, or take one off."""

    help: ClassVar[str] = "Change each price by a percentage."
    kind: Literal["percent_change"] = "percent_change"
    percent: Decimal = Field(ge=-100, le=1000, description="12.5 adds an eighth, -10 takes a tenth off.")

    def apply(self, services: Sequence[Priced]) -> list[Priced]:
        """Rounded half up to the minor unit; never below zero."""
        why = Reason("step_percent", {"percent": f"{self.percent:+f}"})
        return [
            service.then(why, _not_negative(service.price + service.price.percent(self.percent)))
            for service in services
        ]


class FixedChange(Action):
    """Add an amount to the price, or take one off."""

    help: ClassVar[str] = "Change each price by an amount."
    kind: Literal["fixed_change"] = "fixed_change"
    amount: Decimal = Field(description="In major units of the currency; negative takes off.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217; prices in other currencies stay as they are.")

    def apply(self, services: Sequence[Priced]) -> list[Priced]:
        """Never below zero."""
        change = Money.parse(self.amount, self.currency)
        why = Reason("step_fixed", {"amount": change})
        return [
            service
            if service.price.currency != self.currency
            else service.then(why, _not_negative(service.price + change))
            for service in services
        ]


class Free(Action):
    """Make services free: the named ones, or the cheapest where none is named."""

    help: ClassVar[str] = "Make the named services free; without names, the cheapest one."
    kind: Literal["free"] = "free"
    services: tuple[str, ...] = Field(default=(), description="Codes of services, such as usps-priority.")

    def apply(self, services: Sequence[Priced]) -> list[Priced]:
        """Others keep their price. Of equally cheap services the first is the cheapest."""
        if not services:
            return []
        chosen = set(self.services) or {min(services, key=lambda s: s.price.minor).code}
        return [
            service.then(Reason("step_free"), Money.zero(service.price.currency)) if service.code in chosen else service
            for service in services
        ]


AnyAction = Annotated[PercentChange | FixedChange | Free, Field(discriminator="kind")]


def _not_negative(price: Money) -> Money:
    return price if price.minor > 0 else Money.zero(price.currency)
