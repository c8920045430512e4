"""Many documents as one PDF, in their order: labels on their sheets, each page naming its parcel.

A page is carried over as it is, as a form that is placed on the sheet: what is drawn as lines stays lines, a picture
keeps its dots, and nothing is unpacked that need not be. A label that fits is never scaled, since its bars are as wide
as a printer's dots; a greater one is made smaller until it fits. The caption stands outside of it, or at the very edge,
and counts the pages of the documents, however many of them lie on a sheet.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NameObject,
    NumberObject,
    StreamObject,
)

from connector.labels.paper.edge import encoded, fitted
from connector.labels.paper.pictures import Picture, read_picture
from connector.labels.paper.sheets import LABEL, SHEETS, Leaf, Sheet, SheetName

_CAPTION_PT, _EDGE_PT, _SIDE_PT = 4.0, 1.0, 4.0
_SHEET_CAPTION_PT, _GAP_PT = 7.0, 3.0
_SLACK = 1.02  # A page that is so little greater than its place is not scaled: rounding of inches and millimetres.
_FONT = NameObject("/WbF")


@dataclass(frozen=True, slots=True)
class Merged:
    """The PDF, and how many pages it has."""

    content: bytes
    pages: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something lies on a sheet: its lower left corner and size, and whether it lies on its side."""

    x: float
    y: float
    width: float
    height: float
    turned: bool = False


def merge(leaves: Iterable[Leaf], sheet_name: SheetName = "4x6") -> Merged:
    """One PDF of all leaves in order. Raises ValueError for bytes that are neither PDF nor PNG."""
    return _Merger(SHEETS[sheet_name]).merge(list(leaves))


class _Merger:
    """The sheet that is being filled, and the places on it that are still free."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._writer = PdfWriter()
        self._font = self._writer._add_object(  # noqa: SLF001 - pypdf has no public way to add an object.
            DictionaryObject(
                {
                    NameObject("/Type"): NameObject("/Font"),
                    NameObject("/Subtype"): NameObject("/Type1"),
                    NameObject("/BaseFont"): NameObject("/Helvetica"),
                    NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
                }
            )
        )
        self._page: PageObject | None = None
        self._drawn: list[bytes] = []
        self._things = DictionaryObject()
        self._free: list[_Place] = []
        self._shared: dict[int, PdfReader] = {}

    def merge(self, leaves: list[Leaf]) -> Merged:
        forms = [(leaf, form) for leaf in leaves for form in self._forms(leaf)]
        for number, (leaf, (form, width, height)) in enumerate(forms, 1):
            caption = f"{number} / {len(forms)}  {leaf.caption}"
            place = self._next_place(leaf, width, height)
            self._draw(form, width, height, place, caption)
            self._mark(caption)
        self._finish_page()
        out = io.BytesIO()
        self._writer.write(out)
        return Merged(out.getvalue(), len(self._writer.pages))

    def _forms(self, leaf: Leaf) -> Iterable[tuple[IndirectObject, float, float]]:
        """Each page of a document as a form: lower left corner at 0, upright."""
        if leaf.content.startswith(b"\x89PNG"):
            yield self._picture(read_picture(leaf.content))
            return
        if not leaf.content.startswith(b"%PDF-"):
            raise ValueError("Only PDF and PNG can be merged.")
        first, last = leaf.pages or (0, None)
        for page in self._reader(leaf).pages[first:last]:
            yield self._form(page)

    def _reader(self, leaf: Leaf) -> PdfReader:
        """Leaves that are parts of one file share its reader: it is read once, and so are the fonts of its pages."""
        known = self._shared.get(id(leaf.content))  # The leaves keep it alive: no other bytes have its id.
        if known is not None:
            return known
        reader = PdfReader(io.BytesIO(leaf.content))
        if reader.is_encrypted:
            reader.decrypt("")
        if leaf.pages is not None:
            self._shared[id(leaf.content)] = reader
        return reader

    def _form(self, page: PageObject) -> tuple[IndirectObject, float, float]:
        box = page.cropbox
        left, bottom, width, height = float(box.left), float(box.bottom), float(box.width), float(box.height)
        stream = _content_of(page)
        turn = int(page.rotation) % 360
        matrix, width, height = _upright(turn, left, bottom, width, height)
        resources = page.get("/Resources", DictionaryObject()).get_object().clone(self._writer)
        stream.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Form"),
                NameObject("/BBox"): _numbers(box.left, box.bottom, box.right, box.top),
                NameObject("/Matrix"): _numbers(*matrix),
                NameObject("/Resources"): getattr(resources, "indirect_reference", None) or resources,
            }
        )
        return self._writer._add_object(stream), width, height  # noqa: SLF001

    def _picture(self, picture: Picture) -> tuple[IndirectObject, float, float]:
        """A picture at its own dots an inch, or as large as a label where it names none."""
        image = StreamObject()
        image._data = picture.data  # noqa: SLF001 - the bytes are packed already.
        image.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Image"),
                NameObject("/Width"): NumberObject(picture.width),
                NameObject("/Height"): NumberObject(picture.height),
                NameObject("/BitsPerComponent"): NumberObject(picture.bits),
                NameObject("/ColorSpace"): self._colours(picture),
                NameObject("/Filter"): NameObject("/FlateDecode"),
            }
        )
        if picture.predicted:
            image[NameObject("/DecodeParms")] = DictionaryObject(
                {
                    NameObject("/Predictor"): NumberObject(15),
                    NameObject("/Colors"): NumberObject(picture.colours),
                    NameObject("/BitsPerComponent"): NumberObject(picture.bits),
                    NameObject("/Columns"): NumberObject(picture.width),
                }
            )
        drawn = self._writer._add_object(image)  # noqa: SLF001
        width, height = picture.size_pt or _as_label(picture.width, picture.height)
        form = DecodedStreamObject()
        form.set_data(f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /P Do Q".encode())
        form.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Form"),
                NameObject("/BBox"): _numbers(0, 0, width, height),
                NameObject("/Resources"): DictionaryObject(
                    {NameObject("/XObject"): DictionaryObject({NameObject("/P"): drawn})}
                ),
            }
        )
        return self._writer._add_object(form), width, height  # noqa: SLF001

    def _colours(self, picture: Picture) -> Any:
        if picture.palette:
            table = DecodedStreamObject()
            table.set_data(picture.palette)
            kept = self._writer._add_object(table)  # noqa: SLF001
            last = NumberObject(len(picture.palette) // 3 - 1)
            return ArrayObject([NameObject("/Indexed"), NameObject("/DeviceRGB"), last, kept])
        return NameObject("/DeviceRGB" if picture.colours == 3 else "/DeviceGray")

    def _next_place(self, leaf: Leaf, width: float, height: float) -> _Place:
        """The next free place of the sheet, or the first of a new one."""
        sheet = self._sheet
        if leaf.on == "sheet" or sheet.labels == 1:
            self._new_page()
            on_its_side = leaf.on == "label" and width > height
            return _Place(0, 0, sheet.width, sheet.height, turned=on_its_side)
        if not self._free:
            self._new_page()
            across, up = LABEL[1], LABEL[0]
            left, margin = (sheet.width - across) / 2, (sheet.height - 2 * up) / 3
            self._free = [
                _Place(left, sheet.height - margin - up, across, up, turned=True),
                _Place(left, margin, across, up, turned=True),
            ]
        place = self._free.pop(0)
        upright = width > height  # A label that lies on its side already fits the place as it is.
        return _Place(place.x, place.y, place.width, place.height, turned=not upright)

    def _draw(self, form: IndirectObject, width: float, height: float, place: _Place, caption: str) -> None:
        shown = (height, width) if place.turned else (width, height)
        fits = min(place.width / shown[0], place.height / shown[1])
        scale = 1.0 if fits * _SLACK >= 1 else fits
        x = place.x + (place.width - shown[0] * scale) / 2
        y = place.y + (place.height - shown[1] * scale) / 2
        name = NameObject(f"/L{len(self._things)}")
        self._things[name] = form
        on_side = (0.0, scale, -scale, 0.0, x + shown[0] * scale, y)
        matrix = on_side if place.turned else (scale, 0.0, 0.0, scale, x, y)
        self._drawn.append(f"q {' '.join(f'{n:.4f}' for n in matrix)} cm {name} Do Q".encode())
        inside = self._sheet.labels == 1
        size = _CAPTION_PT if inside else _SHEET_CAPTION_PT
        at_x, at_y, room = (
            (_SIDE_PT, _EDGE_PT, place.width - 2 * _SIDE_PT)
            if inside or place.width == self._sheet.width
            else (place.x, place.y - _GAP_PT - _SHEET_CAPTION_PT, place.width)
        )
        text = encoded(fitted(caption, size, room))
        self._drawn.append(b"q BT %s %.1f Tf %.2f %.2f Td (%s) Tj ET Q" % (_FONT.encode(), size, at_x, at_y, text))

    def _mark(self, title: str) -> None:
        """The entry in the viewer's list of pages."""
        assert self._page is not None  # noqa: S101 - something was drawn on it.
        self._writer.add_outline_item(title=title, page_number=len(self._writer.pages) - 1)

    def _new_page(self) -> None:
        self._finish_page()
        self._free = []
        self._page = self._writer.add_blank_page(self._sheet.width, self._sheet.height)

    def _finish_page(self) -> None:
        if self._page is None:
            return
        stream = StreamObject()
        stream._data = zlib.compress(b"\n".join(self._drawn))  # noqa: SLF001
        stream[NameObject("/Filter")] = NameObject("/FlateDecode")
        self._page[NameObject("/Contents")] = self._writer._add_object(stream)  # noqa: SLF001
        self._page[NameObject("/Resources")] = DictionaryObject(
            {
                NameObject("/Font"): DictionaryObject({_FONT: self._font}),
                NameObject("/XObject"): self._things,
            }
        )
        self._page, self._drawn, self._things = None, [], DictionaryObject()


def _content_of(page: PageObject) -> StreamObject:
    """What a page draws, packed as it was where it is one stream."""
    raw = page.get("/Contents")
    found = None if raw is None else raw.get_object()
    copy = StreamObject()
    if isinstance(found, StreamObject):
        copy._data = found._data  # noqa: SLF001
        for key in ("/Filter", "/DecodeParms"):
            if key in found:
                copy[NameObject(key)] = found[key].get_object()
        return copy
    contents = page.get_contents()
    copy._data = zlib.compress(b"" if contents is None else contents.get_data())  # noqa: SLF001
    copy[NameObject("/Filter")] = NameObject("/FlateDecode")
    return copy


def _upright(
    turn: int, left: float, bottom: float, width: float, height: float
) -> tuple[tuple[float, ...], float, float]:
    """The matrix that sets a page upright with its corner at 0, and its size then. `turn` is clockwise."""
    match turn:
        case 90:
            return (0, -1, 1, 0, -bottom, left + width), height, width
        case 180:
            return (-1, 0, 0, -1, left + width, bottom + height), width, height
        case 270:
            return (0, 1, -1, 0, bottom + height, -left), height, width
    return (1, 0, 0, 1, -left, -bottom), width, height


def _as_label(width: int, height: int) -> tuple[float, float]:
    short, long = LABEL
    place = (short, long) if height >= width else (long, short)
    scale = min(place[0] / width, place[1] / height)
    return width * scale, height * scale


def _numbers(*values: Any) -> ArrayObject:
    return ArrayObject([FloatObject(f"{float(value):.4f}") for value in values])
