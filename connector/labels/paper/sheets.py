"""What is printed on, and what is printed: sheets in points (1/72 inch), and the leaves of a print set in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SheetName = Literal["4x6", "a4", "letter"]

LABEL = (288.0, 432.0)
"""A label of 4 by 6 inches (100 by 150 mm)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its size, and how many labels go on it. Labels lie on their side where there are two."""

    name: SheetName
    width: float
    height: float
    labels: int


SHEETS: dict[SheetName, Sheet] = {
    "4x6": Sheet("4x6", *LABEL, 1),
    "a4": Sheet("a4", 595.28, 841.89, 2),
    "letter": Sheet("letter", 612.0, 792.0, 2),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One document of a print set, whole: each of its pages names its parcel by `caption`.

    `on`: `label` lies on the label's place of a sheet, two beside each other where the sheet takes two; `sheet` is a
    page of its own. `media_type` is what the bytes are (PDF or PNG).
    """

    content: bytes
    media_type: str
    caption: str
    on: Literal["label", "sheet"] = "label"
    pages: tuple[int, int] | None = None
    """Only these pages of the content: the first (from 0), and the one behind the last."""
