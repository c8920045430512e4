"""The free space of a carton as maximal empty boxes, cut by each block that is laid into it.

A space is `(x1, y1, z1, x2, y2, z2)` in whole millimetres, in an order of axes that the caller picks; `up` says which
of the three is the vertical one. Plain tuples, because these few lines are where the time goes.
"""

from __future__ import annotations

from collections.abc import Sequence

Space = tuple[int, int, int, int, int, int]
Edges = tuple[int, int, int]


def cut(  # noqa: C901, PLR0912 - six faces, without a call for each.
    spaces: Sequence[Space], block: Space, least: int, up: int | None
) -> list[Space]:
    """The maximal empty boxes that are left when `block` is taken out of `spaces`.

    `least` is the shortest edge still to be packed: thinner boxes are dropped. With `up` set, every box keeps a base
    that rests wholly on the floor or on blocks: what lies above the block is as wide as its top and no wider.
    """
    bx1, by1, bz1, bx2, by2, bz2 = block
    keep: list[Space] = []
    fresh: list[Space] = []
    tops: list[Space] = []
    for space in spaces:
        x1, y1, z1, x2, y2, z2 = space
        if x1 >= bx2 or y1 >= by2 or z1 >= bz2 or x2 <= bx1 or y2 <= by1 or z2 <= bz1:
            keep.append(space)
            continue
        if bx1 - x1 >= least:
            fresh.append((x1, y1, z1, bx1, y2, z2))
        if by1 - y1 >= least:
            fresh.append((x1, y1, z1, x2, by1, z2))
        if bz1 - z1 >= least:
            fresh.append((x1, y1, z1, x2, y2, bz1))
        if x2 - bx2 >= least:
            if up == 0:
                tops.append((bx2, max(y1, by1), max(z1, bz1), x2, min(y2, by2), min(z2, bz2)))
            else:
                fresh.append((bx2, y1, z1, x2, y2, z2))
        if y2 - by2 >= least:
            if up == 1:
                tops.append((max(x1, bx1), by2, max(z1, bz1), min(x2, bx2), y2, min(z2, bz2)))
            else:
                fresh.append((x1, by2, z1, x2, y2, z2))
        if z2 - bz2 >= least:
            if up == 2:
                tops.append((max(x1, bx1), max(y1, by1), bz2, min(x2, bx2), min(y2, by2), z2))
            else:
                fresh.append((x1, y1, bz2, x2, y2, z2))
    if tops and up is not None:
        fresh += tops
        for top in tops:
            fresh += _level_with(top, keep, up, least)
    return keep + _not_inside(fresh, keep)


def _not_inside(fresh: list[Space], keep: list[Space]) -> list[Space]:
    """Those of `fresh` that no other box holds; `keep` is not judged again."""
    found: list[Space] = []
    for i, space in enumerate(fresh):
        x1, y1, z1, x2, y2, z2 = space
        for a1, b1, c1, a2, b2, c2 in keep:
            if a1 <= x1 and b1 <= y1 and c1 <= z1 and a2 >= x2 and b2 >= y2 and c2 >= z2:
                break
        else:
            for j, (a1, b1, c1, a2, b2, c2) in enumerate(fresh):
                if (
                    j != i
                    and a1 <= x1
                    and b1 <= y1
                    and c1 <= z1
                    and a2 >= x2
                    and b2 >= y2
                    and c2 >= z2
                    and (j < i or fresh[j] != space)
                ):
                    break
            else:
                found.append(space)
    return found


def _level_with(top: Space, keep: Sequence[Space], up: int, least: int) -> list[Space]:
    """Boxes over two tops of one height that touch: each rests on both, so that a layer becomes a floor."""
    level = top[up]
    first, second = (axis for axis in range(3) if axis != up)
    grown: list[Space] = []
    seeds = [top]
    for space in keep:
        if space[up] != level:
            continue
        for seed in seeds[:4]:
            for along, across in ((first, second), (second, first)):
                if max(seed[along], space[along]) > min(seed[along + 3], space[along + 3]):
                    continue
                low = max(seed[across], space[across])
                high = min(seed[across + 3], space[across + 3])
                ceiling = min(seed[up + 3], space[up + 3])
                if high - low < least or ceiling - level < least:
                    continue
                box = [0] * 6
                box[along] = min(seed[along], space[along])
                box[along + 3] = max(seed[along + 3], space[along + 3])
                box[across], box[across + 3] = low, high
                box[up], box[up + 3] = level, ceiling
                made = (box[0], box[1], box[2], box[3], box[4], box[5])
                grown.append(made)
                seeds.append(made)
    return grown
