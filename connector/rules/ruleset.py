"""An ordered set of rules as it is stored: rules, the zones and service classes that they name, and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import Field, ValidationError, model_validator

from connector.rules.actions import AnyAction, RefuseGoods
from connector.rules.classes import ServiceClassPattern
from connector.rules.conditions import AnyCondition, ZoneIn, depth_of, parts_of
from connector.rules.facts import CallFacts, Priced
from connector.rules.places import Zone
from connector.rules.term import Term
from connector.rules.thresholds import Threshold
from connector.words.reason import Reason

MOST_RULES = 500
_DEEPEST = 5


class Rule(Term):
    """When every condition holds, the actions apply in their order, to the services for which the conditions hold."""

    help: ClassVar[str] = "When every condition holds, the actions apply in their order."
    name: str = Field(min_length=1, max_length=80, description="How it is called in explanations; no two are equal.")
    when: tuple[AnyCondition, ...] = Field(default=(), max_length=50, description="Conditions; none: always.")
    then: tuple[AnyAction, ...] = Field(min_length=1, max_length=20, description="Actions.")
    stop: bool = Field(default=False, description="Rules below it leave alone the services that this one applied to.")
    group: str = Field(
        default="", max_length=40, description="Of the rules of a group, only the first that applies to a service does."
    )
    enabled: bool = Field(default=True, description="Switched off, it is kept and does nothing.")

    @model_validator(mode="after")
    def _conditions_fit(self) -> Self:
        if any(depth_of(each) > _DEEPEST for each in self.when):
            raise ValueError(f"conditions are nested at most {_DEEPEST} deep")
        of_services = any(part.scope != "call" for each in self.when for part in parts_of(each))
        if of_services and any(isinstance(each, RefuseGoods) for each in self.then):
            raise ValueError("refuse_goods is about the whole call: its rule takes no conditions on services")
        return self


class RuleSet(Term):
    """The rules of one settings version, in the order in which they apply. Names are unique."""

    help: ClassVar[str] = "Rules in their order, with the zones, service classes and thresholds beside them."
    rules: tuple[Rule, ...] = Field(default=(), max_length=MOST_RULES, description="Rules, in their order.")
    thresholds: tuple[Threshold, ...] = Field(default=(), max_length=100, description="Free shipping from an amount.")
    zones: tuple[Zone, ...] = Field(default=(), max_length=200, description="Places under a name.")
    classes: tuple[ServiceClassPattern, ...] = Field(
        default=(), max_length=200, description="Which services are of which class, the first that fits."
    )

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for what, names in (
            ("rules", [each.name for each in self.rules]),
            ("thresholds", [each.name for each in self.thresholds]),
            ("zones", [each.name for each in self.zones]),
        ):
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise ValueError(f"two {what} are called {doubled[0]!r}")
        zones = {each.name for each in self.zones}
        for rule in self.rules:
            for part in (part for each in rule.when for part in parts_of(each) if isinstance(part, ZoneIn)):
                missing = next((name for name in part.zones if name not in zones), None)
                if missing is not None:
                    raise ValueError(f"the rule {rule.name!r} names a zone {missing!r} that is not there")
        return self


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that did not apply, and the first reason."""

    rule: str
    why: Reason


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not validate: the path to it, such as rules.2.then.0.amount, and what is wrong."""

    path: str
    text: str


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault of a rule set that does not validate, with its path; not what only follows from one inside of it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    places = [each["loc"] for each in found]
    return [
        Fault(".".join(str(part) for part in each["loc"]), each["msg"].removeprefix("Value error, "))
        for each in found
        if not any(len(other) > len(each["loc"]) and other[: len(each["loc"])] == each["loc"] for other in places)
    ]


def apply(rules: RuleSet, call: CallFacts, services: Sequence[Priced]) -> tuple[list[Priced], list[Passed]]:
    """Apply the rules in order; returns the services with their steps, and the rules that did not apply."""
    from connector.rules.compiled import compiled
    from connector.rules.engine import evaluate

    found = evaluate(compiled(rules), call, services, explain=True)
    return list(found.services), list(found.passed)
