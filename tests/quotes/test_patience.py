"""The platform that hangs up early shortens our patience; a single lost call does not."""

from __future__ import annotations

import pytest

from connector.quotes.patience import FLOOR_S, Patience


class Seconds:
    """A monotonic clock that moves only when told to."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def cut(patience: Patience, *after: float) -> None:
    for each in after:
        patience.hung_up("shop_1", each)


def test_three_calls_that_were_cut_shorten_the_deadline_of_that_shop(seconds: Seconds) -> None:
    patience = Patience(seconds)
    cut(patience, 2.0, 2.1)
    assert patience.within("shop_1", 2.5) == 2.5
    cut(patience, 2.2)
    assert patience.within("shop_1", 2.5) == pytest.approx(1.8)
    assert patience.within("shop_2", 2.5) == 2.5


def test_never_below_the_floor_and_never_above_the_shop_s_own_deadline(seconds: Seconds) -> None:
    patience = Patience(seconds)
    cut(patience, 0.5, 0.5, 0.5)
    assert patience.within("shop_1", 2.5) == FLOOR_S
    assert patience.within("shop_1", 0.4) == 0.4


def test_cuts_far_apart_are_accidents(seconds: Seconds) -> None:
    patience = Patience(seconds)
    for minute in (0, 12, 24):
        seconds.at = minute * 60.0
        cut(patience, 1.5)
    assert patience.within("shop_1", 2.5) == 2.5


def test_after_half_an_hour_without_a_cut_the_shop_s_own_deadline_holds_again(seconds: Seconds) -> None:
    patience = Patience(seconds)
    cut(patience, 1.5, 1.5, 1.5)
    seconds.at = 1801.0
    assert patience.within("shop_1", 2.5) == 2.5


def test_a_caller_who_went_at_once_tells_nothing(seconds: Seconds) -> None:
    patience = Patience(seconds)
    cut(patience, 0.01, 0.02, 0.03, 0.04)
    assert patience.within("shop_1", 2.5) == 2.5
