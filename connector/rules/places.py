"""Postal patterns and named zones: whether a destination is one of the places that a merchant means."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from connector.rules.facts import Destination
from connector.rules.term import Country, Term, Text

_BETWEEN = ".."
_KEPT = re.compile(r"[^0-9a-z*?]")


def plain_code(text: str) -> str:
    """A postal code without blanks, hyphens and case: one spelling for equal codes."""
    return _KEPT.sub("", text.casefold())


def _is_pattern(text: str) -> str:
    low, between, high = text.partition(_BETWEEN)
    if between:
        ends = plain_code(low), plain_code(high)
        if not all(ends) or len(ends[0]) != len(ends[1]) or ends[0] > ends[1] or any(c in "*?" for c in "".join(ends)):
            raise ValueError(f"{text} is no range: two codes of one length, the lower first, such as 1000..1999")
    elif not plain_code(text).strip("*?"):
        raise ValueError(f"{text} names no postal code")
    return " ".join(text.split())


PostalPattern = Annotated[str, AfterValidator(_is_pattern), Field(min_length=1, max_length=40)]
"""A code (8010), its beginning (80*), a form (?A1*), or a range (1000..1999)."""


class PostalCodes:
    """Patterns made ready. Blanks, hyphens and case do not matter; a range compares as many letters as its ends."""

    __slots__ = ("_exact", "_forms", "_prefixes", "_ranges")

    def __init__(self, patterns: Sequence[str]) -> None:
        self._exact: set[str] = set()
        self._prefixes: dict[int, set[str]] = {}
        self._ranges: list[tuple[str, str, int]] = []
        forms = []
        for pattern in patterns:
            low, between, high = pattern.partition(_BETWEEN)
            if between:
                self._ranges.append((plain_code(low), plain_code(high), len(plain_code(low))))
                continue
            code = plain_code(pattern)
            if "*" not in code and "?" not in code:
                self._exact.add(code)
            elif code.rstrip("*").isalnum():
                self._prefixes.setdefault(len(code.rstrip("*")), set()).add(code.rstrip("*"))
            else:
                forms.append(code.replace("*", "[0-9a-z]*").replace("?", "[0-9a-z]"))
        self._forms = re.compile("|".join(f"(?:{form})" for form in forms)) if forms else None

    def have(self, postal_code: str) -> bool:
        """Whether a code is one of these; an empty one is none."""
        code = _KEPT.sub("", postal_code.casefold())
        if not code:
            return False
        if code in self._exact or any(code[:length] in known for length, known in self._prefixes.items()):
            return True
        for low, high, length in self._ranges:
            if len(code) >= length and low <= code[:length] <= high:
                return True
        return bool(self._forms and self._forms.fullmatch(code))


class Area(Term):
    """A country, or a part of it: provinces, postal codes, or both."""

    help: ClassVar[str] = "A country, or the part of it that is named."
    country: Country = Field(description="ISO 3166-1 alpha-2.")
    provinces: tuple[Text, ...] = Field(default=(), description="Codes of provinces or states, such as CA; none: all.")
    postal_codes: tuple[PostalPattern, ...] = Field(
        default=(), description="Codes (8010), beginnings (80*), forms (?A1*) or ranges (1000..1999); none: all."
    )


class Zone(Term):
    """Places under one name, for conditions and thresholds."""

    help: ClassVar[str] = "Places under one name."
    name: Text = Field(description="What conditions call it.")
    areas: tuple[Area, ...] = Field(min_length=1, description="The countries or parts of countries that belong to it.")


InPlace = Callable[[Destination | None], bool]


def in_areas(areas: Sequence[Area]) -> InPlace:
    """Whether a destination is in one of the areas; one that is not known is in none."""
    by_country: dict[str, list[tuple[frozenset[str], PostalCodes | None]]] = {}
    for area in areas:
        provinces = frozenset(plain_province(each, area.country) for each in area.provinces)
        codes = PostalCodes(area.postal_codes) if area.postal_codes else None
        by_country.setdefault(area.country, []).append((provinces, codes))

    def holds(destination: Destination | None) -> bool:
        if destination is None:
            return False
        for provinces, codes in by_country.get(destination.country, ()):
            if provinces and plain_province(destination.province, destination.country) not in provinces:
                continue
            if codes is None or codes.have(destination.postal_code):
                return True
        return False

    return holds


def plain_province(text: str, country: str) -> str:
    """A province's code without its country: US-CA and ca are CA."""
    return text.strip().upper().removeprefix(f"{country}-")
