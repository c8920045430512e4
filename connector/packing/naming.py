"""From blocks of kinds to places of units: each unit gets the key of the goods that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

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
        placed: list[Placed] = []
        for block in ordered:
            self._of_block(block, padding, placed)
        return tuple(placed)

    def _of_block(self, block: Block, padding: int, placed: list[Placed]) -> None:
        kind, (nx, ny, nz), (width, length, depth), stack, box = block
        x1, y1, z1 = box[0] + padding, box[1] + padding, box[2] + padding
        for k in range(nz):
            for j in range(ny):
                for i in range(nx):
                    x, y, z = x1 + i * width, y1 + j * length, z1 + k * depth
                    placed.append(Placed(self._take(kind, stack), x, y, z, width, length, depth, stack))

    def _take(self, kind: int, units: int) -> str:
        """The key whose units come next."""
        keys, rest = self._keys[kind], self._rest[kind]
        key = keys[-1]
        rest[-1] -= units
        if rest[-1] <= 0:
            keys.pop()
            rest.pop()
        return key
