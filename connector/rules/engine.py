"""What rules make of a call: refuse first, then prices in their order, thresholds, and at last what is shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.rules.actions import Gone
from connector.rules.compiled import Compiled, Question, ReadyRule
from connector.rules.conditions import AllOf, Not
from connector.rules.facts import CallFacts, Priced
from connector.rules.ruleset import Passed
from connector.rules.state import CallState, Working
from connector.rules.term import said_of
from connector.rules.thresholds_apply import apply as apply_thresholds
from connector.words.reason import Reason


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came out: the services in the order to show, what rules took from sight, and why nothing is shown at all.

    `passed` says which rules and thresholds did not apply and why, where that was asked for. `notes` are what
    thresholds assumed. After `valid_until` the same call may be answered otherwise.
    """

    services: tuple[Priced, ...] = ()
    gone: tuple[Gone, ...] = ()
    refused: Reason | None = None
    passed: tuple[Passed, ...] = ()
    notes: tuple[Reason, ...] = ()
    valid_until: datetime | None = None


@dataclass(slots=True)
class _Run:
    """One evaluation under way. `closed` are services that later rules leave alone, -1 all, new ones included."""

    ready: Compiled
    state: CallState
    explain: bool
    closed: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    shut: dict[str, int] = field(default_factory=dict)
    gone: list[Gone] = field(default_factory=list)
    hidden: int = 0
    applied: set[str] = field(default_factory=set)
    passed: dict[str, Reason] = field(default_factory=dict)


def evaluate(
    ready: Compiled,
    call: CallFacts,
    services: Sequence[Priced],
    safety: Sequence[Priced] = (),
    *,
    explain: bool = False,
) -> Evaluated:
    """Apply a rule set to a call. `safety` are the merchant's safety rates, which may stand in below a threshold."""
    state = CallState(call, services, ready.questions)
    run = _Run(ready, state, explain)
    until = ready.valid_until(call.now) if ready.timed else None
    refused = _refused(run)
    if refused is not None:
        gone = tuple(Gone(each, refused) for each in services)
        return Evaluated(gone=gone, refused=refused, valid_until=until, passed=_said(run))
    for rule in ready.pricing:
        _price(run, rule)
    notes: tuple[Reason, ...] = ()
    others: list[Passed] = []
    if ready.thresholds:
        lowered = apply_thresholds(ready.thresholds, call, [each.done() for each in state.services], safety)
        state.put(lowered.services)
        _forget(run)
        notes = tuple(lowered.notes)
        others = [Passed(each.rule, each.why) for each in lowered.passed] if explain else []
    order: Sequence[Working] | None = None
    for rule in ready.shaping:
        order = _shape(run, rule) or order
    shown = order or sorted(state.services, key=lambda each: (each.price, each.given.code))
    return Evaluated(
        services=tuple([each.done() for each in shown if not each.bit & run.hidden]),
        gone=tuple(run.gone),
        passed=(*_said(run), *others),
        notes=notes,
        valid_until=until,
    )


def answers_of(ready: Compiled, call: CallFacts) -> tuple[int | None, ...]:
    """What a call answers to everything that rules ask of calls: equal for calls that a rule set takes alike."""
    state = CallState(call, (), ready.questions)
    return tuple([question.answer(state) for question in ready.of_call])


def _refused(run: _Run) -> Reason | None:
    for rule in run.ready.refusing:
        if _of_call(run, rule):
            for act in rule.refuse:
                done = act(run.state, ())
                if done is not None and done.refused is not None:
                    return done.refused
            if run.explain and not (rule.price or rule.shape):
                run.passed[rule.name] = Reason("nothing_restricted")
    return None


def _price(run: _Run, rule: ReadyRule) -> None:
    if run.closed == -1:
        run.shut[rule.name] = -1
        _pass(run, rule, Reason("rule_stopped"))
        return
    shut = run.closed | run.taken.get(rule.group, 0) if rule.group else run.closed
    if run.ready.limits_others and rule.shape:
        run.shut[rule.name] = shut
    if not _of_call(run, rule):
        return
    found = _services(run, rule)
    mask = found & ~shut
    if (rule.of_services or shut) and not mask:
        _pass(run, rule, Reason("rule_stopped") if found else _no_service(rule))
        return
    for act in rule.price:
        done = act(run.state, run.state.of(mask))
        if done is not None and done.added:
            _add(run, done.added)
    if run.explain:
        run.applied.add(rule.name)
    if rule.group:
        run.taken[rule.group] = run.taken.get(rule.group, 0) | (mask if rule.of_services else -1)
    if rule.stop:
        run.closed = run.closed | mask if rule.of_services else -1


def _add(run: _Run, added: Sequence[Priced]) -> None:
    state = run.state
    start = len(state.services)
    state.services += [Working(each, 1 << number) for number, each in enumerate(added, start)]
    state.everything = (1 << len(state.services)) - 1
    _forget(run)


def _shape(run: _Run, rule: ReadyRule) -> Sequence[Working] | None:
    shut = run.shut.get(rule.name, run.closed if run.ready.limits_others and not rule.price else 0)
    if shut == -1:
        _pass(run, rule, Reason("rule_stopped"))
        return None
    if not _of_call(run, rule):
        return None
    mask = _services(run, rule) & ~shut & ~run.hidden
    if not mask:
        _pass(run, rule, _no_service(rule))
        return None
    order = None
    for act in rule.shape:
        done = act(run.state, run.state.of(mask))
        if done is None:
            continue
        if done.gone:
            run.gone += done.gone
            left = {id(each.service) for each in done.gone}
            bits = sum([each.bit for each in run.state.services if id(each.given) in left])
            run.hidden |= bits
            mask &= ~bits
        order = done.order or order
    if run.explain:
        run.applied.add(rule.name)
    return order


def _of_call(run: _Run, rule: ReadyRule) -> bool:
    state = run.state
    for question in rule.written if run.explain else rule.of_call:
        answer = state.known[question.number]
        if answer is None:
            answer = question.answer(state)
        if not answer:
            if run.explain:
                _pass(run, rule, _why_not(question, state))
            return False
    return True


def _services(run: _Run, rule: ReadyRule) -> int:
    state = run.state
    mask = state.everything
    for question in rule.of_services:
        answer = state.known[question.number]
        mask &= question.answer(state) if answer is None else answer
        if not mask:
            break
    return mask


def _forget(run: _Run) -> None:
    """Other services are there: what was asked of them is asked anew."""
    for number in run.ready.of_services:
        run.state.known[number] = None


def _pass(run: _Run, rule: ReadyRule, why: Reason) -> None:
    if run.explain:
        run.passed.setdefault(rule.name, why)


def _said(run: _Run) -> tuple[Passed, ...]:
    return tuple(Passed(name, why) for name, why in run.passed.items() if name not in run.applied)


def _no_service(rule: ReadyRule) -> Reason:
    if not rule.of_services:
        return Reason("condition_no_services")
    asked = rule.of_services[0].condition
    return Reason("condition_not_met", {"asked": asked.help, "wanted": said_of(asked)})


def _why_not(question: Question, state: CallState) -> Reason:
    """Of several conditions that must all hold, the first that does not."""
    if isinstance(question.condition, AllOf):
        for part in question.parts:
            if not part.answer(state):
                return _why_not(part, state)
    if isinstance(question.condition, Not):
        inner = question.condition.condition
        return Reason("condition_holds", {"asked": inner.help, "wanted": said_of(inner)})
    return question.condition.why_not(state)
