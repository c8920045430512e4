"""Weights and sizes are whole grams and millimetres, and are rounded towards the billable side at the edge."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.measure import GRAMS_PER_OUNCE, MeasureError, Size, Weight

GRAMS = st.integers(0, 10**7)
SIDE = st.integers(1, 10_000)


@given(GRAMS)
def test_ounces_are_rounded_up_by_less_than_a_tenth(grams: int) -> None:
    exact = Decimal(grams) / GRAMS_PER_OUNCE
    ounces = Weight(grams).ounces()
    assert exact <= ounces < exact + Decimal("0.1")
    assert ounces * 10 == int(ounces * 10)


@given(GRAMS)
def test_ounces_read_back_are_never_lighter(grams: int) -> None:
    assert Weight(grams) <= Weight.from_ounces(Weight(grams).ounces())


@given(SIDE, SIDE, SIDE)
def test_inches_are_rounded_up_by_less_than_a_tenth(length: int, width: int, height: int) -> None:
    for mm, inches in zip((length, width, height), Size(length, width, height).inches(), strict=True):
        assert Decimal(mm) / Decimal("25.4") <= inches < Decimal(mm) / Decimal("25.4") + Decimal("0.1")


@given(GRAMS, GRAMS, st.integers(0, 1000))
def test_weights_add_and_multiply(one: int, other: int, times: int) -> None:
    assert (Weight(one) + Weight(other)).grams == one + other
    assert (Weight(one) * times).grams == one * times


def test_a_pound_is_sixteen_ounces() -> None:
    assert Weight.from_pounds(Decimal(1)) == Weight(454)
    assert Weight.from_ounces(Decimal(16)) == Weight(454)
    assert Weight(454).ounces() == Decimal("16.1")


def test_nothing_weighs_less_than_nothing() -> None:
    with pytest.raises(MeasureError):
        Weight(-1)


@pytest.mark.parametrize("sides", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_a_size_has_three_sides(sides: tuple[int, int, int]) -> None:
    with pytest.raises(MeasureError):
        Size(*sides)


def test_a_volume_is_the_product_of_the_sides() -> None:
    assert Size(10, 20, 30).volume == 6000
    assert str(Size(10, 20, 30)) == "10x20x30 mm"
