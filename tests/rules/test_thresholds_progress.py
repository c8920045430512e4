"""What a widget says of free shipping: never more than the checkout keeps, in every language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.money import Money
from connector.rules.facts import CallFacts, CartSums, Destination, LineFacts
from connector.rules.progress import displayed, free_from, progress
from connector.rules.thresholds import Ready, Threshold, ready

LANGUAGES = ("en", "sk", "ar", "pl", "hy", "el")


def made(**fields: Any) -> tuple[Ready, ...]:
    return ready([Threshold.model_validate({"name": "t", "amount": "50.00", "currency": "EUR", **fields})])


def worth(minor: int, **fields: Any) -> CallFacts:
    return CallFacts("EUR", sums=CartSums(minor, 0), destination=Destination("SK"), **fields)


@pytest.mark.need(2)
@pytest.mark.parametrize(
    ("minor", "missing", "says"),
    [
        (3760, 1240, "12.40 EUR more for free shipping"),
        (4999, 1, "0.01 EUR more for free shipping"),
        (5000, None, "Shipping is free"),
    ],
)
def test_what_is_missing_is_told_to_the_cent(minor: int, missing: int | None, says: str) -> None:
    found = progress(made(), worth(minor))
    assert found.missing == (None if missing is None else Money(missing, "EUR"))
    assert (found.reached, found.say()) == (missing is None, says)


def test_the_next_tier_follows_the_one_that_is_reached() -> None:
    rungs = made(service_class="standard", tiers=[{"amount": "100.00", "service_class": "express"}])
    found = progress(rungs, worth(6000))
    assert (found.tier, found.free_class, found.next_class) == (1, "standard", "express")
    assert (found.missing, found.limit) == (Money(4000, "EUR"), Money(10_000, "EUR"))
    assert found.say() == "40.00 EUR more for faster free shipping"
    assert progress(rungs, worth(10_000)).tier == 2


def test_a_reduced_price_is_not_called_free() -> None:
    found = progress(made(price="2.90"), worth(3000))
    assert found.say() == "20.00 EUR more for cheaper shipping"
    assert not progress(made(price="2.90"), worth(5000)).reached


def test_a_tier_that_only_reduces_does_not_hide_the_way_to_free_shipping() -> None:
    rungs = made(tiers=[{"amount": "30.00", "price": "2.90"}])
    assert progress(rungs, worth(1000)).missing == Money(4000, "EUR")


def test_an_excluded_item_is_named_and_nothing_is_promised() -> None:
    heavy = LineFacts(1, 9000, name="Anvil", tags=frozenset({"bulky"}))
    found = progress(made(excludes={"tags": ["bulky"]}), worth(9000, lines=(heavy,)))
    assert (found.reached, found.missing) == (False, None)
    assert found.why is not None
    assert (found.why.code, found.why.params["item"]) == ("threshold_excluded_item", "Anvil")
    assert found.say() == "This cart does not ship free"


def test_what_the_store_takes_off_itself_counts_as_well() -> None:
    assert progress(made(by_store=True), worth(5000)).reached


def test_without_a_threshold_there_is_nothing_to_say() -> None:
    assert progress((), worth(5000)).say() == ""
    assert free_from((), worth(0)) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_it_from_the_amount_on(language: str) -> None:
    assert "50.00 EUR" in free_from(made(), worth(0), language)
    told = {progress(made(), worth(minor)).say(language) for minor in (1000, 5000)}
    assert len(told) == 2
    assert "12.40" in progress(made(), worth(3760)).say(language)


@pytest.mark.parametrize(
    ("minor", "currency", "into", "rate", "shown"),
    [
        (1, "EUR", "HUF", "389.5", 400),  # 3.895 forint are 4: nobody pays parts of one.
        (1240, "EUR", "JPY", "163.01", 2022),  # 2021.324 yen
        (100, "EUR", "KWD", "0.33", 330),
        (1, "EUR", "KWD", "0.33", 4),  # 3.3 fils
        (1999950, "HUF", "HUF", None, 2000000),
        (1, "JPY", "USD", "0.0064", 1),
        (1240, "EUR", "EUR", None, 1240),
        (1240, "EUR", "USD", None, 1240),  # Without a rate it stays as it is.
    ],
)
def test_another_currency_is_rounded_up_to_what_is_displayed(
    minor: int, currency: str, into: str, rate: str | None, shown: int
) -> None:
    found = displayed(Money(minor, currency), into, None if rate is None else Decimal(rate))
    assert (found.minor, found.currency) == (shown, into if rate is not None else currency)


@given(st.integers(0, 10**7), st.decimals("0.0001", "5000", places=4), st.sampled_from(["JPY", "KWD", "HUF", "USD"]))
def test_a_widget_never_promises_less_than_the_checkout_asks(minor: int, rate: Decimal, into: str) -> None:
    found = displayed(Money(minor, "EUR"), into, rate)
    assert found.amount >= Money(minor, "EUR").amount * rate
    assert displayed(found, into) == found


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        displayed(Money(1, "EUR"), "USD", Decimal(0))
