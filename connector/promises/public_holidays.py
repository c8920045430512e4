"""Public holidays and working weeks of countries and their parts: the only place that knows the `holidays` library.

A country that the library does not know has no holidays and rests on Saturday and Sunday; a part of a country that it
does not know has the country's holidays. `knows` says which is the case, so that it can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

_WEEKEND = frozenset({5, 6})
_FIRST, _LAST = 1990, 2099  # Far outside of it nobody plans, and the library's rules are guesses.


@dataclass(frozen=True, slots=True)
class Known:
    """Whether the country is known, and whether the part of it is (a country alone has no part to be unknown)."""

    country: bool
    province: bool


@lru_cache(maxsize=4096)
def days_off(country: str, province: str, year: int) -> frozenset[date]:
    """The public holidays of a year, those that are moved to a working day included; empty for an unknown country."""
    import holidays

    code = country.upper()
    if code not in _countries() or not _FIRST <= year <= _LAST:
        return frozenset()
    found = holidays.country_holidays(code, subdiv=_part(code, province) or None, years=year)
    return frozenset(day for day in found if day.year == year)


@lru_cache(maxsize=512)
def weekend(country: str) -> frozenset[int]:
    """The days of the week (Monday is 0) on which a country rests; Saturday and Sunday where that is not known."""
    import holidays

    code = country.upper()
    if code not in _countries():
        return _WEEKEND
    return frozenset(holidays.country_holidays(code).weekend) or _WEEKEND


@lru_cache(maxsize=2048)
def knows(country: str, province: str = "") -> Known:
    """What the answers for this place rest on."""
    code = country.upper()
    if code not in _countries():
        return Known(country=False, province=False)
    return Known(country=True, province=not province or not _parts(code) or bool(_part(code, province)))


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    import holidays

    return frozenset(holidays.list_supported_countries())


@lru_cache(maxsize=512)
def _parts(code: str) -> dict[str, str]:
    """The parts of a country that have holidays of their own, by every name that they go by, in lower case."""
    import holidays

    found = holidays.country_holidays(code)
    names = {each.casefold(): each for each in found.subdivisions}
    return names | {alias.casefold(): each for alias, each in found.subdivisions_aliases.items()}


def _part(code: str, province: str) -> str:
    """The library's name of a province: `BY`, `DE-BY` and `Bayern` are the same; empty where it has none."""
    plain = province.strip().casefold().removeprefix(f"{code.casefold()}-")
    return _parts(code).get(plain, "") if plain else ""
