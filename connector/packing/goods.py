"""What is packed: the extents of one unit, its weight, and how it may be handled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from connector.packing.errors import PackingError

LARGEST_MM = 20_000
"""Longer than any parcel or pallet; a longer edge is a wrong unit (a 40-foot container is 12 m)."""
HEAVIEST_G = 2_000_000
MOST_UNITS = 100_000


class Extents(NamedTuple):
    """Width, length and depth in whole millimetres; depth is vertical where the way up matters."""

    width: int
    length: int
    depth: int

    @property
    def volume(self) -> int:
        """Cubic millimetres."""
        return self.width * self.length * self.depth

    def __str__(self) -> str:
        return f"{self.width}x{self.length}x{self.depth} mm"


@dataclass(frozen=True, slots=True)
class Handling:
    """What a unit asks for.

    `may_stand` says for width, length and depth whether that edge may stand upright; `bears` is false where nothing may
    lie above; `alone` units get a carton each; `own_box` units go out as they are; units of different non-empty `group`
    never share a carton; `nests_by` is what a further unit adds to a stack of them along its depth, mm.
    """

    may_stand: tuple[bool, bool, bool] = (True, True, True)
    bears: bool = True
    alone: bool = False
    own_box: bool = False
    group: str = ""
    nests_by: int | None = None


ANY_WAY = Handling()
UPRIGHT = (False, False, True)


@dataclass(frozen=True, slots=True)
class Goods:
    """Equal units to be packed; `weight` is of one unit, g. Raises PackingError for sizes that cannot be."""

    key: str
    quantity: int
    size: Extents
    weight: int
    handling: Handling = ANY_WAY

    def __post_init__(self) -> None:
        width, length, depth = self.size
        if (
            0 < width <= LARGEST_MM
            and 0 < length <= LARGEST_MM
            and 0 < depth <= LARGEST_MM
            and 0 <= self.weight <= HEAVIEST_G
            and 0 < self.quantity <= MOST_UNITS
            and self.handling is ANY_WAY
        ):
            return
        for name, value in zip(("width", "length", "depth"), self.size, strict=True):
            if not 0 < value <= LARGEST_MM:
                raise PackingError(f"The {name} must be 1 to {LARGEST_MM} mm, not {value}.", detail=name)
        if not 0 <= self.weight <= HEAVIEST_G:
            raise PackingError(f"The weight must be 0 to {HEAVIEST_G} g, not {self.weight}.", detail="weight")
        if not 0 < self.quantity <= MOST_UNITS:
            raise PackingError(f"The quantity must be 1 to {MOST_UNITS}, not {self.quantity}.", detail="quantity")
        if not any(self.handling.may_stand):
            raise PackingError("At least one edge must be allowed to stand upright.", detail="may_stand")
        growth = self.handling.nests_by
        if growth is not None and not 0 < growth <= self.size.depth:
            raise PackingError(
                f"A nested unit adds 1 to {self.size.depth} mm to its stack, not {growth}.", detail="nests_by"
            )
