"""What a rate table says, as values: services, divisors, prices in bands, surcharges with dates.

Every bound is inclusive. Weights of bands are whole grams. Weights that are computed with are nanograms: in them a
pound and an ounce are whole numbers too, so that nothing is rounded on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from carriers.rate_table.zones import ZoneLine

WeightUnit = Literal["kg", "g", "lb", "oz"]
PricedBy = Literal["parcel", "shipment"]

NANO = 1_000_000_000
UNIT_NG: dict[WeightUnit, int] = {
    "kg": 1000 * NANO,
    "g": NANO,
    "lb": 453_592_370_000,  # International Yard and Pound Agreement, 1959
    "oz": 28_349_523_125,
}
DECIMALS: dict[WeightUnit, int] = {"kg": 3, "g": 0, "lb": 4, "oz": 2}
UNBOUND = 10**18
"""The upper end of a band that has none."""

MILLIONTHS = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `low` to `high`, both inclusive."""

    low: int = 0
    high: int = UNBOUND


@dataclass(frozen=True, slots=True)
class Dates:
    """From `first` to `last`, both inclusive, in the shop's time zone; None: without end."""

    first: date | None = None
    last: date | None = None

    def have(self, day: date) -> bool:
        """Whether the day is one of them."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def meet(self, other: Dates) -> bool:
        """Whether a day is in both."""
        starts_late = self.last is not None and other.first is not None and other.first > self.last
        ends_early = other.last is not None and self.first is not None and self.first > other.last
        return not starts_late and not ends_early


@dataclass(frozen=True, slots=True)
class TableLine:
    """The table itself. `round_to_ng`: billable weight is rounded up to whole multiples; 0 stands for grams."""

    number: int
    name: str
    currency: str
    unit: WeightUnit = "kg"
    round_to_ng: int = 0
    priced_by: PricedBy = "parcel"
    never_falls: bool = False


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """A service; `days` are working days. None: as the table says."""

    number: int
    name: str
    days: int | None = None
    round_to_ng: int | None = None
    priced_by: PricedBy | None = None


@dataclass(frozen=True, slots=True)
class DivisorLine:
    """Cubic centimetres a kilogram (kg, g), or cubic inches a pound (lb, oz); 0 switches dimensional weight off."""

    number: int
    divisor: int
    service: str = ""
    dates: Dates = Dates()


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A price for one service, zone and currency in its bands.

    `base` minor units cover `included_ng`; of what the parcel weighs beyond, each unit of weight costs `per_unit`
    millionths of a minor unit (by the exact weight), and each started `step_ng` costs `per_step` minor units.
    """

    number: int
    service: str
    zone: str
    currency: str
    base: int
    items: Span = Span()
    subtotal: Span = Span()
    grams: Span = Span()
    included_ng: int = 0
    per_unit: int = 0
    step_ng: int = 0
    per_step: int = 0
    days: int | None = None


@dataclass(frozen=True, slots=True)
class SurchargeLine:
    """On top: `millionths` of the price, or an amount in minor units of the currency."""

    number: int
    name: str
    service: str = ""
    zone: str = ""
    millionths: int = 0
    amount: int = 0
    currency: str = ""
    dates: Dates = Dates()


@dataclass(frozen=True, slots=True)
class Tariff:
    """A whole table. Services and zones are named by their keys (see `key`); `titles` has them as written."""

    table: TableLine
    services: tuple[ServiceLine, ...]
    divisors: tuple[DivisorLine, ...]
    zones: tuple[ZoneLine, ...]
    prices: tuple[PriceLine, ...]
    surcharges: tuple[SurchargeLine, ...]
    titles: dict[str, str]


def key(name: str) -> str:
    """What makes two names the same: neither case nor spaces."""
    return " ".join(name.split()).casefold()


def grams_up(ng: int) -> int:
    """Whole grams, rounded up."""
    return -(-ng // NANO)


def show_weight(grams: int, unit: WeightUnit) -> str:
    """For people: 1.5 kg; in pounds and ounces to two decimals."""
    value = Decimal(grams * NANO) / UNIT_NG[unit]
    rounded = round(value, 3 if unit in {"kg", "g"} else 2).normalize()
    return f"{rounded:f} {unit}"
