"""The sandbox carrier's prices can be checked by hand, in every currency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.money import Money
from carriers.parcel import Parcel
from carriers.sandbox.prices import SERVICES, Service, carries, distance_percent, price, transit_days

ECONOMY, STANDARD, EXPRESS = SERVICES
HERE = Address("SK", province="BL")
NEAR = Address("sk", province="bl")
HOME = Address("SK", province="KI")
ABROAD = Address("AT", province="BL")


def parcel(grams: int) -> Parcel:
    return Parcel(Weight(grams))


@pytest.mark.parametrize(
    ("service", "to", "grams", "currency", "expected"),
    [
        (ECONOMY, NEAR, 500, "EUR", "3.90"),
        (ECONOMY, HOME, 500, "EUR", "4.68"),
        (STANDARD, NEAR, 501, "EUR", "6.20"),
        (STANDARD, HOME, 1200, "USD", "8.40"),
        (EXPRESS, ABROAD, 0, "EUR", "35.70"),
        (STANDARD, NEAR, 500, "JPY", "810"),
        (STANDARD, NEAR, 500, "KWD", "1.620"),
        (STANDARD, NEAR, 500, "PLN", "21.60"),
    ],
)
def test_the_price_is_the_documented_formula(
    service: Service, to: Address, grams: int, currency: str, expected: str
) -> None:
    assert price(service, HERE, to, [parcel(grams)], currency) == Money.parse(expected, currency)


def test_a_signature_is_paid_per_parcel() -> None:
    plain = price(STANDARD, HERE, HOME, [parcel(100)] * 2, "EUR")
    assert price(STANDARD, HERE, HOME, [parcel(100)] * 2, "EUR", "any") - plain == Money(300, "EUR")
    assert price(STANDARD, HERE, HOME, [parcel(100)] * 2, "EUR", "adult") - plain == Money(600, "EUR")


def test_an_unknown_province_counts_as_another_one() -> None:
    assert distance_percent(Address("SK"), Address("SK")) == 120


def test_abroad_takes_four_days_more() -> None:
    assert [transit_days(service, HERE, ABROAD) for service in SERVICES] == [9, 7, 5]
    assert [transit_days(service, HERE, HOME) for service in SERVICES] == [5, 3, 1]


def test_what_is_too_heavy_or_too_long_is_not_carried() -> None:
    assert not carries(ECONOMY, [parcel(10_001)])
    assert carries(STANDARD, [parcel(30_000)])
    assert not carries(EXPRESS, [Parcel(Weight(1), Size(1501, 1, 1))])


@given(
    st.sampled_from(SERVICES),
    st.integers(0, 30_000),
    st.integers(0, 30_000),
    st.sampled_from(["EUR", "JPY", "KWD", "USD", "XXX"]),
)
def test_a_heavier_parcel_is_never_cheaper(service: Service, one: int, other: int, currency: str) -> None:
    light, heavy = sorted((one, other))
    assert price(service, HERE, HOME, [parcel(light)], currency) <= price(
        service, HERE, HOME, [parcel(heavy)], currency
    )
