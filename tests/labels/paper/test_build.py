"""A whole print: slip, label, return label and papers of each parcel in order; what a PDF cannot hold beside it."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from connector.labels.paper.apart import PrintFailed, made_apart
from connector.labels.paper.build import Paper, PrintItem, build
from connector.labels.paper.sheets import SheetName
from connector.labels.paper.slips import Brand, Slip, SlipLine
from tests.simulators.easypost_labels import label

pytestmark = pytest.mark.anyio
BRAND = Brand("Tea & Pots", "#1a4d8f")


def a_slip(order: str) -> Slip:
    return Slip("en", order, "2026-11-22", 1, 1, ("Jana",), (SlipLine("Green tea", "TEA-1", 2),), "123456789012")


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


@pytest.mark.complaint(2)
@pytest.mark.parametrize(("sheet", "count"), [("4x6", 6), ("a4", 5), ("letter", 5)])
def test_the_papers_of_a_parcel_follow_each_other_and_each_page_names_it(sheet: SheetName, count: int) -> None:
    """On a sheet label and return label lie beside each other; slip and customs papers have sheets of their own."""
    papers = (Paper("label", label("PDF", "to buyer")), Paper("return", label("PDF", "back")),
              Paper("customs", label("PDF", "declared")))  # fmt: skip
    items = (
        PrintItem("#1001  parcel 1 of 1", a_slip("#1001"), papers),
        PrintItem("#1002", a_slip("#1002"), papers[:1]),
    )
    printed = build(items, BRAND, sheet, "")
    texts = pages(printed.pdf)
    assert (printed.pages, printed.zpl, printed.unread) == (count, b"", ())
    whole = "\n".join(texts)
    said = ["Green tea", "to buyer", "back", "declared", "#1002"]
    places = [whole.index(each) for each in said]
    assert places == sorted(places)
    assert all(f"{number} / 6  #1001" in whole for number in range(1, 5))
    assert all(f"{number} / 6  #1002" in whole for number in (5, 6))


def test_pictures_stand_in_the_print_and_printer_languages_beside_it() -> None:
    items = tuple(
        PrintItem(f"#{number}", None, (Paper("label", label(kind, f"box {number}")),))
        for number, kind in enumerate(("PNG", "ZPL", "PDF", "ZPL"), 1)
    )
    printed = build(items, BRAND, "4x6", "")
    assert (printed.pages, printed.zpl_labels) == (2, 2)
    assert ["1 / 2  #1" in text or "2 / 2  #3" in text for text in pages(printed.pdf)] == [True, True]
    assert printed.zpl.index(b"#2") < printed.zpl.index(b"#4")


def test_a_document_that_is_none_is_told_and_keeps_no_other_out() -> None:
    items = tuple(PrintItem(f"#{number}", None, (Paper("label", content),)) for number, content in
                  enumerate((label("PDF", "one"), b"<html>gone</html>", label("PDF", "three"))))  # fmt: skip
    printed = build(items, BRAND, "4x6", "")
    assert (printed.pages, printed.unread) == (2, (1,))


async def test_a_print_is_made_in_a_process_of_its_own() -> None:
    items = (PrintItem("#1001", a_slip("#1001"), (Paper("label", label("PDF", "one")),)),)
    printed = await made_apart(build, items, BRAND, "4x6", "")
    assert "Green tea" in pages(printed.pdf)[0]


async def test_a_print_that_fails_says_how_and_nothing_of_what_is_printed() -> None:
    with pytest.raises(PrintFailed) as caught:
        await made_apart(build, (), BRAND, "no such sheet of Jana Canary", "")
    assert caught.value.detail == "KeyError"


async def test_the_process_is_given_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_KEYS", "secret")
    assert await made_apart(seen_there) == []


def seen_there() -> list[str]:
    """What the process finds of our settings, and which of our heavy rooms it has loaded."""
    import os
    import sys

    rooms = ("connector.wiring", "connector.http", "connector.cli", "connector.storage.database")
    return [name for name in os.environ if name.startswith("WAYBILL_")] + [
        name for name in rooms if name in sys.modules
    ]
