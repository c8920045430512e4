"""From blocks of kinds to places of units: each unit gets the key of the goods that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.packing.block import Block
from connector.packing.kinds import Stock
from connector.packing.result import Placed
from connector.packing.settle import settled


class Naming:
    """Hands out the keys of a stock, carton after carton, so that none is given twice."""

    def __init__(self, stock: Stock) -> None:
        self._keys: list[list[str]] = [[key for key, _ in reversed(names)] for names in stock.names]
        self._rest: list[list[int]] = [[quantity for _, quantity in reversed(names)] for names in stock.names]

    def places(self, blocks: Sequence[Block], padding: int, *, let_down: bool) -> tuple[Placed, ...]:
        """Where each unit lies, lowest first; `let_down` lets what hangs sink until it rests."""
        ordered = settled(blocks) if let_down else sorted(blocks, key=lambda each: each.box[2::-1])
        return tuple(placed for block in ordered for placed in self._of_block(block, padding))

    def _of_block(self, block: Block, padding: int) -> Iterator[Placed]:
        width, length, depth = block.edges
        x1, y1, z1 = block.box[0] + padding, block.box[1] + padding, block.box[2] + padding
        for k in range(block.times[2]):
            for j in range(block.times[1]):
                for i in range(block.times[0]):
                    x, y, z = x1 + i * width, y1 + j * length, z1 + k * depth
                    key = self._take(block.kind, block.stack)
                    yield Placed(key, x, y, z, width, length, depth, block.stack)

    def _take(self, kind: int, units: int) -> str:
        """The key whose units come next."""
        keys, rest = self._keys[kind], self._rest[kind]
        key = keys[-1]
        rest[-1] -= units
        if rest[-1] <= 0:
            keys.pop()
            rest.pop()
        return key
