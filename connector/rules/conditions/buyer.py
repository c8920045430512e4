"""Conditions on who buys, and in which currency."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from connector.rules.conditions.condition import CallCondition, OfCall, World
from connector.rules.state import CallState
from connector.rules.term import Currency, Text
from connector.words.reason import Reason


class CustomerTag(CallCondition):
    """The buyer is a customer with one of these tags."""

    help: ClassVar[str] = "The customer has one of these tags; where the store tells nothing of the customer, none."
    kind: Literal["customer_tag"] = "customer_tag"
    tags: tuple[Text, ...] = Field(min_length=1, description="Tags of the customer; capitals do not matter.")

    def of_call(self, world: World) -> OfCall:
        """An unknown customer has no tags."""
        del world
        wanted = frozenset(tag.casefold() for tag in self.tags)
        return lambda state: (tags := state.facts.customer_tags) is not None and not wanted.isdisjoint(tags)


class Guest(CallCondition):
    """The buyer is not logged in."""

    help: ClassVar[str] = "The buyer is a guest."
    kind: Literal["guest"] = "guest"

    def of_call(self, world: World) -> OfCall:
        """As the store says."""
        del world
        return lambda state: state.facts.guest


class CurrencyIn(CallCondition):
    """The checkout is in one of these currencies."""

    help: ClassVar[str] = "The checkout is in one of these currencies."
    kind: Literal["currency_in"] = "currency_in"
    currencies: tuple[Currency, ...] = Field(min_length=1, description="ISO 4217 codes.")

    def of_call(self, world: World) -> OfCall:
        """The call's own."""
        del world
        wanted = frozenset(self.currencies)
        return lambda state: state.facts.currency in wanted

    def why_not(self, state: CallState) -> Reason:
        """It is another one."""
        wanted = ", ".join(self.currencies)
        return Reason("condition_other_currency", {"wanted": wanted, "found": state.facts.currency})
