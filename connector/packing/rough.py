"""The way of last resort: fills a carton in one pass when the effort is used up, so that any cart gets an answer."""

from __future__ import annotations

from collections.abc import Sequence

from connector.packing.block import Block, Kind
from connector.packing.space import Edges, Space


def rough_fill(
    room: Edges, kinds: Sequence[Kind], counts: Sequence[int], net: int
) -> tuple[list[Block], list[int], int]:
    """Blocks, what is left of each kind, and the grams still free.

    Each space takes the first kind that fits, as one block; the rest is cut into beside, behind and above. What lies
    above rests wholly on the block, so every rule about support holds. Each kind is looked at once a space.
    """
    rest = list(counts)
    present = [number for number, count in enumerate(counts) if count]
    blocks: list[Block] = []
    waiting: list[Space] = [(0, 0, 0, *room)]
    while waiting:
        space = waiting.pop()
        block = _first(space, room, kinds, present, rest, net)
        if block is None:
            continue
        rest[block.kind] -= block.units
        net -= block.units * kinds[block.kind].weight
        blocks.append(block)
        if not rest[block.kind]:
            present.remove(block.kind)
        x1, y1, z1, x2, y2, z2 = space
        _, _, _, bx, by, bz = block.box
        if bx < x2:
            waiting.append((bx, y1, z1, x2, y2, z2))
        if by < y2:
            waiting.append((x1, by, z1, bx, y2, z2))
        if bz < z2 and kinds[block.kind].bears:
            waiting.append((x1, y1, bz, bx, by, z2))
    return blocks, rest, net


def _first(
    space: Space, room: Edges, kinds: Sequence[Kind], present: Sequence[int], rest: Sequence[int], net: int
) -> Block | None:
    x1, y1, z1, x2, y2, z2 = space
    a, b, c = x2 - x1, y2 - y1, z2 - z1
    low, middle, high = sorted((a, b, c))
    for number in present:
        kind = kinds[number]
        p, q, r = kind.sides
        if p > low or q > middle or r > high or kind.weight > net or not (kind.bears or z2 == room[2]):
            continue
        most = min(rest[number], net // kind.weight) if kind.weight else rest[number]
        best: tuple[int, Edges, Edges] | None = None
        for turn in kind.turns:
            w, h, d = turn.edges
            if w > a or h > b or d > c:
                continue
            nx = min(a // w, most)
            ny = min(b // h, most // nx)
            nz = min(c // d, most // (nx * ny)) if kind.bears else 1
            if best is None or nx * ny * nz > best[0]:
                best = (nx * ny * nz, (nx, ny, nz), (w, h, d))
        if best is not None:
            _, (nx, ny, nz), (w, h, d) = best
            return Block(number, (nx, ny, nz), (w, h, d), 1, (x1, y1, z1, x1 + nx * w, y1 + ny * h, z1 + nz * d))
    return None
