"""Laying blocks of equal units into one carton, greedily: the step that every search above repeats.

Each round takes the first free space in the order of its axes, tries each kind in each turn as one block in the low
corner, and lays the block that is judged best. Here is where the time goes: plain integers, and loops without calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from connector.packing.block import (
    HARDEST,
    LARGEST,
    NOT_NESTED,
    SNUG,
    TIGHT,
    UNLIMITED,
    WIDEST,
    Block,
    Meter,
    Row,
    State,
    Turn,
    Way,
)
from connector.packing.space import Edges, Space, cut

_WINDOW = 24
"""How many kinds that fit a space are compared, largest first; with more, only the search would take longer."""

Candidate = tuple[float, int, int, int, int, Turn, int]


_ONE: tuple[Edges, ...] = ((1, 1, 1),)


class Filler:
    """Fills one room (a carton's usable inside, axes as ordered by the caller) with kinds."""

    __slots__ = ("_ease", "_reach", "_room", "_rows", "_shortest", "_way", "meter")

    def __init__(
        self,
        room: Edges,
        rows: Sequence[Row],
        shortest: Sequence[int],
        way: Way,
        reach: Sequence[Mapping[int, int]],
        meter: Meter,
    ) -> None:
        self._room = room
        self._rows = rows
        self._shortest = shortest
        self._way = way
        self._reach = reach or ({}, {}, {})
        self._ease = [len(row[0]) for row in rows] if way.judge == HARDEST else []
        self.meter = meter

    def start(self, counts: Sequence[int], left: int) -> State:
        """An empty carton that may take `counts` units of each kind and `left` grams."""
        present = [number for number, count in enumerate(counts) if count]
        return State([(0, 0, 0, *self._room)], list(counts), present, left, self._least(present), [])

    def run(self, state: State) -> None:
        """Go on greedily until nothing fits or the meter is spent."""
        meter = self.meter
        while state.spaces and meter.used < meter.limit:
            space = min(state.spaces)
            best = self._best(state, space)
            if best is None:
                state.spaces.remove(space)
            else:
                self.lay(state, space, best)

    def choices(self, state: State, most: int) -> tuple[Space, list[Candidate]] | None:
        """The first space that something fits, and the best candidates for it, best first; None when full."""
        while state.spaces:
            space = min(state.spaces)
            found: list[Candidate] = []
            self._best(state, space, found)
            if found:
                found.sort(key=lambda each: (-each[0], each[1], each[2], each[3], each[4]))
                return space, found[:most]
            state.spaces.remove(space)
        return None

    def lay(self, state: State, space: Space, candidate: Candidate) -> None:
        """Lay the candidate into the low corner of the space."""
        _, kind, nx, ny, nz, turn, stack = candidate
        extents = self._extents(kind, turn, stack)
        x, y, z = space[:3]
        box = (x, y, z, x + nx * extents[0], y + ny * extents[1], z + nz * extents[2])
        block = Block(kind, (nx, ny, nz), extents, stack, box)
        units = nx * ny * nz * stack
        _, weight, volume, _, bears = self._rows[kind]
        state.counts[kind] -= units
        state.left -= units * weight
        state.volume += units * volume
        state.placed.append(block)
        if not state.counts[kind]:
            state.present.remove(kind)
            if not state.present:
                state.spaces = []
                return
            state.least = self._least(state.present)
        way = self._way
        if not bears:
            closed = list(box)
            closed[way.up + 3] = self._room[way.up]
            box = (closed[0], closed[1], closed[2], closed[3], closed[4], closed[5])
        self.meter.used += len(state.spaces)
        state.spaces = cut(state.spaces, box, state.least, way.up if way.support >= 1 else None)

    def _least(self, present: Sequence[int]) -> int:
        shortest = self._shortest
        return min([shortest[number] for number in present], default=UNLIMITED)

    def _extents(self, kind: int, turn: Turn, stack: int) -> Edges:
        if stack == 1:
            return turn.edges
        grown = list(turn.edges)
        grown[turn.nested] += (stack - 1) * self._rows[kind][3]
        return grown[0], grown[1], grown[2]

    def _best(  # noqa: C901, PLR0912, PLR0915 - a call for each turn would double the time.
        self, state: State, space: Space, found: list[Candidate] | None = None
    ) -> Candidate | None:
        """The best block for the space's low corner; all that fit go to `found` where it is given."""
        x1, y1, z1, x2, y2, z2 = space
        a, b, c = x2 - x1, y2 - y1, z2 - z1
        all_of_it = a * b * c
        judge, up, ease = self._way.judge, self._way.up, self._ease
        by_volume = found is None and (judge in {WIDEST, LARGEST})
        looks_on = judge in {SNUG, HARDEST}
        open_above = space[up + 3] == self._room[up]
        careful = 0 < self._way.support < 1 and space[up] > 0
        rx, ry, rz = self._reach
        left = state.left
        tried = fitting = 0
        best: Candidate | None = None
        highest: float = -(1 << 80)
        score: float
        rows, counts = self._rows, state.counts
        for index in state.present:
            turns, weight, volume, growth, bears = rows[index]
            if (volume > all_of_it and not growth) or not (bears or open_above):
                continue
            most = counts[index]
            if weight * most > left:
                most = left // weight
                if not most:
                    continue
            tried += len(turns)
            if looks_on and not growth and found is None:
                # What could still be filled around a block and the block itself are never more than the space.
                ceiling = all_of_it + min(most * volume, all_of_it)
                if judge == HARDEST:
                    ceiling -= ease[index] << 50
                if ceiling <= highest:
                    continue
            before = fitting
            for laid in turns:
                w, h, d, footprint, nested, turn = laid
                if w > a or h > b or d > c:
                    continue
                fitting = before + 1
                units = most
                stack = 1
                if nested != NOT_NESTED:
                    stack = min(most, 1 + (space[nested + 3] - space[nested] - turn.edges[nested]) // growth)
                    w, h, d = self._extents(index, turn, stack)
                    units = most // stack
                nx, ny, nz = a // w, b // h, c // d
                if not bears:
                    nx, ny, nz = (1 if up == 0 else nx), (1 if up == 1 else ny), (1 if up == 2 else nz)
                if units == 1:
                    shapes: tuple[Edges, ...] = _ONE
                elif nx * ny * nz <= units:
                    shapes = ((nx, ny, nz),)
                elif by_volume:
                    shapes = _fullest(nx, ny, nz, units)
                else:
                    shapes = _shapes(nx, ny, nz, units)
                for nx, ny, nz in shapes:
                    ex, ey, ez = nx * w, ny * h, nz * d
                    if judge == WIDEST:
                        score = (footprint << 40) + ex * ey * ez
                    elif judge == LARGEST:
                        score = nx * ny * nz * stack * volume
                    elif judge == SNUG:
                        score = ex * ey * ez + (ex + rx[a - ex]) * (ey + ry[b - ey]) * (ez + rz[c - ez])
                    elif judge == HARDEST:
                        score = ex * ey * ez + (ex + rx[a - ex]) * (ey + ry[b - ey]) * (ez + rz[c - ez])
                        score -= ease[index] << 50
                    elif judge == TIGHT:
                        la, lb, lc = a - ex, b - ey, c - ez
                        score = 0.3 * ex * ey * ez - (
                            (la - rx[la]) * b * c + (lb - ry[lb]) * a * c + (lc - rz[lc]) * a * b
                        )
                    else:
                        used = (ex + rx[a - ex]) * (ey + ry[b - ey]) * (ez + rz[c - ez]) / all_of_it
                        used *= used
                        score = ex * ey * ez * used * used
                    if score <= highest and found is None:
                        continue
                    if careful and not self._rests(state, (x1, y1, z1), (nx, ny, nz), (w, h, d)):
                        continue
                    candidate = (score, index, nx, ny, nz, turn, stack)
                    if found is not None:
                        found.append(candidate)
                    if score > highest:
                        highest = score
                        best = candidate
            if fitting >= _WINDOW and best is not None:
                break
        self.meter.used += tried
        return best

    def _rests(self, state: State, corner: Edges, times: Edges, edges: Edges) -> bool:
        """Whether each unit of the block's lowest layer has enough of its base on something."""
        up = self._way.up
        first, second = (axis for axis in range(3) if axis != up)
        level = corner[up]
        below = [
            (box[first], box[second], box[first + 3], box[second + 3])
            for box in (block.box for block in state.placed)
            if box[up + 3] == level
        ]
        w, h = edges[first], edges[second]
        needed = self._way.support * w * h
        for i in range(times[first]):
            for j in range(times[second]):
                p, q = corner[first] + i * w, corner[second] + j * h
                area = 0
                for p1, q1, p2, q2 in below:
                    wide = min(p + w, p2) - max(p, p1)
                    deep = min(q + h, q2) - max(q, q1)
                    if wide > 0 and deep > 0:
                        area += wide * deep
                if area < needed:
                    return False
        return True


@lru_cache(maxsize=16_384)
def _shapes(kx: int, ky: int, kz: int, units: int) -> tuple[Edges, ...]:
    """Blocks of at most `units` when a full one would need more: the axes filled in three orders."""
    ny = min(ky, units)
    nz = min(kz, units // ny)
    first = (min(kx, units // (ny * nz)), ny, nz)
    nz = min(kz, units)
    ny = min(ky, units // nz)
    second = (min(kx, units // (nz * ny)), ny, nz)
    nx = min(kx, units)
    ny = min(ky, units // nx)
    third = (nx, ny, min(kz, units // (nx * ny)))
    return (first,) if first == second == third else (first, second, third)


@lru_cache(maxsize=16_384)
def _fullest(kx: int, ky: int, kz: int, units: int) -> tuple[Edges, ...]:
    """The first of these blocks with the most units."""
    return (max(_shapes(kx, ky, kz, units), key=lambda times: times[0] * times[1] * times[2]),)
