"""What holds for every table and every file: no crash, the same file back, prices that do not fall, zones by hand."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.parcel import Parcel, RateRequest
from carriers.rate_table import Checked, check_table, pack, unpack, write_canonical
from carriers.rate_table.csv_format import COLUMNS, KINDS, read_sheet
from carriers.rate_table.postal import Beginning, Range, normal, read_pattern
from carriers.rate_table.pricing import billable_ng, dimensional_grams, started
from carriers.rate_table.tariff import NANO, UNIT_NG, WeightUnit, grams_up
from carriers.rate_table.zones import ZoneLine, Zones
from tests.carriers.rate_table.sheets import SERVICE, ZONE, line, price, sheet

DAY = date(2026, 11, 23)
HERE = Address("SK", "811 01")

cells = st.one_of(
    st.sampled_from(["", "Post", "Home", "SK", "*", "EUR", "kg", "yes", "81*", "1000..2000", "2026-11-01", "0", "1.5"]),
    st.text(max_size=8),
)
rows = st.dictionaries(st.sampled_from(COLUMNS[1:]), cells, max_size=6).flatmap(
    lambda some: st.sampled_from([*KINDS, "", "x"]).map(lambda kind: {"row": kind, **some})
)


def ask(checked: Checked, grams: int, *, parcels: int = 1, size: Size | None = None) -> list[int]:
    """The prices of all services, in minor units."""
    assert checked.table is not None, checked.faults
    parcel = Parcel(Weight(grams), size)
    request = RateRequest(HERE, HERE, (parcel,) * parcels, "EUR")
    return [each.price.minor for each in checked.table.price(request, DAY)[0]]


@given(st.binary(max_size=400))
def test_garbage_bytes_are_faults_and_never_a_crash(raw: bytes) -> None:
    checked = check_table(raw)
    assert (checked.table is None) == bool(checked.faults)
    assert all(fault.line >= 1 and fault.message for fault in checked.faults)


@given(st.lists(rows, max_size=6), st.sampled_from([",", ";", "\t"]))
def test_lines_of_garbage_are_faults_and_never_a_crash(some: list[dict[str, str]], delimiter: str) -> None:
    raw = sheet(*some, delimiter=delimiter) if some else b""
    checked = check_table(raw)
    assert (checked.table is None) == bool(checked.faults)
    assert all(fault.line >= 1 for fault in checked.faults)


@given(st.binary(max_size=3000))
def test_what_was_imported_comes_back_byte_for_byte(raw: bytes) -> None:
    assert unpack(pack(raw)) == raw


@given(st.lists(rows, max_size=6))
def test_the_canonical_form_of_the_canonical_form_is_itself(some: list[dict[str, str]]) -> None:
    once = write_canonical(read_sheet(sheet(*some) if some else b"").lines)
    assert write_canonical(read_sheet(once).lines) == once


amounts = st.integers(0, 5000).map(lambda minor: f"{minor / 100:.2f}")
kilos = st.integers(0, 3000).map(lambda grams: f"{grams / 1000:.3f}")


@st.composite
def rising_tables(draw: st.DrawFn) -> bytes:
    """Tables that say that they never fall; some do, and are refused."""
    bounds = sorted(draw(st.sets(st.integers(1, 20_000), min_size=1, max_size=4)))
    prices, over = [], None
    for high in [*bounds, None]:
        cells: dict[str, str] = {"price": draw(amounts)}
        if over is not None:
            cells["weight_over"] = f"{over / 1000:.3f}"
        if high is not None:
            cells["weight_to"] = f"{high / 1000:.3f}"
        if draw(st.booleans()):
            cells |= {"step": f"{draw(st.integers(1, 3000)) / 1000:.3f}", "per_step": draw(amounts)}
        if draw(st.booleans()):
            cells |= {"per_unit": f"{draw(st.integers(0, 9_999_999)) / 1_000_000:.6f}"}
        cells["included"] = draw(kilos)
        prices.append(price(**cells))
        over = high
    by = draw(st.sampled_from(["parcel", "shipment"]))
    rounding = draw(st.sampled_from(["", "0.001", "0.5", "1"]))
    table = line("table", name="T", currency="EUR", never_falls="yes", priced_by=by, round_to=rounding)
    fuel = line("surcharge", name="Fuel", percent=draw(st.sampled_from(["0", "7.5", "33.3333"])))
    peak = line("surcharge", name="Peak", amount=draw(amounts))
    return sheet(table, SERVICE, ZONE, line("divisor", divisor="5000"), fuel, peak, *prices)


@settings(max_examples=150)
@given(rising_tables(), st.lists(st.integers(0, 25_000), min_size=2, max_size=8))
def test_a_price_does_not_fall_as_weight_grows_in_a_table_that_says_so(raw: bytes, weights: list[int]) -> None:
    checked = check_table(raw)
    if checked.table is None:
        assert {fault.field for fault in checked.faults} == {"price"}
        return
    found = [ask(checked, grams) for grams in sorted(weights)]
    assert found == sorted(found)
    sized = [ask(checked, grams, size=Size(300, 250, 200)) for grams in sorted(weights)]
    assert sized == sorted(sized)


@pytest.mark.complaint(16)
@given(rising_tables(), st.integers(0, 20_000), st.integers(1, 4))
def test_equal_parcels_cost_their_number_times_one_to_the_cent(raw: bytes, grams: int, parcels: int) -> None:
    """Where parcels are priced; where the shipment is, more parcels do not cost less."""
    checked = check_table(raw)
    if checked.table is None:
        return
    (one,), (many,) = ask(checked, grams), ask(checked, grams, parcels=parcels)
    assert many >= one
    if b"parcel" in raw:
        assert many == parcels * one


@given(st.integers(0, 100_000), st.integers(1, 10**14), st.integers(0, 10**14))
def test_started_steps_are_the_fewest_that_reach_the_weight(grams: int, step_ng: int, included_ng: int) -> None:
    steps = started(grams, included_ng, step_ng)
    assert grams_up(included_ng + steps * step_ng) >= grams
    assert steps == 0 or grams_up(included_ng + (steps - 1) * step_ng) < grams


@given(st.integers(0, 100_000), st.sampled_from(list(UNIT_NG)))
def test_a_billable_weight_is_the_next_whole_unit(grams: int, unit: WeightUnit) -> None:
    ng = billable_ng(grams, UNIT_NG[unit])
    assert ng % UNIT_NG[unit] == 0
    assert grams_up(ng) >= grams
    assert ng < grams * NANO + UNIT_NG[unit]


@pytest.mark.complaint(19)
@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 3000), st.integers(100, 9000))
def test_dimensional_weight_is_the_formula_rounded_up_to_a_gram(a: int, b: int, c: int, divisor: int) -> None:
    exact = Fraction(a * b * c, divisor)
    assert exact <= dimensional_grams(Size(a, b, c), divisor, "kg") < exact + 1
    inches = Fraction(a * b * c) / Fraction("25.4") ** 3
    exact = inches / divisor * Fraction("453.59237")
    assert exact <= dimensional_grams(Size(a, b, c), divisor, "lb") < exact + 1


codes = st.integers(0, 9999).map(lambda number: f"{number:04}")
patterns = st.one_of(
    codes,
    codes.map(lambda code: code[:2] + "*"),
    codes.map(lambda code: code[:3] + "*"),
    st.tuples(codes, codes).map(lambda two: f"{min(two)}..{max(two)}"),
)


def matches(pattern: Beginning | Range, code: str) -> tuple[int, int] | None:
    """By hand: how many characters a pattern names and how narrow it is; None if the code is not in it."""
    if isinstance(pattern, Beginning):
        return (len(pattern.text), 1) if f"{code}$".startswith(pattern.text) else None
    return (pattern.length, pattern.low - pattern.high) if pattern.low <= int(code) <= pattern.high else None


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from("ABC"), patterns), max_size=8), st.lists(codes, min_size=1, max_size=8))
def test_the_zone_is_the_most_specific_one_whatever_the_order(found: list[tuple[str, str]], asked: list[str]) -> None:
    lines = [ZoneLine(1, "country", ("AT",))]
    for number, (zone, text) in enumerate(found, 2):
        pattern = read_pattern("AT", text)
        assert not isinstance(pattern, str)
        lines.append(ZoneLine(number, zone, ("AT",), patterns=(pattern,)))
    zones, mirrored = Zones(lines), Zones(reversed(lines))
    assert bool(zones.faults) == bool(mirrored.faults)
    if zones.faults:
        return
    for code in asked:
        ranked = [(matches(each.patterns[0], code), each.zone) for each in lines[1:]]
        best = max(((rank, zone) for rank, zone in ranked if rank is not None), default=((0, 0), "country"))
        to = Address("AT", code)
        assert zones.find(to) == mirrored.find(to) == (best[1],)


@given(st.sampled_from(["US", "GB", "CA", "IE", "NL", "SK"]), st.text(max_size=12))
def test_any_postal_code_can_be_looked_up(country: str, text: str) -> None:
    lines = [
        ZoneLine(1, "A", ("GB",), patterns=(Beginning("E1 "), Range("IV", 0, 1, 28))),
        ZoneLine(2, "B", ("CA",), patterns=(Beginning("M5V"), Range("A", 3, 15000, 20000))),
        ZoneLine(3, "C", ("US", "SK"), patterns=(Range("9", 3, 100, 119),)),
    ]
    zones = Zones([*lines, ZoneLine(4, "D", ("*",))])
    for code in (text, text.encode("utf-8", "ignore").decode().lower()):
        zones.find(Address(country, code))
        assert normal(country, f" {code} ") == normal(country, code) or country == "GB"
