"""Weight in whole grams and size in whole millimetres; carriers' units only at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from webhooks.errors import WaybillError

GRAMS_PER_POUND = Decimal("453.59237")  # International Yard and Pound Agreement, 1959
GRAMS_PER_OUNCE = GRAMS_PER_POUND / 16
MM_PER_INCH = Decimal("25.4")


class MeasureError(WaybillError, ValueError):
    """A weight or a size that cannot be."""


@dataclass(frozen=True, slots=True, order=True)
class Weight:
    """A weight in whole grams, zero or more."""

    grams: int

    def __post_init__(self) -> None:
        if self.grams < 0:
            raise MeasureError("A weight cannot be negative.", detail=f"{self.grams} g")

    @classmethod
    def from_ounces(cls, ounces: Decimal) -> Weight:
        """Whole grams, rounded up (the billable side)."""
        return cls(_up(ounces * GRAMS_PER_OUNCE))

    @classmethod
    def from_pounds(cls, pounds: Decimal) -> Weight:
        """Whole grams, rounded up (the billable side)."""
        return cls(_up(pounds * GRAMS_PER_POUND))

    def ounces(self, step: Decimal = Decimal("0.1")) -> Decimal:
        """Ounces, rounded up to `step` (the billable side; EasyPost takes one decimal)."""
        return _up(Decimal(self.grams) / GRAMS_PER_OUNCE / step) * step

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.grams + other.grams)

    def __mul__(self, times: int) -> Weight:
        return Weight(self.grams * times)


@dataclass(frozen=True, slots=True)
class Size:
    """Outer extents in whole millimetres, each above zero; `length` is not necessarily the longest."""

    length: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.length, self.width, self.height) <= 0:
            raise MeasureError("Each side is longer than zero.", detail=f"{self}")

    def inches(self, step: Decimal = Decimal("0.1")) -> tuple[Decimal, Decimal, Decimal]:
        """Length, width and height in inches, each rounded up to `step` (the billable side)."""
        length, width, height = (_up(mm / MM_PER_INCH / step) * step for mm in (self.length, self.width, self.height))
        return length, width, height

    @property
    def volume(self) -> int:
        """Cubic millimetres."""
        return self.length * self.width * self.height

    def __str__(self) -> str:
        return f"{self.length}x{self.width}x{self.height} mm"


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
