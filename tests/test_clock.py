"""Business time can be moved, and all processes agree on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.clock import MovedClock, NaiveTime, SystemClock, aware, open_clock
from connector.settings import SettingsError
from tests.conftest import FrozenClock

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_real_time_is_aware_and_in_utc(tmp_path: Path) -> None:
    clock = open_clock(None, tmp_path)
    assert isinstance(clock, SystemClock)
    assert clock.now().tzinfo is UTC


def test_an_offset_moves_the_clock(clock: FrozenClock, tmp_path: Path) -> None:
    moved = open_clock("3600:1", tmp_path, clock)
    assert moved.now() - clock.now() == timedelta(hours=1)
    clock.advance(seconds=5)
    assert moved.now() - clock.now() == timedelta(hours=1)


def test_a_speed_counts_from_the_instant_that_the_value_names(clock: FrozenClock, tmp_path: Path) -> None:
    moved = open_clock("-60:60@2026-11-23T09:00:00Z", tmp_path, clock)
    clock.advance(minutes=2)
    assert moved.now() == START - timedelta(minutes=1) + timedelta(hours=2)
    assert list(tmp_path.iterdir()) == []


def test_a_speed_without_an_instant_counts_from_its_first_use_in_the_data_folder(
    clock: FrozenClock, tmp_path: Path
) -> None:
    first = open_clock("0:60", tmp_path, clock)
    clock.advance(minutes=1)
    second = open_clock("0:60", tmp_path, clock)
    clock.advance(minutes=1)
    assert first.now() == second.now() == START + timedelta(hours=2)


@given(
    offset_s=st.integers(-(10**6), 10**6),
    speed=st.integers(1, 1000),
    steps=st.lists(st.integers(0, 10**5), min_size=1, max_size=5),
)
def test_a_moved_clock_never_runs_back(offset_s: int, speed: int, steps: list[int]) -> None:
    real = FrozenClock(START)
    moved = MovedClock(offset_s, speed, START, real)
    last = moved.now()
    for step in steps:
        real.advance(seconds=step)
        assert moved.now() >= last
        last = moved.now()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "1:2:3",
        "a:1",
        "0:0",
        "0:-1",
        "nan:1",
        "0:nan",
        "0:inf",
        "1e300:1",
        "0:60@noon",
        "0:60@2026-11-21T12:00",
    ],
)
def test_a_value_of_another_form_is_refused_by_name(value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="WAYBILL_TEST_CLOCK"):
        open_clock(value, tmp_path)


@pytest.mark.parametrize("value", ["0:100000@1970-01-01T00:00:00Z", "-3000000000:1"])
def test_a_time_beyond_the_calendar_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="calendar"):
        open_clock(value, tmp_path)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveTime):
        aware(datetime(2026, 11, 23, 9, 0))  # noqa: DTZ001
    with pytest.raises(NaiveTime):
        MovedClock(0, 1, datetime(2026, 11, 23, 9, 0))  # noqa: DTZ001


def test_a_moment_of_another_zone_is_the_same_instant_in_utc() -> None:
    moment = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert aware(moment) == START
    assert aware(moment).tzinfo is UTC
