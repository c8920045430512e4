"""The borders of what a label may cost more than its quote, in every kind of currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from carriers.money import Money
from carriers.rate import Rate
from connector.labels.choose import Chosen, Terms, choose
from connector.labels.terms import amount_in
from connector.rules.exchange import ExchangeRate


def bought_as(minor: int, currency: str, **more: Any) -> dict[str, Any]:
    return {"account": "", "carrier": "Fake", "service": "Ground", "minor": minor, "currency": currency, **more}


def rate(minor: int, currency: str, service: str = "Ground") -> Rate:
    return Rate("ca_1", "Fake", service, Money(minor, currency), rate_id=f"{service}.{minor}")


@pytest.mark.parametrize(
    ("quoted", "most"),
    [
        (Money(7, "EUR"), 57),  # 5 % of 0.07 is nothing; 0.50 is larger
        (Money(1000, "EUR"), 1050),  # both are the same
        (Money(1010, "EUR"), 1061),  # 50.5 goes up
        (Money(10_000, "EUR"), 10_500),
        (Money(500, "JPY"), 525),
        (Money(9, "JPY"), 10),  # at least one
        (Money(10_000, "KWD"), 10_500),
        (Money(1000, "KWD"), 1500),
    ],
)
def test_the_last_price_is_bought_and_the_next_is_not(quoted: Money, most: int) -> None:
    promised = bought_as(quoted.minor, quoted.currency)
    last = choose([rate(most, quoted.currency)], promised, by_person=False)
    assert isinstance(last, Chosen)
    over = choose([rate(most + 1, quoted.currency)], promised, by_person=False)
    assert getattr(over, "code", "") == "dearer_than_quoted"


@pytest.mark.parametrize(("minor", "bought"), [(900, True), (901, False)])
def test_a_limit_is_kept_to_the_minor_unit(minor: int, bought: bool) -> None:
    promised = bought_as(700, "EUR", limit_minor=900)
    assert isinstance(choose([rate(minor, "EUR")], promised, by_person=False), Chosen) is bought


def test_of_equal_names_at_several_prices_the_cheapest_is_bought() -> None:
    found = choose([rate(1000, "EUR"), rate(720, "EUR"), rate(760, "EUR")], bought_as(700, "EUR"), by_person=False)
    assert isinstance(found, Chosen)
    assert found.rate.price == Money(720, "EUR")


def test_without_a_quote_a_person_buys_the_cheapest_of_one_currency_and_no_figure_beats_another_currency() -> None:
    """900 yen are less than 8 euros, whatever the figures say; yet nobody said what a yen is worth."""
    rates = [rate(900, "JPY", "Air"), rate(800, "EUR"), rate(1200, "EUR", "Fast")]
    found = choose(rates, None, by_person=True, terms=Terms(home="EUR"))
    assert isinstance(found, Chosen)
    assert found.rate.price == Money(800, "EUR")
    foreign = choose([rate(900, "JPY", "Air"), rate(950, "JPY")], None, by_person=True, terms=Terms(home="EUR"))
    assert isinstance(foreign, Chosen)
    assert foreign.rate.price == Money(900, "JPY")


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("EUR", "0.50"), ("USD", "0.55"), ("JPY", "80"), ("CHF", "0")],
)
def test_the_amount_is_the_shops_own_in_the_currency_of_the_quote(currency: str, amount: str) -> None:
    rates = [
        ExchangeRate(of="EUR", into="USD", rate=Decimal("1.1")),
        ExchangeRate(of="EUR", into="JPY", rate=Decimal(160)),
    ]
    assert amount_in(Decimal("0.50"), "EUR", currency, rates) == Decimal(amount)
