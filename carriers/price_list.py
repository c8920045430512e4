"""A carrier's list of prices that is known here: what a parcel costs by it, without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from carriers.address import Address
from carriers.carrier import Carrier, bare
from carriers.measure import Size
from carriers.money import Money


@dataclass(frozen=True, slots=True)
class Listed:
    """One parcel that is looked up: outer size where known; `zone` as the list names it, empty for that of `to`."""

    service: str
    to: Address
    grams: int
    size: Size | None
    currency: str
    day: date
    zone: str = ""


@runtime_checkable
class PriceList(Protocol):
    """A list of prices by service, weight, size and zone."""

    @property
    def listed_services(self) -> tuple[str, ...]:
        """The services that it has prices for, as it names them."""
        ...

    def zone_of(self, to: Address) -> str:
        """The one zone that a destination is in; empty where that is not clear, or where there is none."""
        ...

    def list_price(self, listed: Listed) -> Money | None:
        """What the list says; None where it has no price for that."""
        ...


def price_list_of(carrier: Carrier) -> PriceList | None:
    """The list behind a connection; None for carriers that have to be asked."""
    inner = bare(carrier)
    return inner if isinstance(inner, PriceList) else None
