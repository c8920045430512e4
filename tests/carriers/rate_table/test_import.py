"""A file is read to its end: each fault is named by line and column, and what is odd is told before it goes live."""

from __future__ import annotations

import pytest

from carriers.rate_table import BadTable, check_table, read_table
from carriers.rate_table.csv_format import LONGEST_CELL, MOST_BYTES, read_sheet, write_canonical
from tests.carriers.rate_table.sheets import HEAD, SERVICE, TABLE, ZONE, Row, line, price, sheet

GOOD = sheet(*HEAD, price(weight_to="30"))


def faults(*rows: Row, head: tuple[Row, ...] = HEAD) -> list[tuple[int, str]]:
    """Lines and columns of the faults of these lines, the first of which is line 5."""
    return [(fault.line, fault.field) for fault in check_table(sheet(*head, *rows)).faults]


def test_a_good_file_has_no_fault_and_a_table() -> None:
    checked = check_table(GOOD)
    assert checked.faults == ()
    assert checked.table is not None
    assert (checked.table.name, checked.table.services, checked.table.price_count) == ("Test", ("Post",), 1)


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        (price(price="-1"), "price"),
        (price(price="1.234"), "price"),
        (price(price="1e3"), "price"),
        (price(price="5 €"), "price"),
        (price(price="1,5"), "price"),
        (price(price="٣"), "price"),
        (price(service="Pots"), "service"),
        (price(zone="Hmoe"), "zone"),
        (price(currency="euro"), "currency"),
        (price(weight_to="1.0005"), "weight_to"),
        (price(weight_from="3", weight_to="2"), "weight_to"),
        (price(weight_from="1", weight_over="1"), "weight_over"),
        (price(items_from="2", items_to="1"), "items_to"),
        (price(items_from="1.5"), "items_from"),
        (price(subtotal_from="9", subtotal_to="8"), "subtotal_to"),
        (price(step="0.5"), "per_step"),
        (price(per_step="0.5"), "step"),
        (price(step="0", per_step="1"), "step"),
        (price(days="400"), "days"),
        (price(per_unit="1.1234567"), "per_unit"),
        (price(postal="81*"), "postal"),
        (line("price", service="Post", zone="Home"), "price"),
        (line("service", service="post"), "service"),
        (line("zone", zone="Away", country="Slovakia"), "country"),
        (line("zone", zone="Away", country="UK"), "country"),
        (line("zone", zone="Away", country="SK", province="BL", postal="81*"), "postal"),
        (line("zone", zone="Away", country="AT;CZ", postal="1*"), "country"),
        (line("zone", zone="Away", country="AT", postal="1*0"), "postal"),
        (line("zone", zone="Away", country="AT", postal="1020..1010"), "postal"),
        (line("zone", zone="Away", country="AT", postal="10..1020"), "postal"),
        (line("zone", zone="Away", country="AT", postal="?"), "postal"),
        (line("zone", zone="Away", country="US", postal="100"), "postal"),
        (line("zone", zone="Away", country="CA", postal="M5V3"), "postal"),
        (line("zone", zone="Away", country="GB", postal="IV"), "postal"),
        (line("zone", zone="Away", country="GB", postal="IV1..KW9"), "postal"),
        (line("divisor", divisor="5000.5"), "divisor"),
        (line("surcharge", name="Fuel"), "percent"),
        (line("surcharge", name="Fuel", percent="1", amount="1"), "percent"),
        (line("surcharge", name="Fuel", percent="1", currency="EUR"), "currency"),
        (line("surcharge", name="Fuel", percent="1", from_="2026-02-30"), "from"),
        (line("surcharge", name="Fuel", percent="1", from_="1.2.2026"), "from"),
        (line("surcharge", name="Fuel", percent="1", from_="2026-02-02", to="2026-02-01"), "to"),
        (line("surcharge", name="Fuel", percent="1", service="Pots"), "service"),
        (line("cheese", name="Gouda"), "row"),
        (line("", name="Gouda"), "row"),
        (line("table", name="Second", currency="EUR"), "row"),
    ],
)
def test_a_bad_cell_is_named_by_its_line_and_column(bad: Row, column: str) -> None:
    assert (6, column) in faults(price(weight_to="30"), bad)


def test_every_bad_line_is_reported_and_not_only_the_first() -> None:
    found = faults(price(price="x"), price(weight_to="y", days="z"), line("service"), price(zone="Nowhere"))
    assert found == [(5, "price"), (6, "days"), (6, "weight_to"), (7, "service"), (8, "zone")]


def test_one_fault_does_not_bring_others_about() -> None:
    """A service whose line is bad is still known to the prices."""
    assert faults(price(), head=(TABLE, line("service", service="Post", days="soon"), ZONE)) == [(3, "days")]


def test_overlaps_are_named_with_both_lines() -> None:
    checked = check_table(sheet(*HEAD, price(weight_to="1"), price(weight_from="1", weight_to="5")))
    (fault,) = checked.faults
    assert (fault.line, fault.field) == (6, "weight_from")
    assert "line 5 overlap" in fault.message
    assert "1 kg" in fault.message


def test_bands_that_begin_where_others_end_do_not_overlap_with_weight_over() -> None:
    assert faults(price(weight_to="1"), price(weight_over="1", weight_to="5")) == []


def test_gaps_are_named_with_what_lies_in_them() -> None:
    (fault,) = check_table(sheet(*HEAD, price(weight_to="1"), price(weight_over="2", weight_to="5"))).faults
    assert (fault.line, fault.field) == (6, "weight_from")
    assert "1.001 kg to 2 kg" in fault.message


def test_gaps_and_overlaps_of_items_and_subtotals_are_named() -> None:
    assert faults(price(items_to="2"), price(items_from="4")) == [(6, "items_from")]
    assert faults(price(items_to="2"), price(items_from="2")) == [(6, "items_from")]
    assert faults(price(subtotal_to="49.98"), price(subtotal_from="50")) == [(6, "subtotal_from")]
    assert faults(price(subtotal_to="50"), price(subtotal_from="50")) == [(6, "subtotal_from")]
    assert faults(price(subtotal_to="49.99"), price(subtotal_from="50")) == []


def test_two_zones_that_name_one_place_are_a_fault() -> None:
    def both(one: str, other: str, country: str = "AT") -> list[tuple[int, str]]:
        zones = (line("zone", zone=each, country=country, postal=text) for each, text in (("A", one), ("B", other)))
        return faults(*zones, price())

    assert both("1010", "1020") == []
    assert both("1010", "10 10") == [(6, "postal")]
    assert both("10*", "10*") == [(6, "postal")]
    assert both("1000..1999", "1500..2500") == [(6, "postal")]
    assert both("1000..1999", "1000..1999") == [(6, "postal")]
    assert both("1000..1999", "1500..1600") == []
    assert both("1000..1999", "1000..1500") == []
    assert both("E1", "E1 *", "GB") == [(6, "postal")]
    assert faults(line("zone", zone="A", country="SK"), price()) == [(5, "country")]
    assert faults(line("zone", zone="A", country="*"), line("zone", zone="B", country="*"), price()) == [(6, "country")]


def test_two_divisors_for_one_day_are_a_fault() -> None:
    first = line("divisor", divisor="5000", to="2026-12-31")
    assert faults(price(), first, line("divisor", divisor="4000", from_="2026-12-31")) == [(7, "divisor")]
    assert faults(price(), first, line("divisor", divisor="4000", from_="2027-01-01")) == []
    assert faults(price(), first, line("divisor", divisor="4000", service="Post")) == []


def test_a_table_that_says_so_is_refused_where_its_price_falls() -> None:
    head = (line("table", name="Test", currency="EUR", never_falls="yes"), SERVICE, ZONE)
    step = price(weight_to="5", included="1", step="0.5", per_step="1.00")
    assert faults(step, price(weight_over="5", price="12.99"), head=head) == [(6, "price")]
    assert faults(step, price(weight_over="5", price="13.00"), head=head) == []
    assert faults(step, price(weight_over="5", price="12.99")) == []


def test_an_amount_on_top_must_be_there_in_each_currency_that_it_meets() -> None:
    prices = (price(), price(currency="CZK", price="120"))
    peak = line("surcharge", name="Peak", amount="1")
    assert faults(*prices, peak) == [(7, "amount")]
    assert faults(*prices, peak, line("surcharge", name="Peak", amount="25", currency="CZK")) == []
    assert faults(price(), line("surcharge", name="Peak", amount="25", currency="CZK")) == [
        (6, "amount"),
        (6, "currency"),
    ]


def test_what_is_allowed_and_may_not_be_meant_is_a_note() -> None:
    rows = (line("zone", zone="Vienna", country="AT", postal="1*"), price(weight_over="2"))
    checked = check_table(sheet(*HEAD, *rows))
    assert checked.table is not None
    assert [(note.line, note.field) for note in checked.notes] == [(5, "country"), (5, "zone"), (6, "weight_from")]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"# nothing\n", b"\xef\xbb\xbf", b"name,zone\na,b\n", b"row\n"])
def test_a_file_without_a_table_says_so(raw: bytes) -> None:
    (fault, *_) = check_table(raw).faults
    assert fault.field == "row"


def test_columns_that_nobody_knows_or_that_are_there_twice_are_named() -> None:
    found = check_table(GOOD.replace(b"weight_to", b"weight_upto")).faults
    assert (found[0].line, found[0].field) == (1, "weight_upto")
    twice = check_table(b"row,name,name,currency\ntable,A,B,EUR\n").faults
    assert (twice[0].line, twice[0].field) == (1, "name")
    assert check_table(b"row,name,\ntable,A,\n").faults[0].line == 1


def test_cells_beyond_the_named_columns_are_a_fault() -> None:
    assert check_table(GOOD.replace(b"SK", b"SK,,,,,,,,oops")).faults[0].line == 4


def test_bytes_that_are_not_utf8_are_named_by_their_lines() -> None:
    bad = GOOD.replace(b"Test", b"T\xe9st")
    assert [(each.line, "UTF-8" in each.message) for each in check_table(bad).faults] == [(2, True)]
    assert "UTF-16" in check_table(GOOD.decode().encode("utf-16")).faults[0].message


def test_an_open_quotation_mark_is_named_by_the_line_where_it_stands() -> None:
    found = check_table(GOOD + b'price,"Post,Home\nprice,Post,Home\n').faults
    assert [(each.line, "quotation mark" in each.message) for each in found] == [(6, True)]


def test_line_numbers_count_lines_of_the_file_and_not_records() -> None:
    raw = b'row,name,currency\n# a comment\n\ntable,"Two\nlines",EUR\ncheese,x,\n'
    assert (6, "row") in [(each.line, each.field) for each in check_table(raw).faults]


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    (fault,) = check_table(b"x" * (MOST_BYTES + 1)).faults
    assert "MiB" in fault.message
    assert (5, "zone") in faults(line("zone", zone="x" * (LONGEST_CELL + 1), country="AT"), price())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_commas_semicolons_and_tabs_make_the_same_table(delimiter: str, newline: str) -> None:
    lists = line("zone", zone="Away", country="AT;HU")
    raw = sheet(*HEAD, lists, price(price="1234.5"), delimiter=delimiter, newline=newline)
    plain = write_canonical(check_table(sheet(*HEAD, lists, price(price="1234.5"))).lines)
    assert write_canonical(check_table(raw).lines) == plain
    assert write_canonical(check_table(b"\xef\xbb\xbf" + raw).lines) == plain


def test_a_decimal_comma_is_a_number_where_commas_do_not_part_cells() -> None:
    rows = (*HEAD, price(price="3,90", weight_to="31,5"))
    assert check_table(sheet(*rows, delimiter=";")).faults == ()
    assert [each.field for each in check_table(sheet(*rows)).faults] == ["price", "weight_to"]


def test_the_canonical_form_is_read_as_itself() -> None:
    lines = read_sheet(b"  row ; NAME;currency\n table ; Test ; eur ; \n\n# gone\n").lines
    canonical = write_canonical(lines)
    assert canonical == b"row,name,currency\ntable,Test,eur\n"
    assert write_canonical(read_sheet(canonical).lines) == canonical


def test_a_bad_table_is_an_error_that_has_every_fault() -> None:
    with pytest.raises(BadTable) as raised:
        read_table(sheet(*HEAD, price(price="x"), price(price="y")))
    assert len(raised.value.faults) == 2
    assert "line 5, price" in raised.value.message
