"""Where goods meet customs: between countries, and at the places that a country's customs or tax area leaves out. Pure.

Sources: Council Directive 2006/112/EC, article 6 (parts of member states outside the Union's customs or tax area); the
Windsor Framework (Northern Ireland stays in the Union's goods market); EasyPost's guide to customs (US territories and
military addresses need a declaration, too), all read in November 2026.
"""

from __future__ import annotations

from typing import NamedTuple

UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - read as a list.
)
"""The member states of the European Union."""

_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "UM", "VI", "FM", "MH", "PW"})
_MILITARY = frozenset({"AA", "AE", "AP"})
_OUTSIDE = {
    "ES": ("35", "38", "51", "52"),  # Canary Islands, Ceuta, Melilla
    "FR": ("971", "972", "973", "974", "975", "976", "977", "978", "986", "987", "988"),  # Overseas
    "FI": ("22",),  # Åland
    "DE": ("27498", "78266"),  # Heligoland, Büsingen
    "IT": ("23041", "23030"),  # Livigno
    "GR": ("63086",),  # Mount Athos
}
_MONACO_AND_MAN = {"MC": "FR", "IM": "GB"}  # Inside the customs area of their neighbour.


class Spot(NamedTuple):
    """A place as borders see it; what is not known is empty."""

    country: str
    province: str = ""
    postal_code: str = ""


def meets_customs(origin: Spot, destination: Spot) -> bool:
    """Whether a parcel from here to there needs a customs declaration. An unknown country counts as abroad."""
    if not origin.country or not destination.country:
        return origin.country != destination.country
    here, there = _area(origin), _area(destination)
    if here == there:
        return False
    # Goods from Northern Ireland move freely to the Union and within the United Kingdom; what comes from Great Britain
    # is declared by the carrier's own data only (UK Internal Market Scheme).
    return not ({here, there} <= {"EU", "XI"} or {here, there} <= {"GB", "XI"})


def collects_union_vat(spot: Spot) -> bool:
    """Whether imports there pay the Union's VAT, which the import one-stop shop stands for.

    Northern Ireland does for goods; the places that `_OUTSIDE` names do not, whatever their country.
    """
    return _area(spot) in {"EU", "XI"}


def issuers(spot: Spot) -> frozenset[str]:
    """Who gives the tax and customs numbers that count at a place: its country, the Union, Northern Ireland (XI)."""
    both = {spot.country} - {""}
    if spot.country in UNION or _area(spot) == "EU":
        both.add("EU")
    return frozenset(both | {"XI", "EU"} if _area(spot) == "XI" else both)


def _area(spot: Spot) -> str:
    """The customs area that a place belongs to."""
    country = _MONACO_AND_MAN.get(spot.country, spot.country)
    code = "".join(spot.postal_code.split()).upper()
    if country == "GB":
        return "XI" if code.startswith("BT") else "GB"
    if country == "US":
        part = spot.province.upper()
        return f"US-{part}" if part in _TERRITORIES | _MILITARY else "US"
    if country in _TERRITORIES:
        return f"US-{country}"
    if country in UNION:
        return f"{country}-outside" if code.startswith(_OUTSIDE.get(country, ("?",))) else "EU"
    return country
