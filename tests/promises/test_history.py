"""Days from a lane's own parcels: from 30 on, honest about the share, and not fooled by what still travels."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.promises.history import LEAST, NEWEST, Count, estimate
from connector.promises.lanes import LaneID, book, region_of


def counts(*days: int, week: int = 100) -> list[Count]:
    return [Count(week, each, parcels) for each, parcels in Counter(days).items()]


def test_a_lane_speaks_from_thirty_parcels_on() -> None:
    assert estimate(counts(*[2] * (LEAST - 1)), 90) is None
    found = estimate(counts(*[2] * LEAST), 90)
    assert found is not None
    assert (found.least, found.most, found.parcels) == (2, 2, LEAST)
    assert 900 <= found.permille < 1000  # Thirty parcels cannot tell of the one in a hundred.


@pytest.mark.need(27)
def test_the_share_that_the_day_really_has_is_stated() -> None:
    found = estimate(counts(*[2] * 40, *[3] * 56, *[7] * 4), 90)
    assert found is not None
    assert (found.least, found.most, found.permille) == (2, 3, 950)  # 96 of 101.


def test_a_share_that_was_never_kept_is_not_promised() -> None:
    assert estimate(counts(*[2] * 30), 99) is None


def test_slow_parcels_that_still_travel_are_not_forgotten() -> None:
    arrived = counts(*[2] * 60)
    under_way = [Count(100, 4, 40, arrived=False)]
    found = estimate([*arrived, *under_way], 50)
    assert found is not None
    assert 570 <= found.permille <= 600
    assert estimate([*arrived, *under_way], 90) is None


def test_parcels_that_just_left_do_not_make_a_lane_look_slow() -> None:
    alone, with_fresh = (
        estimate([*counts(*[2] * 60), *more], 90) for more in ([], [Count(100, 0, 500, arrived=False)])
    )
    assert alone is not None
    assert with_fresh is not None
    assert (with_fresh.most, with_fresh.parcels) == (alone.most, alone.parcels)
    assert abs(with_fresh.permille - alone.permille) <= 20


def test_a_service_that_changed_is_followed() -> None:
    before, after = counts(*[5] * 2000, week=90), counts(*[2] * NEWEST, week=100)
    found = estimate([*before, *after], 95)
    assert found is not None
    assert found.most == 2


def test_what_is_older_than_a_year_does_not_count() -> None:
    assert estimate([*counts(*[5] * 500, week=40), *counts(2, 2, week=100)], 90) is None


@given(st.lists(st.integers(0, 20), min_size=40, max_size=200), st.integers(50, 99))
def test_more_certainty_never_promises_an_earlier_day(days: list[int], percent: int) -> None:
    low, high = (estimate(counts(*days), level) for level in (percent, min(99, percent + 5)))
    if low is not None:
        assert low.least <= low.most
        assert low.permille >= percent * 10 - 1
    if low is not None and high is not None:
        assert low.most <= high.most


@pytest.mark.parametrize("percent", [50, 80, 90, 95])
def test_as_many_parcels_as_stated_keep_the_day(percent: int) -> None:
    """On held-back parcels of the same lane, over many lanes of 60 parcels each."""
    pick = random.Random(percent)  # noqa: S311 - no secret.
    shares = [2, 30, 40, 15, 6, 3, 2, 1, 1]
    stated = kept = 0.0
    lanes = 400
    for _ in range(lanes):
        found = estimate(counts(*pick.choices(range(1, 10), shares, k=60)), percent)
        assert found is not None
        stated += found.permille / 10 / lanes
        kept += sum(shares[: found.most]) / lanes
    assert abs(stated - kept) < 2


def test_regions_count_for_themselves_and_together_for_their_country() -> None:
    def lane(region: str) -> LaneID:
        return LaneID("acc_1", "Post", "Ground", "SK", "BL", "AT", region)

    found = book({lane("9"): counts(*[1] * 40), lane("7"): counts(*[4] * 20)}, 90)
    near_name, near = found.towards(("SK", "BL"), ("AT", "9"))
    far_name, far = found.towards(("SK", "BL"), ("AT", "7"))
    key = "acc_1/Post/Ground"
    assert (near[key][1], near[key][3]) == (1, 40)
    assert (far[key][1], far[key][3]) == (4, 60)
    assert near_name != far_name
    assert found.towards(("SK", "BL"), ("CZ", "")) == ("", {})


def test_a_region_is_the_province_else_the_start_of_the_postal_code() -> None:
    assert (region_of("bl", "811 01"), region_of("", "811 01"), region_of("", "")) == ("BL", "81", "")
