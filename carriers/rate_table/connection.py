"""A rate table as Waybill sees it: the Carrier Protocol over the table's prices. It sells and tracks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.errors import Refused
from carriers.label import Created, NotBought, Rejected, Voided
from carriers.measure import Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest, Shipment
from carriers.price_list import Listed
from carriers.rate import Problem, Rate, Rates
from carriers.rate_table.client import Priced, Table
from carriers.rate_table.errors import BY_HAND, FENCED
from carriers.rate_table.reading import read_table
from carriers.rate_table.settings import RateTableSettings, unpack
from carriers.rate_table.stretches import Stretches
from carriers.rate_table.zones import Unclear
from carriers.tracking import TrackingUpdate
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged

CAPABILITIES = Capabilities(
    repeat_purchase="refused",
    look_up_ceiling_s=0,
    label_formats=frozenset(),
    void=False,
    track=False,
    webhooks=False,
    multi_parcel=True,
    sells_labels=False,
    local=True,
)

_HANDLE = "byhand_"


class RateTableCarrier:
    """One table of one shop. Nothing leaves the process."""

    def __init__(self, settings: RateTableSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._zone = ZoneInfo(settings.timezone)
        self.table: Table = read_table(unpack(settings.file))
        self._stretches = Stretches(self.table)

    @property
    def capabilities(self) -> Capabilities:
        """What a table can do: name prices."""
        return CAPABILITIES

    @property
    def today(self) -> date:
        """The shop's date, on which surcharges depend."""
        return self._clock.now().astimezone(self._zone).date()

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:  # noqa: ARG002  It takes no time.
        """Prices for all parcels together. Where goods leave from plays no part."""
        if request.accounts and self.table.name not in request.accounts:
            return Rates()
        return self._stretches.find(request, self.today, self._price)

    def _price(self, request: RateRequest, day: date) -> Rates:
        priced, missing = self.table.price(request, day)
        problems = tuple(Problem(self.table.name, self.table.name, each.code, each.message) for each in missing)
        return Rates(tuple(self._rate(each) for each in priced), problems)

    @property
    def listed_services(self) -> tuple[str, ...]:
        """The table's services."""
        return self.table.services

    def zone_of(self, to: Address) -> str:
        """The zone's key; empty where a cut or missing postal code leaves it open."""
        zones = self.table.zones_of(to)
        return zones[0] if not isinstance(zones, Unclear) and len(zones) == 1 else ""

    def list_price(self, listed: Listed) -> Money | None:
        """By the surcharges of that day. Services whose price depends on the cart's items or value have none."""
        zone = listed.zone or self.zone_of(listed.to)
        if not zone:
            return None
        parcel = Parcel(Weight(listed.grams), listed.size)
        request = RateRequest(listed.to, listed.to, (parcel,), listed.currency)
        found = self.table.price_in(zone, listed.service, request, listed.day)
        return found.price if isinstance(found, Priced) else None

    async def create(self, shipment: Shipment) -> Created:
        """A handle and the prices of the parcel; nothing is kept.

        A shipment does not know the cart: services whose price depends on its items or its value have none here.
        """
        request = RateRequest(
            shipment.origin,
            shipment.destination,
            (shipment.parcel,),
            shipment.currency,
            accounts=shipment.accounts,
        )
        found = await self.rates(request, 0)
        handle = _HANDLE + shipment.reference
        rates = tuple(self._with_id(rate, handle) for rate in found.rates)
        return Created(handle, rates, found.problems)

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Rejected:  # noqa: ARG002
        """Always refused: `by_hand`. Nobody sells this label to us."""
        return BY_HAND if fence() else FENCED

    async def look_up(self, handle: str, rate: Rate | None = None) -> NotBought:  # noqa: ARG002
        """Never bought. Raises Refused for a handle that is not ours."""
        if not handle.startswith(_HANDLE):
            raise Refused("The rate table does not know this shipment.", detail="handle")
        return NotBought(handle)

    async def fetch_file(self, url: str) -> tuple[str, bytes]:  # noqa: ARG002
        """Raises Refused: there are no documents."""
        raise Refused("A rate table keeps no documents.", detail="url")

    async def void(self, handle: str, fence: Fence) -> Voided:  # noqa: ARG002
        """Nothing was charged."""
        return Voided("nothing_charged")

    async def void_state(self, handle: str) -> Voided:  # noqa: ARG002
        """Nothing was charged."""
        return Voided("nothing_charged")

    async def track(self, tracker: str) -> TrackingUpdate:  # noqa: ARG002
        """Raises Refused: a table knows of no parcels."""
        raise Refused("A rate table knows of no parcels.", detail="tracker")

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:  # noqa: ARG002
        """Nobody has anything to tell: every delivery is forged."""
        return Forged("signature_missing")

    def read_webhook(self, raw: bytes) -> list[TrackingUpdate]:  # noqa: ARG002
        """No news."""
        return []

    async def close(self) -> None:
        """Nothing is held."""

    def _rate(self, priced: Priced) -> Rate:
        name, price = self.table.name, priced.price
        parts = tuple([Money(part, price.currency) for part in priced.parts])
        return Rate(name, name, priced.service, price, transit_days=priced.days, transit_basis="working", parts=parts)

    @staticmethod
    def _with_id(rate: Rate, handle: str) -> Rate:
        return Rate(
            rate.account,
            rate.carrier,
            rate.service,
            rate.price,
            transit_days=rate.transit_days,
            transit_basis=rate.transit_basis,
            rate_id=f"{handle}.{rate.service}",
        )
