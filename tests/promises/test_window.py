"""Days of arrival: cut-offs, handling, calendars at both ends, transit, and clocks that are put forward or back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.promises.settings import PromiseSettings
from connector.promises.window import Goods, Lane, Promises, Service, Spot, Window, next_midnight

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ZONES = ("UTC", "Europe/Bratislava", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu")
moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SK, AT = Spot("SK", "BL", "81101"), Spot("AT", "9", "1010")


def promises(timezone: str = "UTC", origin: Spot = SK, **changes: Any) -> Promises:
    return Promises(PromiseSettings.model_validate(changes), timezone, origin, ("loc_1", "gid-1"))


def window(
    now: datetime,
    days: int | None = 3,
    to: Spot = SK,
    basis: Any = "working",
    goods: Goods | None = None,
    cache_s: int = 0,
    lane: Lane | None = None,
    **changes: Any,
) -> Window | None:
    made = promises(**changes)
    start = made.start(now, cache_s)
    return made.window(start, goods or Goods(made.handling_days), Service("Post", "Ground", days, basis, lane), to)


def arrival(now: datetime, **asked: Any) -> tuple[str, str]:
    found = window(now, **asked)
    assert found is not None
    return found.earliest.isoformat(), found.latest.isoformat()


def cut_off(at: str = "14:00", **more: Any) -> dict[str, Any]:
    days = ("mon", "tue", "wed", "thu", "fri")
    return {"locations": [{"cut_offs": dict.fromkeys(days, at), **more}]}


@pytest.mark.parametrize(
    ("today", "days", "expected"),
    [
        ("2026-11-23", 0, "2026-11-24"),  # Monday: handed over on Tuesday.
        ("2026-11-23", 3, "2026-11-27"),
        ("2026-11-23", 4, "2026-11-30"),  # Over the weekend.
        ("2026-11-27", 0, "2026-11-30"),  # Friday: handed over on Monday.
        ("2026-11-28", 1, "2026-12-01"),  # Saturday and Sunday: on Monday as well.
        ("2026-11-29", 1, "2026-12-01"),
        ("2026-12-30", 2, "2027-01-05"),  # Over New Year's Day.
    ],
)
def test_without_a_cut_off_an_order_leaves_on_the_next_working_day(today: str, days: int, expected: str) -> None:
    now = datetime.fromisoformat(f"{today}T09:00:00+00:00")
    assert arrival(now, days=days) == (expected, expected)


@pytest.mark.need(27)
@pytest.mark.parametrize(
    ("at", "ships_on"),
    [
        ("2026-11-23T12:59:59", "2026-11-23"),  # 13:59:59 in Bratislava.
        ("2026-11-23T13:00:00", "2026-11-24"),
        ("2026-11-27T13:00:00", "2026-11-30"),  # Friday, too late.
        ("2026-11-28T08:00:00", "2026-11-30"),
    ],
)
def test_the_cut_off_is_the_location_s_local_time(at: str, ships_on: str) -> None:
    now = datetime.fromisoformat(f"{at}+00:00")
    found = window(now, timezone="UTC", **cut_off(timezone="Europe/Bratislava"))
    assert found is not None
    assert found.ships_on == date.fromisoformat(ships_on)


@pytest.mark.parametrize(("cache_s", "ships_on"), [(0, 23), (900, 23), (901, 24), (12 * 3600, 24)])
def test_an_answer_that_the_platform_may_still_show_is_in_time_then(cache_s: int, ships_on: int) -> None:
    found = window(datetime(2026, 11, 23, 13, 44, 59, tzinfo=UTC), cache_s=cache_s, **cut_off())
    assert found is not None
    assert found.ships_on.day == ships_on


def test_a_weekday_with_a_cut_off_is_a_working_day_and_others_are_none() -> None:
    saturday = datetime(2026, 11, 28, 9, tzinfo=UTC)
    busy: dict[str, Any] = {"locations": [{"cut_offs": {"sat": "11:00", "mon": "14:00"}}]}
    start = promises(**busy).start(saturday)
    assert start.day == date(2026, 11, 28)
    assert promises(**busy).start(saturday + timedelta(hours=3)).day == date(2026, 11, 30)
    assert promises(**busy).start(datetime(2026, 12, 1, 9, tzinfo=UTC)).day == date(2026, 12, 5)


def test_a_window_holds_until_the_cut_off_or_midnight_less_what_the_platform_keeps() -> None:
    before, after = (promises(**cut_off()).start(MONDAY + timedelta(hours=h), 900) for h in (0, 5))
    assert before.until == datetime(2026, 11, 23, 13, 45, tzinfo=UTC)
    assert after.until == datetime(2026, 11, 23, 23, 45, tzinfo=UTC)
    assert (before.cut_off, after.cut_off) == (
        datetime(2026, 11, 23, 14, tzinfo=UTC),
        datetime(2026, 11, 24, 14, tzinfo=UTC),
    )


def test_locations_have_their_own_times_and_handling() -> None:
    both: dict[str, Any] = {
        "handling_days": 1,
        "locations": [
            {"cut_offs": {"mon": "08:00"}},
            {"location": "gid-1", "cut_offs": {"mon": "12:00"}, "handling_days": 0},
        ],
    }
    settings = PromiseSettings.model_validate(both)
    mine, other = (Promises(settings, "UTC", SK, names) for names in (("loc_1", "gid-1"), ("loc_2",)))
    assert (mine.start(MONDAY).day, mine.handling_days) == (date(2026, 11, 23), 0)
    assert (other.start(MONDAY).day, other.handling_days) == (date(2026, 11, 30), 1)


def test_handling_takes_working_days_of_the_shop() -> None:
    found = window(datetime(2026, 11, 26, 9, tzinfo=UTC), days=0, goods=Goods(2), **cut_off())
    assert found is not None
    assert found.ships_on == date(2026, 11, 30)  # Thursday, Friday, Monday.


@pytest.mark.need(12)
def test_goods_that_come_later_leave_then_and_never_today() -> None:
    late = Goods(1, date(2026, 12, 5))  # A Saturday.
    found = window(MONDAY, days=1, goods=late, **cut_off())
    assert found is not None
    assert (found.ships_on, found.latest) == (date(2026, 12, 8), date(2026, 12, 9))
    assert window(MONDAY, days=1, goods=Goods(0, date(2026, 11, 1)), **cut_off()) == window(MONDAY, 1, **cut_off())


# --- calendars ----------------------------------------------------------------------------------------------------


def test_public_holidays_count_at_both_ends() -> None:
    """8 December is a holiday in Austria and none in Slovakia."""
    monday = datetime(2026, 12, 7, 9, tzinfo=UTC)
    assert arrival(monday, days=0, to=SK) == ("2026-12-08", "2026-12-08")
    assert arrival(monday, days=0, to=AT) == ("2026-12-09", "2026-12-09")
    assert arrival(monday, days=0, origin=AT, to=SK)[0] == "2026-12-09"


def test_holidays_of_a_part_of_a_country_count_there_only() -> None:
    """6 January is a holiday in Bavaria and not in Berlin."""
    tuesday = datetime(2026, 1, 5, 9, tzinfo=UTC)
    for province, day in (
        ("BY", "2026-01-07"),
        ("DE-BY", "2026-01-07"),
        ("Bayern", "2026-01-07"),
        ("BE", "2026-01-06"),
    ):
        assert arrival(tuesday, days=0, origin=Spot("NL"), to=Spot("DE", province))[0] == day


def test_a_country_that_is_not_known_has_weekends_only() -> None:
    assert arrival(datetime(2026, 12, 24, 9, tzinfo=UTC), days=0, origin=Spot("XX"), to=Spot("XX"))[0] == "2026-12-25"


def test_the_working_week_is_the_country_s() -> None:
    """In Saudi Arabia Friday and Saturday are the weekend."""
    thursday = datetime(2026, 11, 26, 6, tzinfo=UTC)
    assert arrival(thursday, days=0, origin=Spot("SA"), to=Spot("SA"))[0] == "2026-11-29"


def test_closed_days_of_shop_location_and_carrier() -> None:
    closed: dict[str, Any] = {"closed": [{"first": "2026-11-24", "last": "2026-11-25"}]}
    assert arrival(MONDAY, days=0, **closed)[0] == "2026-11-26"
    elsewhere: dict[str, Any] = {"closed": [{"first": "2026-11-24", "last": "2026-11-25", "location": "loc_2"}]}
    assert arrival(MONDAY, days=0, **elsewhere)[0] == "2026-11-24"
    carrier: dict[str, Any] = {"closed": [{"first": "2026-11-25", "last": "2026-11-26", "carrier": "post"}]}
    assert arrival(MONDAY, days=1, **carrier)[0] == "2026-11-27"


def test_a_carrier_collects_and_delivers_on_its_own_days() -> None:
    carrier: dict[str, Any] = {"carriers": [{"name": "POST", "pickup": "wed", "delivers": "mon-sat"}]}
    found = window(MONDAY, days=3, **carrier)
    assert found is not None
    assert (found.ships_on, found.latest) == (date(2026, 11, 25), date(2026, 11, 28))  # A Saturday.


def test_what_is_said_of_a_service_counts_before_what_is_said_of_its_carrier() -> None:
    both: dict[str, Any] = {
        "carriers": [{"name": "Post", "pickup": "fri"}, {"name": "Post", "service": "ground", "pickup": "thu"}]
    }
    found = window(MONDAY, **both)
    assert found is not None
    assert found.ships_on.weekday() == 3


def test_a_shop_that_never_works_promises_nothing() -> None:
    closed: dict[str, Any] = {
        "closed": [{"first": "2026-01-01", "last": "2027-12-31"}, {"first": "2028-01-01", "last": "2029-12-31"}]
    }
    assert window(MONDAY, **closed) is None


# --- transit ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [None, -1, 366, 10**12])
def test_transit_days_that_cannot_be_promise_nothing(days: int | None) -> None:
    assert window(MONDAY, days) is None


@pytest.mark.need(29)
@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("working", ("2026-12-01", "2026-12-01")),
        ("calendar", ("2026-11-30", "2026-11-30")),  # Ends on a Sunday.
        ("unknown", ("2026-11-30", "2026-12-01")),
    ],
)
def test_days_that_a_carrier_does_not_explain_are_read_either_way(basis: str, expected: tuple[str, str]) -> None:
    assert arrival(datetime(2026, 11, 24, 9, tzinfo=UTC), days=4, basis=basis) == expected


def test_history_counts_before_the_table_and_the_table_before_the_carrier() -> None:
    table: dict[str, Any] = {"transit": [{"countries": ["AT"], "least": 2, "most": 4}]}
    lane = Lane(1, 3, 931, 120)
    by_history = window(MONDAY, 9, AT, lane=lane, **table)
    by_table = window(MONDAY, 9, AT, **table)
    by_carrier = window(MONDAY, 9, SK, **table)
    assert [each and each.by for each in (by_history, by_table, by_carrier)] == ["history", "table", "carrier"]
    assert by_history is not None
    assert (by_history.coverage, by_history.parcels) == (931, 120)
    assert arrival(MONDAY, days=9, to=AT, **table) == ("2026-11-26", "2026-11-30")
    assert window(MONDAY, 9, AT, lane=lane, history=False, **table) == by_table


# --- clocks -------------------------------------------------------------------------------------------------------


def test_the_shop_s_own_day_counts() -> None:
    """When it is Thursday evening in London it is Friday in Kiritimati, and Thursday morning in Niue."""
    now = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)
    found = {zone: arrival(now, days=0, timezone=zone)[0] for zone in ("Pacific/Kiritimati", "Pacific/Niue")}
    assert found == {"Pacific/Kiritimati": "2026-11-30", "Pacific/Niue": "2026-11-27"}


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        ("2026-10-24", "14:00", "2026-10-24T12:00:00+00:00"),  # Summer time.
        ("2026-10-26", "14:00", "2026-10-26T13:00:00+00:00"),
        ("2026-03-29", "02:30", "2026-03-29T01:30:00+00:00"),  # Skipped: counts from the change on.
        ("2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),  # Comes twice: the first.
    ],
)
def test_a_cut_off_is_a_local_time_on_each_side_of_a_clock_change(day: str, at: str, expected: str) -> None:
    every: dict[str, Any] = {
        "locations": [{"cut_offs": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), at)}]
    }
    start = promises("Europe/Bratislava", holidays=False, **every).start(
        datetime.fromisoformat(f"{day}T00:00:00+00:00")
    )
    assert start.cut_off == datetime.fromisoformat(expected)


@given(now=moments, days=st.integers(0, 40), zone=st.sampled_from(ZONES), cache=st.sampled_from((0, 900, 43_200)))
def test_nothing_arrives_on_a_day_of_rest_or_before_it_left(now: datetime, days: int, zone: str, cache: int) -> None:
    made = promises(zone, **cut_off())
    start = made.start(now, cache)
    found = made.window(start, Goods(1), Service("Post", "Ground", days, "unknown"), AT)
    assert found is not None
    today = (now + timedelta(seconds=cache)).astimezone(ZoneInfo(zone)).date()
    assert today < found.ships_on <= found.earliest <= found.latest
    moving = made.delivery_days(Service("Post", "Ground"), AT)
    assert moving.is_open(found.earliest)
    assert moving.between(found.ships_on, found.latest) == days or days == 0


@given(now=moments, days=st.integers(0, 40), zone=st.sampled_from((*ZONES, "America/Havana", "Australia/Lord_Howe")))
def test_a_window_stays_the_same_until_it_says_and_not_longer(now: datetime, days: int, zone: str) -> None:
    made = promises(zone, **cut_off())
    service, start = Service("Post", "Ground", days, "working"), made.start(now, 900)
    assert now < start.until <= now + timedelta(hours=26)
    last = made.start(start.until - timedelta(microseconds=1), 900)
    assert made.window(last, Goods(), service, SK) == made.window(start, Goods(), service, SK)
    assert start.cut_off is not None
    if start.until == start.cut_off - timedelta(seconds=900):
        assert made.start(start.until, 900).day != start.day


@given(now=moments, days=st.integers(0, 40), zone=st.sampled_from(ZONES))
def test_later_orders_and_longer_ways_never_arrive_sooner(now: datetime, days: int, zone: str) -> None:
    made = promises(zone, **cut_off())
    first, later = made.start(now), made.start(now + timedelta(hours=7))
    one, two = (Service("Post", "Ground", n, "working") for n in (days, days + 1))
    found = [
        made.window(first, Goods(), one, SK),
        made.window(first, Goods(), two, SK),
        made.window(later, Goods(), one, SK),
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[2] is not None
    assert found[0].latest < found[1].latest
    assert found[0].latest <= found[2].latest


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-23T09:00:00+00:00", "UTC", "2026-11-24T00:00:00+00:00"),
        ("2026-11-23T00:00:00+00:00", "UTC", "2026-11-24T00:00:00+00:00"),  # At midnight: the next one.
        ("2026-11-23T23:59:59+00:00", "Europe/Bratislava", "2026-11-24T23:00:00+00:00"),
        ("2026-10-25T12:00:00+00:00", "Europe/Bratislava", "2026-10-25T23:00:00+00:00"),  # A day of 25 hours.
        ("2026-03-28T23:30:00+00:00", "Europe/Bratislava", "2026-03-29T22:00:00+00:00"),  # A day of 23 hours.
        ("2026-09-05T20:00:00+00:00", "America/Santiago", "2026-09-06T04:00:00+00:00"),  # No 00:00 on the 6th.
        ("2026-10-31T20:00:00+00:00", "America/Havana", "2026-11-01T04:00:00+00:00"),  # 00:00 comes twice on the 1st.
    ],
)
def test_midnight_is_when_the_local_date_changes(now: str, zone: str, expected: str) -> None:
    assert next_midnight(datetime.fromisoformat(now), zone) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_a_zone_that_is_not_known_here_counts_as_utc(zone: str) -> None:
    """A store may know newer zones than this machine; its checkout goes on."""
    assert next_midnight(MONDAY, zone) == next_midnight(MONDAY, "UTC")
    assert window(MONDAY, 2, timezone=zone) == window(MONDAY, 2, timezone="UTC")
