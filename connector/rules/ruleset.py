"""An ordered set of rules, and what it makes of a call's prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from carriers.money import Money, MoneyError
from connector.rules.actions import AnyAction, FixedChange
from connector.rules.conditions import AnyCondition, SubtotalAtLeast
from connector.rules.facts import CallFacts, Priced
from connector.words.reason import Reason


class Rule(BaseModel):
    """When every condition holds, the actions apply in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=80)
    when: tuple[AnyCondition, ...] = ()
    then: tuple[AnyAction, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _amounts_fit_their_currency(self) -> Self:
        for part in (*self.when, *self.then):
            if isinstance(part, SubtotalAtLeast | FixedChange):
                try:
                    Money.parse(part.amount, part.currency)
                except MoneyError as error:
                    raise ValueError(str(error)) from error
        return self


class RuleSet(BaseModel):
    """The rules of one settings version, in the order in which they apply. Names are unique."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rule.name for rule in self.rules]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two rules are called {doubled[0]!r}")
        return self


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that did not apply, and the first condition's reason."""

    rule: str
    why: Reason


def apply(rules: RuleSet, call: CallFacts, services: Sequence[Priced]) -> tuple[list[Priced], list[Passed]]:
    """Apply the rules in order; returns the services with their steps, and the rules that did not apply."""
    priced, passed = list(services), []
    for rule in rules.rules:
        why = next((why for condition in rule.when if (why := condition.why_not(call))), None)
        if why:
            passed.append(Passed(rule.name, why))
            continue
        for action in rule.then:
            priced = action.apply(priced)
    return priced, passed
