"""Money is exact: whole minor units, one currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money, MoneyError, exponent

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
MINOR = st.integers(-(10**12), 10**12)


@given(MINOR, CURRENCIES)
def test_an_amount_reads_back_from_its_own_text(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(str(money).split()[0], currency) == money
    assert Money.parse(money.amount, currency) == money


@given(MINOR, MINOR, CURRENCIES)
def test_sums_and_differences_tie(one: int, other: int, currency: str) -> None:
    first, second = Money(one, currency), Money(other, currency)
    assert first + second - second == first
    assert (first < second) == (one < other)
    negated = -first
    assert -negated == first


@given(MINOR, st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_shares_add_up_to_the_whole_and_follow_their_weights(minor: int, weights: list[int]) -> None:
    parts = Money(minor, "USD").share_out(weights)
    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Decimal(part.minor) - Decimal(minor) * weight / sum(weights)) < 1


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_shares_need_weights(weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        Money(100, "USD").share_out(weights)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("34.15", "USD", 3415),
        ("6.07000", "USD", 607),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("-3.5", "EUR", -350),
    ],
)
def test_a_text_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1,50",
        "NaN",
        "Infinity",
        "-Infinity",
        "1.005",
        "0x10",
        "1e400000000",
        "9" * 30,
        "0." + "1" * 40,
        "1e15",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, "USD")


@pytest.mark.parametrize("text", ["", "NaN", "sNaN", "Infinity"])
def test_what_is_no_amount_cannot_be_rounded_either(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.rounded(text, "USD")


def test_a_yen_has_no_decimals() -> None:
    assert exponent("JPY") == 0
    with pytest.raises(MoneyError):
        Money.parse("10.5", "JPY")


def test_half_a_cent_is_rounded_up() -> None:
    assert Money.rounded("1.005", "USD") == Money(101, "USD")
    assert Money.rounded("1.0049", "USD") == Money(100, "USD")
    assert Money(250, "USD").percent(Decimal("0.2")) == Money(1, "USD")


def test_two_currencies_do_not_mix() -> None:
    dollars, euros = Money(1, "USD"), Money(1, "EUR")
    for together in (
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: dollars >= euros,
    ):
        with pytest.raises(MoneyError):
            together()


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "US1", "ÜSD", ""])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(MoneyError):
        Money(1, currency)


@pytest.mark.parametrize("minor", [1.0, True, "1"])
def test_an_amount_is_never_a_float(minor: object) -> None:
    with pytest.raises(MoneyError):
        Money(minor, "USD")  # type: ignore[arg-type]


@given(st.integers(-(10**12), 10**12), st.decimals(-1000, 1000, places=3))
def test_a_percentage_is_the_exact_share_with_half_away_from_zero(minor: int, percent: Decimal) -> None:
    exact = (minor * percent / 100).to_integral_value(ROUND_HALF_UP)
    assert Money(minor, "EUR").percent(percent).minor == int(exact)
