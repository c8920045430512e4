"""What one line of a table asks for a weight: exact integers, rounded once.

Rounding. Band prices, prices by weight and percentages are added exactly; the sum is rounded half up to the currency's
minor unit, once for each parcel (once for the shipment where the table prices shipments). Amounts of surcharges come
after, so that two equal parcels cost exactly twice as much as one.

Weight. A gram is the finest measure that a parcel comes in, so a weight counts as reaching a limit that lies within its
last gram: 454 g is one pound (453.59237 g), not two started ones.
"""

from __future__ import annotations

from carriers.measure import Size
from carriers.rate_table.tariff import MILLIONTHS, NANO, PriceLine, WeightUnit, grams_up

# Cubic millimetres in a cubic inch (16 387.064), and grams in a pound, as one exact ratio.
_POUND_SHARE = 45_359_237
_INCH_SHARE = 1_638_706_400


def dimensional_grams(size: Size, divisor: int, unit: WeightUnit) -> int:
    """Whole grams, rounded up, that a parcel of that size counts as."""
    if unit in {"kg", "g"}:
        return -(-size.volume // divisor)  # cm³ a kilogram is mm³ a gram.
    return -(-size.volume * _POUND_SHARE // (_INCH_SHARE * divisor))


def started(grams: int, included_ng: int, step_ng: int) -> int:
    """How many steps beyond what is included a weight has started."""
    return max(0, ((grams - 1) * NANO - included_ng) // step_ng + 1)


def billable_ng(grams: int, round_to_ng: int) -> int:
    """The weight that counts, rounded up to whole multiples."""
    return started(grams, 0, round_to_ng) * round_to_ng if round_to_ng else grams * NANO


def exact(line: PriceLine, ng: int, unit_ng: int) -> int:
    """The price in shares of a minor unit: `MILLIONTHS * unit_ng` of them are one."""
    whole = line.base
    if line.step_ng:
        whole += line.per_step * started(grams_up(ng), line.included_ng, line.step_ng)
    by_weight = line.per_unit * max(0, ng - line.included_ng) if line.per_unit else 0
    return whole * MILLIONTHS * unit_ng + by_weight


def minor(line: PriceLine, ng: int, unit_ng: int, surcharge_millionths: int, surcharge_minor: int) -> int:
    """The price in minor units, with the sum of the percentages and the sum of the amounts that come on top."""
    if not line.per_unit and not surcharge_millionths:
        steps = started(grams_up(ng), line.included_ng, line.step_ng) if line.step_ng else 0
        return line.base + line.per_step * steps + surcharge_minor
    shares = MILLIONTHS * unit_ng * MILLIONTHS
    total = exact(line, ng, unit_ng) * (MILLIONTHS + surcharge_millionths)
    return (2 * total + shares) // (2 * shares) + surcharge_minor
