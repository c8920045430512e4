"""An invoice as a person has it: any usual encoding, columns proposed by their names, faults named line by line."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.labels.invoice_csv import FIELDS, InvoiceError, Layout, Sheet, header_of, read_sheet
from connector.labels.invoice_file import MOST_BYTES, hold, propose, release, text_of

UPS = ["Account", "Invoice Number", "Tracking Number", "Charge Description", "Net Amount", "Billed Weight", "Zone"]
FEDEX = ["Invoice Number", "Express or Ground Tracking ID", "Net Charge Amount", "Rated Weight Amount", "Zone Code"]
PARCEL_DE = ["Rechnungsnummer", "Sendungsnummer", "Netto", "Währung", "Gewicht"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (UPS, {"tracking": "Tracking Number", "amount": "Net Amount", "billed_weight": "Billed Weight"}),
        (FEDEX, {"tracking": "Express or Ground Tracking ID", "amount": "Net Charge Amount", "zone": "Zone Code"}),
        (PARCEL_DE, {"tracking": "Sendungsnummer", "amount": "Netto", "currency": "Währung", "weight": "Gewicht"}),
        (["A", "B"], {"tracking": "", "amount": ""}),
    ],
)
def test_columns_are_proposed_by_what_carriers_call_them(header: list[str], found: dict[str, str]) -> None:
    proposed = propose(header, {})
    assert set(proposed) == set(FIELDS)
    assert found.items() <= proposed.items()
    used = [column for column in proposed.values() if column]
    assert len(used) == len(set(used))


def test_what_was_kept_of_a_carrier_counts_before_names() -> None:
    kept = {"amount": "Zone", "tracking": "Gone", "zone": ""}
    proposed = propose(UPS, kept)
    assert (proposed["amount"], proposed["tracking"], proposed["zone"]) == ("Zone", "Tracking Number", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_the_usual_encodings(encoding: str) -> None:
    assert text_of("Größe;Straße".encode(encoding)) == "Größe;Straße"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_held_file_is_the_file(text: str) -> None:
    assert release(hold(text)) == text


@pytest.mark.parametrize(
    "held",
    ["", "!", "AAAA", hold("half of it")[:12], base64.urlsafe_b64encode(zlib.compress(b"x" * 4 * MOST_BYTES)).decode()],
)
def test_what_was_not_held_here_or_swells_is_refused(held: str) -> None:
    with pytest.raises(InvoiceError):
        release(held)


def sheet(*rows: str, **columns: str) -> Sheet:
    return read_sheet(rows, Layout(columns), "EUR")


def test_every_fault_is_named_and_half_a_label_is_not_read() -> None:
    found = sheet(
        "tracking,amount,currency,weight,reason",
        "T1,1.00,EUR,,Base",
        "T1,ten,EUR,,Fuel",
        "T2,2.00,EURO,,Base",
        "T3,3.00,eur,heavy,Base",
        ",4.00,EUR,,",
        "T4,99999999999999,EUR,,",
        "T5,5.00,eur,,Base",
        "T5,5.00,eur,,Base",
    )
    faults = [(each.number, each.field) for each in found.faults]
    assert faults == [(2, "tracking"), (3, "amount"), (4, "currency"), (5, "weight"), (6, "tracking"), (7, "amount")]
    assert [(each.tracking, each.amount.minor) for each in found.lines] == [("T5", 500)]
    assert found.repeats == 1
    with pytest.raises(InvoiceError, match="Line 2: another line of the same label"):
        found.whole()


def test_a_field_that_is_not_in_the_file_is_not_read_from_a_column_of_its_name() -> None:
    plain, without = sheet("tracking,amount,zone", "T1,1,9"), sheet("tracking,amount,zone", "T1,1,9", zone="")
    assert (plain.lines[0].measures.zone, without.lines[0].measures.zone) == ("9", "")


def test_a_header_names_each_column_once() -> None:
    assert header_of(["a;b;a;;c"]) == ["a", "b", "c"]
    assert header_of([]) == []
