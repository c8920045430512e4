"""Packing slips: what is in the parcel, for the buyer in the buyer's language, with the store's brand and a barcode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.labels.paper.fonts import Fonts
from connector.labels.paper.sheets import Sheet
from connector.labels.paper.typeset import BLACK, GREY, Ink, Typeset
from connector.words.paper_texts import RIGHT_TO_LEFT, language_of, say

_LINE_ROOM = 1.25
_LTR = "\u200e"


@dataclass(frozen=True, slots=True)
class Brand:
    """How the store shows itself. `logo` is a PNG or JPEG, or nothing."""

    name: str
    color: str = "#222222"
    logo: bytes = b""
    note: str = ""


@dataclass(frozen=True, slots=True)
class SlipLine:
    """Goods in the parcel."""

    name: str
    sku: str
    units: int


@dataclass(frozen=True, slots=True)
class Slip:
    """One parcel's slip. `code` is what the barcode says; `to` the address, line by line; `inserts` cards to lay in."""

    language: str
    order: str
    placed: str
    number: int
    count: int
    to: tuple[str, ...]
    lines: tuple[SlipLine, ...]
    code: str
    inserts: tuple[str, ...] = ()


def draw_slips(slips: Sequence[Slip], brand: Brand, sheet: Sheet, fonts: Fonts) -> tuple[bytes, list[tuple[int, int]]]:
    """One PDF of all slips, and the first and last page (from 0, last excluded) of each."""
    if not slips:
        return b"", []
    pages = Typeset(sheet.width, sheet.height, fonts, _texts(slips, brand))
    spans = []
    for slip in slips:
        first = pages.pages
        _Page(pages, slip, brand).draw()
        spans.append((first, pages.pages))
    return pages.content(), spans


class _Page:
    """One slip, on as many pages as its lines need."""

    def __init__(self, out: Typeset, slip: Slip, brand: Brand) -> None:
        self._out, self._slip, self._brand = out, slip, brand
        self._small = out.width < 400
        self._margin = 14.0 if self._small else 42.0
        self._inner = out.width - 2 * self._margin
        self._size = 8.5 if self._small else 10.5
        self._rtl = language_of(slip.language) in RIGHT_TO_LEFT
        self._ink = Ink.read(brand.color)
        self._foot = out.height - self._margin - (30 if self._small else 40)

    def draw(self) -> None:
        y = self._head()
        y = self._columns(y)
        for line in self._slip.lines:
            if y + self._size * _LINE_ROOM * 2 > self._foot:
                self._bars_and_note(note=False)
                y = self._columns(self._head())
            y = self._line(y, line)
        need = (len(self._slip.inserts) + 1.5) * self._size * _LINE_ROOM
        if self._slip.inserts and y + need > self._foot:
            self._bars_and_note(note=False)
            y = self._head()
        self._inserts(y)
        self._bars_and_note(note=True)

    def _head(self) -> float:
        """Brand, order, parcel and address; where the lines begin."""
        out, slip, m = self._out, self._slip, self._margin
        out.new_page()
        out.band(0, 0, out.width, 6, self._ink)
        y = m + 4
        tall = 26.0 if self._small else 40.0
        if self._brand.logo:
            wide = self._inner * 0.35
            x = out.width - m - wide if self._rtl else m
            out.picture(self._brand.logo, x, y, wide, tall)
            x = m if self._rtl else m + wide + 8
            out.text(
                x,
                y + tall / 3,
                self._inner - wide - 8,
                self._brand.name,
                self._size * 1.3,
                weight="B",
                ink=self._ink,
                right=not self._rtl,
            )
            y += tall + 4
        else:
            y = out.text(
                m, y, self._inner, self._brand.name, self._size * 1.8, weight="B", ink=self._ink, right=self._rtl
            )
        y = self._say(y, self._text("slip.title"), self._size * 1.3, bold=True)
        order = self._text("slip.order", name=slip.order)
        y = self._say(y, order, self._size * 1.15, bold=True)
        parts = [self._text("slip.placed", date=slip.placed)] if slip.placed else []
        if slip.count > 1:
            parts.append(self._text("slip.parcel", number=slip.number, count=slip.count))
        for part in parts:
            y = self._say(y, part, self._size, ink=GREY)
        if slip.to:
            y = self._say(y + 4, self._text("slip.to"), self._size * 0.9, ink=GREY)
            for line in slip.to:
                y = self._say(y, line, self._size)
        return y + 6

    def _columns(self, y: float) -> float:
        out, m = self._out, self._margin
        size = self._size * 0.9
        self._cells(
            y, self._text("slip.item"), self._text("slip.sku"), self._text("slip.units"), size, ink=GREY, lines=1
        )
        y += size * _LINE_ROOM + 2
        out.rule(m, y, self._inner, self._ink, 1.0)
        return y + 3

    def _line(self, y: float, line: SlipLine) -> float:
        below = self._cells(y, line.name, line.sku, str(line.units), self._size, bold=True)
        self._out.rule(self._margin, below + 2, self._inner)
        return below + 4

    def _cells(
        self,
        y: float,
        name: str,
        sku: str,
        units: str,
        size: float,
        *,
        ink: Ink = BLACK,
        bold: bool = False,
        lines: int = 2,
    ) -> float:
        """Three columns; mirrored where the language runs from right to left."""
        wide = self._inner
        widths = (wide * 0.54, wide * 0.24, wide * 0.18)
        gap = wide * 0.02
        starts = (0.0, widths[0] + gap, widths[0] + widths[1] + 2 * gap)
        texts = (name, sku, units)
        below = y
        for column, (start, width, text) in enumerate(zip(starts, widths, texts, strict=True)):
            x = self._margin + (wide - start - width if self._rtl else start)
            last = column == 2
            end = self._out.text(
                x,
                y,
                width,
                text,
                size,
                ink=ink,
                weight="B" if bold and last else "",
                right=self._rtl != last,
                lines=lines,
            )
            below = max(below, end)
        return below

    def _inserts(self, y: float) -> None:
        if not self._slip.inserts:
            return
        y = self._say(y + 4, self._text("slip.inside"), self._size * 0.9, ink=GREY)
        side = self._size * 0.8
        for card in self._slip.inserts:
            x = self._out.width - self._margin - side if self._rtl else self._margin
            self._out.box(x, y + side * 0.25, side)
            left = self._margin if self._rtl else self._margin + side + 5
            y = self._out.text(left, y, self._inner - side - 5, card, self._size, weight="B", right=self._rtl)

    def _bars_and_note(self, *, note: bool) -> None:
        """At the foot: the barcode that opens the parcel at the packing table, and the store's word."""
        out = self._out
        tall = 22.0 if self._small else 28.0
        top = out.height - self._margin - tall - 8
        wide = out.bars(self._slip.code, self._margin - 9, top, tall)
        out.text(self._margin, top + tall + 1, wide, self._slip.code, 6, ink=GREY)
        if note:
            x = self._margin + wide + 6
            said = self._brand.note or self._text("slip.thanks")
            out.text(x, top, out.width - self._margin - x, said, self._size, right=True, lines=3)

    def _say(self, y: float, text: str, size: float, *, bold: bool = False, ink: Ink = BLACK) -> float:
        return self._out.text(
            self._margin, y, self._inner, text, size, weight="B" if bold else "", ink=ink, right=self._rtl
        )

    def _text(self, code: str, **params: object) -> str:
        if self._rtl:  # A number or a name keeps its own direction within the sentence.
            params = {name: f"{_LTR}{value}{_LTR}" for name, value in params.items()}
        return say(code, self._slip.language, **params)


def _texts(slips: Sequence[Slip], brand: Brand) -> list[str]:
    """Everything that will be printed."""
    codes = ("title", "order", "placed", "parcel", "to", "item", "sku", "units", "inside", "thanks")
    languages = {slip.language for slip in slips}
    found = [brand.name, brand.note, "…0123456789{}"]
    found += [
        say(f"slip.{code}", language, name="", date="", number="", count="") for language in languages for code in codes
    ]
    for slip in slips:
        found += [slip.order, slip.placed, *slip.to, *slip.inserts]
        found += [text for line in slip.lines for text in (line.name, line.sku)]
    return found
