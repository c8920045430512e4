"""Actions on what the buyer sees once prices stand: hide, rename, sort, keep a few, drop what is no use."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from connector.rules.actions.action import Action, Done, Gone, Phase, Run
from connector.rules.conditions.service import form_of
from connector.rules.state import CallState, Working
from connector.rules.term import Currency, Text, minor_of
from connector.words.reason import Reason

_NEVER = 10**6
"""Days under way where nobody knows: later than any other."""


class _Shape(Action):
    phase: ClassVar[Phase] = "shape"
    by_services: ClassVar[bool] = True


class Hide(_Shape):
    """Take services from the buyer's sight."""

    help: ClassVar[str] = "Do not show these services."
    kind: Literal["hide"] = "hide"

    def ready(self, rule: str) -> Run:
        """The explanation names the rule."""
        why = Reason("hidden_by_rule", {"rule": rule})
        return lambda _state, services: Done(gone=[Gone(each.given, why) for each in services])


class Rename(_Shape):
    """Call services otherwise."""

    help: ClassVar[str] = "Show these services under another name."
    kind: Literal["rename"] = "rename"
    name: Text = Field(description="What the buyer reads; the offer's code stays the same.")
    description: str = Field(default="", max_length=200, description="A line below it; empty: the usual one.")

    def ready(self, rule: str) -> Run:
        """The last one that means a service counts."""
        del rule

        def run(_state: CallState, services: Sequence[Working]) -> Done | None:
            for each in services:
                each.name = self.name
                each.description = self.description or each.description
            return None

        return run


class Sort(_Shape):
    """The order in which the buyer sees options."""

    help: ClassVar[str] = "Show options in this order; the rest follow as they were."
    kind: Literal["sort"] = "sort"
    by: Literal["price", "speed", "name"] = Field(default="price", description="What they are compared by.")
    descending: bool = Field(default=False, description="The dearest, slowest or last name first.")
    first: tuple[Text, ...] = Field(default=(), description="Codes that stand before all others; * for any letters.")
    last: tuple[Text, ...] = Field(default=(), description="Codes that stand behind all others; * for any letters.")

    def ready(self, rule: str) -> Run:
        """Equal ones by price, then by code, so that the order is always the same."""
        del rule
        first, last = [form_of((each,)) for each in self.first], form_of(self.last) if self.last else None

        def place(each: Working) -> tuple[int, int]:
            code = each.given.code.casefold()
            for number, matches in enumerate(first):
                if matches(code):
                    return 0, number
            return (2, 0) if last is not None and last(code) else (1, 0)

        def run(state: CallState, _services: Sequence[Working]) -> Done | None:
            found = sorted(state.services, key=lambda each: (each.price, each.given.code))
            if self.by == "speed":
                found.sort(key=_days, reverse=self.descending)
            elif self.by == "name":
                found.sort(key=lambda each: (each.name or each.given.service).casefold(), reverse=self.descending)
            elif self.descending:
                found.sort(key=lambda each: each.price, reverse=True)
            return Done(order=sorted(found, key=place))

        return run


class Keep(_Shape):
    """Show only the best of several services."""

    help: ClassVar[str] = "Of these services, or of each group of them, show only the cheapest, fastest or best value."
    kind: Literal["keep"] = "keep"
    which: Literal["cheapest", "fastest", "best_value"] = Field(default="cheapest", description="Which are shown.")
    count: int = Field(default=1, ge=1, le=20, description="How many of each group.")
    group: Literal["together", "service_class", "carrier"] = Field(
        default="together", description="All together, or those of each class or carrier by themselves."
    )
    day_value: Decimal | None = Field(
        default=None, gt=0, description="With best_value: what a day sooner is worth to a buyer, in major units."
    )
    currency: Currency | None = Field(default=None, description="ISO 4217 of day_value.")

    @model_validator(mode="after")
    def _a_day_has_a_value(self) -> Self:
        if (self.which == "best_value") != (self.day_value is not None and self.currency is not None):
            raise ValueError("best_value needs day_value and currency, and only best_value does")
        if self.day_value is not None:
            minor_of(self.day_value, self.currency or "")
        return self

    def ready(self, rule: str) -> Run:
        """Of equal ones the cheaper, then the first by code. In another currency a day's value is exchanged."""
        why = Reason("not_kept", {"rule": rule, "which": self.which})

        def rank(each: Working, day: int) -> tuple[int, int, str]:
            if self.which == "fastest":
                return _days(each), each.price, each.given.code
            worth = each.price + day * _days(each) if self.which == "best_value" else each.price
            return worth, each.price, each.given.code

        def key(each: Working) -> str:
            return {"service_class": each.service_class, "carrier": each.given.carrier.casefold()}.get(self.group, "")

        def run(state: CallState, services: Sequence[Working]) -> Done | None:
            day = 0
            if self.day_value is not None and self.currency is not None:
                day = state.own(minor_of(self.day_value, self.currency), self.currency) or 0
            gone = []
            for _, group in groupby(sorted(services, key=key), key=key):
                best_first = sorted(group, key=lambda each: rank(each, day))
                gone += [Gone(each.given, why) for each in best_first[self.count :]]
            return Done(gone=gone) if gone else None

        return run


class DropDominated(_Shape):
    """Leave out what nobody would choose."""

    help: ClassVar[str] = "Do not show a service that is slower than another one and not cheaper."
    kind: Literal["drop_dominated"] = "drop_dominated"

    def ready(self, rule: str) -> Run:
        """By the promised day where both have one, else by working days; what is not known is compared with nothing."""
        why = Reason("dominated", {"rule": rule})

        def run(_state: CallState, services: Sequence[Working]) -> Done | None:
            gone = [
                Gone(each.given, why)
                for each in services
                if any(_is_slower(each, other) and each.price >= other.price for other in services)
            ]
            return Done(gone=gone) if gone else None

        return run


def _days(each: Working) -> int:
    days = each.given.transit_days
    return _NEVER if days is None else days


def _is_slower(one: Working, other: Working) -> bool:
    if one.given.latest is not None and other.given.latest is not None:
        return one.given.latest > other.given.latest
    mine, others = one.given.transit_days, other.given.transit_days
    return mine is not None and others is not None and mine > others
