"""A whole print as one PDF: slip, label, return label and customs papers of each parcel, parcel by parcel.

It costs seconds for hundreds of parcels, so callers have it done in a process of its own: what goes in and comes out
are plain values.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.labels.documents import Document, read_document
from connector.labels.paper import zpl
from connector.labels.paper.fonts import find_fonts
from connector.labels.paper.merge import merge
from connector.labels.paper.picklist import Wanted, draw_picks, picks_of
from connector.labels.paper.sheets import SHEETS, Leaf, SheetName
from connector.labels.paper.slips import Brand, Slip, draw_slips


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of a parcel: `kind` is label, return or customs."""

    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PrintItem:
    """A parcel: what its pages say of themselves, its slip if one is wanted, and its documents in order."""

    caption: str
    slip: Slip | None
    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class Printed:
    """The print. `zpl` holds the labels in the printer's language, which no PDF can take; both may be empty.

    `unread`: the items (from 0) with a document that is not what it should be, so that it is not in the print.
    """

    pdf: bytes
    pages: int
    zpl: bytes
    zpl_labels: int
    unread: tuple[int, ...] = ()


def build(items: tuple[PrintItem, ...], brand: Brand, sheet: SheetName, font_folders: str) -> Printed:
    """Everything in order."""
    fonts = find_fonts(font_folders)
    with_slip = [item.slip for item in items if item.slip is not None]
    slips, spans = draw_slips(with_slip, brand, SHEETS[sheet], fonts)
    leaves: list[Leaf] = []
    raw: list[tuple[bytes, str]] = []
    unread: list[int] = []
    left = iter(spans)
    for number, item in enumerate(items):
        if item.slip is not None:
            leaves.append(Leaf(slips, "application/pdf", item.caption, on="sheet", pages=next(left)))
        for paper in item.papers:
            found = read_document(paper.content)
            if not isinstance(found, Document):  # Releases before 0.2 kept what they were sent.
                unread.append(number)
                continue
            if found.kind in {"zpl", "epl2"}:
                raw.append((paper.content, item.caption))
            else:
                whole = paper.kind == "customs"
                leaves.append(Leaf(paper.content, found.media_type, item.caption, on="sheet" if whole else "label"))
    merged = merge(leaves, sheet) if leaves else None
    pdf, pages = (b"", 0) if merged is None else (merged.content, merged.pages)
    return Printed(pdf, pages, zpl.join(raw), len(raw), tuple(unread))


def build_picks(wanted: tuple[Wanted, ...], parcels: int, sheet: SheetName, font_folders: str) -> bytes:
    """A pick list."""
    return draw_picks(picks_of(wanted), parcels, SHEETS[sheet], find_fonts(font_folders))
