"""How parcels leave the merchant: one list of them for the carrier (a manifest, or scan form), and a pick-up.

By capability (`manifest`, `pickup`): a connection that declares one has a `collector`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from carriers.address import Address
from carriers.carrier import Carrier, bare
from carriers.label import LabelFile, Rejected, Unknown
from carriers.money import Money
from webhooks.ports import Fence


@dataclass(frozen=True, slots=True)
class Manifest:
    """A list of parcels at the carrier. `pending`: the carrier is still at it. `file` is there once it is made."""

    handle: str
    state: Literal["pending", "made", "failed"]
    tracking_codes: tuple[str, ...] = ()
    file: LabelFile | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class PickupRequest:
    """When and where a driver may come for the shipments of these handles (those of their purchases)."""

    handles: tuple[str, ...]
    address: Address
    earliest: datetime
    latest: datetime
    reference: str
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class PickupOffer:
    """One way to have them collected."""

    carrier: str
    service: str
    price: Money


@dataclass(frozen=True, slots=True)
class OfferedPickup:
    """A pick-up that exists at the carrier and costs nothing yet."""

    handle: str
    offers: tuple[PickupOffer, ...]
    message: str = ""


@dataclass(frozen=True, slots=True)
class BookedPickup:
    """A driver comes; `confirmation` is what to tell him.

    `prices` is what the carrier names for the ways to have them collected now; empty where it names nothing.
    """

    handle: str
    confirmation: str
    prices: tuple[PickupOffer, ...] = ()

    def price_of(self, carrier: str, service: str) -> Money | None:
        """What this way costs as it was booked; None where the carrier does not say."""
        return next((each.price for each in self.prices if (each.carrier, each.service) == (carrier, service)), None)


@dataclass(frozen=True, slots=True)
class NotBooked:
    """A pick-up without a booking (yet), or one that was cancelled."""

    handle: str
    cancelled: bool = False


@runtime_checkable
class Collector(Protocol):
    """Manifests and pick-ups of one connection. Reads raise CarrierError; what is not declared is never called."""

    async def make_manifest(self, handles: Sequence[str], fence: Fence) -> Manifest | Rejected | Unknown:
        """Put shipments (handles of their purchases) on one list. A shipment can be on one list only."""
        ...

    async def find_manifest(self, handles: Sequence[str]) -> Manifest | None:
        """The list that these shipments are on already; None if they are on none."""
        ...

    async def manifest_state(self, handle: str) -> Manifest:
        """How a list stands."""
        ...

    async def offer_pickup(self, request: PickupRequest) -> OfferedPickup:
        """Ask who would come, and for how much; costs nothing."""
        ...

    async def book_pickup(self, handle: str, offer: PickupOffer, fence: Fence) -> BookedPickup | Rejected | Unknown:
        """Have a driver come. Never repeated by the client; any doubt is Unknown."""
        ...

    async def look_up_pickup(self, handle: str) -> BookedPickup | NotBooked:
        """How a booking ended."""
        ...

    async def cancel_pickup(self, handle: str, fence: Fence) -> NotBooked | Rejected | Unknown:
        """Send the driver home; safe to repeat."""
        ...


def collector_of(carrier: Carrier) -> Collector | None:
    """What makes a connection's manifests and books its pick-ups; None where it does neither."""
    can = carrier.capabilities
    found = getattr(bare(carrier), "collector", None)
    return found if (can.manifest or can.pickup) and isinstance(found, Collector) else None
