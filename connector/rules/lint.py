"""What is probably wrong with a rule set that is valid: rules that never fire or shadow others, traps of law."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from connector.rules.actions import FixedPrice, Free, Handling, Hide
from connector.rules.conditions import (
    AllOf,
    Condition,
    CountryIn,
    CurrencyIn,
    DateBetween,
    Not,
    PriceBetween,
    QuantityBetween,
    SubtotalAtLeast,
    SubtotalBelow,
    TransitDays,
    WeekdayIn,
    WeightBetween,
    parts_of,
)
from connector.rules.exchange import ExchangeRate
from connector.rules.lint_texts import texts
from connector.rules.ruleset import Rule, RuleSet
from connector.rules.thresholds import without_rate
from connector.words.reason import Param, Reason

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: where (as in rules.2.when.0), how grave, and what. An error cannot be published."""

    path: str
    severity: Severity
    what: Reason


def lint(
    rules: RuleSet,
    currency: str,
    rates: Sequence[ExchangeRate] = (),
    today: date | None = None,
    wording: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Look at a rule set of a shop with that currency. `wording` are the merchant's other texts, by their path."""
    enabled = [(f"rules.{number}", rule) for number, rule in enumerate(rules.rules) if rule.enabled]
    found: list[Finding] = []
    for path, rule in enabled:
        found += _never(path, rule, today)
        found += _currencies(path, rule, currency)
        found += _hides_all(path, rule)
    found += _shadowed(enabled)
    found += _without_effect(enabled)
    known = {each.name for each in without_rate(rules.thresholds, currency, rates)}
    found += [
        Finding(f"thresholds.{number}.currency", "error", Reason("lint_threshold_rate", {"currency": each.currency}))
        for number, each in enumerate(rules.thresholds)
        if each.name in known
    ]
    found += [Finding(path, "warning", why) for path, why in texts(rules, wording or {})]
    return found


def _all_of(conditions: Iterable[Condition]) -> list[Condition]:
    """The conditions that must all hold, those inside of `all` included."""
    found: list[Condition] = []
    for each in conditions:
        found += _all_of(each.conditions) if isinstance(each, AllOf) else [each]
    return found


def _never(path: str, rule: Rule, today: date | None) -> Iterator[Finding]:
    """Conditions that cannot hold at once, or not any more."""
    wanted = _all_of(rule.when)
    if any(isinstance(each, Not) and each.condition in wanted for each in wanted) or _are_disjoint(wanted):
        yield Finding(path, "error", Reason("lint_never", {"rule": rule.name}))
    ends = [each.end for each in wanted if isinstance(each, DateBetween) and each.end is not None]
    if today is not None and ends and min(ends) < today:
        yield Finding(path, "warning", Reason("lint_over", {"rule": rule.name, "day": min(ends).isoformat()}))


def _are_disjoint(wanted: Sequence[Condition]) -> bool:
    choices: Sequence[Callable[[Condition], frozenset[str] | None]] = (
        lambda each: frozenset(each.countries) if isinstance(each, CountryIn) else None,
        lambda each: frozenset(each.currencies) if isinstance(each, CurrencyIn) else None,
        lambda each: frozenset(each.days) if isinstance(each, WeekdayIn) else None,
        lambda each: frozenset({each.currency}) if isinstance(each, SubtotalAtLeast | SubtotalBelow) else None,
    )
    for choice in choices:
        sets = [found for each in wanted if (found := choice(each)) is not None]
        if sets and not frozenset.intersection(*sets):
            return True
    spans: dict[object, list[tuple[float, float]]] = {}
    for each in wanted:
        span = _span(each)
        if span is not None:
            spans.setdefault(span[0], []).append(span[1])
    return any(max(low for low, _ in each) >= min(high for _, high in each) for each in spans.values())


def _span(each: Condition) -> tuple[object, tuple[float, float]] | None:
    """What a condition limits, and from where to below where."""
    most = float("inf")
    match each:
        case SubtotalAtLeast():
            return ("subtotal", each.basis, each.tax, each.items, each.currency), (float(each.amount), most)
        case SubtotalBelow():
            return ("subtotal", each.basis, each.tax, each.items, each.currency), (0, float(each.amount))
        case WeightBetween():
            return ("weight", each.of, each.items), (each.at_least_g or 0, each.below_g or most)
        case QuantityBetween():
            return ("quantity", each.items), (each.at_least or 0, most if each.at_most is None else each.at_most + 1)
        case TransitDays():
            return ("days",), (each.at_least or 0, most if each.at_most is None else each.at_most + 1)
        case PriceBetween():
            high = most if each.below is None else float(each.below)
            return ("price", each.currency), (float(each.at_least or 0), high)
        case DateBetween():
            last = most if each.end is None else each.end.toordinal() + 1
            return ("date",), (each.start.toordinal() if each.start else 0, last)
        case _:
            return None


def _currencies(path: str, rule: Rule, currency: str) -> Iterator[Finding]:
    parts = [*(part for each in rule.when for part in parts_of(each)), *rule.then]
    others = sorted(
        {str(found) for each in parts if (found := getattr(each, "currency", None)) not in {None, currency}}
    )
    named = {
        code
        for each in rule.when
        for part in parts_of(each)
        if isinstance(part, CurrencyIn)
        for code in part.currencies
    }
    for other in others:
        if other not in named:
            yield Finding(path, "note", Reason("lint_other_currency", {"rule": rule.name, "currency": other}))


def _hides_all(path: str, rule: Rule) -> Iterator[Finding]:
    """A rule that hides, and means every service, leaves its destinations without an offer."""
    of_services = any(part.scope != "call" for each in rule.when for part in parts_of(each))
    if of_services or not any(isinstance(each, Hide) for each in rule.then):
        return
    places = [code for each in _all_of(rule.when) if isinstance(each, CountryIn) for code in each.countries]
    yield Finding(path, "warning", Reason("lint_nothing_left", {"rule": rule.name, "places": ", ".join(places) or "*"}))


def _shadowed(enabled: Sequence[tuple[str, Rule]]) -> Iterator[Finding]:
    """Rules that a rule above always keeps from applying, and rules that are there twice."""
    for number, (path, rule) in enumerate(enabled):
        mine = set(_all_of(rule.when))
        for _, above in enabled[:number]:
            wider = set(_all_of(above.when)) <= mine
            if wider and (above.stop or (above.group and above.group == rule.group)):
                yield Finding(path, "error", Reason("lint_shadowed", {"rule": rule.name, "by": above.name}))
                break
            if mine == set(_all_of(above.when)) and rule.then == above.then:
                yield Finding(path, "warning", Reason("lint_twice", {"rule": rule.name, "by": above.name}))
                break


def _without_effect(enabled: Sequence[tuple[str, Rule]]) -> Iterator[Finding]:
    """Price rules behind one that sets all prices under no narrower conditions: what they contradict is lost."""
    for number, (path, rule) in enumerate(enabled):
        mine = set(_all_of(rule.when))
        priced = [each for each in rule.then if each.phase == "price" and hasattr(each, "currency")]
        for _, above in enabled[:number]:
            frees = any(
                (isinstance(each, Free) and each.which == "all" and not each.services)
                or (isinstance(each, FixedPrice) and not each.amount)
                for each in above.then
            )
            if frees and priced and set(_all_of(above.when)) <= mine:
                said: dict[str, Param] = {"rule": rule.name, "by": above.name}
                charged = any(isinstance(each, Handling) for each in priced)
                why = Reason("lint_free_then_handling", said) if charged else Reason("lint_free", said)
                yield Finding(path, "warning", why)
                break
