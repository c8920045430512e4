"""Labels as one file: in order, at their own size, each page naming its parcel."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from pypdf import PageObject, PdfReader, PdfWriter

from connector.labels.paper import zpl
from connector.labels.paper.edge import width_of
from connector.labels.paper.merge import merge
from connector.labels.paper.pictures import read_picture
from connector.labels.paper.sheets import Leaf, SheetName
from tests.simulators.easypost_labels import label


def pdf(text: str) -> Leaf:
    return Leaf(label("PDF", text), "application/pdf", f"#{text}")


def pages(content: bytes) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(content)).pages)


@pytest.mark.complaint(2)
def test_pages_keep_their_order_and_name_their_parcel() -> None:
    merged = merge([pdf(str(number)) for number in range(1001, 1013)])
    texts = [page.extract_text() for page in pages(merged.content)]
    assert merged.pages == 12
    for number, text in enumerate(texts, 1):
        assert f"{number} / 12  #{1000 + number}" in text
    marks = [str(item.title) for item in PdfReader(io.BytesIO(merged.content)).outline]  # type: ignore[union-attr]
    assert marks[4] == "5 / 12  #1005"


def several(text: str, count: int) -> Leaf:
    """One document of several pages."""
    writer = PdfWriter()
    for _ in range(count):
        writer.append(io.BytesIO(label("PDF", text)))
    out = io.BytesIO()
    writer.write(out)
    return Leaf(out.getvalue(), "application/pdf", f"#{text}", on="sheet")


@pytest.mark.parametrize("sheet", ["4x6", "a4"])
def test_pages_are_counted_and_not_documents(sheet: SheetName) -> None:
    """A customs paper of three pages between two labels: page 4 of 5 says so, and whose it is."""
    merged = merge([pdf("1"), several("2", 3), pdf("3")], sheet)
    texts = [page.extract_text() for page in pages(merged.content)]
    whose = ["#1", "#2", "#2", "#2", "#3"]
    assert [f"{number} / 5  {whose[number - 1]}" in text for number, text in enumerate(texts, 1)] == [True] * 5


@pytest.mark.parametrize(("sheet", "size", "count"), [("4x6", (288, 432), 5), ("a4", (595, 842), 3),
                                                      ("letter", (612, 792), 3)])  # fmt: skip
def test_each_sheet_has_its_size_and_number_of_labels(sheet: SheetName, size: tuple[int, int], count: int) -> None:
    merged = merge([pdf(str(number)) for number in range(5)], sheet)
    found = pages(merged.content)
    assert merged.pages == len(found) == count
    assert {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in found} == {size}


def test_a_page_of_its_own_ends_a_sheet_of_labels() -> None:
    whole = Leaf(label("PDF", "slip"), "application/pdf", "slip", on="sheet")
    assert merge([pdf("1"), whole, pdf("2"), pdf("3")], "a4").pages == 3


def test_a_label_that_fits_is_not_scaled_and_a_greater_one_is() -> None:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    out = io.BytesIO()
    writer.write(out)
    great = Leaf(out.getvalue(), "application/pdf", "great")
    small, greater = (page.get_contents() for page in pages(merge([pdf("1"), great]).content))
    assert small is not None
    assert b"1.0000 0.0000 0.0000 1.0000 0.0000 0.0000 cm" in small.get_data()
    assert greater is not None
    assert b"0.4840 0.0000 0.0000 0.4840" in greater.get_data()


def test_a_label_on_its_side_is_turned_upright() -> None:
    writer = PdfWriter()
    writer.add_blank_page(432, 288)
    writer.pages[0].rotate(90)
    out = io.BytesIO()
    writer.write(out)
    (page,) = pages(merge([Leaf(out.getvalue(), "application/pdf", "turned")]).content)
    found = page.get_contents()
    assert found is not None
    assert b"1.0000 0.0000 0.0000 1.0000 0.0000 0.0000 cm" in found.get_data()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
def test_pictures_of_every_kind_are_placed(mode: str) -> None:
    image = Image.new("RGB", (203, 304), "white")
    image.paste((0, 0, 0), (20, 20, 80, 80))
    out = io.BytesIO()
    image.convert(mode).save(out, "PNG", dpi=(203, 203))
    picture = read_picture(out.getvalue())
    assert (picture.width, picture.height) == (203, 304)
    merged = merge([Leaf(out.getvalue(), "image/png", "#1")])
    (page,) = pages(merged.content)
    inner = page["/Resources"]["/XObject"]["/L0"]["/Resources"]["/XObject"]["/P"]  # type: ignore[index]
    drawn = inner.decode_as_image()
    assert drawn.size == (203, 304)
    assert drawn.convert("L").getpixel((50, 50)) < 40
    assert drawn.convert("L").getpixel((150, 200)) > 200


@pytest.mark.complaint(2)
@pytest.mark.parametrize(("sheet", "place"), [("4x6", 288), ("a4", 432)])
def test_what_a_page_says_of_itself_ends_within_its_place(sheet: SheetName, place: int) -> None:
    """What does not fit is cut with an ellipsis; the viewer's list of pages has the whole of it."""
    long = "#1001  parcel 1 of 2  " + ", ".join(f"{number}x MUG-{number}" for number in range(1, 40))
    merged = merge([Leaf(label("PDF", "one"), "application/pdf", long)], sheet)
    (page,) = pages(merged.content)
    (said,) = [line for line in page.extract_text().splitlines() if line.startswith("1 / 1")]
    assert said.startswith("1 / 1  #1001  parcel 1 of 2  1x MUG-1, 2x MUG-2")
    assert said.endswith("…")
    size = 4.0 if sheet == "4x6" else 7.0
    assert 0.9 * place < width_of(said, size) <= place
    assert str(PdfReader(io.BytesIO(merged.content)).outline[0].title).endswith("39x MUG-39")  # type: ignore[union-attr]


def test_letters_that_the_edge_of_a_page_has_not_are_written_without_their_signs() -> None:
    (page,) = pages(merge([Leaf(label("PDF", "one"), "application/pdf", "2x Šálka žltá, 1x כוס")]).content)
    assert "2x Šálka žltá, 1x ?" in page.extract_text()
    (page,) = pages(merge([Leaf(label("PDF", "one"), "application/pdf", "1x Čajník, 1x Łyżka")]).content)
    assert "1x Cajník, 1x Lyzka" in page.extract_text()


def test_what_is_neither_pdf_nor_png_is_refused() -> None:
    with pytest.raises(ValueError, match="PDF and PNG"):
        merge([Leaf(b"<html>", "text/html", "x")])


def test_printer_files_follow_each_other_and_say_whose_they_are() -> None:
    joined = zpl.join([(label("ZPL", "one"), "#1001 ^XZ"), (label("ZPL", "two"), "#1002 Žofia")])
    assert joined.count(b"^XA") == joined.count(b"^XZ") == 2
    assert joined.index(b"one") < joined.index(b"two")
    assert b"^FX 1 / 2  #1001  XZ^FS" in joined
