"""The merchant's table as CSV: every fault by line and field, whole changes, and a file that comes back the same."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.catalogue.product import Amount, Packaging, Place, Values
from connector.catalogue.sheet import apply, read_sheet, write_sheet


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.field) for fault in read_sheet(text).faults]


def test_units_come_from_the_header() -> None:
    (row,) = read_sheet("sku,length_in,width_in,height_in,weight_lb\nMUG,4,4,4,1\n").rows
    values = apply(row, Values())
    assert (values.size, values.weight_g) == ((102, 102, 102), 454)


def test_semicolons_and_a_byte_order_mark_are_read() -> None:
    (row,) = read_sheet("\ufeffsku;weight_g\nMUG;400\n").rows
    assert apply(row, Values()).weight_g == 400


HEAD = "sku,length_mm,width_mm,height_mm,weight_g\n"


@pytest.mark.need(16)
@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("A,0,10,10,5", "length_mm"),
        ("A,10,-5,10,5", "width_mm"),
        ("A,10,10,999999,5", "height_mm"),
        ("A,10,10,10,0", "weight_g"),
        ("A,10,10,10,3 kg", "weight_g"),
        ("A,10,10cm,10,5", "width_mm"),
        ("A,10,10,,5", "height_mm"),
        ("A,10,10,10,5000", "weight_g"),
        (",10,10,10,5", "sku"),
        ("A,10,10,10", "weight_g"),
    ],
)
def test_sizes_that_cannot_be_are_refused_with_line_and_field(line: str, field: str) -> None:
    assert faults(f"{HEAD}OK,10,10,10,5\n{line}\n") == [(3, field)]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("sku,length_mm,width_cm,height_mm", "length"),
        ("sku,length_mm,width_mm", "height"),
        ("sku,length", "length"),
        ("sku,weight_stone", "weight_stone"),
        ("sku,unit_cost", "unit_cost"),
        ("sku,colour", "colour"),
        ("weight_g", "sku"),
        ("sku,weight_g,weight_kg", "weight_g"),
        ("sku,weight_g,weight_g", "weight_g"),
    ],
)
def test_a_header_that_leaves_a_unit_open_is_refused(header: str, field: str) -> None:
    assert (1, field) in faults(f"{header}\n")


def test_every_fault_is_told_not_only_the_first() -> None:
    assert faults(f"{HEAD}A,0,1,1,1\nB,1,1,1,x\nA,1,1,1,1\nA,1,1,1,1\n") == [
        (2, "length_mm"),
        (3, "weight_g"),
        (5, "sku"),
    ]


def test_what_has_no_column_stays_and_an_empty_cell_clears() -> None:
    before = Values(weight_g=5, hs_code="691200", tags=("a",))
    (row,) = read_sheet("sku,weight_g,tags\nA,,b|c\n").rows
    assert apply(row, before) == Values(hs_code="691200", tags=("b", "c"))


def test_a_packaging_has_lines_of_its_own() -> None:
    sheet = read_sheet("sku,units,length_mm,width_mm,height_mm,weight_g,hs_code\nA,1,10,10,10,5,\nA,6,30,20,10,33,\n")
    values = Values()
    for row in sheet.rows:
        values = apply(row, values)
    assert values.packagings == (Packaging(units=6, length_mm=30, width_mm=20, height_mm=10, weight_g=33),)
    assert faults("sku,units,hs_code\nA,6,691200\n") == [(2, "hs_code")]


words = st.text("abcXYZ 0189-", min_size=1, max_size=8).map(str.strip).filter(bool)
sized = st.tuples(*[st.integers(20, 900)] * 3)


@st.composite
def some_values(draw: st.DrawFn) -> Values:
    size = draw(st.none() | sized)
    edges = {} if size is None else dict(zip(("length_mm", "width_mm", "height_mm"), size, strict=True))
    case = Packaging(units=draw(st.integers(2, 99)), weight_g=draw(st.integers(1, 999)), fragile=draw(st.booleans()))
    return Values(
        **edges,
        weight_g=draw(st.none() | st.integers(1, 1000)),
        upright=draw(st.none() | st.booleans()),
        tags=tuple(draw(st.lists(words, max_size=3))),
        hazmat=draw(st.just("") | words),
        origin_country=draw(st.sampled_from(["", "SK"])),
        handling_days=draw(st.none() | st.integers(0, 30)),
        available_on=draw(st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31))),
        unit_cost=draw(
            st.none() | st.builds(Amount, minor=st.integers(0, 10**6), currency=st.sampled_from(["EUR", "JPY"]))
        ),
        packagings=draw(st.just(()) | st.just((case,))),
        places=draw(st.dictionaries(words, st.builds(Place, stock=st.integers(0, 99), bin=words), max_size=2)),
    )


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(words, some_values(), min_size=1, max_size=4))
def test_what_is_written_is_read_back_the_same(own: dict[str, Values]) -> None:
    sheet = read_sheet(write_sheet((("", sku, "name", values) for sku, values in own.items())))
    assert sheet.faults == ()
    found = {sku: Values() for sku in own}
    for row in sheet.rows:
        found[row.sku] = apply(row, found[row.sku])
    assert found == own
    for row in sheet.rows:  # Once more changes nothing.
        assert apply(row, own[row.sku]) == own[row.sku]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_no_file_breaks_the_reading(text: str) -> None:
    read_sheet(text)
    read_sheet(HEAD + text)
