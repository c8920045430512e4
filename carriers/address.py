"""A postal address, as carriers take it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel starts or ends.

    `country` is ISO 3166-1 alpha-2 in capitals, `province` the ISO 3166-2 part behind the country or the carrier's
    own code; empty strings stand for what is not known. At checkout a street, a name or even the postal code may be
    missing. `residential` is None where nobody said.
    """

    country: str
    postal_code: str = ""
    province: str = ""
    city: str = ""
    street1: str = ""
    street2: str = ""
    name: str = ""
    company: str = ""
    phone: str = ""
    email: str = ""
    residential: bool | None = None
