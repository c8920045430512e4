"""Actions that change prices. Free stays free, nothing falls below zero, and rounding never makes a price 0."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from carriers.money import Money, MoneyError
from connector.rules.actions.action import Action, Done, Run, may_change
from connector.rules.items import ItemFilter
from connector.rules.state import CallState, Working
from connector.rules.term import Currency, minor_of
from connector.words.reason import Param, Reason


class Free(Action):
    """Make services free: the named ones, every one that the rule means, or the cheapest of them."""

    help: ClassVar[str] = "Make services free: the named ones, all that the rule means, or the cheapest of them."
    by_services: ClassVar[bool] = True
    kind: Literal["free"] = "free"
    services: tuple[str, ...] = Field(default=(), description="Codes of services, such as usps-priority.")
    which: Literal["cheapest", "all"] = Field(default="cheapest", description="Where no service is named.")

    def ready(self, rule: str) -> Run:
        """Others keep their price. Of equally cheap services the first is the cheapest."""
        del rule
        named, why = frozenset(self.services), Reason("step_free")

        def run(_state: CallState, services: Sequence[Working]) -> Done | None:
            if named:
                chosen = [each for each in services if each.given.code in named]
            else:
                chosen = list(services) if self.which == "all" else sorted(services, key=lambda each: each.price)[:1]
            for each in chosen:
                each.becomes(0, why)
                each.free = True
            return None

        return run


class FixedPrice(Action):
    """One price, whatever the carrier asks."""

    help: ClassVar[str] = "Set the price to an amount."
    by_services: ClassVar[bool] = True
    kind: Literal["fixed_price"] = "fixed_price"
    amount: Decimal = Field(ge=0, description="In major units of the currency; 0 is free.")
    currency: Currency = Field(description="ISO 4217; prices in other currencies stay as they are.")

    @model_validator(mode="after")
    def _amount_fits(self) -> Self:
        minor_of(self.amount, self.currency)
        return self

    def ready(self, rule: str) -> Run:
        """Zero is free, and stays so."""
        minor, currency = minor_of(self.amount, self.currency), self.currency
        why = Reason("step_set", {"rule": rule})

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            if state.facts.currency == currency:
                for each in may_change(services):
                    each.becomes(minor, why)
                    each.free = not minor
            return None

        return run


class _Limited(Action):
    floor: Decimal | None = Field(default=None, ge=0, description="The changed price is this or more, in major units.")
    cap: Decimal | None = Field(default=None, ge=0, description="The changed price is this or less, in major units.")
    least: Decimal | None = Field(default=None, ge=0, description="Change by this much or more, in major units.")
    most: Decimal | None = Field(default=None, ge=0, description="Change by this much or less, in major units.")

    def check_limits(self, currency: str) -> None:
        """Raises ValueError for limits that are no amounts of the currency, or that leave nothing between them."""
        limits = {name: getattr(self, name) for name in ("floor", "cap", "least", "most")}
        if any(each is not None for each in limits.values()) and not currency:
            raise ValueError("limits need a currency")
        for each in limits.values():
            if each is not None:
                minor_of(each, currency)
        for low, high in (("floor", "cap"), ("least", "most")):
            if limits[low] is not None and limits[high] is not None and limits[low] > limits[high]:
                raise ValueError(f"{low} is more than {high}")

    def limits_in(self, currency: str) -> tuple[int | None, ...]:
        """Floor, cap, least and most in minor units."""
        return tuple(
            None if each is None else minor_of(each, currency)
            for each in (self.floor, self.cap, self.least, self.most)
        )  # fmt: skip


class PercentChange(_Limited):
    """Add a share of the price to it, or take one off."""

    help: ClassVar[str] = "Change each price by a percentage, with limits if wanted."
    by_services: ClassVar[bool] = True
    kind: Literal["percent_change"] = "percent_change"
    percent: Decimal = Field(ge=-100, le=1000, description="12.5 adds an eighth, -10 takes a tenth off.")
    currency: Currency | None = Field(
        default=None, description="ISO 4217, where there are limits; prices in other currencies stay as they are."
    )

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        self.check_limits(self.currency or "")
        return self

    def ready(self, rule: str) -> Run:
        """Rounded half up to the minor unit; never below zero."""
        del rule
        part, whole = (self.percent / 100).as_integer_ratio()
        floor, cap, least, most = self.limits_in(self.currency or "")
        plain = floor is cap is least is most is None
        why = Reason("step_percent", {"percent": f"{self.percent:+f}"})

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            if self.currency is not None and state.facts.currency != self.currency:
                return None
            for each in may_change(services):
                before = each.price
                size = (2 * before * abs(part) + whole) // (2 * whole)
                if plain:
                    each.becomes(before - size if part < 0 else before + size, why)
                    continue
                if not before:
                    continue  # Nothing can be taken from it, and a share of nothing is nothing.
                size = _within(size, least, most)
                each.becomes(_within(before - size if part < 0 else before + size, floor, cap), why)
            return None

        return run


class FixedChange(_Limited):
    """Add an amount to the price, or take one off."""

    help: ClassVar[str] = "Change each price by an amount, with limits if wanted."
    by_services: ClassVar[bool] = True
    kind: Literal["fixed_change"] = "fixed_change"
    amount: Decimal = Field(description="In major units of the currency; negative takes off.")
    currency: Currency = Field(description="ISO 4217; prices in other currencies stay as they are.")

    @model_validator(mode="after")
    def _amounts_fit(self) -> Self:
        minor_of(self.amount, self.currency)
        if self.least is not None or self.most is not None:
            raise ValueError("an amount has a floor and a cap; least and most belong to percentages")
        self.check_limits(self.currency)
        return self

    def ready(self, rule: str) -> Run:
        """Never below zero."""
        del rule
        change = minor_of(self.amount, self.currency)
        floor, cap, *_ = self.limits_in(self.currency)
        why = Reason("step_fixed", {"amount": Money(change, self.currency)})

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            if state.facts.currency == self.currency:
                for each in may_change(services):
                    each.becomes(_within(each.price + change, floor, cap), why)
            return None

        return run


class Discount(Action):
    """Pay a part of the shipping for the buyer, up to an amount."""

    help: ClassVar[str] = "Take a share of each price off, at most an amount: the shop pays that much."
    by_services: ClassVar[bool] = True
    kind: Literal["discount"] = "discount"
    percent: Decimal = Field(default=Decimal(100), gt=0, le=100, description="The share that the shop pays.")
    up_to: Decimal = Field(gt=0, description="At most this, in major units of the currency.")
    currency: Currency = Field(description="ISO 4217; prices in other currencies stay as they are.")

    @model_validator(mode="after")
    def _amount_fits(self) -> Self:
        minor_of(self.up_to, self.currency)
        return self

    def ready(self, rule: str) -> Run:
        """What comes to nothing is free."""
        part, whole = (self.percent / 100).as_integer_ratio()
        most = minor_of(self.up_to, self.currency)
        why = Reason("step_discount", {"most": Money(most, self.currency), "rule": rule})

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            if state.facts.currency == self.currency:
                for each in may_change(services):
                    off = min((2 * each.price * part + whole) // (2 * whole), most)
                    each.becomes(each.price - off, why)
                    each.free = not each.price
            return None

        return run


class Round(Action):
    """Prices that end as the merchant likes."""

    help: ClassVar[str] = "Round each price to an ending such as .90 or .99; never to 0."
    by_services: ClassVar[bool] = True
    kind: Literal["round"] = "round"
    ending: Decimal = Field(default=Decimal("0.99"), ge=0, description="What prices end with, such as 0.90 or 0.")
    step: Decimal = Field(default=Decimal(1), gt=0, description="How far such prices lie apart, such as 1, 0.5 or 10.")
    direction: Literal["up", "down", "nearest"] = Field(default="nearest", description="Which one is taken.")

    @model_validator(mode="after")
    def _the_ending_is_within_the_step(self) -> Self:
        if self.ending >= self.step:
            raise ValueError("ending is less than step")
        return self

    def ready(self, rule: str) -> Run:
        """Of two equally near endings the higher; a currency without such digits keeps its prices."""
        del rule
        why = Reason("step_round", {"ending": f"{self.ending:f}", "direction": self.direction})

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            try:
                step = minor_of(self.step, state.facts.currency)
                ending = minor_of(self.ending, state.facts.currency)
            except MoneyError:
                return None
            for each in may_change(services):
                if each.price:
                    price = rounded(each.price, step, ending, self.direction)
                    if price != each.price:
                        each.becomes(price, why)
            return None

        return run


class Handling(Action):
    """What it costs the merchant to pack and hand over."""

    help: ClassVar[str] = "Add an amount for each order, parcel or item."
    kind: Literal["handling"] = "handling"
    amount: Decimal = Field(gt=0, description="In major units of the currency.")
    currency: Currency = Field(description="ISO 4217; prices in other currencies stay as they are.")
    per: Literal["order", "parcel", "item"] = Field(
        default="order", description="Once for the order (shared out by value where a cart is split), or for each."
    )
    items: ItemFilter | None = Field(default=None, description="Which items count, with per=item.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        minor_of(self.amount, self.currency)
        if self.items is not None and self.per != "item":
            raise ValueError("items belong to per=item")
        return self

    def ready(self, rule: str) -> Run:
        """An order's share is that of the call's lines in the whole cart, by value, half a minor unit and more up."""
        del rule
        minor, meant = minor_of(self.amount, self.currency), self.items.compiled() if self.items else None
        params: dict[str, Param] = {"amount": Money(minor, self.currency)}
        whys = {
            "order": Reason("step_handling_order", params),
            "parcel": Reason("step_handling_parcel", params),
            "item": Reason("step_handling_item", params),
        }
        why = whys[self.per]

        def times(state: CallState) -> int:
            if self.per == "parcel":
                return minor * len(state.facts.parcels)
            if self.per == "item":
                mask = state.index.ships if meant is None else state.lines(meant) & state.index.ships
                return minor * state.units(mask)
            mine, sums = state.value(state.index.everything), state.facts.sums
            whole = mine if sums is None else max(sums.subtotal, mine)
            return minor if not whole or mine == whole else (2 * minor * mine + whole) // (2 * whole)

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            if state.facts.currency == self.currency:
                more = times(state)
                for each in may_change(services) if more else ():
                    each.becomes(each.price + more, why)
            return None

        return run


def rounded(price: int, step: int, ending: int, direction: Literal["up", "down", "nearest"]) -> int:
    """A price above 0, in minor units, at the wanted ending; never 0, and as it is where none lies that way."""
    down = (price - ending) // step * step + ending
    up = down if down == price else down + step
    if direction == "up":
        return up
    if direction == "down":
        return down if down > 0 else price
    return down if down > 0 and price - down < up - price else up


def _within(value: int, low: int | None, high: int | None) -> int:
    if low is not None and value < low:
        return low
    return high if high is not None and value > high else value
