"""Letting blocks down: what the search left hanging sinks until it rests on something or on the floor."""

from __future__ import annotations

from collections.abc import Sequence

from connector.packing.block import Block


def settled(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, each as low as it can sink straight down, lowest first."""
    done: list[Block] = []
    for block in sorted(blocks, key=lambda each: (each.box[2], each.box[1], each.box[0])):
        x1, y1, z1, x2, y2, z2 = block.box
        floor = 0
        if z1:
            for other in done:
                a1, b1, _, a2, b2, c2 = other.box
                if floor < c2 <= z1 and a1 < x2 and x1 < a2 and b1 < y2 and y1 < b2:
                    floor = c2
        done.append(block if floor == z1 else block._replace(box=(x1, y1, floor, x2, y2, z2 - z1 + floor)))
    return done
