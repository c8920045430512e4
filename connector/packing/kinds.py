"""From goods to kinds: what is of one size and handling is one kind to the packer, whatever its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, permutations

from connector.packing.block import NOT_NESTED, Kind, Turn
from connector.packing.goods import Goods

_ORDERS = tuple(permutations((0, 1, 2)))
_ALL = (True, True, True)

Names = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """Kinds, largest first, with how many of each there are and the goods' keys that share them."""

    kinds: tuple[Kind, ...]
    counts: tuple[int, ...]
    names: tuple[Names, ...]

    @property
    def volume(self) -> int:
        """Cubic millimetres of all units."""
        return sum(kind.volume * count for kind, count in zip(self.kinds, self.counts, strict=True))

    @property
    def weight(self) -> int:
        """Grams of all units."""
        return sum(kind.weight * count for kind, count in zip(self.kinds, self.counts, strict=True))


def stock_of(goods: Iterable[Goods]) -> Stock:
    """Sort goods into kinds: the largest volume first, then the heaviest. Goods nest with themselves only."""
    found: dict[tuple[object, ...], tuple[Goods, list[tuple[str, int]]]] = {}
    for each in goods:
        size, handling = each.size, each.handling
        free = handling.may_stand == _ALL and handling.nests_by is None
        shape = (*sorted(size), True) if free else (*size, *handling.may_stand, handling.nests_by)
        mark = (shape, each.weight, handling.bears, "" if handling.nests_by is None else each.key)
        kept = found.get(mark)
        if kept is None:
            found[mark] = (each, [(each.key, each.quantity)])
        elif kept[1][-1][0] == each.key:
            kept[1][-1] = (each.key, kept[1][-1][1] + each.quantity)
        else:
            kept[1].append((each.key, each.quantity))
    ranked = sorted(found.items(), key=_rank)
    return Stock(
        tuple(_kind(first) for _, (first, _) in ranked),
        tuple(sum(quantity for _, quantity in names) for _, (_, names) in ranked),
        tuple(tuple(names) for _, (_, names) in ranked),
    )


def _rank(entry: tuple[tuple[object, ...], tuple[Goods, list[tuple[str, int]]]]) -> tuple[object, ...]:
    first = entry[1][0]
    return (-first.size.volume, -first.weight, *sorted(first.size, reverse=True), str(entry[0]))


def _kind(goods: Goods) -> Kind:
    handling = goods.handling
    return Kind(
        turns_of(goods.size, handling.may_stand, nested=handling.nests_by is not None),
        goods.weight,
        goods.size.volume,
        sides_of(goods.size),
        handling.may_stand == _ALL,
        handling.nests_by or 0,
        handling.bears,
    )


def sides_of(size: Sequence[int]) -> tuple[int, int, int]:
    """The edges, shortest first."""
    a, b, c = sorted(size)
    return a, b, c


@lru_cache(maxsize=8192)
def turns_of(
    size: tuple[int, int, int], may_stand: tuple[bool, bool, bool], *, nested: bool = False
) -> tuple[Turn, ...]:
    """The distinct ways to lay a unit, flat ones first; the last of the three edges stands upright."""
    turns = {
        Turn((size[i], size[j], size[k]), (i, j, k).index(2) if nested else 3) for i, j, k in _ORDERS if may_stand[k]
    }
    return tuple(sorted(turns, key=lambda turn: (turn.edges[2], turn.edges[0], turn.edges[1], turn.nested)))


def permuted(kinds: Sequence[Kind], axes: tuple[int, int, int]) -> tuple[Kind, ...]:
    """The same kinds with their axes in another order."""
    if axes == (0, 1, 2):
        return tuple(kinds)
    return tuple(kind._replace(turns=_permuted(kind.turns, axes)) for kind in kinds)


@lru_cache(maxsize=8192)
def _permuted(turns: tuple[Turn, ...], axes: tuple[int, int, int]) -> tuple[Turn, ...]:
    i, j, k = axes
    return tuple(
        Turn((edges[i], edges[j], edges[k]), nested if nested == NOT_NESTED else axes.index(nested))
        for edges, nested in turns
    )


def flattened(kinds: Sequence[Kind], room: Sequence[int]) -> tuple[Kind, ...]:
    """The same kinds with only those turns that lie flattest in the room."""
    a, b, c = room
    return tuple(kind._replace(turns=_flattest(kind.turns, a, b, c)) for kind in kinds)


@lru_cache(maxsize=8192)
def _flattest(turns: tuple[Turn, ...], a: int, b: int, c: int) -> tuple[Turn, ...]:
    able = [turn for turn in turns if turn.edges[0] <= a and turn.edges[1] <= b and turn.edges[2] <= c]
    low = min((turn.edges[2] for turn in able), default=0)
    return tuple(turn for turn in able if turn.edges[2] == low)


def edges_along(kinds: Sequence[Kind], counts: Sequence[int], axis: int) -> tuple[tuple[int, int], ...]:
    """The edges that may lie along that axis, each with how often."""
    lengths: dict[int, int] = {}
    for kind, count in zip(kinds, counts, strict=True):
        if count:
            for edge in {turn.edges[axis] for turn in kind.turns}:
                lengths[edge] = lengths.get(edge, 0) + count
    return tuple(sorted(lengths.items()))


def reachable(lengths: Sequence[tuple[int, int]], longest: int) -> list[int]:
    """For each length up to `longest`, the greatest sum of these edges that is not longer."""
    mask = (1 << (longest + 1)) - 1
    sums = 1
    for length, count in lengths:
        for _ in range(min(count, longest // length)):
            more = (sums | sums << length) & mask
            if more == sums:
                break
            sums = more
    marks = f"{sums:b}"[::-1]
    there = [length for length, mark in enumerate(marks) if mark == "1"]
    table: list[int] = []
    for low, high in pairwise([*there, longest + 1]):
        table += [low] * (high - low)
    return table
