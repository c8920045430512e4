"""Money as integer minor units and a currency; never a float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec
from pydantic_core import core_schema

from webhooks.errors import WaybillError

# ISO 4217 exponents that are not 2. Display digits (CLDR) differ from these and must not be used for arithmetic.
_EXPONENTS = dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"], 0)
_EXPONENTS |= dict.fromkeys(["RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0)
_EXPONENTS |= dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
_EXPONENTS |= dict.fromkeys(["CLF", "UYW"], 4)
_CURRENCY = re.compile(r"[A-Z]{3}")
_SEEN: set[str] = set()  # Currencies that were looked at: a quote makes some sixty amounts.
_WHOLE_DIGITS = 15
_DIGITS = 28  # What decimal computes with; more would be rounded without a word.


class MoneyError(WaybillError, ValueError):
    """An amount or a currency that is not one, or two currencies in one sum."""


def exponent(currency: str) -> int:
    """How many decimal digits the currency's minor unit has (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


class Money(msgspec.Struct, frozen=True, gc=False):
    """An exact amount: `minor` units (cents of USD, whole JPY, fils of KWD) of an ISO 4217 `currency`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise MoneyError("An amount is a whole number of minor units.", detail=repr(self.minor))
        if self.currency in _SEEN:
            return
        if not _CURRENCY.fullmatch(self.currency):
            raise MoneyError("A currency is three capital letters, such as USD.", detail=repr(self.currency))
        _SEEN.add(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str | Decimal | int, currency: str) -> Money:
        """Read a decimal amount of major units, such as "12.34".

        Raises MoneyError for what is no finite number below 10^15, or has more digits than the currency (zeros aside).
        """
        scaled = _scaled(text, currency)
        whole = scaled.to_integral_value()
        if scaled != whole:
            raise MoneyError(f"An amount in {currency} has at most {exponent(currency)} decimals.", detail=repr(text))
        return cls(int(whole), currency)

    @classmethod
    def rounded(cls, text: str | Decimal | int, currency: str) -> Money:
        """Like `parse`, but half a minor unit and more goes up: for prices that carriers give with extra digits."""
        return cls(int(_scaled(text, currency).to_integral_value(ROUND_HALF_UP)), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with the currency's digits: Decimal("12.30")."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def percent(self, percent: Decimal) -> Money:
        """That share of the amount, rounded half up (away from zero) to the minor unit."""
        part, whole = _ratio(percent)
        size = (2 * abs(self.minor * part) + whole) // (2 * whole)
        return Money(size if (self.minor < 0) == (part < 0) else -size, self.currency)

    def share_out(self, weights: Sequence[int]) -> list[Money]:
        """Split by weights (largest remainder first); the parts add up to the whole to the minor unit.

        Raises MoneyError without a weight above zero, or with a negative one.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise MoneyError("An amount can be shared out by weights of zero and more, not all zero.")
        parts = [self.minor * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(self.minor * weights[i] % total), i))
        for i in by_remainder[: self.minor - sum(parts)]:
            parts[i] += 1
        return [Money(part, self.currency) for part in parts]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        """In models at the edges: an object with `minor` and `currency`."""
        fields = {
            "minor": core_schema.typed_dict_field(core_schema.int_schema(strict=True)),
            "currency": core_schema.typed_dict_field(core_schema.str_schema()),
        }
        told = core_schema.no_info_after_validator_function(
            lambda body: cls(**body), core_schema.typed_dict_schema(fields)
        )
        return core_schema.union_schema(
            [core_schema.is_instance_schema(cls), told],
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda money: {"minor": money.minor, "currency": money.currency}
            ),
        )

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise MoneyError(f"Amounts in {self.currency} and {other.currency} cannot be put together.")
        return other.minor


@lru_cache(maxsize=1024)
def _ratio(percent: Decimal) -> tuple[int, int]:
    """A percentage as a share of whole numbers: 12.5 % is 1 of 8."""
    part, whole = percent.as_integer_ratio()
    return part, whole * 100


def _scaled(text: str | Decimal | int, currency: str) -> Decimal:
    """The amount in minor units, exactly."""
    try:
        value = Decimal(text)
    except (InvalidOperation, ValueError, TypeError) as error:
        raise MoneyError("This is not an amount.", detail=repr(text)) from error
    if not value.is_finite() or value.adjusted() >= _WHOLE_DIGITS or len(value.as_tuple().digits) > _DIGITS:
        raise MoneyError("This is not an amount.", detail=repr(text))
    return value.scaleb(exponent(currency))
