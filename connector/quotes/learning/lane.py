"""What a learned price goes by: from where to where, and what the parcels count as. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from carriers.address import Address
from carriers.parcel import Parcel, RateRequest

_CUBIC_MM_PER_GRAM = 5000
"""Carriers divide cubic centimetres by about 5,000 for kilograms; where one does not, the held-back error shows it."""

_PREFIX = 3
"""Characters of a postal code that name a region: a section of the USA, a sorting area of Canada, else a district."""

_MOST_PARCELS = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a live answer was about, without a person in it.

    `lanes` name the way from the narrowest to the widest; `grams` is what each parcel counts as, in order.
    """

    lanes: tuple[str, ...]
    grams: tuple[int, ...]


def asked_of(request: RateRequest) -> Asked | None:
    """What is learned from the answer to this request; None for what no past answer says anything about."""
    if not request.parcels or len(request.parcels) > _MOST_PARCELS or request.is_return or request.customs is not None:
        return None
    if request.signature != "none" or any(parcel.packaging for parcel in request.parcels):
        return None
    origin = f"{request.origin.country}.{region(request.origin)}"
    home = {True: "home", False: "office", None: "any"}[request.destination.residential]
    country = f"{request.destination.country}.{home}.{request.currency}"
    near = region(request.destination)
    wide = f"{origin}>{country}"
    lanes = (f"{wide}.{near}", wide) if near else (wide,)
    return Asked(lanes, tuple(billable(parcel) for parcel in request.parcels))


def region(address: Address) -> str:
    """The first characters of a postal code, else the province."""
    postal = "".join(address.postal_code.split()).upper()[:_PREFIX]
    return postal or address.province.upper()


def billable(parcel: Parcel) -> int:
    """Grams that the parcel counts as: what it weighs, or its room where that is more."""
    if parcel.size is None:
        return parcel.weight.grams
    return max(parcel.weight.grams, -(-parcel.size.volume // _CUBIC_MM_PER_GRAM))
