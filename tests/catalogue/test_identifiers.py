"""The numbers of a product: what stands in for what is not known, and which barcodes are standard ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalogue.identifiers import LONGEST_MAKER, LONGEST_SELLER, gtin, identifiers


@pytest.mark.parametrize(
    ("mpn", "barcode", "sku", "key", "wanted"),
    [
        ("M-1", "4006381333931", "S-1", "77", ("S-1", "M-1", "4006381333931")),
        ("", "4006381333931", "S-1", "77", ("S-1", "4006381333931", "4006381333931")),
        ("", "SHELF-9", "S-1", "77", ("S-1", "SHELF-9", "")),
        ("", "", "S-1", "77", ("S-1", "S-1", "")),
        ("", "", "", "77", ("77", "77", "")),
        ("", "", "", "sku:", ("", "", "")),
        ("M" * 65, "", "S-1", "77", ("S-1", "S-1", "")),
        ("", "", "S" * 129, "77", ("77", "77", "")),
    ],
)
def test_the_next_best_number_stands_in_for_one_that_is_not_known(
    mpn: str, barcode: str, sku: str, key: str, wanted: tuple[str, str, str]
) -> None:
    assert identifiers(key=key, sku=sku, mpn=mpn, barcode=barcode) == wanted


@pytest.mark.parametrize(
    "code", ["4006381333931", "036000291452", "96385074", "10614141000415", "978-3-16-148410-0", "0 36000 29145 2"]
)
def test_standard_numbers_are_known_by_their_check_digit(code: str) -> None:
    assert gtin(code) == code.replace("-", "").replace(" ", "")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "4006381333932",
        "12345678",
        "400638133393",
        "ABC",
        "0000000000000",
        "\uff14\uff10\uff10\uff16\uff13\uff18\uff11\uff13\uff13\uff13\uff19\uff13\uff11",
    ],
)
def test_other_barcodes_are_none(code: str) -> None:
    assert gtin(code) == ""


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_numbers_are_never_cut_nor_longer_than_customs_takes(key: str, sku: str, mpn: str, barcode: str) -> None:
    found = identifiers(key=key, sku=sku, mpn=mpn, barcode=barcode)
    assert len(found.seller) <= LONGEST_SELLER
    assert len(found.maker) <= LONGEST_MAKER
    said = {key.removeprefix("sku:").strip(), sku.strip(), mpn.strip(), barcode.strip(), ""}
    assert {found.seller, found.maker} <= said
