"""The days on which a parcel may arrive: working days of the shop's own calendar, whatever its clock does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.promises.window import add_working_days, next_midnight, window

ZONES = st.sampled_from(
    ["UTC", "Europe/Bratislava", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati"]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
DAYS = st.integers(0, 60)


def arrival(now: datetime, days: int, zone: str) -> datetime:
    found = window(now, days, zone)
    assert found is not None
    assert found.earliest == found.latest
    return found.earliest


@given(MOMENTS, DAYS, ZONES)
def test_it_arrives_at_noon_of_a_working_day_after_today(now: datetime, days: int, zone: str) -> None:
    at = arrival(now, days, zone)
    assert at.weekday() < 5
    assert (at.hour, at.minute) == (12, 0)
    assert at.date() > now.astimezone(ZoneInfo(zone)).date()


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)), DAYS)
def test_working_days_are_counted_one_by_one(day: date, days: int) -> None:
    end = add_working_days(day, days)
    between = (day + timedelta(days=n) for n in range(1, (end - day).days + 1))
    assert sum(1 for each in between if each.weekday() < 5) == days


@given(MOMENTS, DAYS, ZONES)
def test_more_days_of_transit_are_a_later_day(now: datetime, days: int, zone: str) -> None:
    assert arrival(now, days, zone) < arrival(now, days + 1, zone)


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        (datetime(2026, 11, 23, 9, tzinfo=UTC), 1, date(2026, 11, 25)),  # Monday: leaves Tuesday
        (datetime(2026, 11, 27, 9, tzinfo=UTC), 1, date(2026, 12, 1)),  # Friday: leaves Monday
        (datetime(2026, 11, 28, 9, tzinfo=UTC), 0, date(2026, 11, 30)),  # Saturday
        (datetime(2026, 11, 27, 23, 30, tzinfo=UTC), 0, date(2026, 11, 30)),  # Friday in UTC, Saturday in Bratislava
    ],
)
def test_weekends_do_not_count(now: datetime, days: int, expected: date) -> None:
    assert arrival(now, days, "Europe/Bratislava").date() == expected


def test_the_shops_own_date_counts() -> None:
    """Sunday evening in New York is Monday in UTC."""
    now = datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert arrival(now, 0, "America/New_York").date() == date(2026, 11, 23)
    assert arrival(now, 0, "UTC").date() == date(2026, 11, 24)


def test_noon_stays_noon_when_the_clocks_change() -> None:
    """Between quote and arrival summer time ends (25 October 2026)."""
    at = arrival(datetime(2026, 10, 23, 9, tzinfo=UTC), 0, "Europe/Bratislava")
    assert at.date() == date(2026, 10, 26)
    assert at.astimezone(UTC).hour == 11


@pytest.mark.parametrize("days", [None, -1, 10**9])
def test_without_a_transit_time_that_can_be_nothing_is_promised(days: int | None) -> None:
    assert window(datetime(2026, 11, 23, 9, tzinfo=UTC), days, "UTC") is None


@given(MOMENTS, ZONES)
def test_an_answer_is_out_of_date_when_the_local_date_changes(now: datetime, zone: str) -> None:
    local = ZoneInfo(zone)
    midnight = next_midnight(now, zone)
    assert midnight > now
    assert midnight.astimezone(local).date() == now.astimezone(local).date() + timedelta(days=1)
    before = midnight - timedelta(microseconds=1)
    assert before.astimezone(local).date() == now.astimezone(local).date()
    assert arrival(now, 3, zone) == arrival(before, 3, zone)


def test_a_zone_that_this_machine_does_not_know_is_taken_as_utc() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert next_midnight(now, "Mars/Olympus_Mons") == datetime(2026, 11, 24, tzinfo=UTC)
