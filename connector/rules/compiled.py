"""A rule set made ready once for many calls: equal questions are one question, and dear ones are asked last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from connector.rules.actions import Action, Phase, Run
from connector.rules.classes import ClassOf, class_of
from connector.rules.conditions import AllOf, AnyOf, CallCondition, Condition, Not, PriceBetween, ServiceCondition
from connector.rules.conditions.condition import OfCall, OfPrice, OfService, Scope, World
from connector.rules.places import in_areas
from connector.rules.ruleset import Rule, RuleSet
from connector.rules.state import CallState
from connector.rules.thresholds import Ready as ReadyThreshold
from connector.rules.thresholds import ready as ready_thresholds

_DEAR = frozenset({"items", "weight", "quantity", "subtotal_at_least", "subtotal_below", "all", "any", "not"})
_KEPT = 256


class Question:
    """A condition made ready. `number` is its place among a call's answers, which are sets of services."""

    __slots__ = ("condition", "number", "of_call", "of_price", "of_service", "operator", "parts", "scope")

    def __init__(self, condition: Condition, number: int, world: World, parts: Sequence[Question]) -> None:
        self.condition = condition
        self.number = number
        self.parts = tuple(parts)
        self.operator: Literal["", "all", "any", "not"] = ""
        self.of_call: OfCall | None = None
        self.of_service: OfService | None = None
        self.of_price: OfPrice | None = None
        match condition:
            case CallCondition():
                self.of_call = condition.of_call(world)
            case ServiceCondition():
                self.of_service = condition.of_service(world)
            case PriceBetween():
                self.of_price = condition.of_price(world)
            case AllOf() | AnyOf() | Not():
                self.operator = condition.kind
        scopes: set[Scope] = {part.scope for part in parts} or {condition.scope}
        self.scope: Scope = "price" if "price" in scopes else "service" if "service" in scopes else "call"

    def answer(self, state: CallState) -> int:
        """The services for which it holds: all or none for a question about the call."""
        found = state.known[self.number]
        if found is None:
            found = self._ask(state)
            if self.scope != "price":
                state.known[self.number] = found
        return found

    def _ask(self, state: CallState) -> int:
        if self.of_call is not None:
            return -1 if self.of_call(state) else 0
        if self.of_service is not None:
            holds = self.of_service
            return sum([each.bit for each in state.services if holds(each.given)])
        if self.of_price is not None:
            at_price = self.of_price
            return sum([each.bit for each in state.services if at_price(each, state)])
        if self.operator == "not":
            return ~self.parts[0].answer(state)
        found = -1 if self.operator == "all" else 0
        for part in self.parts:
            found = found & part.answer(state) if self.operator == "all" else found | part.answer(state)
        return found


class ReadyRule:
    """A rule made ready: questions about the call first, the cheap ones before the dear ones."""

    __slots__ = ("group", "name", "of_call", "of_services", "price", "refuse", "shape", "stop", "written")

    def __init__(self, rule: Rule, questions: Sequence[Question]) -> None:
        self.name = rule.name
        self.written = tuple(each for each in questions if each.scope == "call")
        self.of_call = tuple(sorted(self.written, key=_cost))
        self.of_services = tuple(each for each in questions if each.scope != "call")
        self.stop, self.group = rule.stop, rule.group
        self.refuse = _of_phase(rule, "refuse")
        self.price = _of_phase(rule, "price")
        self.shape = _of_phase(rule, "shape")


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A rule set made ready. `of_services` are the numbers of questions whose answers depend on the services.

    `of_call` are the questions about the call. Where `repeats` is true, their answers and the services decide all: what
    rules make of equal services is equal for equal answers.
    """

    rules: tuple[ReadyRule, ...]
    refusing: tuple[ReadyRule, ...]
    pricing: tuple[ReadyRule, ...]
    shaping: tuple[ReadyRule, ...]
    questions: int
    of_services: tuple[int, ...]
    of_call: tuple[Question, ...]
    repeats: bool
    thresholds: tuple[ReadyThreshold, ...]
    class_of: ClassOf
    timed: tuple[Condition | Action, ...]
    limits_others: bool

    def valid_until(self, now: datetime) -> datetime | None:
        """The next moment at which a condition or a dated table may answer otherwise; `now` in the shop's zone."""
        return min((at for each in self.timed if (at := each.until(now)) is not None), default=None)


def compile_rules(rules: RuleSet) -> Compiled:
    """Make a rule set ready."""
    world = World({zone.name: in_areas(zone.areas) for zone in rules.zones})
    known: dict[Condition, Question] = {}
    enabled = [rule for rule in rules.rules if rule.enabled]
    made = tuple(ReadyRule(rule, [_question(each, known, world) for each in rule.when]) for rule in enabled)
    limits_others = any(each.stop or each.group for each in made)
    parts: list[Condition | Action] = [*known, *(action for rule in enabled for action in rule.then)]
    return Compiled(
        rules=made,
        refusing=tuple(each for each in made if each.refuse),
        pricing=tuple(each for each in made if each.price or each.stop or each.group),
        shaping=tuple(each for each in made if each.shape),
        questions=len(known),
        of_services=tuple(each.number for each in known.values() if each.scope != "call"),
        of_call=tuple(each for each in known.values() if each.of_call is not None),
        repeats=not rules.thresholds and all(action.by_services for rule in enabled for action in rule.then),
        thresholds=ready_thresholds(rules.thresholds),
        class_of=class_of(rules.classes),
        timed=tuple(part for part in parts if type(part).until not in {Condition.until, Action.until}),
        limits_others=limits_others,
    )


_made: OrderedDict[int, tuple[RuleSet, Compiled]] = OrderedDict()


def compiled(rules: RuleSet) -> Compiled:
    """The rule set made ready: once for each one in memory."""
    found = _made.get(id(rules))
    if found is not None and found[0] is rules:
        return found[1]
    made = compile_rules(rules)
    _made[id(rules)] = (rules, made)
    while len(_made) > _KEPT:
        _made.popitem(last=False)
    return made


def _question(condition: Condition, known: dict[Condition, Question], world: World) -> Question:
    found = known.get(condition)
    if found is None:
        match condition:
            case AllOf() | AnyOf():
                parts = [_question(each, known, world) for each in condition.conditions]
            case Not():
                parts = [_question(condition.condition, known, world)]
            case _:
                parts = []
        found = known[condition] = Question(condition, len(known), world, parts)
    return found


def _cost(question: Question) -> bool:
    return getattr(question.condition, "kind", "") in _DEAR


def _of_phase(rule: Rule, phase: Phase) -> tuple[Run, ...]:
    return tuple(action.ready(rule.name) for action in rule.then if action.phase == phase)
