"""The values that the packer works on: kinds and their turns, blocks, a carton half filled, and the count of effort."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from connector.packing.space import Edges, Space

UNLIMITED = 1 << 62

LARGEST, SNUG, TIGHT, EVEN, WIDEST, HARDEST = range(6)
"""What a block is judged by: its volume; its volume and what could still be filled beside it, weighted in three ways;
the footprint of its units, which stacks flat goods as a person would; in how few ways its units fit the carton."""


NOT_NESTED = 3


class Turn(NamedTuple):
    """One way to lay a kind: its extents, and the axis along which units nest into each other."""

    edges: Edges
    nested: int = NOT_NESTED


Laid = tuple[tuple[int, int, int, int, int, Turn], ...]
"""The turns that fit a room, as the innermost loop reads them: edges, footprint, the nesting axis, the turn itself."""
Row = tuple[Laid, int, int, int, bool]
"""A kind in a room as the innermost loop reads it: turns, weight, volume, growth, whether it bears."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Equal units as the packer sees them, made once for each size, weight and handling.

    `sides` are the edges, shortest first; `free` where any of them may stand upright; `growth` is what nesting adds to
    a stack, mm. `rank` sorts kinds, the largest and then the heaviest first. `rows` keeps how it may lie in rooms that
    were looked at.
    """

    turns: tuple[Turn, ...]
    weight: int
    volume: int
    sides: Edges
    free: bool
    growth: int = 0
    bears: bool = True
    rank: tuple[object, ...] = ()
    rows: dict[tuple[Edges, Edges, bool], Row] = field(default_factory=dict)


class Block(NamedTuple):
    """`nx * ny * nz` units (or nested stacks) of one kind, all turned alike, and the box that they take."""

    kind: int
    times: Edges
    edges: Edges
    stack: int
    box: Space

    @property
    def units(self) -> int:
        """How many units it holds."""
        return self.times[0] * self.times[1] * self.times[2] * self.stack


@dataclass(frozen=True, slots=True)
class Way:
    """How a carton is filled: what a block is judged by, how much of each base must rest, the vertical axis."""

    judge: int = LARGEST
    support: float = 0.0
    up: int = 2


@dataclass(slots=True)
class State:
    """A carton half filled; `copy` before a try. `present` are the kinds with a count.

    `left` in g; `least` is the shortest edge still to be packed, mm.
    """

    spaces: list[Space]
    counts: list[int]
    present: list[int]
    left: int
    least: int
    placed: list[Block]
    volume: int = 0

    def copy(self) -> State:
        """The same, to be changed apart."""
        return State(
            self.spaces[:], self.counts[:], self.present[:], self.left, self.least, self.placed[:], self.volume
        )


class Meter:
    """Counts effort in steps (a turn tried in a space, a space cut), so that a plan never depends on a clock."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.used = 0
        self.limit = limit

    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.used >= self.limit
