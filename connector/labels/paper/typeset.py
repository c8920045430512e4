"""A PDF that is being written: text in any script and direction, rules, bars, a logo. Sizes in points."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from connector.labels.paper.fonts import Fonts

_BODY = "body"
_JOINED = "\u0590"  # From here on scripts run from right to left, or join their letters.
_PLAIN = frozenset("…–—‘’“”•×€™№")  # noqa: RUF001 - as people type them.
Weight = Literal["", "B"]


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour."""

    red: int = 0
    green: int = 0
    blue: int = 0

    @classmethod
    def read(cls, text: str) -> Ink:
        """From `#rrggbb`; anything else is black."""
        try:
            return cls(*(int(text[at : at + 2], 16) for at in (1, 3, 5)))
        except ValueError:
            return cls()


BLACK, GREY, PALE = Ink(), Ink(96, 96, 96), Ink(190, 190, 190)


class Typeset:
    """Pages of one size. `texts` are all that will be printed, so that only the fonts that they need are read."""

    def __init__(self, width: float, height: float, fonts: Fonts, texts: Iterable[str]) -> None:
        for noisy in ("fontTools", "fpdf"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        from fpdf import FPDF  # It takes a quarter of a second to load, and prints of labels alone need none of it.

        self.width, self.height = width, height
        self._pdf = FPDF(unit="pt", format=(width, height))
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        self._pdf.set_creator("Waybill")
        faces = fonts.needed(texts)
        self._core = not faces
        for number, face in enumerate(faces):
            name = _BODY if number == 0 else f"{_BODY}{number}"
            self._pdf.add_font(name, "", str(face.regular))
            self._pdf.add_font(name, "B", str(face.bold))
        if faces:
            self._pdf.set_fallback_fonts([f"{_BODY}{number}" for number in range(1, len(faces))], exact_match=False)

    @property
    def pages(self) -> int:
        """How many there are so far."""
        return int(self._pdf.pages_count)

    def new_page(self) -> None:
        """Begin a page."""
        self._pdf.add_page()

    def text(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        size: float,
        *,
        weight: Weight = "",
        ink: Ink = BLACK,
        right: bool = False,
        lines: int = 1,
    ) -> float:
        """Write from (x, y), the upper left corner, in at most so many lines; the y below it.

        `right` sets the lines to the right edge. What does not fit is cut off with three dots.
        """
        self._pdf.set_font("helvetica" if self._core else _BODY, weight, size)
        self._pdf.set_text_color(ink.red, ink.green, ink.blue)
        if not self._core:
            # Letters of Latin, Greek, Cyrillic and Armenian stand beside each other as they are: no engine is asked.
            self._pdf.set_text_shaping(use_shaping_engine=any(each >= _JOINED for each in text if each not in _PLAIN))
        step = size * 1.25
        for line in self._broken(self._printable(text), width, lines):
            self._pdf.set_xy(x, y)
            self._pdf.cell(width, step, line, align="R" if right else "L", new_x="LEFT", new_y="NEXT")
            y += step
        return y

    def rule(self, x: float, y: float, width: float, ink: Ink = PALE, thick: float = 0.6) -> None:
        """A line."""
        self._pdf.set_draw_color(ink.red, ink.green, ink.blue)
        self._pdf.set_line_width(thick)
        self._pdf.line(x, y, x + width, y)

    def band(self, x: float, y: float, width: float, height: float, ink: Ink) -> None:
        """A filled box."""
        self._pdf.set_fill_color(ink.red, ink.green, ink.blue)
        self._pdf.rect(x, y, width, height, style="F")

    def box(self, x: float, y: float, side: float) -> None:
        """A small empty box, to be ticked by hand."""
        self._pdf.set_draw_color(60, 60, 60)
        self._pdf.set_line_width(0.7)
        self._pdf.rect(x, y, side, side)

    def picture(self, content: bytes, x: float, y: float, width: float, height: float, *, right: bool = False) -> None:
        """A picture, as large as the place takes it."""
        self._pdf.image(
            io.BytesIO(content), x, y, width, height, keep_aspect_ratio=True, title="right" if right else None
        )

    def bars(self, code: str, x: float, y: float, height: float, module: float = 0.9) -> float:
        """Code 128 with its quiet zones; returns the whole width. Bars are exact multiples of `module`."""
        modules = bars_of(code)
        self._pdf.set_fill_color(0, 0, 0)
        at = 10
        for black, run in _runs(modules):
            if black:
                self._pdf.rect(x + at * module, y, run * module, height, style="F")
            at += run
        return (at + 10) * module

    def attach(self, name: str, content: bytes) -> None:
        """A file that goes with the PDF, inside of it."""
        self._pdf.embed_file(basename=name, bytes=content, mime_type="application/json")

    def content(self) -> bytes:
        """The PDF."""
        return bytes(self._pdf.output())

    def _printable(self, text: str) -> str:
        plain = " ".join(text.split())
        return plain.encode("latin-1", "replace").decode("latin-1") if self._core else plain

    def _broken(self, text: str, width: float, most: int) -> list[str]:
        """The text in lines that fit."""
        lines: list[str] = []
        left = text
        while left and len(lines) < most:
            line = self._first_line(left, width)
            if len(lines) == most - 1 and line != left:
                line = self._cut(left, width)
                lines.append(line)
                break
            lines.append(line.rstrip())
            left = left[len(line) :].lstrip()
        return lines or [""]

    def _first_line(self, text: str, width: float) -> str:
        if self._pdf.get_string_width(text) <= width:
            return text
        words = text.split(" ")
        low, high = 0, len(words)
        while low < high - 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(" ".join(words[:middle]), width) else (low, middle)
        if low:
            return " ".join(words[:low]) + " "
        return self._longest(text, width)

    def _cut(self, text: str, width: float) -> str:
        dots = "..." if self._core else "…"
        return self._longest(text, width - self._pdf.get_string_width(dots)).rstrip() + dots

    def _longest(self, text: str, width: float) -> str:
        """The longest beginning that fits; at least one character."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._fits(text[:middle], width) else (low, middle - 1)
        return text[:low]

    def _fits(self, text: str, width: float) -> bool:
        return float(self._pdf.get_string_width(text)) <= width


@lru_cache(maxsize=2048)
def bars_of(code: str) -> str:
    """The modules of a Code 128, 1 for black, without quiet zones."""
    from barcode.codex import Code128

    return str(Code128(code).build()[0])


def _runs(modules: str) -> Iterable[tuple[bool, int]]:
    start = 0
    for at in range(1, len(modules) + 1):
        if at == len(modules) or modules[at] != modules[start]:
            yield modules[start] == "1", at - start
            start = at
