"""The transit table: every bad line is named, the export comes back, and the line that says most wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.promises.settings import TransitLine
from connector.promises.transit_table import Going, Transit, read_transit, write_transit

HEAD = "carrier,service,from,country,province,postal_code,min_days,max_days,basis\n"
names = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), max_size=8)
codes = st.lists(st.sampled_from(["AT", "CZ", "SK", "US"]), max_size=3, unique=True).map(tuple)


@st.composite
def lines(draw: st.DrawFn) -> TransitLine:
    least = draw(st.integers(0, 30))
    return TransitLine(
        carrier=draw(names),
        service=draw(names),
        origin=draw(names),
        countries=draw(codes),
        provinces=draw(codes),
        postal=draw(st.lists(st.sampled_from(["1", "10", "811", "SW1"]), max_size=2, unique=True).map(tuple)),
        least=least,
        most=least + draw(st.integers(0, 9)),
        basis=draw(st.sampled_from(["working", "calendar"])),
    )


def faults(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.field) for each in read_transit(text).faults]


@given(
    st.lists(
        lines(),
        min_size=1,
        max_size=12,
        unique_by=lambda e: e.model_copy(update={"least": 0, "most": 0, "basis": "working"}),
    )
)
def test_what_is_written_is_read_again(table: list[TransitLine]) -> None:
    text = write_transit(table)
    sheet = read_transit(text)
    assert sheet.faults == ()
    assert list(sheet.lines) == table
    assert write_transit(sheet.lines) == text


def test_every_bad_line_is_named_and_nothing_is_taken() -> None:
    text = (
        HEAD + "Post,,,AT,,,1,2,\n,,,Austria,,,1,2,\n,,,SK,,,x,2,\n,,,SK,,,3,2,weeks\n,,,CZ,,,5,4,\nPost,,,AT,,,2,3,\n"
    )
    sheet = read_transit(text)
    assert sheet.lines == ()
    assert faults(text) == [(3, "country"), (4, "min_days"), (5, "basis"), (6, "min_days"), (7, "")]
    assert "line 2" in sheet.faults[-1].message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "country"), (1, "min_days"), (1, "max_days")]),
        ("country,min_days,max_days\n", [(1, "")]),
        ("country,min_days,max_days,price\nAT,1,2,3\n", [(1, "price")]),
        ("country,country,min_days,max_days\nAT,AT,1,2\n", [(1, "country")]),
        ("country,min_days,max_days\nAT,1,2,3\n", [(2, "")]),
        ('country,min_days,max_days\n"AT,1,2\n', [(2, "")]),
        ("country,min_days,max_days\nAT,1,999\n", [(2, "max_days")]),
        ("country,min_days,max_days\nAT,१,2\n", [(2, "min_days")]),
    ],
)
def test_what_is_no_table_says_why(text: str, expected: list[tuple[int, str]]) -> None:
    assert faults(text) == expected


def test_semicolons_a_byte_order_mark_and_empty_lines_are_read() -> None:
    (line,) = read_transit("\ufeffCountry;min_days;max_days\n\nat|cz;1;2\n").lines
    assert (line.countries, line.least, line.most) == (("AT", "CZ"), 1, 2)


def test_the_line_that_says_most_wins() -> None:
    table = HEAD + (
        ",,,*,,,9,9,\n,,,AT,,,8,8,\nPost,,,AT,,,7,7,\nPost,Fast,,AT,,,6,6,\n,,,AT,9,,5,5,\n,,,AT,,10,4,4,\n"
        ",,,AT,,1010|1020,3,3,\nPost,,loc_2,AT,,1010,2,2,\n"
    )
    sheet = read_transit(table)
    assert sheet.faults == ()
    transit = Transit(sheet.lines)

    def days(
        carrier: str = "",
        service: str = "",
        origin: str = "loc_1",
        country: str = "AT",
        province: str = "",
        postal: str = "",
    ) -> int:
        found = transit.find(Going(carrier, service, (origin,), country, province, postal))
        assert found is not None
        return found.least

    assert days(country="SK") == 9
    assert days("UPS") == 8
    assert days("post") == 7
    assert days("POST", "FAST") == 6
    assert days("Post", "Fast", province="9") == 5
    assert days("Post", "Fast", province="9", postal="1030") == 4
    assert days(postal="10 10") == 3
    assert days("Post", origin="loc_2", postal="1010") == 2
    assert Transit(()).find(Going("", "", (), "AT", "", "")) is None
