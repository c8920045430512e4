"""Conditions on what is in the cart: its value, weight, number of pieces, and which items."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from carriers.money import Money
from connector.rules.basis import Discounts, TaxBasis, worth
from connector.rules.conditions.condition import CallCondition, OfCall, World
from connector.rules.items import ItemFilter, Meant
from connector.rules.state import CallState
from connector.rules.term import Currency, minor_of
from connector.words.reason import Reason


class _Subtotal(CallCondition):
    amount: Decimal = Field(ge=0, description="The limit, in major units of the currency.")
    currency: Currency = Field(description="ISO 4217; other currencies do not match.")
    basis: Discounts = Field(default="after_discounts", description="Before or after product and order discounts.")
    tax: TaxBasis = Field(
        default="displayed", description="As the shop displays prices, or with tax, or without it."
    )  # fmt: skip
    tax_percent: Decimal | None = Field(
        default=None, ge=0, le=100, description="The tax to add or take out where prices are displayed the other way."
    )
    items: ItemFilter | None = Field(default=None, description="Which items count; none: the whole cart.")

    @model_validator(mode="after")
    def _amount_fits(self) -> Self:
        minor_of(self.amount, self.currency)
        return self

    def value_of(self, state: CallState, meant: Meant | None) -> int | None:
        """What counts, in minor units; None in another currency, and where the tax cannot be told."""
        if state.facts.currency != self.currency:
            return None
        items = None if meant is None else state.value(state.lines(meant))
        lines = state.value(state.index.everything) if state.facts.sums is None else None
        return worth(state.facts, self.basis, self.tax, self.tax_percent, items, lines)

    def why_not(self, state: CallState) -> Reason:
        """The currency, the tax that nobody told, or what is missing."""
        if state.facts.currency != self.currency:
            return Reason("condition_other_currency", {"wanted": self.currency, "found": state.facts.currency})
        value = self.value_of(state, None if self.items is None else self.items.compiled())
        limit = Money(minor_of(self.amount, self.currency), self.currency)
        if value is None:
            return Reason("condition_tax_unknown", {"limit": limit})
        if value < limit.minor:
            return Reason("condition_subtotal_below", {"missing": limit - Money(value, self.currency), "limit": limit})
        return Reason("condition_subtotal_reached", {"limit": limit})


class SubtotalAtLeast(_Subtotal):
    """The cart is worth this much or more."""

    help: ClassVar[str] = "The cart's value is this amount or more."
    kind: Literal["subtotal_at_least"] = "subtotal_at_least"

    def of_call(self, world: World) -> OfCall:
        """Compared exactly, in minor units."""
        del world
        limit, meant = minor_of(self.amount, self.currency), self.items.compiled() if self.items else None
        return lambda state: (value := self.value_of(state, meant)) is not None and value >= limit


class SubtotalBelow(_Subtotal):
    """The cart is worth less than this."""

    help: ClassVar[str] = "The cart's value is less than this amount."
    kind: Literal["subtotal_below"] = "subtotal_below"

    def of_call(self, world: World) -> OfCall:
        """Compared exactly, in minor units."""
        del world
        limit, meant = minor_of(self.amount, self.currency), self.items.compiled() if self.items else None
        return lambda state: (value := self.value_of(state, meant)) is not None and value < limit


class WeightBetween(CallCondition):
    """What the goods weigh, or the packed parcels together."""

    help: ClassVar[str] = "The weight lies between two limits; one that nobody knows lies nowhere."
    kind: Literal["weight"] = "weight"
    at_least_g: int | None = Field(default=None, ge=0, description="Grams from which it holds, inclusive.")
    below_g: int | None = Field(default=None, gt=0, description="Grams below which it holds.")
    of: Literal["goods", "parcels"] = Field(default="goods", description="The goods alone, or the packed parcels.")
    items: ItemFilter | None = Field(default=None, description="Which items count; none: all that need shipping.")

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        between(self.at_least_g, self.below_g)
        if self.of == "parcels" and self.items is not None:
            raise ValueError("parcels are weighed whole, not by items")
        return self

    def of_call(self, world: World) -> OfCall:
        """In grams."""
        del world
        low, high = self.at_least_g or 0, self.below_g
        meant = self.items.compiled() if self.items else None

        def holds(state: CallState) -> bool:
            grams = _parcels_g(state) if self.of == "parcels" else _goods_g(state, meant)
            return grams is not None and grams >= low and (high is None or grams < high)

        return holds


class QuantityBetween(CallCondition):
    """How many pieces there are."""

    help: ClassVar[str] = "The number of pieces lies between two limits, both included."
    kind: Literal["quantity"] = "quantity"
    at_least: int | None = Field(default=None, ge=0, description="This many or more.")
    at_most: int | None = Field(default=None, ge=0, description="This many or fewer.")
    items: ItemFilter | None = Field(default=None, description="Which items count; none: all that need shipping.")

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        between(self.at_least, None if self.at_most is None else self.at_most + 1)
        return self

    def of_call(self, world: World) -> OfCall:
        """Units, not lines."""
        del world
        low, high = self.at_least or 0, self.at_most
        meant = self.items.compiled() if self.items else None

        def holds(state: CallState) -> bool:
            mask = state.index.ships if meant is None else state.lines(meant)
            units = state.units(mask)
            return units >= low and (high is None or units <= high)

        return holds


class Items(CallCondition):
    """Whether certain items are in the call."""

    help: ClassVar[str] = "Certain items are in the cart: at least one, only such, or none."
    kind: Literal["items"] = "items"
    match: Literal["any", "all", "none"] = Field(default="any", description="One of them, nothing else, or none.")
    items: ItemFilter = Field(description="Which items.")

    def of_call(self, world: World) -> OfCall:
        """Of lines that need shipping or not; an empty call has none of them."""
        del world
        meant, match = self.items.compiled(), self.match

        def holds(state: CallState) -> bool:
            mask = state.lines(meant)
            if match == "any":
                return mask != 0
            return mask == 0 if match == "none" else mask == state.index.everything != 0

        return holds


def between(low: int | None, high: int | None) -> None:
    """Check two limits. Raises ValueError where there is none, or nothing between them."""
    if low is None and high is None:
        raise ValueError("say at least one limit")
    if low is not None and high is not None and low >= high:
        raise ValueError("nothing lies between the two limits")


def _goods_g(state: CallState, meant: Meant | None) -> int | None:
    return state.grams(state.index.ships if meant is None else state.lines(meant))


def _parcels_g(state: CallState) -> int | None:
    return sum([each.grams for each in state.facts.parcels]) if state.facts.parcels else None
