"""A CSV of tracking numbers: what cannot be read names its column, and each line stands for itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.orders.ship_many import BadFile, Row, read_rows


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_lines_are_read_with_their_numbers_whatever_separates_the_fields(sign: str) -> None:
    text = f"Order{sign}Carrier{sign}Number\n#1001{sign}Post{sign}RR1\n{sign}{sign}\n#1002{sign}Post{sign}RR2\n"
    rows = read_rows(b"\xef\xbb\xbf" + text.encode())
    assert [(row.line, row.get("order"), row.get("number"), row.get("url")) for row in rows] == [
        (2, "#1001", "RR1", ""),
        (4, "#1002", "RR2", ""),
    ]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"order,number\n1,2\n", "carrier"),
        (b"", "order"),
        (b"order,carrier,number,colour\n1,2,3,4\n", "colour"),
        (b"\xff\xfe", ""),
        (b"order,carrier,number\n1,2,3\x00\n", ""),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_column(content: bytes, field: str) -> None:
    with pytest.raises(BadFile) as told:
        read_rows(content)
    assert told.value.detail == field


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_stumble(noise: bytes) -> None:
    try:
        rows = read_rows(b"order,carrier,number\n" + noise)
    except BadFile:
        return
    assert all(isinstance(row, Row) for row in rows)
