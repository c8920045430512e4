"""What goods are packed into: cartons, bags that bulge, and what a carrier takes."""

from __future__ import annotations

from dataclasses import dataclass

from carriers.money import Money
from connector.packing.errors import PackingError
from connector.packing.goods import HEAVIEST_G, LARGEST_MM, Extents


@dataclass(frozen=True, slots=True)
class Carton:
    """A carton: outer and inner size mm, tare and greatest gross weight (tare included) g.

    `padding` is kept free along each wall, mm. `cost` is of the carton itself; a carrier's flat-rate package has its
    price here and `flat_rate` set, so that its weight costs nothing. `bulge` makes it a bag or an envelope: `outer` and
    `inner` are then measured flat (their depth is not used) and it is stuffed up to `bulge` mm thick.
    """

    name: str
    outer: Extents
    inner: Extents
    tare: int = 0
    max_gross: int | None = None
    padding: int = 0
    cost: Money | None = None
    flat_rate: bool = False
    bulge: int | None = None
    carriers: frozenset[str] = frozenset()
    in_stock: bool = True

    def __post_init__(self) -> None:
        for prefix, extents in (("outer", self.outer), ("inner", self.inner)):
            for name, value in zip(("width", "length", "depth"), extents, strict=True):
                if not 0 < value <= LARGEST_MM:
                    raise PackingError(
                        f"The {prefix} {name} must be 1 to {LARGEST_MM} mm, not {value}.", detail=f"{prefix} {name}"
                    )
        for name, within, around in zip(("width", "length", "depth"), self.inner, self.outer, strict=True):
            if within > around:
                raise PackingError(
                    f"The inner {name} ({within} mm) is greater than the outer ({around} mm).", detail=f"inner {name}"
                )
        if not 0 <= self.tare <= HEAVIEST_G:
            raise PackingError(f"The empty weight must be 0 to {HEAVIEST_G} g, not {self.tare}.", detail="empty weight")
        if self.max_gross is not None and not self.tare < self.max_gross:
            raise PackingError(
                f"The maximum gross weight ({self.max_gross} g) must be above the empty weight ({self.tare} g).",
                detail="maximum gross weight",
            )
        if self.padding < 0 or (self.bulge is not None and self.bulge <= 0):
            raise PackingError(
                "Padding and bulge cannot be negative.", detail="padding" if self.padding < 0 else "bulge"
            )


@dataclass(frozen=True, slots=True)
class Oversize:
    """A surcharge of the carrier's: past any of the marks (mm, g), `fee` is due and `least_billed` g are billed."""

    longest: int | None = None
    length_and_girth: int | None = None
    gross: int | None = None
    least_billed: int = 0
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a carrier takes at all: gross weight g, longest side mm, longest side plus girth mm. None: no limit."""

    gross: int | None = None
    longest: int | None = None
    length_and_girth: int | None = None
    oversize: tuple[Oversize, ...] = ()

    def refuses(self, outer: Extents, gross: int = 0) -> str | None:
        """The first limit that a parcel of that size and weight breaks: longest, girth or weight."""
        if self.longest is not None and max(outer) > self.longest:
            return "longest"
        if self.length_and_girth is not None and length_and_girth(outer) > self.length_and_girth:
            return "girth"
        if self.gross is not None and gross > self.gross:
            return "weight"
        return None


NO_LIMITS = Limits()


def length_and_girth(outer: Extents) -> int:
    """The longest side plus the way around the other two, mm."""
    return 2 * sum(outer) - max(outer)
