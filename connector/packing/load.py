"""Loading one container as full as it can be: what a pallet, a van or a benchmark asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.packing.block import UNLIMITED, Meter
from connector.packing.goods import Extents, Goods
from connector.packing.kinds import stock_of
from connector.packing.naming import Naming
from connector.packing.result import Placed
from connector.packing.search import LOADING, Packer

LOAD_EFFORT = 18_000
_BEAM = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """What went in, the share of the container that it takes, and the effort in steps."""

    placed: tuple[Placed, ...]
    fill: float
    steps: int


def load(goods: Sequence[Goods], room: Extents, *, support: float = 0.0, effort: int = LOAD_EFFORT) -> Loaded:
    """Load one container of that inner size with the greatest volume that `effort` steps find.

    Turns, stacking, nesting and `support` (the share of each base that must rest) are obeyed; goods that may not share
    a carton are not for this. Equal input gives an equal answer.
    """
    stock = stock_of(goods)
    meter = Meter(effort)
    packer = Packer(stock.kinds, meter, support)
    found = packer.search((room.width, room.length, room.depth), stock.counts, UNLIMITED, LOADING, effort, beam=_BEAM)
    placed = Naming(stock).places(found.blocks, 0, let_down=support == 0)
    volume = sum(each.width * each.length * each.depth for each in placed)
    return Loaded(placed, volume / room.volume, meter.used)
