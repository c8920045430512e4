"""Free-shipping thresholds: the boundary table of `threshold_cases.md`, and what holds for any cart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carriers.money import Money
from connector.rules.exchange import ExchangeRate
from connector.rules.facts import CallFacts, CartSums, Destination, LineFacts, ParcelFacts, Priced, Silent, Step
from connector.rules.thresholds import Threshold, ready, without_rate
from connector.rules.thresholds_apply import apply, price_before
from connector.rules.thresholds_counted import counted
from connector.words.reason import Reason, codes
from tests.rules.threshold_rows import Case, cases

CASES = cases()


@pytest.mark.need(2)
@pytest.mark.complaint(21)
@pytest.mark.complaint(22)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_boundary_table_holds(case: Case) -> None:
    """Amounts, prices and reasons are as they were worked out by hand."""
    thresholds, call = case.thresholds(), case.call()
    applied = apply(ready(thresholds), call, case.services(), case.services("safety"))
    assert {each.code: each.price.minor for each in applied.services} | case.prices() == {
        each.code: each.price.minor for each in applied.services
    }
    if "prices" in case.cells:
        assert {each.code for each in applied.services} == set(case.prices())
    if case.cells.get("counted"):
        assert counted(call, thresholds[0]).amount == Money.parse(case.cells["counted"], case.currency)
    said = {each.why.code for each in applied.passed} | {note.code for note in applied.notes}
    said |= {mark.code for mark in counted(call, thresholds[0]).marks}
    for code in case.cells.get("says", "").split():
        assert (code.removeprefix("!") in said) != code.startswith("!"), (code, said)
    assert said <= codes()


def test_the_table_is_large_enough() -> None:
    assert len(CASES) >= 150
    assert len({str(case) for case in CASES}) == len(CASES)


# --- what holds for any cart ------------------------------------------------------------------------------------------

PRICES = st.integers(0, 5000)
SERVICES = st.lists(
    st.tuples(
        PRICES,
        st.sampled_from(["economy", "standard", "express", "overnight", "freight", "pickup", "other"]),
        st.sampled_from(["live", "held", "cached", "learned", "safety", "table"]),
        st.one_of(st.none(), st.integers(0, 9)),
    ),
    max_size=6,
)


def make(**fields: Any) -> Threshold:
    return Threshold.model_validate({"name": "t", "amount": "50.00", "currency": "EUR", **fields})


def priced(found: list[tuple[int, str, str, int | None]]) -> list[Priced]:
    return [
        Priced(
            f"s{number}",
            Money(minor, "EUR"),
            (Step.to(Reason("step_carrier"), Money(minor, "EUR")),),
            service_class=service_class,
            source=source,  # type: ignore[arg-type]
            transit_days=days,
        )
        for number, (minor, service_class, source, days) in enumerate(found)
    ]


def worth(minor: int, **fields: Any) -> CallFacts:
    return CallFacts("EUR", sums=CartSums(minor, 0), destination=Destination("SK", "", "", "81101"), **fields)


@given(SERVICES, st.integers(0, 20_000), st.sampled_from(["", "standard", "express"]), st.booleans())
def test_no_price_is_ever_raised_and_none_is_negative(
    found: list[tuple[int, str, str, int | None]], subtotal: int, freed: str, silent: bool
) -> None:
    services = priced(found)
    threshold = make(service_class=freed, tiers=[{"amount": "100.00", "service_class": "express"}])
    call = worth(subtotal, silent=(Silent("DHL"),) if silent else ())
    applied = apply(ready([threshold]), call, services)
    assert [each.code for each in applied.services] == [each.code for each in services]
    for before, after in zip(services, applied.services, strict=True):
        assert 0 <= after.price.minor <= before.price.minor
        assert price_before(after) == (before.price if after.price != before.price else None)


@pytest.mark.complaint(22)
@given(SERVICES, st.integers(5000, 20_000))
def test_a_silent_carrier_makes_nothing_free_that_would_not_be_without_its_failure(
    found: list[tuple[int, str, str, int | None]], subtotal: int
) -> None:
    """Whatever the silent carrier would have said, what is free without its answer is of the freed class or slower."""
    services = [each for each in priced(found) if each.service_class != "standard"]
    call = worth(subtotal, silent=(Silent("DHL"),))
    for after in apply(ready([make(service_class="standard")]), call, services).services:
        before = next(each for each in services if each.code == after.code)
        assert after.price == before.price


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_amount_falls_with_the_discount_and_is_never_negative(subtotal: int, less: int, more: int) -> None:
    less, more = sorted((less, more))
    rule = make(counts_digital=False)
    lines = (LineFacts(1, subtotal // 2), LineFacts(1, subtotal // 3, requires_shipping=False))
    amounts = [
        counted(CallFacts("EUR", lines, CartSums(subtotal, off)), rule).amount.minor for off in (0, less, more, 10**6)
    ]
    assert amounts[0] >= amounts[1] >= amounts[2] - 1
    assert min(amounts) >= 0


@given(st.integers(1, 10**6), st.decimals("0.001", "900", places=3))
def test_a_converted_limit_is_never_lower_than_what_it_stands_for(minor: int, rate: Decimal) -> None:
    """Exactly reached in the threshold's currency, or more: a limit is rounded up."""
    limit = Money(minor, "EUR")
    into = ready([make(amount=str(limit.amount))])
    rates = (ExchangeRate(of="EUR", into="USD", rate=rate),)
    exact = minor * rate
    for subtotal, free in ((int(exact), exact == int(exact)), (int(exact) + 1, True)):
        call = CallFacts("USD", sums=CartSums(subtotal, 0), rates=rates)
        (service,) = apply(into, call, [Priced("a", Money(700, "USD"), service_class="standard")]).services
        assert (service.price.minor == 0) == free


# --- what a model refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"amount": "50.001"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"currency": "JPY"}, "amount"),
        ({"currency": "euro"}, "currency"),
        ({"tax": "without"}, "tax_percent"),
        ({"service_class": "standard", "services": ["a"]}, "not both"),
        ({"services": ["*", "a"]}, "stands alone"),
        ({"service_class": "fast"}, "service_class"),
        ({"where": ["Slovakia"]}, "no place"),
        ({"where": ["IT:07029-07020"]}, "no range"),
        ({"tiers": [{"amount": "100.005"}]}, "tiers.0.amount"),
        ({"tiers": [{"amount": "100", "price": "1.005"}]}, "tiers.0.price"),
        ({"excludes": {"colour": "red"}}, "excludes.colour"),
        ({"surprise": True}, "surprise"),
    ],
)
def test_what_does_not_validate_is_refused_by_name(fields: dict[str, Any], says: str) -> None:
    body = {"name": "t", "amount": "50.50", "currency": "EUR", **fields}
    with pytest.raises(ValidationError) as caught:
        Threshold.model_validate(body)
    assert says in str(caught.value)


def test_a_threshold_without_a_rate_into_the_shops_currency_is_found() -> None:
    euro, dollar = make(name="euro"), make(name="dollar", currency="USD")
    assert without_rate([euro, dollar], "EUR", ()) == [dollar]
    assert without_rate([euro, dollar], "EUR", (ExchangeRate(of="EUR", into="USD", rate=Decimal(2)),)) == []


def test_a_threshold_is_stored_as_it_was_written() -> None:
    threshold = make(tiers=[{"amount": "100.00", "services": ["a"]}], where=["gr: 84*"], excludes={"hazmat": True})
    assert Threshold.model_validate(threshold.model_dump(mode="json")) == threshold
    assert threshold.where == ("GR:84*",)


def test_what_the_store_takes_off_itself_can_be_shown_as_the_checkout_will() -> None:
    published = ready([make(service_class="standard", by_store=True)])
    service = Priced("a", Money(690, "EUR"), service_class="standard")
    assert apply(published, worth(5000), [service]).services == [service]
    assert apply(published, worth(5000), [service], by_store_too=True).services[0].price.minor == 0


def test_a_parcel_that_is_too_long_makes_the_call_not_free() -> None:
    long = ready([make(service_class="standard", excludes={"parcel_over_mm": 1200})])
    service = Priced("a", Money(690, "EUR"), service_class="standard")
    for side, free in ((1200, True), (1201, False)):
        call = worth(5000, parcels=(ParcelFacts(900, (300, side, 200)),))
        assert (apply(long, call, [service]).services[0].price.minor == 0) == free
