"""Cells of a carrier's invoice as people write them: amounts, weights, sizes, yes and no; each in our unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

from carriers.invoice import Measures
from carriers.money import Money, MoneyError
from webhooks.errors import WaybillError

WeightUnit = Literal["g", "kg", "oz", "lb"]
SizeUnit = Literal["mm", "cm", "in"]
_GRAMS = {"g": Decimal(1), "kg": Decimal(1000), "oz": Decimal("28.349523125"), "lb": Decimal("453.59237")}
_MM = {"mm": Decimal(1), "cm": Decimal(10), "in": Decimal("25.4")}
_YES = frozenset({"y", "yes", "true", "1", "r", "res", "residential", "home"})
_NO = frozenset({"n", "no", "false", "0", "c", "com", "commercial", "business"})
_MOST_MINOR = 10**13


class BadCell(WaybillError):
    """A cell that cannot be read; `detail` is our field."""


def read_amount(text: str, currency: str) -> Money:
    """An amount, rounded to the currency's minor unit. Raises BadCell, naming amount or currency."""
    try:
        Money.zero(currency)
    except MoneyError as error:
        raise BadCell(f"{currency!r} is not a currency", detail="currency") from error
    try:
        amount = Money.rounded(_plain_amount(text), currency)
    except MoneyError as error:
        raise BadCell(f"{text!r} is not an amount", detail="amount") from error
    if abs(amount.minor) > _MOST_MINOR:
        raise BadCell(f"{text!r} is out of range", detail="amount")
    return amount


def read_measures(values: Mapping[str, str], weight_unit: WeightUnit, size_unit: SizeUnit) -> Measures:
    """What a line says of its parcel; `values` are cells by our field. Raises BadCell, naming the field."""
    length, width, height = (_figure(name, values[name], _MM[size_unit]) for name in ("length", "width", "height"))
    size = None if length is None or width is None or height is None else (length, width, height)
    if size is None and values["size"]:
        size = _size(values["size"], _MM[size_unit])
    return Measures(
        grams=_figure("weight", values["weight"], _GRAMS[weight_unit]),
        size=size,
        billed_grams=_figure("billed_weight", values["billed_weight"], _GRAMS[weight_unit]),
        zone=values["zone"][:20],
        residential=_yes_or_no(values["residential"].lower()),
    )


def _plain_amount(text: str) -> str:
    """An amount as people and carriers write it: 1,019.42; 1.019,42; 12,5; (4.20) and 4.20- for what was taken off."""
    plain = "".join(text.split()).lstrip("$€£").removeprefix("+")
    taken_off = plain.startswith("(") and plain.endswith(")")
    if taken_off or (plain.endswith("-") and len(plain) > 1):
        plain = "-" + (plain[1:-1] if taken_off else plain[:-1]).lstrip("$€£")
    comma, dot = plain.rfind(","), plain.rfind(".")
    if comma < 0 or (dot < 0 and len(plain) - comma == 4):
        return plain  # Three figures after the only comma: thousands or thousandths, which nobody should guess.
    if comma > dot:
        return plain.replace(".", "").replace(",", ".") if plain.count(",") == 1 else plain
    return plain.replace(",", "") if plain.count(".") == 1 else plain


def _size(text: str, unit: Decimal) -> tuple[int, int, int] | None:
    """Three sides in one cell, such as 14.0x 12.0 x 10.0; a side of nought is not told."""
    parts = [part.strip() for part in text.lower().replace("×", "x").replace("*", "x").split("x")]  # noqa: RUF001
    if len(parts) != 3:
        raise BadCell(f"{text!r} is not three sides", detail="size")
    length, width, height = (_figure("size", part, unit) for part in parts)
    return None if length is None or width is None or height is None else (length, width, height)


def _yes_or_no(text: str) -> bool | None:
    """What is neither is not told."""
    return True if text in _YES else False if text in _NO else None


def _figure(name: str, text: str, unit: Decimal) -> int | None:
    """A figure in our unit, rounded up; nought and nothing are not told."""
    if not text:
        return None
    try:
        value = Decimal(text.replace(",", ".") if "." not in text else text) * unit
    except InvalidOperation:
        raise BadCell(f"{text!r} is not a figure", detail=name) from None
    if not value.is_finite() or value < 0 or value > 10_000_000:
        raise BadCell(f"{text!r} is out of range", detail=name)
    return int(value.to_integral_value(rounding="ROUND_CEILING")) or None
