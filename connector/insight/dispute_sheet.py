"""A packet for a dispute, set as a PDF on A4 sheets: fonts and shaping are those of packing slips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.labels.paper.fonts import find_fonts
from connector.labels.paper.sheets import SHEETS
from connector.labels.paper.typeset import BLACK, GREY, Ink, Typeset, Weight

_SHEET = SHEETS["a4"]
_LEFT, _TOP, _WIDTH, _FOOT = 48.0, 48.0, _SHEET.width - 96.0, _SHEET.height - 60.0
_SIDE = 215.0
"""How wide and high a picture may be."""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the packet: a title, its lines, and perhaps a picture (SVG) at their right.

    A line has two cells, or as many as `head`, which then names the columns. A first cell that begins with two spaces
    belongs to the line before; one that begins with `=` is printed bold.
    """

    title: str
    rows: tuple[tuple[str, ...], ...] = ()
    picture: bytes = b""
    head: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Packet:
    """All that the packet says, before it is set. It names no buyer and no street: a carrier has those."""

    title: str
    lead: str
    ask: str = ""
    parts: tuple[Part, ...] = field(default=())

    @property
    def texts(self) -> list[str]:
        """Everything that is printed."""
        found = [self.title, self.lead, self.ask]
        for part in self.parts:
            found += [part.title, part.note, *part.head, *(cell for row in part.rows for cell in row)]
        return found


def typeset(told: Packet, fonts: str = "", attached: tuple[str, bytes] | None = None) -> bytes:
    """The PDF. `fonts` are folders to look in, as the setting has it; `attached` is a file (name, content) in it."""
    sheet = _Pages(Typeset(_SHEET.width, _SHEET.height, find_fonts(fonts), told.texts), told)
    if attached is not None:
        sheet.out.attach(*attached)
    sheet.begin()
    for part in told.parts:
        sheet.part(part)
    return sheet.out.content()


class _Pages:
    """Where the next line goes."""

    def __init__(self, out: Typeset, told: Packet) -> None:
        self.out, self.told, self.y = out, told, 0.0

    def begin(self) -> None:
        """The first page's head."""
        self._page()
        self.y = self.out.text(_LEFT, _TOP, _WIDTH, self.told.title, 16, weight="B", lines=2)
        self.y = self.out.text(_LEFT, self.y + 2, _WIDTH, self.told.lead, 9, ink=GREY, lines=2)
        if self.told.ask:
            self.y = self.out.text(_LEFT, self.y + 8, _WIDTH, self.told.ask, 10.5, lines=4)

    def part(self, part: Part) -> None:
        """One section; its title never stands alone at the foot of a page."""
        self._room(70 + (_SIDE if part.picture else 0), gap=14)
        self.y = self.out.text(_LEFT, self.y, _WIDTH, part.title, 12, weight="B")
        self.out.rule(_LEFT, self.y + 1, _WIDTH)
        self.y += 5
        top, width = self.y, _WIDTH
        if part.picture:
            self.out.picture(part.picture, _LEFT + _WIDTH - _SIDE, top, _SIDE, _SIDE)
            width = _WIDTH - _SIDE - 14
        if part.head:
            self._line(part.head, width, GREY, small=True)
        page = self.out.pages
        for row in part.rows:
            self._room(14)
            if self.out.pages != page:
                page, width, top = self.out.pages, _WIDTH, 0.0
            self._line(row, width, GREY if row[0].startswith("  ") else BLACK)
        if part.picture and top:
            self.y = max(self.y, top + _SIDE)
        if part.note:
            self._room(14)
            self.y = self.out.text(_LEFT, self.y + 2, _WIDTH, part.note, 8, ink=GREY, lines=3)

    def _line(self, row: Sequence[str], width: float, ink: Ink, *, small: bool = False) -> None:
        bold = row[0].startswith("=")
        size = 8.0 if small else 9.0
        first = 0.36 if len(row) > 2 else 0.62
        indent = 10.0 if row[0].startswith("  ") else 0.0
        name = row[0].strip().lstrip("=")
        each = width * (1 - first) / max(1, len(row) - 1)
        lines = 2 if len(row) > 2 or row[1] else 3
        left = width - indent if not any(row[1:]) else width * first - 6 - indent
        weight: Weight = "B" if bold else ""
        below = self.out.text(_LEFT + indent, self.y, left, name, size, ink=ink, lines=lines, weight=weight)
        for place, cell in enumerate(row[1:]):
            x = _LEFT + width * first + each * place
            if cell:
                end = self.out.text(x, self.y, each - 2, cell, size, ink=ink, right=True, lines=2, weight=weight)
                below = max(below, end)
        self.y = below + 1

    def _room(self, needed: float, gap: float = 0.0) -> None:
        self.y += gap
        if self.y + needed > _FOOT:
            self._page()

    def _page(self) -> None:
        self.out.new_page()
        self.y = _TOP
        number = f"{self.told.title}, page {self.out.pages}"
        self.out.text(_LEFT, _SHEET.height - 40, _WIDTH, number, 7.5, ink=GREY)
