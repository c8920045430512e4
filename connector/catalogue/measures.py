"""Lengths and weights as people write them, with a stated unit, as whole millimetres and grams. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from carriers.measure import GRAMS_PER_OUNCE, GRAMS_PER_POUND, MM_PER_INCH
from connector.packing.goods import HEAVIEST_G, LARGEST_MM

LENGTHS: Mapping[str, Decimal] = {
    "mm": Decimal(1),
    "cm": Decimal(10),
    "m": Decimal(1000),
    "in": MM_PER_INCH,
    "ft": 12 * MM_PER_INCH,
}
"""Millimetres in a unit."""
WEIGHTS: Mapping[str, Decimal] = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "oz": GRAMS_PER_OUNCE,
    "lb": GRAMS_PER_POUND,
}
"""Grams in a unit."""
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?")


class BadMeasure(ValueError):
    """A text that is no length or weight; the message says why."""


def length_mm(text: str, unit: str) -> int:
    """Whole millimetres, rounded up (the billable side). Raises BadMeasure."""
    found = _up(_number(text, unit) * LENGTHS[unit])
    if not 0 < found <= LARGEST_MM:
        raise BadMeasure(f"a length must be above zero and at most {LARGEST_MM // 1000} m, not {text} {unit}")
    return found


def weight_g(text: str, unit: str) -> int:
    """Whole grams, rounded up (the billable side). Raises BadMeasure."""
    found = _up(_number(text, unit) * WEIGHTS[unit])
    if not 0 < found <= HEAVIEST_G:
        raise BadMeasure(f"a weight must be above zero and at most {HEAVIEST_G // 1000} kg, not {text} {unit}")
    return found


def _number(text: str, unit: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        if re.fullmatch(r"-?[\d.,\s]+[^\d\s.,]+\.?", text):
            raise BadMeasure(f"the column is in {unit}: write the number alone, not {text[:40]!r}")
        raise BadMeasure(f"it must be a number such as 12.5, not {text[:40]!r}")
    return Decimal(text)


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
