"""Places that a threshold names: a country, a province of it, or postal codes of it; and what is not known of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from connector.rules.facts import Destination

Held = Literal["yes", "no", "unknown"]

_FORM = re.compile(r"(?P<country>[A-Z]{2})(?:-(?P<province>[A-Z0-9]{1,6})|:(?P<codes>[A-Z0-9*-]{1,24}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """One place: `SK`, `US-CA`, `GR:84*`, `IT:07020-07029` (both ends included) or `GB:HS1 1AA`.

    Postal codes are written without hyphens; of an American ZIP+4 the first five digits count.
    """

    country: str
    province: str = ""
    low: str = ""
    high: str = ""
    prefix: str = ""

    def holds(self, where: Destination | None) -> Held:
        """Whether the destination is in it; `unknown` where what it asks for is missing or only partly given."""
        if where is None:
            return "unknown"
        if where.country != self.country:
            return "no"
        if self.province:
            if not where.province:
                return "unknown"
            return "yes" if where.province.upper().removeprefix(f"{self.country}-") == self.province else "no"
        if not self.low and not self.prefix:
            return "yes"
        code = _plain(where.postal_code).replace("-", "")
        return self._code(code[:5] if self.country == "US" else code)

    def _code(self, code: str) -> Held:
        if not code:
            return "unknown"
        if self.prefix:
            if code.startswith(self.prefix):
                return "yes"
            return "unknown" if self.prefix.startswith(code) else "no"
        if len(code) < len(self.low) and (self.low.startswith(code) or self.high.startswith(code)):
            return "unknown"
        return "yes" if len(code) == len(self.low) and self.low <= code <= self.high else "no"


def read_place(text: str) -> Place:
    """A place as it is written. Raises ValueError."""
    found = _FORM.fullmatch(_plain(text))
    if found is None:
        raise ValueError(f"{text!r} is no place: SK, US-CA, GR:84* and IT:07020-07029 are")
    country, province, codes = found["country"], found["province"] or "", found["codes"] or ""
    if not codes:
        return Place(country, province)
    if codes.endswith("*") and "*" not in codes[:-1] and "-" not in codes and len(codes) > 1:
        return Place(country, prefix=codes[:-1])
    low, dash, high = codes.partition("-")
    high = high if dash else low
    if "*" in codes or "-" in high or len(low) != len(high) or low > high:
        raise ValueError(f"{text!r} is no range of postal codes: both ends have as many characters, the lower first")
    return Place(country, low=low, high=high)


def _written(text: str) -> str:
    read_place(text)
    return _plain(text)


PlaceText = Annotated[str, AfterValidator(_written)]
"""A place in a model: checked, and kept in capitals without blanks."""


def _plain(text: str) -> str:
    return "".join(text.split()).upper()
