"""Rules: a threshold to the cent, markups that round half up and never go below zero, in the merchant's order."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carriers.money import Money, exponent
from connector.rules.actions import FixedChange, Free, PercentChange
from connector.rules.conditions import CountryIn, SubtotalAtLeast
from connector.rules.facts import CallFacts, Priced, Step
from connector.rules.ruleset import Rule, RuleSet, apply
from connector.words.reason import Reason

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])
MINOR = st.integers(0, 10**9)


def priced(minor: int, code: str = "ground", currency: str = "EUR") -> Priced:
    price = Money(minor, currency)
    return Priced(code, price, (Step(Reason("step_carrier", {"carrier": "Fake"}), price),))


def prices(services: list[Priced]) -> dict[str, int]:
    return {service.code: service.price.minor for service in services}


def one_rule(*then: PercentChange | FixedChange | Free, when: tuple[SubtotalAtLeast | CountryIn, ...] = ()) -> RuleSet:
    return RuleSet(rules=(Rule(name="rule", when=when, then=then),))


THRESHOLD = one_rule(Free(), when=(SubtotalAtLeast(amount=Decimal("50.00"), currency="EUR"),))


# --- conditions


@pytest.mark.parametrize(("subtotal", "price"), [(4999, 700), (5000, 0), (5001, 0)])
def test_the_threshold_is_inclusive_to_the_cent(subtotal: int, price: int) -> None:
    services, _ = apply(THRESHOLD, CallFacts(Money(subtotal, "EUR")), [priced(700)])
    assert prices(services) == {"ground": price}


@given(CURRENCIES, MINOR, MINOR)
def test_the_threshold_holds_exactly_from_its_amount_on(currency: str, limit: int, subtotal: int) -> None:
    condition = SubtotalAtLeast(amount=Money(limit, currency).amount, currency=currency)
    why = condition.why_not(CallFacts(Money(subtotal, currency)))
    assert (why is None) == (subtotal >= limit)
    if why is not None:
        assert why.params["missing"] == Money(limit - subtotal, currency)


def test_an_amount_in_another_currency_never_matches() -> None:
    services, passed = apply(THRESHOLD, CallFacts(Money(10**9, "USD")), [priced(700)])
    assert prices(services) == {"ground": 700}
    assert [each.why.code for each in passed] == ["condition_other_currency"]


@pytest.mark.parametrize(("country", "holds"), [("AT", True), ("SK", True), ("DE", False), ("", False)])
def test_a_country_is_one_of_the_named_ones_and_an_unknown_one_is_none(country: str, holds: bool) -> None:
    condition = CountryIn(countries=("AT", "SK"))
    assert (condition.why_not(CallFacts(Money(1, "EUR"), country)) is None) == holds


def test_every_condition_has_to_hold() -> None:
    both = (SubtotalAtLeast(amount=Decimal(50), currency="EUR"), CountryIn(countries=("AT",)))
    rules = one_rule(Free(), when=both)
    assert prices(apply(rules, CallFacts(Money(5000, "EUR"), "AT"), [priced(700)])[0]) == {"ground": 0}
    assert prices(apply(rules, CallFacts(Money(5000, "EUR"), "DE"), [priced(700)])[0]) == {"ground": 700}


# --- actions


@given(MINOR, st.decimals(-100, 1000, places=3))
def test_a_percentage_rounds_half_up_and_never_goes_below_zero(minor: int, percent: Decimal) -> None:
    (changed,) = PercentChange(percent=percent).apply([priced(minor)])
    share = (minor * percent / 100).to_integral_value(ROUND_HALF_UP)
    assert changed.price == Money(max(0, minor + int(share)), "EUR")
    assert changed.price.minor >= 0


def test_half_a_cent_goes_up() -> None:
    assert prices(PercentChange(percent=Decimal("0.5")).apply([priced(100)])) == {"ground": 101}
    assert prices(PercentChange(percent=Decimal(5)).apply([priced(710)])) == {"ground": 746}


@given(CURRENCIES, MINOR, st.integers(-(10**6), 10**6))
def test_an_amount_is_added_exactly_and_never_leads_below_zero(currency: str, minor: int, change: int) -> None:
    amount = Money(change, currency).amount
    (changed,) = FixedChange(amount=amount, currency=currency).apply([priced(minor, currency=currency)])
    assert changed.price == Money(max(0, minor + change), currency)


def test_an_amount_in_another_currency_changes_nothing() -> None:
    service = priced(700, currency="USD")
    assert FixedChange(amount=Decimal("1.50"), currency="EUR").apply([service]) == [service]


def test_without_names_the_cheapest_is_free_and_the_others_keep_their_price() -> None:
    services = [priced(900, "express"), priced(700, "ground"), priced(700, "late")]
    assert prices(Free().apply(services)) == {"express": 900, "ground": 0, "late": 700}


def test_named_services_are_free_and_the_cheapest_is_not() -> None:
    services = [priced(900, "express"), priced(700, "ground")]
    assert prices(Free(services=("express", "gone")).apply(services)) == {"express": 0, "ground": 700}


def test_a_service_that_is_not_there_makes_nothing_free() -> None:
    assert prices(Free(services=("gone",)).apply([priced(700)])) == {"ground": 700}


def test_free_of_nothing_is_nothing() -> None:
    assert Free().apply([]) == []


# --- sets of rules


ACTIONS = st.one_of(
    st.builds(PercentChange, percent=st.decimals(-100, 200, places=1)),
    st.builds(FixedChange, amount=st.decimals(-20, 20, places=2), currency=st.sampled_from(["EUR", "USD"])),
    st.builds(Free, services=st.sampled_from([(), ("a",), ("a", "c")])),
)
SETS = st.lists(st.lists(ACTIONS, min_size=1, max_size=3), max_size=4).map(
    lambda groups: RuleSet(rules=tuple(Rule(name=f"rule {i}", then=tuple(then)) for i, then in enumerate(groups)))
)
SERVICES = st.lists(st.integers(0, 10_000), min_size=1, max_size=4).map(
    lambda minors: [priced(minor, "abcd"[i]) for i, minor in enumerate(minors)]
)


@given(SETS, SERVICES)
def test_every_price_ends_where_its_steps_end_and_nothing_is_lost(rules: RuleSet, services: list[Priced]) -> None:
    result, _ = apply(rules, CallFacts(Money(0, "EUR")), services)
    assert [each.code for each in result] == [each.code for each in services]
    for before, after in zip(services, result, strict=True):
        assert after.steps[-1].price == after.price
        assert after.steps[: len(before.steps)] == before.steps
        assert after.price.minor >= 0


@given(SETS, SERVICES)
def test_equal_input_gives_equal_output(rules: RuleSet, services: list[Priced]) -> None:
    call = CallFacts(Money(0, "EUR"))
    assert apply(rules, call, services) == apply(rules, call, services)


@given(SETS)
def test_rules_survive_being_stored(rules: RuleSet) -> None:
    assert RuleSet.model_validate_json(rules.model_dump_json()) == rules


def test_rules_apply_in_their_order() -> None:
    percent, fixed = PercentChange(percent=Decimal(10)), FixedChange(amount=Decimal("1.00"), currency="EUR")
    call = CallFacts(Money(0, "EUR"))
    first = RuleSet(rules=(Rule(name="a", then=(percent,)), Rule(name="b", then=(fixed,))))
    second = RuleSet(rules=(Rule(name="b", then=(fixed,)), Rule(name="a", then=(percent,))))
    assert prices(apply(first, call, [priced(1000)])[0]) == {"ground": 1200}
    assert prices(apply(second, call, [priced(1000)])[0]) == {"ground": 1210}


def test_a_rule_that_did_not_apply_says_which_condition_failed() -> None:
    _, passed = apply(THRESHOLD, CallFacts(Money(4990, "EUR")), [priced(700)])
    (only,) = passed
    assert only.rule == "rule"
    assert only.why.say() == "0.10 EUR is missing to 50.00 EUR."


def test_two_rules_of_one_name_are_refused() -> None:
    rule = Rule(name="same", then=(Free(),))
    with pytest.raises(ValidationError, match="same"):
        RuleSet(rules=(rule, rule))


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_an_amount_that_its_currency_cannot_show_is_refused(currency: str) -> None:
    amount = Decimal(1).scaleb(-exponent(currency) - 1)
    with pytest.raises(ValidationError):
        Rule(name="rule", then=(FixedChange(amount=amount, currency=currency),))


@pytest.mark.parametrize("kind", [PercentChange, FixedChange, Free, SubtotalAtLeast, CountryIn])
def test_every_condition_and_action_describes_itself(kind: type[PercentChange]) -> None:
    assert kind.help.endswith(".")
    assert kind.model_fields["kind"].default
