"""The line at the edge of a printed page: in Helvetica, which every viewer has, and cut to the width that is there.

That font knows Western European letters. Others lose their signs, and what is left of other scripts is a question mark;
the viewer's list of pages has the whole line as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_CODES = "cp1252"
_ALIKE = str.maketrans("ŁłĐđĦħıŦŧ", "LlDdHhiTt")
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_MORE = "…"

_OF_WIDTH = {
    191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft", 333: "()-`r", 334: "{}", 355: '"', 389: "*", 469: "^",
    500: "Jcksvxyz", 584: "+<=>~", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%",
    944: "W", 1015: "@", 1000: "…—™",
}  # fmt: skip
"""Thousandths of the size that letters take (Adobe's metrics of Helvetica); all that are not named take 556."""

_WIDTHS = {letter: width for width, letters in _OF_WIDTH.items() for letter in letters}


def fitted(text: str, size: float, width: float) -> str:
    """The line as it can be drawn at this size, cut with an ellipsis where the width (in points) is not enough."""
    line = _drawable(text)
    if width_of(line, size) <= width:
        return line
    left = width - width_of(_MORE, size)
    for end, letter in enumerate(line):
        left -= width_of(letter, size)
        if left < 0:
            return line[:end].rstrip() + _MORE
    return line


def width_of(text: str, size: float) -> float:
    """How wide a line is, in points; letters with signs are as wide as those without."""
    return sum(map(_width, text)) * size / 1000


def encoded(text: str) -> bytes:
    """A fitted line as it stands in a PDF's string."""
    return text.encode(_CODES, "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _drawable(text: str) -> str:
    """The text in the font's letters; a word of another script is one question mark."""
    return re.sub(f"{_UNKNOWN}+", "?", "".join(_letter(each) for each in text.translate(_ALIKE)))


@cache
def _width(letter: str) -> int:
    return _WIDTHS.get(unicodedata.normalize("NFKD", letter)[0], 556)


@cache
def _letter(letter: str) -> str:
    if _is_known(letter):
        return letter
    bare = unicodedata.normalize("NFKD", letter)[0]
    return bare if _is_known(bare) else _UNKNOWN


def _is_known(letter: str) -> bool:
    return letter.isprintable() and letter == letter.encode(_CODES, "ignore").decode(_CODES)
