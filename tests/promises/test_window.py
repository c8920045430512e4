"""Days of arrival: working days, the shop's own calendar day, and clocks that are put forward or back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.promises.window import add_working_days, next_midnight, window

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONES = ("UTC", "Europe/Bratislava", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu")
moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def arrival(now: datetime, days: int, zone: str = "UTC") -> date:
    found = window(now, days, zone)
    assert found is not None
    assert found.earliest == found.latest
    return found.earliest.date()


@pytest.mark.parametrize(
    ("today", "days", "expected"),
    [
        ("2026-11-23", 0, "2026-11-24"),  # Monday: handed over on Tuesday.
        ("2026-11-23", 3, "2026-11-27"),
        ("2026-11-23", 4, "2026-11-30"),  # Over the weekend.
        ("2026-11-26", 1, "2026-11-30"),
        ("2026-11-27", 0, "2026-11-30"),  # Friday: handed over on Monday.
        ("2026-11-28", 1, "2026-12-01"),  # Saturday and Sunday: on Monday as well.
        ("2026-11-29", 1, "2026-12-01"),
        ("2026-12-30", 2, "2027-01-04"),
    ],
)
def test_a_parcel_leaves_on_the_next_working_day_and_travels_on_working_days(
    today: str, days: int, expected: str
) -> None:
    now = datetime.fromisoformat(f"{today}T09:00:00+00:00")
    assert arrival(now, days) == date.fromisoformat(expected)


@pytest.mark.parametrize("days", [None, -1, 366, 10**12])
def test_transit_days_that_cannot_be_promise_nothing(days: int | None) -> None:
    assert window(MONDAY, days, "UTC") is None


def test_the_shop_s_own_day_counts() -> None:
    """When it is Thursday evening in London it is Friday in Kiritimati, and Thursday morning in Niue."""
    now = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)
    found = {zone: arrival(now, 0, zone) for zone in ("Pacific/Kiritimati", "Pacific/Niue")}
    assert found == {"Pacific/Kiritimati": date(2026, 11, 30), "Pacific/Niue": date(2026, 11, 27)}


def test_a_window_is_noon_in_the_shop_s_zone_on_both_sides_of_a_clock_change() -> None:
    before, after = datetime(2026, 10, 22, 9, 0, tzinfo=UTC), datetime(2026, 10, 23, 9, 0, tzinfo=UTC)
    offsets = []
    for now in (before, after):
        found = window(now, 0, "Europe/Bratislava")
        assert found is not None
        offsets.append(found.earliest.isoformat())
    assert offsets == ["2026-10-23T12:00:00+02:00", "2026-10-26T12:00:00+01:00"]


@given(now=moments, days=st.integers(0, 40), zone=st.sampled_from(ZONES))
def test_nothing_arrives_on_a_weekend_or_sooner_than_its_working_days(now: datetime, days: int, zone: str) -> None:
    today, found = now.astimezone(ZoneInfo(zone)).date(), arrival(now, days, zone)
    assert found.weekday() < 5
    between = [today + timedelta(days=n) for n in range(1, (found - today).days + 1)]
    assert sum(day.weekday() < 5 for day in between) == days + 1


@given(now=moments, days=st.integers(0, 40), zone=st.sampled_from(ZONES))
def test_one_more_transit_day_is_never_sooner(now: datetime, days: int, zone: str) -> None:
    assert arrival(now, days, zone) < arrival(now, days + 1, zone)


def test_no_working_days_are_no_days() -> None:
    assert add_working_days(date(2026, 11, 28), 0) == date(2026, 11, 28)


# --- midnight -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-23T09:00:00+00:00", "UTC", "2026-11-24T00:00:00+00:00"),
        ("2026-11-23T00:00:00+00:00", "UTC", "2026-11-24T00:00:00+00:00"),  # At midnight: the next one.
        ("2026-11-23T23:59:59+00:00", "Europe/Bratislava", "2026-11-24T23:00:00+00:00"),
        ("2026-11-23T22:59:59+00:00", "Europe/Bratislava", "2026-11-23T23:00:00+00:00"),
        ("2026-10-25T12:00:00+00:00", "Europe/Bratislava", "2026-10-25T23:00:00+00:00"),  # A day of 25 hours.
        ("2026-03-28T23:30:00+00:00", "Europe/Bratislava", "2026-03-29T22:00:00+00:00"),  # A day of 23 hours.
        ("2026-09-05T20:00:00+00:00", "America/Santiago", "2026-09-06T04:00:00+00:00"),  # No 00:00 on the 6th.
        ("2026-10-31T20:00:00+00:00", "America/Havana", "2026-11-01T04:00:00+00:00"),  # 00:00 comes twice on the 1st.
    ],
)
def test_midnight_is_when_the_local_date_changes(now: str, zone: str, expected: str) -> None:
    assert next_midnight(datetime.fromisoformat(now), zone) == datetime.fromisoformat(expected)


@given(now=moments, zone=st.sampled_from((*ZONES, "America/Santiago", "America/Havana", "Australia/Lord_Howe")))
def test_a_promise_stays_the_same_until_midnight_and_changes_after_it(now: datetime, zone: str) -> None:
    midnight, local = next_midnight(now, zone), ZoneInfo(zone)
    assert now < midnight <= now + timedelta(hours=25)
    instant_before = midnight - timedelta(microseconds=1)
    assert window(instant_before, 3, zone) == window(now, 3, zone)
    assert midnight.astimezone(local).date() == now.astimezone(local).date() + timedelta(days=1)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_a_zone_that_is_not_known_here_counts_as_utc(zone: str) -> None:
    """A store may know newer zones than this machine; its checkout goes on."""
    assert next_midnight(MONDAY, zone) == next_midnight(MONDAY, "UTC")
    assert window(MONDAY, 2, zone) == window(MONDAY, 2, "UTC")
