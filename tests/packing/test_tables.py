"""Tables: what can be read, and what is refused with its line and field."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.packing.errors import TableError
from connector.packing.goods import Extents
from connector.packing.tables import read_cartons, read_orders, read_thpack

GOOD = "o1,2,sku,10,20,30,400\n"
CARTON = "box,100,100,100,50,90,90,90,1000\n"
THPACK = "1\n 1 99\n 10 20 30\n 1\n 1 5 1 6 0 7 1 3\n"


def test_orders_are_kept_apart_in_the_order_of_the_file() -> None:
    orders = read_orders(["b,1,x,1,2,3,4\n", "\n", "a,2,y,10,20,30,0\n", '"b",3,"z, red",5.0,5,5,5\n'])
    assert list(orders) == ["b", "a"]
    assert [(goods.key, goods.quantity, goods.size) for goods in orders["b"]] == [
        ("x", 1, Extents(1, 2, 3)),
        ("z, red", 3, Extents(5, 5, 5)),
    ]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("o,1,s,0,2,3,4", "width"),
        ("o,1,s,1,-2,3,4", "length"),
        ("o,1,s,1,2,30000,4", "depth"),
        ("o,1,s,1,2,3,-4", "weight"),
        ("o,0,s,1,2,3,4", "quantity"),
        ("o,1.5,s,1,2,3,4", "quantity"),
        ("o,1,s,21 cm,2,3,4", "width"),
        ("o,1,s,10,8.5,3,4", "length"),
        ("o,1,s,10,8in,3,4", "length"),
        ("o,1,s,10,20,nan,4", "depth"),
        ("o,1,s,10,20,1e3,4", "depth"),
        ("o,1,s,10,20,30,0.4", "weight"),
        ("o,1,s,10,20,30,9999999999999999", "weight"),
        ("o,1,s,3,2,1,2500", "weight"),
        (",1,s,10,20,30,4", "order"),
        ("o,1,,10,20,30,4", "sku"),
        ("o,1,s,10,20,30", "weight"),
        ("o,1,s,10,20,30,4,5", "weight"),
    ],
)
def test_an_item_that_cannot_be_is_refused_with_its_line_and_field(line: str, field: str) -> None:
    with pytest.raises(TableError) as refused:
        read_orders([GOOD, line + "\n", GOOD])
    assert (refused.value.line, refused.value.field) == (2, field)
    assert refused.value.message.startswith(f"Line 2, {field}: ")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("b,100,100,100,50,101,90,90,1000", "inner width"),
        ("b,100,100,100,50,90,0,90,1000", "inner length"),
        ("b,0,100,100,50,90,90,90,1000", "outer width"),
        ("b,100,100,100,50,90,90,90,50", "maximum gross weight"),
        ("b,100,100,100,-1,90,90,90,1000", "empty weight"),
        ("box,100,100,100,50,90,90,90,1000", "name"),
        ("b,100,100,100,50,90,90,90,", "maximum gross weight"),
        ("b,100,100", "outer depth"),
    ],
)
def test_a_carton_that_cannot_be_is_refused_with_its_line_and_field(line: str, field: str) -> None:
    with pytest.raises(TableError) as refused:
        read_cartons([CARTON, line + "\n"])
    assert (refused.value.line, refused.value.field) == (2, field)


def test_a_table_without_cartons_is_refused() -> None:
    with pytest.raises(TableError):
        read_cartons([])


def test_containers_are_read_with_what_may_stand() -> None:
    (instance,) = read_thpack(THPACK.splitlines())
    (goods,) = instance.goods
    assert (instance.number, instance.room) == (1, Extents(10, 20, 30))
    assert (goods.size, goods.handling.may_stand, goods.quantity) == (Extents(5, 6, 7), (True, False, True), 3)


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("x", 1, "number of problems"),
        ("1\n 1 99\n 10 20\n", 3, "height"),
        ("1\n 1 99\n 10 20 0\n", 3, "height"),
        (THPACK.replace("6 0 7", "6 2 7"), 5, "width may stand vertical"),
        (THPACK.replace("5 1 6 0 7 1", "5 0 6 0 7 0"), 5, "may_stand"),
        (THPACK[:-3], 5, "count"),
        ("", 1, "number of problems"),
    ],
)
def test_a_container_that_cannot_be_is_refused_with_its_line_and_field(text: str, line: int, field: str) -> None:
    with pytest.raises(TableError) as refused:
        read_thpack(text.splitlines())
    assert (refused.value.line, refused.value.field) == (line, field)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_whatever_stands_in_a_file_it_is_read_or_refused(lines: list[str]) -> None:
    for read in (read_orders, read_cartons, read_thpack):
        with contextlib.suppress(TableError):
            read([line + "\n" for line in lines])


def test_the_reference_tables_can_be_read(reference: Path) -> None:
    with (reference / "packing" / "thpack7.txt").open() as lines:
        assert len(read_thpack(lines)) == 100
    with (reference / "packing" / "cartons.csv").open() as lines:
        assert len(read_cartons(lines)) == 4
