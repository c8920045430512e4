"""Bands that do not overlap, by bisection; and the prices of one service, zone and currency, band within band.

Items lie outermost, then subtotals, then weights: lines with the same bounds of items form one group, within it those
with the same bounds of subtotal, within it the weights. So bands of one kind are the same or apart, never crossing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Generic, TypeVar

from carriers.rate_table.errors import Fault
from carriers.rate_table.tariff import UNBOUND, PriceLine, Span

T = TypeVar("T")


class Bands(Generic[T]):
    """Values by bands, found by bisection. Bands are given in any order, and do not overlap."""

    __slots__ = ("highs", "lows", "values")

    def __init__(self, values: Mapping[Span, T]) -> None:
        ordered = sorted(values)
        self.lows = tuple(span.low for span in ordered)
        self.highs = tuple(span.high for span in ordered)
        self.values = tuple(values[span] for span in ordered)

    def at(self, value: int) -> T | None:
        """The value of the band that has it; None between and beyond bands."""
        found = bisect_right(self.lows, value) - 1
        return self.values[found] if found >= 0 and value <= self.highs[found] else None

    @property
    def only(self) -> T | None:
        """The value, where one band holds everything, so that it need not be known where one is."""
        return self.values[0] if self.lows == (0,) and self.highs == (UNBOUND,) else None


def group(lines: Iterable[PriceLine]) -> dict[Span, dict[Span, list[PriceLine]]]:
    """Lines of one service, zone and currency, by items, then subtotal; weights in order."""
    groups: dict[Span, dict[Span, list[PriceLine]]] = {}
    for line in sorted(lines, key=lambda each: (each.items, each.subtotal, each.grams, each.number)):
        groups.setdefault(line.items, {}).setdefault(line.subtotal, []).append(line)
    return groups


def overlaps(groups: dict[Span, dict[Span, list[PriceLine]]], show: Callable[[str, int], str]) -> Iterator[Fault]:
    """Bands that have something in common; `show(column, value)` writes a bound for people."""
    firsts = {items: _first(within) for items, within in groups.items()}
    yield from _crossing("items", firsts, show)
    for within in groups.values():
        yield from _crossing("subtotal", {subtotal: lines[0] for subtotal, lines in within.items()}, show)
        for lines in within.values():
            widest = lines[0]
            for line in lines[1:]:
                if line.grams.low <= widest.grams.high:
                    shared = show("weight", line.grams.low)
                    yield Fault(
                        line.number,
                        "weight_from",
                        f"This band and that of line {widest.number} overlap: both have a price for {shared}.",
                    )
                if line.grams.high > widest.grams.high:
                    widest = line


def gaps(groups: dict[Span, dict[Span, list[PriceLine]]], show: Callable[[str, int], str]) -> Iterator[Fault]:
    """Holes between bands."""
    firsts = {items: _first(within) for items, within in groups.items()}
    yield from _holes("items", firsts, show)
    for within in groups.values():
        yield from _holes("subtotal", {subtotal: lines[0] for subtotal, lines in within.items()}, show)
        for lines in within.values():
            yield from _holes("weight", {line.grams: line for line in lines}, show)


def _first(within: dict[Span, list[PriceLine]]) -> PriceLine:
    return min((line for lines in within.values() for line in lines), key=lambda each: each.number)


def _crossing(column: str, firsts: dict[Span, PriceLine], show: Callable[[str, int], str]) -> Iterator[Fault]:
    ordered = sorted(firsts)
    widest = ordered[0]
    for span in ordered[1:]:
        if span.low <= widest.high:
            one, other = firsts[span].number, firsts[widest].number
            yield Fault(
                max(one, other),
                f"{column}_from",
                f"This band and that of line {min(one, other)} overlap: both have {show(column, span.low)}. "
                "Give such bands the same bounds, or set them apart.",
            )
        widest = max(widest, span, key=lambda each: each.high)


def _holes(column: str, firsts: dict[Span, PriceLine], show: Callable[[str, int], str]) -> Iterator[Fault]:
    for before, after in pairwise(sorted(firsts)):
        if before.high + 1 < after.low:
            low, high = show(column, before.high + 1), show(column, after.low - 1)
            hole = low if low == high else f"{low} to {high}"
            number = firsts[after].number
            yield Fault(
                number, f"{column}_from", f"There is a gap: {hole} has no price (line {firsts[before].number})."
            )
