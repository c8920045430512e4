"""The time zone in which a scan at the buyer's is read, so that it counts for the day that it was there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def zone_at(country: str, home_country: str, home_zone: str) -> str:
    """The zone of a country: at home the shop's own, abroad the first that the time zone database lists for it.

    In a country with several zones a scan late in the evening may count for the day before or after.
    """
    if not country or country.upper() == home_country.upper():
        return home_zone
    return _first_zones().get(country.upper(), home_zone)


@cache
def _first_zones() -> Mapping[str, str]:
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found.setdefault(country, zone)
    return found
