"""How rules work together: order, stop, groups, phases, questions asked once, and what is told afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from connector.rules.compiled import compile_rules, compiled
from connector.rules.engine import evaluate
from tests.rules.facts import SERVICES, a_call, prices, rules_of, run, service

PLUS = {"kind": "fixed_change", "amount": "1.00", "currency": "EUR"}
WING = [{"kind": "carrier_in", "carriers": ["Wing"]}]
PO_BOX = [{"kind": "po_box"}]
OF_STANDARD = {"name": "From 50", "amount": "50", "currency": "EUR", "service_class": "standard"}


def test_a_rule_that_stops_keeps_later_rules_from_its_services_alone() -> None:
    found = run(
        rules_of({"when": WING, "then": [PLUS], "stop": True}, {"then": [PLUS, {"kind": "rename", "name": "X"}]})
    )
    assert prices(found) == {"ground": 800, "slow": 1000, "air": 2000}
    assert {each.code: each.name for each in found.services} == {"ground": "X", "slow": "X", "air": ""}


def test_a_rule_for_all_that_stops_is_the_last() -> None:
    added = {"kind": "add_rate", "code": "shop", "name": "Pick up", "amount": "0", "currency": "EUR"}
    found = run(
        rules_of({"then": [PLUS], "stop": True}, {"then": [PLUS]}, {"then": [added]}, {"then": [{"kind": "hide"}]})
    )
    assert prices(found) == {"ground": 800, "slow": 1000, "air": 2000}
    assert [each.rule for each in found.passed] == ["rule 1", "rule 2", "rule 3"]


def test_a_rule_that_does_not_apply_stops_nothing() -> None:
    found = run(rules_of({"when": PO_BOX, "then": [PLUS], "stop": True}, {"then": [PLUS]}))
    assert prices(found)["ground"] == 800


def test_of_a_group_the_first_rule_that_applies_to_a_service_does() -> None:
    twice = {"kind": "percent_change", "percent": "100"}
    found = run(
        rules_of({"when": WING, "then": [PLUS], "group": "g"}, {"then": [twice], "group": "g"}, {"then": [PLUS]})
    )
    assert prices(found) == {"ground": 1500, "slow": 1900, "air": 2100}


def test_a_rule_that_is_switched_off_does_nothing() -> None:
    assert prices(run(rules_of({"then": [PLUS], "enabled": False, "stop": True}, {"then": [PLUS]})))["ground"] == 800


def test_conditions_on_the_price_see_what_the_rules_above_made_of_it() -> None:
    dear = [{"kind": "price", "at_least": "8.00", "currency": "EUR"}]
    found = run(rules_of({"then": [PLUS]}, {"when": dear, "then": [PLUS]}, {"when": dear, "then": [{"kind": "hide"}]}))
    assert prices(found) == {}
    assert {each.service.code for each in found.gone} == {"ground", "slow", "air"}


def test_rules_below_see_an_option_that_a_rule_above_added() -> None:
    added = {"kind": "add_rate", "code": "shop", "name": "Pick up", "amount": "2", "currency": "EUR"}
    by_code = [{"kind": "service_in", "services": ["shop"]}]
    found = run(rules_of({"when": by_code, "then": [PLUS]}, {"then": [added]}, {"when": by_code, "then": [PLUS]}))
    assert prices(found)["shop"] == 300


@pytest.mark.need(2)
def test_thresholds_come_after_all_price_rules_and_before_what_is_shown() -> None:
    shape = {"then": [{"kind": "keep"}, PLUS]}
    found = run(rules_of(shape, thresholds=[OF_STANDARD]))
    assert prices(found) == {"ground": 0}
    assert found.services[0].steps[-1].reason.code == "step_threshold_free"
    rename = {"then": [{"kind": "sort", "by": "speed"}, {"kind": "rename", "name": "Post"}]}
    assert list(prices(run(rules_of(rename, thresholds=[OF_STANDARD])))) == ["air", "ground", "slow"]


def test_refusing_goes_before_everything() -> None:
    table = [{"items": {"tags": ["sharp"]}, "areas": [{"country": "AT"}], "text": "No knives"}]
    refuse = {"then": [{"kind": "refuse_goods", "table": table}]}
    found = run(rules_of({"then": [PLUS], "stop": True}, refuse))
    assert found.refused is not None
    assert [each.service.code for each in found.gone] == [each.code for each in SERVICES]


def test_without_rules_the_cheapest_option_comes_first_and_equal_ones_by_code() -> None:
    pair = (service("b", 500), service("a", 500), service("c", 400))
    assert list(prices(run(rules_of(), None, pair))) == ["c", "a", "b"]


def test_equal_conditions_are_one_question() -> None:
    rules = [{"when": [*PO_BOX, {"kind": "not", "condition": PO_BOX[0]}], "then": [PLUS]} for _ in range(5)]
    assert compile_rules(rules_of(*rules)).questions == 2


def test_a_rule_set_in_memory_is_made_ready_once() -> None:
    rules = rules_of({"then": [PLUS]})
    assert compiled(rules) is compiled(rules)
    assert compiled(rules) is not compiled(rules_of({"then": [PLUS]}))


def test_why_rules_did_not_apply_is_worked_out_only_where_it_is_asked_for() -> None:
    ready = compile_rules(rules_of({"when": PO_BOX, "then": [PLUS]}))
    assert evaluate(ready, a_call(), SERVICES).passed == ()
    assert [each.rule for each in evaluate(ready, a_call(), SERVICES, explain=True).passed] == ["rule 0"]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"when": [{"kind": "zone_in", "zones": ["gone"]}], "then": [PLUS]}, "names a zone 'gone' that is not there"),
        ({"when": WING, "then": [{"kind": "refuse_goods", "table": [
            {"items": {"tags": ["a"]}, "areas": [{"country": "AT"}], "text": "x"}]}]}, "no conditions on services"),
        ({"then": [{"kind": "round", "ending": "1", "step": "1"}]}, "ending is less than step"),
        ({"then": [{"kind": "percent_change", "percent": "1", "cap": "1"}]}, "limits need a currency"),
        ({"then": [{"kind": "keep", "which": "best_value"}]}, "best_value needs day_value"),
        ({"when": [{"kind": "weight", "at_least_g": 5, "below_g": 5}], "then": [PLUS]}, "nothing lies between"),
        ({"when": [{"kind": "items", "items": {}}], "then": [PLUS]}, "say which items"),
        ({"when": [{"kind": "postal_code_in", "country": "AT", "patterns": ["9..1"]}], "then": [PLUS]}, "no range"),
        ({"when": [{"kind": "time_between", "start": "08:00", "end": "08:00"}], "then": [PLUS]}, "window is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(rule: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        rules_of(rule)


def test_conditions_are_not_nested_without_end() -> None:
    deep: dict[str, Any] = {"kind": "guest"}
    for _ in range(6):
        deep = {"kind": "not", "condition": deep}
    with pytest.raises(ValueError, match="nested at most"):
        rules_of({"when": [deep], "then": [PLUS]})
