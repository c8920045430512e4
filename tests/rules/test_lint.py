"""What the linter finds in a rule set that is valid, and that it is silent about one that is sound."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector.rules.exchange import ExchangeRate
from connector.rules.lint import lint
from connector.rules.ruleset import RuleSet
from tests.rules.facts import rules_of

PLUS = {"kind": "fixed_change", "amount": "1.00", "currency": "EUR"}
AUSTRIA = {"kind": "country_in", "countries": ["AT"]}
ROW = {"items": {"tags": ["sharp"]}, "areas": [{"country": "AT"}], "text": "x"}
EUR = {"currency": "EUR"}
FOUND: list[tuple[list[dict[str, Any]], str, str, str]] = [
    (
        [{"when": [AUSTRIA, {"kind": "country_in", "countries": ["SK"]}], "then": [PLUS]}],
        "rules.0",
        "error",
        "lint_never",
    ),
    ([{"when": [AUSTRIA, {"kind": "not", "condition": AUSTRIA}], "then": [PLUS]}], "rules.0", "error", "lint_never"),
    (
        [
            {
                "when": [
                    {"kind": "subtotal_at_least", "amount": "50", **EUR},
                    {"kind": "subtotal_below", "amount": "50", **EUR},
                ],
                "then": [PLUS],
            }
        ],
        "rules.0",
        "error",
        "lint_never",
    ),
    (
        [
            {
                "when": [
                    {
                        "kind": "all",
                        "conditions": [{"kind": "quantity", "at_least": 5}, {"kind": "quantity", "at_most": 4}],
                    }
                ],
                "then": [PLUS],
            }
        ],
        "rules.0",
        "error",
        "lint_never",
    ),
    ([{"when": [{"kind": "date_between", "end": "2026-01-01"}], "then": [PLUS]}], "rules.0", "warning", "lint_over"),
    ([{"then": [PLUS], "stop": True}, {"when": [AUSTRIA], "then": [PLUS]}], "rules.1", "error", "lint_shadowed"),
    ([{"then": [PLUS], "group": "g"}, {"then": [{"kind": "free"}], "group": "g"}], "rules.1", "error", "lint_shadowed"),
    ([{"then": [PLUS]}, {"then": [PLUS]}], "rules.1", "warning", "lint_twice"),
    ([{"then": [{"kind": "free", "which": "all"}]}, {"then": [PLUS]}], "rules.1", "warning", "lint_free"),
    (
        [
            {"then": [{"kind": "free", "which": "all"}]},
            {"when": [AUSTRIA], "then": [{"kind": "handling", "amount": "1", **EUR}]},
        ],
        "rules.1",
        "warning",
        "lint_free_then_handling",
    ),
    ([{"when": [AUSTRIA], "then": [{"kind": "hide"}]}], "rules.0", "warning", "lint_nothing_left"),
    ([{"then": [{"kind": "fixed_price", "amount": "1", "currency": "USD"}]}], "rules.0", "note", "lint_other_currency"),
    (
        [{"then": [{"kind": "rename", "name": "Guaranteed delivery"}]}],
        "rules.0.then.0.name",
        "warning",
        "lint_guaranteed",
    ),
    (
        [{"then": [{"kind": "rename", "name": "Post", "description": "Zaručene zajtra"}]}],
        "rules.0.then.0.description",
        "warning",
        "lint_guaranteed",
    ),
    ([{"then": [{"kind": "rename", "name": "Free shipping"}]}], "rules.0.then.0.name", "warning", "lint_called_free"),
    (
        [{"then": [{"kind": "add_rate", "code": "cod", "name": "Dobierka", "amount": "2", **EUR}]}],
        "rules.0.then.0.name",
        "warning",
        "lint_cash_on_delivery",
    ),
    ([{"then": [{"kind": "refuse_goods", "table": [ROW]}]}], "rules.0.then.0", "warning", "lint_geo_blocking"),
]


@pytest.mark.parametrize(("rules", "path", "severity", "code"), FOUND)
def test_the_linter_finds(rules: list[dict[str, Any]], path: str, severity: str, code: str) -> None:
    found = lint(rules_of(*rules), "EUR", today=date(2026, 11, 24))
    assert (path, severity, code) in [(each.path, each.severity, each.what.code) for each in found]
    assert all("…" not in each.what.say() for each in found)


def test_a_threshold_in_a_currency_without_a_rate_is_an_error() -> None:
    rules = rules_of(thresholds=[{"name": "From 50", "amount": "50", "currency": "USD"}])
    (found,) = lint(rules, "EUR")
    assert (found.path, found.severity) == ("thresholds.0.currency", "error")
    assert lint(rules, "EUR", [ExchangeRate.model_validate({"of": "USD", "into": "EUR", "rate": "0.9"})]) == []


def test_the_merchant_s_templates_are_read_too() -> None:
    (found,) = lint(RuleSet(), "EUR", wording={"wording.0.description": "Garantierte Lieferung"})
    assert found.path == "wording.0.description"


def test_sound_rules_are_left_in_peace() -> None:
    example = Path(__file__).resolve().parents[2] / "docs" / "rules-example.json"
    assert lint(RuleSet.model_validate(json.loads(example.read_text())), "EUR") == []
    promise = {"then": [{"kind": "rename", "name": "Free from 50"}, {"kind": "free", "which": "all"}]}
    assert lint(rules_of(promise), "EUR") == []


def test_a_rule_that_is_switched_off_is_not_looked_at() -> None:
    assert lint(rules_of({"then": [{"kind": "hide"}], "enabled": False}), "EUR") == []
