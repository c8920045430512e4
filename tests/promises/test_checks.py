"""What cannot be right about dates is found before anybody is promised it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connector.promises.checks import Place, check
from connector.promises.settings import PromiseSettings, read_cut_offs, write_cut_offs
from connector.promises.window import Spot

TODAY = date(2026, 11, 23)
HERE = Place(("loc_1", "gid-1"), "Warehouse", Spot("SK", "BL"))
WEEK = {"mon": "14:00", "fri": "15:00"}


def found(place: Place = HERE, **settings: Any) -> list[tuple[str, str, str]]:
    listed = check(PromiseSettings.model_validate(settings), [place], "UTC", TODAY)
    return [(each.severity, each.field, each.why.code) for each in listed]


def test_usual_settings_have_nothing_to_say() -> None:
    assert found() == []
    assert found(locations=[{"cut_offs": WEEK}], carriers=[{"name": "Post", "pickup_at": "16:00"}]) == []


def test_a_cut_off_behind_the_pick_up_is_a_fault_unless_packing_takes_days() -> None:
    late: dict[str, Any] = {"locations": [{"cut_offs": WEEK}], "carriers": [{"name": "Post", "pickup_at": "14:30"}]}
    assert found(**late) == [("error", "cut_off", "dates_cut_off_late")]
    assert found(handling_days=1, **late) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"closed": [{"first": f"{year}-01-01", "last": f"{year}-12-31"} for year in (2026, 2027, 2028, 2029)]},
            ("error", "closed", "dates_no_working_day"),
        ),
        (
            {
                "closed": [{"first": "2026-01-01", "last": "2027-12-31", "carrier": "Post"}],
                "carriers": [{"name": "Post"}],
            },
            ("error", "carriers", "dates_carrier_never"),
        ),
        ({"locations": [{"location": "loc_9"}]}, ("error", "locations", "dates_location_unknown")),
        ({"transit": [{"origin": "loc_9", "least": 1, "most": 2}]}, ("error", "transit", "dates_location_unknown")),
        ({"handling_days": 45}, ("note", "handling_days", "dates_long_handling")),
        ({"closed": [{"first": "2020-01-01", "last": "2020-01-02"}]}, ("note", "closed", "dates_closed_old")),
    ],
)
def test_each_fault_and_doubt_names_its_setting(settings: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert found(**settings) == [expected]


def test_a_calendar_that_is_not_known_is_said() -> None:
    assert found(Place(("loc_1",), "Far", Spot("XX"))) == [("note", "holidays", "calendar_unknown")]
    assert found(Place(("loc_1",), "Near", Spot("DE", "ZZ"))) == [("note", "holidays", "dates_part_unknown")]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("14:00", "14:00"),
        ("mon-fri=14:00", "14:00"),
        ("mon-fri=14:00 sat=11:30", "mon-fri=14:00 sat=11:30"),
        ("daily=09:00", "daily=09:00"),
        ("sat-mon=10:00", "mon,sat-sun=10:00"),
        ("", ""),
    ],
)
def test_cut_offs_are_shown_as_they_can_be_typed(typed: str, shown: str) -> None:
    assert write_cut_offs(read_cut_offs(typed)) == shown
    assert read_cut_offs(shown) == read_cut_offs(typed)


@pytest.mark.parametrize(
    "typed", ["25:00", "14", "noon", "mon=14:00 mon=15:00", "someday=10:00", "=10:00", "mon-=10:00"]
)
def test_what_is_no_cut_off_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_cut_offs(typed)
