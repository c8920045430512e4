"""From goods to kinds: what is of one size and handling is one kind to the packer, whatever its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

from connector.packing.block import Kind, Turn
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
    """Sort goods into kinds: the largest volume first, then the heaviest."""
    found: dict[tuple[object, ...], tuple[Goods, list[tuple[str, int]]]] = {}
    for each in goods:
        size, handling = each.size, each.handling
        free = handling.may_stand == _ALL and handling.nests_by is None
        shape = (*sorted(size), True) if free else (*size, *handling.may_stand, handling.nests_by)
        mark = (shape, each.weight, handling.bears)
        kept = found.get(mark)
        if kept is None:
            found[mark] = (each, [(each.key, each.quantity)])
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
        handling.nests_by or 0,
        handling.bears,
    )


def turns_of(size: Sequence[int], may_stand: tuple[bool, bool, bool], *, nested: bool = False) -> tuple[Turn, ...]:
    """The distinct ways to lay a unit, flat ones first; the last of the three edges stands upright."""
    turns = {
        Turn((size[i], size[j], size[k]), (i, j, k).index(2) if nested else 3) for i, j, k in _ORDERS if may_stand[k]
    }
    return tuple(sorted(turns, key=lambda turn: (turn.edges[2], turn.edges[0], turn.edges[1], turn.nested)))


def permuted(kinds: Sequence[Kind], axes: tuple[int, int, int]) -> tuple[Kind, ...]:
    """The same kinds with their axes in another order."""
    if axes == (0, 1, 2):
        return tuple(kinds)
    i, j, k = axes
    return tuple(
        Kind(
            tuple(
                Turn(
                    (turn.edges[i], turn.edges[j], turn.edges[k]),
                    3 if turn.nested == 3 else axes.index(turn.nested),
                )
                for turn in kind.turns
            ),
            kind.weight,
            kind.volume,
            kind.growth,
            kind.bears,
        )
        for kind in kinds
    )


def flattened(kinds: Sequence[Kind], room: Sequence[int]) -> tuple[Kind, ...]:
    """The same kinds with only those turns that lie flattest in the room."""
    a, b, c = room
    flat = []
    for kind in kinds:
        able = [turn for turn in kind.turns if turn.edges[0] <= a and turn.edges[1] <= b and turn.edges[2] <= c]
        low = min((turn.edges[2] for turn in able), default=0)
        turns = tuple(turn for turn in able if turn.edges[2] == low)
        flat.append(Kind(turns, kind.weight, kind.volume, kind.growth, kind.bears))
    return tuple(flat)


def reachable(kinds: Sequence[Kind], counts: Sequence[int], axis: int, longest: int) -> list[int]:
    """For each length up to `longest`, the greatest sum of edges along that axis that is not longer."""
    lengths: dict[int, int] = {}
    for kind, count in zip(kinds, counts, strict=True):
        if count:
            for edge in {turn.edges[axis] for turn in kind.turns}:
                lengths[edge] = lengths.get(edge, 0) + count
    mask = (1 << (longest + 1)) - 1
    sums = 1
    for length, count in lengths.items():
        for _ in range(min(count, longest // length)):
            more = (sums | sums << length) & mask
            if more == sums:
                break
            sums = more
    table: list[int] = []
    last = 0
    for length, there in enumerate(reversed(f"{sums:0{longest + 1}b}")):
        if there == "1":
            last = length
        table.append(last)
    return table
