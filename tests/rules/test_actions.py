"""Each kind of action: what it does to prices and to what is shown, and what it never does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rules import kinds
from connector.rules.actions.price import rounded
from connector.rules.exchange import ExchangeRate
from connector.rules.facts import CartSums, Destination, ParcelFacts
from connector.rules.ruleset import RuleSet
from tests.rules.facts import SERVICES, a_call, prices, rules_of, run, service

EUR = {"currency": "EUR"}
ACTIONS: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({"kind": "free"}, {"ground": 0, "slow": 900, "air": 1900}),
    ({"kind": "free", "services": ["air"]}, {"air": 0, "ground": 700, "slow": 900}),
    ({"kind": "free", "which": "all"}, {"air": 0, "ground": 0, "slow": 0}),
    ({"kind": "fixed_price", "amount": "5.00", **EUR}, {"air": 500, "ground": 500, "slow": 500}),
    (
        {"kind": "percent_change", "percent": "10", "least": "1.00", "most": "1.50", **EUR},
        {"ground": 800, "slow": 1000, "air": 2050},
    ),
    (
        {"kind": "percent_change", "percent": "-50", "floor": "4.00", "cap": "9.00", **EUR},
        {"ground": 400, "slow": 450, "air": 900},
    ),
    ({"kind": "percent_change", "percent": "12.5"}, {"ground": 788, "slow": 1013, "air": 2138}),
    ({"kind": "fixed_change", "amount": "-8.00", "floor": "0.50", **EUR}, {"ground": 50, "slow": 100, "air": 1100}),
    ({"kind": "discount", "up_to": "8.00", **EUR}, {"ground": 0, "slow": 100, "air": 1100}),
    ({"kind": "discount", "percent": "50", "up_to": "4.00", **EUR}, {"ground": 350, "slow": 500, "air": 1500}),
    ({"kind": "round", "ending": "0.90", "direction": "up"}, {"ground": 790, "slow": 990, "air": 1990}),
    ({"kind": "round", "ending": "0.99", "direction": "down"}, {"ground": 699, "slow": 899, "air": 1899}),
    ({"kind": "round", "ending": "0", "step": "5"}, {"ground": 500, "slow": 1000, "air": 2000}),
    ({"kind": "handling", "amount": "1.00", **EUR}, {"ground": 800, "slow": 1000, "air": 2000}),
    ({"kind": "handling", "amount": "1.00", "per": "parcel", **EUR}, {"ground": 900, "slow": 1100, "air": 2100}),
    ({"kind": "handling", "amount": "1.00", "per": "item", **EUR}, {"ground": 1000, "slow": 1200, "air": 2200}),
    ({"kind": "hide"}, {}),
    ({"kind": "rename", "name": "Post"}, {"ground": 700, "slow": 900, "air": 1900}),
    ({"kind": "sort", "by": "speed"}, {"air": 1900, "ground": 700, "slow": 900}),
    ({"kind": "sort", "descending": True, "last": ["a*"]}, {"slow": 900, "ground": 700, "air": 1900}),
    ({"kind": "sort", "by": "name", "first": ["slow"]}, {"slow": 900, "air": 1900, "ground": 700}),
    ({"kind": "keep"}, {"ground": 700}),
    ({"kind": "keep", "which": "fastest"}, {"air": 1900}),
    ({"kind": "keep", "which": "best_value", "day_value": "5.00", **EUR}, {"air": 1900}),
    ({"kind": "keep", "group": "carrier"}, {"ground": 700, "air": 1900}),
    ({"kind": "keep", "group": "service_class", "count": 2}, {"ground": 700, "slow": 900, "air": 1900}),
    ({"kind": "drop_dominated"}, {"ground": 700, "air": 1900}),
    (
        {"kind": "add_rate", "code": "shop", "name": "Pick up", "amount": "0", "service_class": "pickup", **EUR},
        {"shop": 0, "ground": 700, "slow": 900, "air": 1900},
    ),
    (
        {
            "kind": "add_rate",
            "code": "bike",
            "name": "Bike",
            "table": [{"up_to": "1999", "amount": "2"}, {"amount": "8"}],
            **EUR,
        },
        {"ground": 700, "bike": 800, "slow": 900, "air": 1900},
    ),
    ({"kind": "require_signature"}, {"ground": 700, "slow": 900, "air": 1900}),
    ({"kind": "require_insurance"}, {"ground": 700, "slow": 900, "air": 1900}),
    ({"kind": "hold_order", "reason": "Look at it"}, {"ground": 700, "slow": 900, "air": 1900}),
    (
        {
            "kind": "refuse_goods",
            "table": [{"items": {"tags": ["sharp"]}, "areas": [{"country": "GB"}], "text": "No knives"}],
        },
        {"ground": 700, "slow": 900, "air": 1900},
    ),
]


@pytest.mark.parametrize(("action", "expected"), ACTIONS)
def test_an_action_does_what_it_says(action: dict[str, Any], expected: dict[str, int]) -> None:
    call = a_call(parcels=(ParcelFacts(1000), ParcelFacts(1300)))
    found = run(rules_of({"then": [action]}), call)
    assert prices(found) == expected
    assert list(prices(found)) == list(expected)
    for each in found.services:
        assert each.price == each.steps[-1].price if each.steps else each.price.minor in {700, 900, 1900}
    assert all("{" not in each.why.say() for each in found.gone)


def test_every_kind_of_action_is_tried_here() -> None:
    assert {action["kind"] for action, _ in ACTIONS} == {kind.name for kind in kinds.actions()}


def test_handling_for_an_order_is_shared_out_where_the_cart_is_split() -> None:
    handling = rules_of({"then": [{"kind": "handling", "amount": "3.00", **EUR}]})
    halves = [run(handling, a_call(sums=CartSums(16000))), run(handling, a_call(sums=CartSums(16000)))]
    assert sum(prices(each)["ground"] - 700 for each in halves) == 300


def test_goods_are_refused_where_they_may_not_go_from_the_day_on() -> None:
    table = [{"items": {"tags": ["sharp"]}, "areas": [{"country": "AT"}], "start": "2026-11-25", "text": "No knives"}]
    rules = rules_of({"then": [{"kind": "refuse_goods", "table": table}]})
    today, tomorrow = run(rules), run(rules, a_call(now=a_call().now.replace(day=25)))
    assert today.refused is None
    assert today.valid_until == datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    assert tomorrow.refused is not None
    assert tomorrow.refused.say() == "KNIFE may not be sent there: No knives (rule rule 0)."
    assert tomorrow.services == ()
    assert run(rules, a_call(now=a_call().now.replace(day=25), destination=None)).refused is None


def test_a_mark_stays_with_the_service_that_the_rule_means() -> None:
    wing = [{"kind": "carrier_in", "carriers": ["Wing"]}]
    marks = [{"kind": "require_signature", "who": "adult"}, {"kind": "hold_order", "reason": "New buyer"}]
    found = {each.code: each.marks for each in run(rules_of({"when": wing, "then": marks})).services}
    assert found == {"air": (("hold", "New buyer"), ("signature", "adult")), "ground": (), "slow": ()}


def test_a_rule_s_own_option_is_in_the_call_s_currency_or_not_there() -> None:
    option = {"kind": "add_rate", "code": "shop", "name": "Pick up", "amount": "4.00", "currency": "USD"}
    rules = rules_of({"then": [option]})
    rate = ExchangeRate.model_validate({"of": "USD", "into": "EUR", "rate": "0.5"})
    assert prices(run(rules, a_call(rates=(rate,))))["shop"] == 200
    assert "shop" not in prices(run(rules))


def test_a_safety_rate_is_as_it_was_typed_but_may_be_free() -> None:
    safe = (service("safe", 990, source="safety"),)
    markup = {"then": [{"kind": "percent_change", "percent": "10"}, {"kind": "round", "ending": "0.50"}]}
    assert prices(run(rules_of(markup), None, safe)) == {"safe": 990}
    assert prices(run(rules_of({"then": [{"kind": "free"}]}), None, safe)) == {"safe": 0}


def test_what_is_slower_and_cheaper_is_not_dominated() -> None:
    pair = (service("a", 500, transit_days=5), service("b", 600, transit_days=2), service("c", 500))
    assert set(prices(run(rules_of({"then": [{"kind": "drop_dominated"}]}), None, pair))) == {"a", "b", "c"}


def test_amounts_of_another_currency_do_nothing() -> None:
    dollars = [
        {"kind": "fixed_price", "amount": "1", "currency": "USD"},
        {"kind": "handling", "amount": "1", "currency": "USD"},
        {"kind": "discount", "up_to": "1", "currency": "USD"},
        {"kind": "percent_change", "percent": "10", "cap": "1", "currency": "USD"},
        {"kind": "round", "ending": "0.999", "step": "1"},
    ]
    assert prices(run(rules_of({"then": dollars}))) == {"ground": 700, "slow": 900, "air": 1900}


# --- properties ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 10**9), st.integers(1, 10_000), st.integers(0, 9_999), st.sampled_from(["up", "down", "nearest"]))
def test_rounding_gives_the_ending_and_never_zero(price: int, step: int, ending: int, direction: Any) -> None:
    ending %= step
    found = rounded(price, step, ending, direction)
    assert found > 0
    assert found % step == ending or (direction == "down" and found == price)
    if direction == "nearest":
        assert abs(found - price) <= step
    else:
        assert found >= price if direction == "up" else found <= price


@given(st.integers(0, 10**6), st.decimals(-100, 1000, places=2), st.integers(0, 500), st.integers(500, 10**6))
def test_a_percentage_stays_between_floor_and_cap(price: int, percent: Any, floor: int, cap: int) -> None:
    action = {"kind": "percent_change", "percent": str(percent), "floor": floor / 100, "cap": cap / 100, **EUR}
    found = prices(run(rules_of({"then": [action]}), None, (service("a", price),)))["a"]
    assert found == 0 == price or floor <= found <= cap


CHANGING = {"percent_change", "fixed_change", "round", "handling", "discount", "fixed_price"}
CHANGES = st.sampled_from([action for action, _ in ACTIONS if action["kind"] in CHANGING])


@given(st.lists(CHANGES, max_size=6))
def test_free_stays_free_and_no_price_is_below_zero(later: list[dict[str, Any]]) -> None:
    free = {"then": [{"kind": "free", "services": ["ground"]}]}
    found = prices(run(rules_of(free, *({"then": [each]} for each in later))))
    assert found["ground"] == 0
    assert min(found.values()) >= 0


@given(st.permutations(["Post", "Wing"]), st.lists(CHANGES, min_size=2, max_size=2))
def test_rules_about_different_services_may_stand_in_any_order(order: list[str], two: list[dict[str, Any]]) -> None:
    ours = [
        {"name": name, "when": [{"kind": "carrier_in", "carriers": [name]}], "then": [then]}
        for name, then in zip(["Post", "Wing"], two, strict=True)
    ]
    turned = sorted(ours, key=lambda rule: order.index(str(rule["name"])))
    assert prices(run(rules_of(*ours))) == prices(run(rules_of(*turned)))


@given(st.lists(CHANGES, max_size=5), st.sets(st.sampled_from(["ground", "air", "slow"])))
def test_a_carrier_that_fails_changes_no_other_s_price(then: list[dict[str, Any]], gone: set[str]) -> None:
    """Only actions that compare services (free without a name, keep, drop) may mind who is there."""
    rules = rules_of(*({"then": [each]} for each in then))
    left = tuple(each for each in SERVICES if each.code not in gone)
    everyone, some = prices(run(rules)), prices(run(rules, None, left))
    assert some == {code: minor for code, minor in everyone.items() if code not in gone}


@given(st.lists(st.sampled_from([action for action, _ in ACTIONS]), min_size=1, max_size=6))
def test_a_rule_set_is_the_same_after_it_was_stored(actions: list[dict[str, Any]]) -> None:
    rules = rules_of(*({"then": [each]} for each in actions))
    assert RuleSet.model_validate_json(rules.model_dump_json()) == rules
    assert RuleSet.model_validate(rules.model_dump(mode="json")) == rules


def test_an_unknown_place_is_no_reason_to_fail() -> None:
    for action, _ in ACTIONS:
        run(rules_of({"then": [action]}), a_call(destination=None, lines=(), sums=None, parcels=()))
        run(rules_of({"then": [action]}), a_call(destination=Destination("XX")), ())
