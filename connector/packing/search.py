"""Filling one carton well: the greedy step in several directions, and a look at what the next best choices lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub

from connector.packing.block import EVEN, HARDEST, LARGEST, SNUG, TIGHT, WIDEST, Block, Kind, Meter, State, Way
from connector.packing.filler import Filler
from connector.packing.kinds import Reach, edges_along, reachable, row_of
from connector.packing.rough import rough_fill
from connector.packing.space import Edges

Axes = tuple[int, int, int]

LAYERS: Axes = (2, 1, 0)
"""Fill from the floor up: the vertical axis decides first."""
DIRECTIONS: tuple[Axes, ...] = (LAYERS, (2, 0, 1), (0, 2, 1), (1, 2, 0), (0, 1, 2), (1, 0, 2))
Plan = tuple[Axes, int, bool]
"""A direction, what a block is judged by, and whether units lie as flat as they can."""

_LOOKING_ON = frozenset({SNUG, TIGHT, EVEN, HARDEST})
QUICK: Plan = (LAYERS, WIDEST, True)
FURTHER: tuple[Plan, ...] = (
    (LAYERS, SNUG, False),
    ((0, 2, 1), HARDEST, False),
    (LAYERS, HARDEST, False),
    (LAYERS, WIDEST, False),
    (LAYERS, LARGEST, True),
    ((2, 0, 1), SNUG, False),
    (LAYERS, EVEN, False),
    ((1, 2, 0), SNUG, False),
)
"""What is tried next when one quick try does not take everything, the most often helpful first."""
LOADING: tuple[Plan, ...] = (
    *((axes, SNUG, False) for axes in DIRECTIONS),
    (LAYERS, EVEN, False),
    ((0, 2, 1), EVEN, False),
    ((0, 1, 2), TIGHT, False),
)
"""What is tried to load one container as full as it can be."""


@dataclass(frozen=True, slots=True)
class Load:
    """What went into a carton: blocks, their axes in the order of `axes`, and units of each kind."""

    turned: Sequence[Block]
    axes: Axes
    units: tuple[int, ...]
    volume: int
    weight: int

    @property
    def blocks(self) -> list[Block]:
        """The blocks in the carton's own axes."""
        back = (self.axes.index(0), self.axes.index(1), self.axes.index(2))
        return [_restored(block, back) for block in self.turned]


class Packer:
    """Fills rooms with one set of kinds. It keeps what it works out about them, so use one for an order."""

    def __init__(self, kinds: Sequence[Kind], meter: Meter, support: float) -> None:
        self.kinds = tuple(kinds)
        self.meter = meter
        self.support = support
        self._free = all(kind.free and not kind.growth for kind in kinds)
        self._lengths: dict[tuple[tuple[int, ...], int], tuple[tuple[int, int], ...]] = {}
        self._reach: dict[tuple[tuple[int, int], ...], Reach] = {}
        self._fillers: dict[tuple[Edges, Plan], Filler] = {}

    def quick(self, room: Edges, counts: Sequence[int], net: int) -> Load:
        """One try, level layers, largest first."""
        return self._load(self._start(room, counts, net, QUICK), counts, LAYERS, net)

    def rough(self, room: Edges, counts: Sequence[int], net: int) -> Load:
        """One pass that needs no effort of the meter, for when there is none left."""
        blocks, rest, left = rough_fill(room, self.kinds, counts, net)
        units = tuple(count - still for count, still in zip(counts, rest, strict=True))
        volume = sum(kind.volume * count for kind, count in zip(self.kinds, units, strict=True))
        return Load(blocks, (0, 1, 2), units, volume, net - left)

    def fill(
        self,
        room: Edges,
        counts: Sequence[int],
        net: int,
        ways: Sequence[Plan] = LOADING,
        effort: int | None = None,
        *,
        near: int = 0,
    ) -> Load:
        """Try the ways until one takes everything; else the load of the greatest volume.

        With `near`, stop as soon as the tries so far load less volume than that.
        """
        return self.search(room, counts, net, ways, effort, beam=0, near=near)

    def search(
        self,
        room: Edges,
        counts: Sequence[int],
        net: int,
        ways: Sequence[Plan] = LOADING,
        effort: int | None = None,
        *,
        beam: int = 3,
        near: int = 0,
    ) -> Load:
        """The same; then the most promising directions are gone through choice by choice until `effort` is used."""
        meter = self.meter
        end = meter.limit if effort is None else min(meter.limit, meter.used + effort)
        results: list[tuple[int, int, State, Plan]] = []
        outer, most = meter.limit, 0
        meter.limit = end
        try:
            for number, way in enumerate(ways):
                if number and meter.spent():
                    break
                state = self._start(room, counts, net, way)
                results.append((-state.volume, number, state, way))
                most = max(most, state.volume)
                if not any(state.counts) or most < near:
                    break
            results.sort(key=lambda result: result[:2])
            best = results[0][2:]
            if beam and any(best[0].counts):
                for _, _, _, way in results:
                    if meter.spent():
                        break
                    found = self._pilot(room, counts, net, way, beam, best[0].volume)
                    if found is not None:
                        best = (found, way)
                        if not any(found.counts):
                            break
        finally:
            meter.limit = outer
        return self._load(best[0], counts, best[1][0], net)

    def _filler(self, room: Edges, counts: Sequence[int], way: Plan) -> Filler:
        """The filler for that room and way; what its lengths add up to is worked out on the first call and kept."""
        filler = self._fillers.get((room, way))
        if filler is None:
            axes, judge, flat = way
            i, j, k = axes
            rows = [row_of(kind, room, axes, flat=flat) for kind in self.kinds]
            looks_on = judge in _LOOKING_ON
            reach = tuple(self._reachable(room, counts, axis) for axis in axes) if looks_on else ()
            turned = (room[i], room[j], room[k])
            shortest = [kind.sides[0] for kind in self.kinds]
            filler = Filler(turned, rows, shortest, Way(judge, self.support, axes.index(2)), reach, self.meter)
            self._fillers[room, way] = filler
        return filler

    def _start(self, room: Edges, counts: Sequence[int], net: int, way: Plan) -> State:
        filler = self._filler(room, counts, way)
        state = filler.start(counts, net)
        filler.run(state)
        return state

    def _reachable(self, room: Edges, counts: Sequence[int], axis: int) -> Reach:
        if self._free:
            axis = 0
        key = (tuple(counts), axis)
        lengths = self._lengths.get(key)
        if lengths is None:
            lengths = self._lengths[key] = edges_along(self.kinds, counts, axis)
        table = self._reach.get(lengths)
        longest = max(room)
        if table is None or table.longest < longest:
            table = self._reach[lengths] = reachable(lengths, longest)
        return table

    def _pilot(self, room: Edges, counts: Sequence[int], net: int, way: Plan, beam: int, to_beat: int) -> State | None:
        """Before each block, finish the carton greedily with each of the best choices; go on with the best."""
        filler = self._filler(room, counts, way)
        meter = self.meter
        state = filler.start(counts, net)
        best: State | None = None
        while not meter.spent():
            options = filler.choices(state, beam)
            if options is None:
                break
            space, candidates = options
            lead: tuple[int, State] | None = None
            for candidate in candidates:
                if meter.spent() and lead is not None:
                    break
                after = state.copy()
                filler.lay(after, space, candidate)
                end = after.copy()
                filler.run(end)
                if end.volume > to_beat:
                    to_beat = end.volume
                    best = end
                    if not any(end.counts):
                        return best
                if lead is None or end.volume > lead[0]:
                    lead = (end.volume, after)
            if lead is None:
                break
            state = lead[1]
        return best

    def _load(self, state: State, counts: Sequence[int], axes: Axes, net: int) -> Load:
        return Load(state.placed, axes, tuple(map(sub, counts, state.counts)), state.volume, net - state.left)


def _restored(block: Block, back: Axes) -> Block:
    i, j, k = back
    times, edges, box = block.times, block.edges, block.box
    return Block(
        block.kind,
        (times[i], times[j], times[k]),
        (edges[i], edges[j], edges[k]),
        block.stack,
        (box[i], box[j], box[k], box[i + 3], box[j + 3], box[k + 3]),
    )
