"""Rules at work: the threshold to the cent, changes of prices, what is free, and why a rule did not apply."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from connector.quotes.reduced import ReducedCart, ReducedLine, ReducedTotals
from connector.rules.actions import FixedChange, Free, PercentChange
from connector.rules.conditions import CountryIn, SubtotalAtLeast
from connector.rules.facts import CallFacts, CartSums, Destination, Priced
from connector.rules.ruleset import Rule, RuleSet, apply

MARKUP = Rule(name="markup", then=(PercentChange(percent=Decimal(10)),))
HANDLING = Rule(name="handling", then=(FixedChange(amount=Decimal("1.50"), currency="EUR"),))


def threshold(amount: str = "50.00", currency: str = "EUR", services: tuple[str, ...] = ()) -> Rule:
    condition = SubtotalAtLeast(amount=Decimal(amount), currency=currency)
    return Rule(name="free from", when=(condition,), then=(Free(services=services),))


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


def call(subtotal: Money, country: str = "AT") -> CallFacts:
    destination = Destination(country) if country else None
    return CallFacts(subtotal.currency, sums=CartSums(subtotal.minor), destination=destination)


def services(currency: str = "EUR", **prices: int) -> list[Priced]:
    return [Priced(code, Money(minor, currency)) for code, minor in prices.items()]


def prices_after(rules: Sequence[Rule], subtotal: Money, priced: list[Priced], country: str = "AT") -> dict[str, int]:
    found, _ = apply(RuleSet(rules=tuple(rules)), call(subtotal, country), priced)
    return {each.code: each.price.minor for each in found}


def passed(rules: Sequence[Rule], subtotal: Money, country: str = "AT") -> list[tuple[str, str]]:
    found = apply(RuleSet(rules=tuple(rules)), call(subtotal, country), services(a=700))[1]
    return [(each.rule, each.why.say()) for each in found]


# --- the threshold ------------------------------------------------------------------------------------------------


@pytest.mark.need(2)
@pytest.mark.parametrize(("subtotal", "free"), [("49.99", False), ("50.00", True), ("50.01", True)])
def test_shipping_is_free_from_the_threshold_on_to_the_cent(subtotal: str, free: bool) -> None:
    assert prices_after([threshold()], eur(subtotal), services(a=700)) == {"a": 0 if free else 700}


@pytest.mark.need(2)
@pytest.mark.complaint(21)
@pytest.mark.parametrize(
    ("subtotal", "discount", "worth"),
    [(5000, 0, 5000), (5499, 500, 4999), (5500, 500, 5000), (4900, None, 4900), (100, 500, 0)],
)
def test_the_threshold_looks_at_the_whole_cart_after_its_discounts(
    subtotal: int, discount: int | None, worth: int
) -> None:
    """A group of a split cart counts with the others: the lines of this call are not what is compared."""
    totals = ReducedTotals(subtotal=subtotal, discount=discount)
    cart = ReducedCart(lines=(ReducedLine(quantity=1, price=1),), currency="EUR", totals=totals)
    assert cart.goods == Money(worth, "EUR")


def test_without_totals_the_threshold_looks_at_the_lines_of_the_call() -> None:
    lines = (ReducedLine(quantity=3, price=1500), ReducedLine(quantity=1, price=500, requires_shipping=False))
    assert ReducedCart(lines=lines, currency="EUR").goods == eur("50.00")


@pytest.mark.need(2)
@pytest.mark.parametrize(("currency", "minor"), [("JPY", 5000), ("KWD", 50_000), ("USD", 999_999)])
def test_a_threshold_in_another_currency_never_matches(currency: str, minor: int) -> None:
    found, left = apply(RuleSet(rules=(threshold(),)), call(Money(minor, currency)), services(currency, a=minor // 10))
    assert found[0].price.minor == minor // 10
    assert left[0].why.say() == f"its amount is in EUR, the cart in {currency}."


@pytest.mark.parametrize(("currency", "amount", "least"), [("JPY", "5000", 5000), ("KWD", "49.999", 49_999)])
def test_the_threshold_is_exact_in_currencies_without_cents_too(currency: str, amount: str, least: int) -> None:
    rule = threshold(amount, currency)
    for minor, expected in ((least - 1, 7), (least, 0)):
        assert prices_after([rule], Money(minor, currency), services(currency, a=7)) == {"a": expected}


@given(limit=st.integers(0, 10**9), worth=st.integers(0, 10**9))
def test_the_threshold_holds_exactly_where_the_cart_is_worth_it(limit: int, worth: int) -> None:
    rule = threshold(str(Money(limit, "EUR").amount))
    free = prices_after([rule], Money(worth, "EUR"), services(a=700)) == {"a": 0}
    assert free == (worth >= limit)


# --- what becomes free --------------------------------------------------------------------------------------------


def test_the_cheapest_service_becomes_free_where_none_is_named() -> None:
    assert prices_after([threshold("0")], eur("1"), services(a=900, b=700, c=800)) == {"a": 900, "b": 0, "c": 800}


def test_of_equally_cheap_services_the_first_becomes_free() -> None:
    assert prices_after([threshold("0")], eur("1"), services(a=700, b=700)) == {"a": 0, "b": 700}


def test_named_services_become_free_even_if_others_are_cheaper() -> None:
    rule = threshold("0", services=("a", "c", "gone"))
    assert prices_after([rule], eur("1"), services(a=900, b=700, c=800)) == {"a": 0, "b": 700, "c": 0}


def test_a_name_that_no_carrier_offers_makes_nothing_free() -> None:
    assert prices_after([threshold("0", services=("gone",))], eur("1"), services(a=900)) == {"a": 900}


def test_without_services_nothing_becomes_free() -> None:
    assert prices_after([threshold("0")], eur("1"), []) == {}


# --- changes of prices --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "percent", "after"),
    [
        (1000, "10", 1100),
        (705, "10", 776),
        (704, "10", 774),
        (1, "50", 2),
        (1, "49.9", 1),
        (1000, "-5", 950),
        (10, "-5", 9),
        (1000, "-100", 0),
        (333, "0", 333),
        (1, "1000", 11),
    ],
)
def test_a_percentage_is_rounded_half_up(minor: int, percent: str, after: int) -> None:
    rule = Rule(name="r", then=(PercentChange(percent=Decimal(percent)),))
    assert prices_after([rule], eur("1"), services(a=minor)) == {"a": after}


@given(minor=st.integers(0, 10**9), percent=st.decimals(Decimal(-100), Decimal(1000), places=2, allow_nan=False))
def test_a_percentage_is_the_exact_share_rounded_and_never_below_zero(minor: int, percent: Decimal) -> None:
    rule = Rule(name="r", then=(PercentChange(percent=percent),))
    share = int((minor * percent / 100).to_integral_value(ROUND_HALF_UP))
    assert prices_after([rule], eur("1"), services(a=minor)) == {"a": max(0, minor + share)}


@given(minor=st.integers(0, 10**9), change=st.integers(-(10**9), 10**9))
def test_a_fixed_change_is_exact_and_never_goes_below_zero(minor: int, change: int) -> None:
    rule = Rule(name="r", then=(FixedChange(amount=Money(change, "EUR").amount, currency="EUR"),))
    assert prices_after([rule], eur("1"), services(a=minor)) == {"a": max(0, minor + change)}


def test_a_fixed_change_leaves_prices_in_other_currencies_alone() -> None:
    found, _ = apply(RuleSet(rules=(HANDLING,)), call(Money(1, "JPY")), services("JPY", a=700))
    assert (found[0].price, found[0].steps) == (Money(700, "JPY"), ())


def test_rules_apply_in_their_order() -> None:
    assert prices_after([MARKUP, HANDLING], eur("1"), services(a=1000)) == {"a": 1250}
    assert prices_after([HANDLING, MARKUP], eur("1"), services(a=1000)) == {"a": 1265}


def test_what_is_free_is_decided_by_the_prices_of_that_moment() -> None:
    """A rule that comes later starts from what the rules before it made of the prices; what is free stays free."""
    dearer = Rule(name="r", then=(FixedChange(amount=Decimal("-5.00"), currency="EUR"),))
    assert prices_after([threshold("0"), HANDLING], eur("1"), services(a=700, b=800)) == {"a": 0, "b": 950}
    assert prices_after([dearer, threshold("0")], eur("1"), services(a=400, b=300)) == {"a": 0, "b": 0}


ACTIONS = st.one_of(
    st.builds(PercentChange, percent=st.decimals(-100, 200, places=1)),
    st.builds(FixedChange, amount=st.decimals(-20, 20, places=2), currency=st.sampled_from(["EUR", "USD"])),
    st.builds(Free, services=st.sampled_from([(), ("a",), ("b", "gone")])),
)
SETS = st.lists(st.lists(ACTIONS, min_size=1, max_size=3), max_size=4).map(
    lambda groups: RuleSet(rules=tuple(Rule(name=f"rule {i}", then=tuple(then)) for i, then in enumerate(groups)))
)


@given(SETS, st.lists(st.integers(0, 10**6), max_size=3))
def test_every_price_is_what_its_last_step_came_to_and_no_service_is_lost(rules: RuleSet, minors: list[int]) -> None:
    priced = [Priced(code, Money(minor, "EUR")) for code, minor in zip("abc", minors, strict=False)]
    found, left = apply(rules, call(eur("5")), priced)
    assert {each.code for each in found} == {each.code for each in priced}
    assert left == []
    for before, after in zip(priced, sorted(found, key=lambda each: each.code), strict=True):
        assert after.price == (after.steps[-1].price if after.steps else before.price)
        assert after.price.minor >= 0
    assert RuleSet.model_validate_json(rules.model_dump_json()) == rules


# --- conditions ---------------------------------------------------------------------------------------------------


def test_a_country_condition_holds_for_its_countries_only() -> None:
    rule = Rule(name="near", when=(CountryIn(countries=("SK", "AT")),), then=(Free(),))
    for country, expected in (("AT", 0), ("SK", 0), ("US", 700), ("", 700)):
        assert prices_after([rule], eur("1"), services(a=700), country) == {"a": expected}


def test_a_rule_needs_all_its_conditions_and_names_the_first_that_did_not_hold() -> None:
    both = Rule(name="both", when=(*threshold().when, CountryIn(countries=("SK",))), then=(Free(),))
    assert passed([both], eur("50.00"), "SK") == []
    assert passed([both], eur("49.99"), "US") == [("both", "0.01 EUR is missing to 50.00 EUR.")]
    assert passed([both], eur("50.00"), "US") == [("both", "the parcel goes to US.")]


def test_a_rule_that_did_not_apply_stops_no_other() -> None:
    assert prices_after([threshold(), MARKUP], eur("1"), services(a=1000)) == {"a": 1100}
