"""One evaluation of a call's rules at work: services with their prices so far, and what was already asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from carriers.money import Money
from connector.rules.exchange import exchange
from connector.rules.facts import CallFacts, Priced, Step
from connector.rules.items import LineIndex, Meant
from connector.words.reason import Reason

_NEW = tuple.__new__  # A quote makes hundreds of steps.

CHANGED_ONLY_BY_FREE = "safety"
"""Prices of this source are the merchant's own words: markups and rounding leave them, free does not."""


class Working:
    """A service while rules work on it. `price` in minor units of the call's currency; `bit` names it in sets."""

    __slots__ = ("bit", "description", "free", "given", "marks", "name", "price", "service_class", "steps")

    def __init__(self, given: Priced, bit: int) -> None:
        self.given = given
        self.bit = bit
        self.price = given.price.minor
        self.steps: list[tuple[Reason, int]] = []
        self.free = False
        self.name = given.name
        self.description = given.description
        self.service_class = given.service_class
        self.marks: dict[str, str] | None = None

    def becomes(self, price: int, why: Reason) -> None:
        """One more step; free stays free, and no price falls below zero."""
        if self.free:
            return
        if price < 0:  # noqa: PLR1730 - max() costs as much as the rest, and this is done a thousand times for a call.
            price = 0
        self.price = price
        self.steps.append((why, price))

    def done(self) -> Priced:
        """The service with what became of it."""
        given = self.given
        if not self.steps and not self.marks and self.name == given.name and self.description == given.description:
            return given
        currency = given.price.currency
        steps = tuple([_NEW(Step, (why, minor, currency)) for why, minor in self.steps])
        marks = given.marks if self.marks is None else tuple(sorted(self.marks.items()))
        return given._replace(
            price=Money(self.price, currency),
            steps=given.steps + steps,
            name=self.name,
            description=self.description,
            marks=marks,
        )


class CallState:
    """One evaluation: the call, its services, and every question that was already answered."""

    __slots__ = (
        "_grams",
        "_index",
        "_meant",
        "_rates",
        "_units",
        "_values",
        "everything",
        "facts",
        "known",
        "services",
    )

    def __init__(self, facts: CallFacts, services: Sequence[Priced], questions: int) -> None:
        self.facts = facts
        self.known: list[int | None] = [None] * questions
        self._index: LineIndex | None = None
        self._meant: dict[Meant, int] = {}
        self._values: dict[int, int] = {}
        self._units: dict[int, int] = {}
        self._grams: dict[int, int | None] = {}
        self._rates: dict[tuple[int, str], int | None] = {}
        self.put(services)

    def put(self, services: Sequence[Priced]) -> None:
        """Go on with these services; what was asked of others is forgotten."""
        self.services = [Working(each, 1 << number) for number, each in enumerate(services)]
        self.everything = (1 << len(self.services)) - 1

    @property
    def now(self) -> datetime:
        """The moment, in the shop's zone."""
        return self.facts.now

    @property
    def index(self) -> LineIndex:
        """The call's lines, by what filters ask for."""
        if self._index is None:
            self._index = LineIndex(self.facts.lines)
        return self._index

    def lines(self, meant: Meant | None) -> int:
        """The set of lines that a filter means; without one, all."""
        if meant is None:
            return self.index.everything
        found = self._meant.get(meant)
        if found is None:
            found = self._meant[meant] = meant.lines(self.index)
        return found

    def value(self, lines: int) -> int:
        """What a set of lines is worth before discounts, in minor units."""
        found = self._values.get(lines)
        if found is None:
            found = self._values[lines] = sum([line.price * line.quantity for line in self.index.of(lines)])
        return found

    def grams(self, lines: int) -> int | None:
        """What a set of lines weighs; None where a weight is not known."""
        if lines not in self._grams:
            found = self.index.of(lines)
            known = [line.grams * line.quantity for line in found if line.grams is not None]
            self._grams[lines] = sum(known) if len(known) == len(found) else None
        return self._grams[lines]

    def units(self, lines: int) -> int:
        """How many pieces a set of lines has."""
        found = self._units.get(lines)
        if found is None:
            found = self._units[lines] = sum([line.quantity for line in self.index.of(lines)])
        return found

    def own(self, minor: int, currency: str) -> int | None:
        """An amount in the call's currency, by the merchant's rate; None without one."""
        if currency == self.facts.currency:
            return minor
        key = (minor, currency)
        if key not in self._rates:
            found = exchange(Money(minor, currency), self.facts.currency, self.facts.rates)
            self._rates[key] = None if found is None else found.money.minor
        return self._rates[key]

    def of(self, mask: int) -> list[Working]:
        """The services of a set."""
        if mask == self.everything:
            return self.services
        return [each for each in self.services if each.bit & mask]
