"""One parcel, and the shipment that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carriers.address import Address
from carriers.customs import Customs
from carriers.measure import Size, Weight
from carriers.money import Money

Signature = Literal["none", "any", "adult"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What stands on the scale: gross weight, outer size where known, or the carrier's own packaging by name."""

    weight: Weight
    size: Size | None = None
    packaging: str = ""
    value: Money | None = None


@dataclass(frozen=True, slots=True)
class RateRequest:
    """What a carrier is asked for prices: from, to, the parcels, and what must come with them.

    `accounts` limits the question to these carrier accounts (empty: all that the credentials reach).
    `currency` is the one that prices are wanted in, where the carrier has a choice. `goods` is what the whole cart's
    goods cost the buyer and `units` how many pieces it has, for prices that depend on them; None: not known.
    """

    origin: Address
    destination: Address
    parcels: tuple[Parcel, ...]
    currency: str
    customs: Customs | None = None
    signature: Signature = "none"
    is_return: bool = False
    accounts: tuple[str, ...] = ()
    goods: Money | None = None
    units: int | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel to be created at a carrier and then bought.

    `reference` is ours (the parcel's id); carriers keep it and may find the shipment by it.
    """

    origin: Address
    destination: Address
    parcel: Parcel
    reference: str
    currency: str
    customs: Customs | None = None
    signature: Signature = "none"
    is_return: bool = False
    label_format: Literal["pdf", "png", "zpl"] = "pdf"
    accounts: tuple[str, ...] = ()
