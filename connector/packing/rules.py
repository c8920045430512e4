"""What is aimed at, what a parcel is billed as, and how much effort may go into a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carriers.money import Money
from connector.packing.carton import NO_LIMITS, Limits, length_and_girth
from connector.packing.errors import PackingError
from connector.packing.goods import Extents

Objective = Literal["count", "billed"]
EFFORT = 30_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How to choose between plans.

    `count` takes the fewest cartons, then the least billed weight, then the cheapest cartons. `billed` takes the least
    billed weight, then the cheapest cartons, then the fewest; with `price_per_kg` set, the least money: billed weight
    times the price plus cartons and surcharges. `divisor` is in cm3 per kg (None: no dimensional weight), billed weight
    is rounded up to `rounding` g. `support` is the share of each base that must rest on the floor or on goods.
    `effort` is the number of steps that a plan may take; the plan depends on it and never on a clock.
    """

    objective: Objective = "count"
    divisor: int | None = 5000
    rounding: int = 1
    price_per_kg: Money | None = None
    support: float = 0.0
    limits: Limits = NO_LIMITS
    carrier: str = ""
    effort: int = EFFORT

    def __post_init__(self) -> None:
        if self.divisor is not None and self.divisor <= 0:
            raise PackingError(f"The divisor must be above zero, not {self.divisor}.", detail="divisor")
        if self.rounding <= 0:
            raise PackingError(f"The rounding must be above zero, not {self.rounding}.", detail="rounding")
        if not 0 <= self.support <= 1:
            raise PackingError(f"The support must be a share from 0 to 1, not {self.support}.", detail="support")
        if self.effort <= 0:
            raise PackingError(f"The effort must be above zero, not {self.effort}.", detail="effort")


def dimensional(outer: Extents, rules: Rules) -> int:
    """Dimensional weight in whole grams, rounded up; 0 without a divisor."""
    return 0 if rules.divisor is None else -(-outer.volume // rules.divisor)


def billed(outer: Extents, gross: int, rules: Rules, *, flat_rate: bool = False) -> int:
    """What the carrier bills, g: the larger of gross and dimensional weight, oversize marks and rounding included."""
    if flat_rate:
        return 0
    counted = max(gross, dimensional(outer, rules))
    for mark in rules.limits.oversize:
        if (
            _passes(mark.longest, max(outer))
            or _passes(mark.length_and_girth, length_and_girth(outer))
            or _passes(mark.gross, gross)
        ):
            counted = max(counted, mark.least_billed)
    return -(-counted // rules.rounding) * rules.rounding


def fees(outer: Extents, gross: int, rules: Rules) -> tuple[Money, ...]:
    """The oversize surcharges that a parcel of that size and weight has to pay."""
    return tuple(
        mark.fee
        for mark in rules.limits.oversize
        if mark.fee is not None
        and (
            _passes(mark.longest, max(outer))
            or _passes(mark.length_and_girth, length_and_girth(outer))
            or _passes(mark.gross, gross)
        )
    )


def _passes(mark: int | None, value: int) -> bool:
    return mark is not None and value > mark
