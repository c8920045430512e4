"""From goods to kinds: what is of one size and handling is one kind to the packer, whatever its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from connector.packing.block import NOT_NESTED, Kind, Laid, Row, Turn
from connector.packing.goods import ANY_WAY, Extents, Goods
from connector.packing.space import Edges

_ORDERS = tuple(permutations((0, 1, 2)))
_ALL = (True, True, True)
_ROWS_KEPT = 256
_KINDS_KEPT = 8192

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
    found: dict[tuple[Kind, str], list[tuple[str, int]]] = {}
    for each in goods:
        kind = kind_of(each)
        mark = (kind, each.key if kind.growth else "")
        names = found.get(mark)
        if names is None:
            found[mark] = [(each.key, each.quantity)]
        elif names[-1][0] == each.key:
            names[-1] = (each.key, names[-1][1] + each.quantity)
        else:
            names.append((each.key, each.quantity))
    ranked = sorted(found, key=_rank)
    return Stock(
        tuple([kind for kind, _ in ranked]),
        tuple([sum([quantity for _, quantity in found[mark]]) for mark in ranked]),
        tuple([tuple(found[mark]) for mark in ranked]),
    )


def _rank(mark: tuple[Kind, str]) -> tuple[object, ...]:
    return (mark[0].rank, mark[1])


def kind_of(goods: Goods) -> Kind:
    """The kind of these goods, one object for equal sizes (in any order, where any edge may stand) and handling."""
    size, handling = goods.size, goods.handling
    if handling is ANY_WAY:
        return _free_kind(size, goods.weight)
    return _kind(size, goods.weight, handling.may_stand, handling.nests_by, handling.bears)


@lru_cache(maxsize=_KINDS_KEPT)
def _free_kind(size: Extents, weight: int) -> Kind:
    return _kind(size, weight, _ALL, None, True)


@lru_cache(maxsize=_KINDS_KEPT)
def _kind(
    size: Extents,
    weight: int,
    may_stand: tuple[bool, bool, bool],
    nests_by: int | None,
    bears: bool,
) -> Kind:
    sides = sides_of(size)
    if may_stand == _ALL and nests_by is None and size != sides:
        return _kind(Extents(*sides), weight, may_stand, nests_by, bears)
    turns = turns_of(size, may_stand, nested=nests_by is not None)
    rank = (-size.volume, -weight, *sides[::-1], *may_stand, nests_by or 0, bears, size)
    return Kind(turns, weight, size.volume, sides, may_stand == _ALL, nests_by or 0, bears, rank)


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


def row_of(kind: Kind, room: Edges, axes: Edges, *, flat: bool) -> Row:
    """How a kind may lie in an empty room, its axes in that order; `flat`: only the turns that lie flattest."""
    key = (room, axes, flat)
    row = kind.rows.get(key)
    if row is None:
        if len(kind.rows) >= _ROWS_KEPT:
            kind.rows.clear()
        row = kind.rows[key] = (
            _laid(kind.turns, room, axes, flat=flat),
            kind.weight,
            kind.volume,
            kind.growth,
            kind.bears,
        )
    return row


def _laid(turns: Sequence[Turn], room: Edges, axes: Edges, *, flat: bool) -> Laid:
    a, b, c = room
    i, j, k = axes
    able = [turn for turn in turns if turn.edges[0] <= a and turn.edges[1] <= b and turn.edges[2] <= c]
    low = min((turn.edges[2] for turn in able), default=0)
    found = []
    for edges, nested in able:
        if not flat or edges[2] == low:
            turn = Turn((edges[i], edges[j], edges[k]), nested if nested == NOT_NESTED else axes.index(nested))
            found.append((*turn.edges, edges[0] * edges[1], turn.nested, turn))
    return tuple(found)


def edges_along(kinds: Sequence[Kind], counts: Sequence[int], axis: int) -> tuple[tuple[int, int], ...]:
    """The edges that may lie along that axis, each with how often."""
    lengths: dict[int, int] = {}
    for kind, count in zip(kinds, counts, strict=True):
        if count:
            for edge in {turn.edges[axis] for turn in kind.turns}:
                lengths[edge] = lengths.get(edge, 0) + count
    return tuple(sorted(lengths.items()))


class Reach(dict[int, int]):
    """For a length, the greatest sum of edges that is not longer; `longest` is the longest that may be asked for."""

    __slots__ = ("_sums", "longest")

    def __init__(self, sums: int, longest: int) -> None:
        super().__init__()
        self._sums = sums
        self.longest = longest

    def __missing__(self, length: int) -> int:
        """Work it out: the highest bit up to that length."""
        found = self[length] = (self._sums & ((2 << length) - 1)).bit_length() - 1
        return found


def reachable(lengths: Sequence[tuple[int, int]], longest: int) -> Reach:
    """For each length up to `longest`, the greatest sum of these edges that is not longer."""
    mask = (1 << (longest + 1)) - 1
    sums = 1
    for length, count in lengths:
        for _ in range(min(count, longest // length)):
            more = (sums | sums << length) & mask
            if more == sums:
                break
            sums = more
    return Reach(sums, longest)
