"""What is accepted as rules, and how a fault in them is named."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connector.rules.actions import AnyAction, FixedChange, Free, PercentChange
from connector.rules.conditions import CountryIn, SubtotalAtLeast
from connector.rules.ruleset import RuleSet

FREE = {"kind": "free"}


def fault(*rules: dict[str, Any]) -> tuple[str, str]:
    """Where the first fault is, and what it is."""
    with pytest.raises(ValidationError) as caught:
        RuleSet.model_validate({"rules": list(rules)})
    first = caught.value.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def rule(*then: dict[str, Any], when: list[dict[str, Any]] | None = None, name: str = "r") -> dict[str, Any]:
    return {"name": name, "when": when or [], "then": list(then)}


def test_rules_are_the_same_after_they_were_stored() -> None:
    body = rule(
        {"kind": "percent_change", "percent": "12.5"},
        {"kind": "fixed_change", "amount": "-1.50", "currency": "EUR"},
        {"kind": "free", "services": ["usps-priority"]},
        when=[
            {"kind": "subtotal_at_least", "amount": "50.00", "currency": "EUR"},
            {"kind": "country_in", "countries": ["SK", "AT"]},
        ],
    )
    rules = RuleSet.model_validate({"rules": [body]})
    assert RuleSet.model_validate_json(rules.model_dump_json()) == rules


def test_two_rules_of_one_name_are_refused_by_that_name() -> None:
    _, said = fault(rule(FREE, name="twice"), rule(FREE, name="once"), rule(FREE, name="twice"))
    assert "two rules are called 'twice'" in said


@pytest.mark.parametrize(("part", "currency"), [("50.001", "EUR"), ("50.5", "JPY"), ("1.0001", "KWD"), ("1e15", "EUR")])
def test_an_amount_that_its_currency_does_not_have_is_refused_in_its_rule(part: str, currency: str) -> None:
    limit = {"kind": "subtotal_at_least", "amount": part, "currency": currency}
    change = {"kind": "fixed_change", "amount": part, "currency": currency}
    assert fault(rule(FREE), rule(FREE, when=[limit], name="s"))[0] == "rules.1.when.0.subtotal_at_least"
    assert fault(rule(FREE), rule(change, name="s"))[0] == "rules.1.then.0.fixed_change"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (rule({"kind": "teleport"}), "rules.0.then.0"),
        (rule(FREE, {}), "rules.0.then.1"),
        (rule(FREE, when=[{"kind": "moon_phase"}]), "rules.0.when.0"),
        (rule(), "rules.0.then"),
        (rule(FREE, name=""), "rules.0.name"),
        (rule({"kind": "free", "colour": "red"}), "rules.0.then.0.free.colour"),
        (rule({"kind": "percent_change", "percent": "1000.1"}), "rules.0.then.0.percent_change.percent"),
        (rule({"kind": "percent_change", "percent": "-100.01"}), "rules.0.then.0.percent_change.percent"),
        (rule({"kind": "percent_change", "percent": "NaN"}), "rules.0.then.0.percent_change.percent"),
        (rule({"kind": "fixed_change", "amount": "Infinity", "currency": "EUR"}), "rules.0.then.0.fixed_change.amount"),
        (rule({"kind": "fixed_change", "amount": "1", "currency": "eur"}), "rules.0.then.0.fixed_change.currency"),
        (
            rule(FREE, when=[{"kind": "subtotal_at_least", "amount": "-1", "currency": "EUR"}]),
            "rules.0.when.0.subtotal_at_least.amount",
        ),
        (rule(FREE, when=[{"kind": "country_in", "countries": []}]), "rules.0.when.0.country_in.countries"),
        (rule(FREE, when=[{"kind": "country_in", "countries": ["sk"]}]), "rules.0.when.0.country_in.countries.0"),
    ],
)
def test_a_fault_is_named_by_its_place(body: dict[str, Any], place: str) -> None:
    assert fault(body)[0] == place


@pytest.mark.parametrize("part", [SubtotalAtLeast, CountryIn, PercentChange, FixedChange, Free])
def test_every_condition_and_action_says_what_it_does(part: type[AnyAction]) -> None:
    assert part.help.endswith(".")
