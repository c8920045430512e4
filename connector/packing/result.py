"""What packing answers: where each unit lies, what each carton is billed as, what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from connector.packing.carton import Carton
from connector.packing.goods import Extents
from connector.words.reason import Reason


class Placed(NamedTuple):
    """A unit (or a nested stack of `units`) in its carton: low corner and extents as placed, mm from the inner wall.

    x runs along the carton's inner width, y along its inner length, z upwards along its inner depth.
    """

    key: str
    x: int
    y: int
    z: int
    width: int
    length: int
    depth: int
    units: int = 1


@dataclass(frozen=True, slots=True)
class PackedCarton:
    """One parcel. `outer` is as it is measured (a bag's depth is its stuffed thickness); `own_box` has no carton.

    Weights in g; `dimensional` is the outer volume by the divisor, `billed` what the carrier counts. `goods_volume` in
    mm3, a nested stack counted once.
    """

    carton: Carton
    outer: Extents
    inner: Extents
    gross: int
    dimensional: int
    billed: int
    placed: tuple[Placed, ...]
    goods_volume: int
    own_box: bool = False

    @property
    def fill(self) -> float:
        """The share of the inner volume that the goods take."""
        return self.goods_volume / self.inner.volume

    @property
    def units(self) -> int:
        """How many units lie in it."""
        return sum(each.units for each in self.placed)


@dataclass(frozen=True, slots=True)
class Left:
    """Units that were not packed, and why."""

    key: str
    units: int
    why: Reason


@dataclass(frozen=True, slots=True)
class Packing:
    """The parcels of one order. `steps` is the effort that it took, the same on every run."""

    cartons: tuple[PackedCarton, ...]
    left: tuple[Left, ...]
    steps: int

    @property
    def billed(self) -> int:
        """Billed weight of all parcels, g."""
        return sum(carton.billed for carton in self.cartons)
