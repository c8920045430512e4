"""Pick lists: the goods of many parcels in the order of the shelves, summed, with the orders that they are for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connector.labels.paper.fonts import Fonts
from connector.labels.paper.sheets import Sheet
from connector.labels.paper.typeset import GREY, Typeset
from connector.words.paper_texts import say

_SHARES = {"bin": 0.12, "sku": 0.17, "item": 0.31, "units": 0.1, "orders": 0.3}
_LANGUAGE = "en"  # The packer's: the desk speaks English.


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of one article for one parcel, and where they lie."""

    key: str
    sku: str
    name: str
    bin: str
    units: int
    order: str


@dataclass(frozen=True, slots=True)
class Pick:
    """One line of the list. `orders`: each with its units."""

    bin: str
    sku: str
    name: str
    units: int
    orders: tuple[tuple[str, int], ...]


def picks_of(wanted: Sequence[Wanted]) -> list[Pick]:
    """What to take, bin by bin as people count (A2 before A10); what has no bin stands last."""
    found: dict[tuple[str, str], list[Wanted]] = {}
    for each in wanted:
        found.setdefault((each.bin, each.key), []).append(each)
    picks = []
    for (place, _), some in found.items():
        orders: dict[str, int] = {}
        for each in some:
            orders[each.order] = orders.get(each.order, 0) + each.units
        picks.append(Pick(place, some[0].sku, some[0].name, sum(each.units for each in some), tuple(orders.items())))
    return sorted(picks, key=lambda pick: (not pick.bin, _natural(pick.bin), pick.sku, pick.name))


def draw_picks(picks: Sequence[Pick], parcels: int, sheet: Sheet, fonts: Fonts) -> bytes:
    """The list as a PDF."""
    texts = [text for pick in picks for text in (pick.bin, pick.sku, pick.name, *(order for order, _ in pick.orders))]
    out = Typeset(sheet.width, sheet.height, fonts, [*texts, "…0123456789", "AZaz"])
    margin = 14.0 if sheet.width < 400 else 36.0
    size = 7.5 if sheet.width < 400 else 9.5
    inner = sheet.width - 2 * margin

    def cells(y: float, row: Sequence[str], *, head: bool = False) -> float:
        x, below = margin, y
        for name, text in zip(_SHARES, row, strict=True):
            width = inner * _SHARES[name]
            bold = not head and name in {"bin", "units"}
            end = out.text(
                x,
                y,
                width - 4,
                text,
                size,
                weight="B" if bold else "",
                lines=1 if head else 3,
                right=name == "units",
                **({"ink": GREY} if head else {}),
            )
            below, x = max(below, end), x + width
        return below

    def top() -> float:
        out.new_page()
        y = out.text(margin, margin, inner, say("pick.title", _LANGUAGE), size * 1.8, weight="B")
        units = sum(pick.units for pick in picks)
        y = out.text(
            margin,
            y,
            inner,
            say("pick.total", _LANGUAGE, units=units, goods=len(picks), parcels=parcels),
            size,
            ink=GREY,
        )
        y = cells(y + 6, [say(f"pick.{name}", _LANGUAGE) for name in _SHARES], head=True)
        out.rule(margin, y + 1, inner, thick=1.0)
        return y + 4

    y = top()
    for pick in picks:
        if y + size * 1.25 * 3 > sheet.height - margin:
            y = top()
        orders = _named(pick.orders, 3 if sheet.width < 400 else 6)
        place = pick.bin or say("pick.no_bin", _LANGUAGE)
        y = cells(y, (place, pick.sku, pick.name, str(pick.units), orders)) + 2
        out.rule(margin, y, inner)
        y += 3
    return out.content()


def _named(orders: Sequence[tuple[str, int]], most: int) -> str:
    """The orders with their units; of many the first, and how many more there are."""
    shown = [order if units == 1 else f"{units} x {order}" for order, units in orders[:most]]
    more = len(orders) - len(shown)
    return ", ".join(shown) + (" " + say("pick.more", _LANGUAGE, n=more) if more else "")


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A key by which A2 comes before A10."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]
