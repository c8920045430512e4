"""The sandbox carrier as Waybill sees it: the Carrier Protocol over the pretend carrier."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import anyio
import anyio.to_thread

from carriers.address import Address
from carriers.carrier import Capabilities
from carriers.errors import Refused
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest, Shipment, Signature
from carriers.rate import Problem, Rate, Rates
from carriers.sandbox import webhook
from carriers.sandbox.client import PretendCarrier, Sale
from carriers.sandbox.collection import SandboxCollector
from carriers.sandbox.errors import SaidNo, error_of, rejection_of
from carriers.sandbox.mapping import (
    CARRIER,
    MEDIA_TYPES,
    TrackingJSON,
    invoice_file,
    label_file,
    read_invoice_url,
    read_label_url,
    read_list_url,
    read_tracking,
)
from carriers.sandbox.paper import invoice_lines
from carriers.sandbox.prices import SERVICES, Service, carries, price, transit_days
from carriers.sandbox.settings import SandboxSettings
from carriers.sandbox.story import Story
from carriers.sandbox.verifying import SandboxVerifier
from carriers.tracking import TrackingUpdate
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged


def capabilities(look_up_ceiling_s: int = 5) -> Capabilities:
    """What the sandbox carrier can do."""
    return Capabilities(
        repeat_purchase="refused",
        look_up_ceiling_s=look_up_ceiling_s,
        label_formats=frozenset(MEDIA_TYPES),
        return_label=True,
        multi_parcel=True,
        manifest=True,
        pickup=True,
        verify_address=True,
        signature=True,
    )


class SandboxCarrier:
    """One account of the sandbox carrier. Everything it says is in test mode."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client = PretendCarrier(settings, clock)
        self.collector = SandboxCollector(settings)
        self.verifier = SandboxVerifier(self._client)
        self._capabilities = capabilities(settings.look_up_ceiling_s)

    @property
    def capabilities(self) -> Capabilities:
        """What this carrier can do."""
        return self._capabilities

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        """Prices by the formula in `prices`, without ids. Raises Unavailable for SANDBOX-DOWN."""
        if request.accounts and self._settings.account not in request.accounts:
            return Rates(test_mode=True)
        fault = self._client.fault(request.destination.city)
        if fault == "down":
            raise error_of(SaidNo("CARRIER.DOWN", "The sandbox carrier plays dead."))
        if fault == "slow":
            with anyio.move_on_after(deadline_s) as scope:
                await anyio.sleep(self._settings.slow_s)
            if scope.cancelled_caught:
                return Rates(problems=(self._problem("timeout"),), partial=True, test_mode=True)
        rates, problems = self._offer(
            request.origin, request.destination, request.parcels, request.currency, request.signature
        )
        return Rates(rates, problems, test_mode=True)

    async def create(self, shipment: Shipment) -> Created:
        """Put the shipment into the books; its rates carry ids. Raises Refused for a format that is not offered."""
        if shipment.label_format not in MEDIA_TYPES:
            raise error_of(SaidNo("FORMAT.UNKNOWN", "The sandbox carrier makes PDF and PNG labels."))
        handle = await self._client.create(shipment)
        rates, problems = self._offer(
            shipment.origin,
            shipment.destination,
            (shipment.parcel,),
            shipment.currency,
            shipment.signature,
            handle=handle,
        )
        return Created(handle, rates, problems, test_mode=True)

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        """Sell the label once. A handle that has one already is `Unknown("exists")`: a look-up tells the rest."""
        if rate.rate_id != _rate_id(handle, rate.service):
            return rejection_of(SaidNo("RATE.GONE", "This price is not of this shipment."))
        try:
            fault = self._client.fault((await self._client.look_up(handle)).shipment.destination.city)
            if fault == "lost-request":
                return Unknown(handle, "no answer")
            sale = await self._client.buy(handle, rate.service, fence)
        except SaidNo as said:
            return Unknown(handle, "exists") if said.code == "LABEL.EXISTS" else rejection_of(said)
        return Unknown(handle, "no answer") if fault == "lost-answer" else self._purchased(sale)

    async def look_up(self, handle: str, rate: Rate | None = None) -> Purchased | NotBought:  # noqa: ARG002
        """How a purchase ended. Raises Refused for a handle that the books do not have."""
        try:
            sale = await self._client.look_up(handle)
        except SaidNo as said:
            raise error_of(said) from None
        return NotBought(handle) if sale.bought_at is None else self._purchased(sale)

    async def fetch_file(self, url: str) -> tuple[str, bytes]:
        """Draw a paper: the same bytes each time. Raises Refused for an address that is none of a label sold."""
        if (listed := read_list_url(url)) is not None:
            return MEDIA_TYPES["pdf"], await self.collector.draw_list(listed)
        invoiced = read_invoice_url(url)
        asked = read_label_url(url) if invoiced is None else (invoiced, "pdf")
        if asked is None:
            raise Refused("The sandbox carrier keeps no such document.", detail="url")
        handle, label_format = asked
        try:
            sale = await self._client.look_up(handle)
        except SaidNo as said:
            raise error_of(said) from None
        if sale.bought_at is None or sale.service is None or sale.tracking_code is None:
            raise Refused("The sandbox carrier keeps no such document.", detail="not bought")
        from carriers.sandbox import drawing  # Pillow costs 6 MB that only a process that draws has to pay.

        if invoiced is not None:
            lines = invoice_lines(sale.shipment, sale.tracking_code)
            if not lines:
                raise Refused("The sandbox carrier keeps no such document.", detail="not declared")
            return MEDIA_TYPES["pdf"], await anyio.to_thread.run_sync(drawing.draw_lines, lines)
        text = drawing.LabelText(sale.shipment, sale.service.name, sale.tracking_code, sale.bought_at)
        content = await anyio.to_thread.run_sync(drawing.draw, text, label_format, self._settings.dpi)
        return MEDIA_TYPES[label_format], content

    async def void(self, handle: str, fence: Fence) -> Voided:
        """Take a label back; the money follows after `refund_s`. Raises Unavailable if the fence said no."""
        try:
            sale = await self._client.void(handle, fence)
        except SaidNo as said:
            if said.code == "VOID.TOO_LATE":
                return Voided("refused", said.message)
            raise error_of(said) from None
        return self._void_state_of(sale)

    async def void_state(self, handle: str) -> Voided:
        """How the void stands. Raises Refused for a handle that the books do not have."""
        try:
            sale = await self._client.look_up(handle)
        except SaidNo as said:
            raise error_of(said) from None
        return self._void_state_of(sale)

    def _void_state_of(self, sale: Sale) -> Voided:
        if sale.bought_at is None:
            return Voided("nothing_charged")
        if sale.voided_at is None:
            return Voided("refused", "The label was not voided.")
        waited = (self._clock.now() - sale.voided_at).total_seconds()
        return Voided("voided" if waited >= self._settings.refund_s else "requested")

    async def track(self, tracker: str) -> TrackingUpdate:
        """The history as far as it was played. Raises Refused for an unknown tracker."""
        try:
            return read_tracking(TrackingJSON.model_validate(await self._client.track(tracker)))
        except SaidNo as said:
            raise error_of(said) from None

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """Check a delivery's signature."""
        return webhook.verify(raw, headers, self._settings.secret.get_secret_value())

    def read_webhook(self, raw: bytes) -> list[TrackingUpdate]:
        """The tracking news in a verified delivery."""
        return webhook.read(raw)

    async def close(self) -> None:
        """Nothing is held between calls."""

    # --- beyond the Protocol: what a teacher or a demo asks of a pretend carrier

    async def play(
        self, which: str, steps: int | None = None, story: Story | None = None
    ) -> list[webhook.SignedDelivery]:
        """Let a parcel travel: `steps` scans on, or to the end; the deliveries to post, oldest first.

        `which` is a handle, a tracker or a tracking code. Scan times follow from the purchase, not from the clock.
        Raises Refused where nothing was bought.
        """
        try:
            news = await self._client.play(which, steps, story)
        except SaidNo as said:
            raise error_of(said) from None
        secret = self._settings.secret.get_secret_value()
        return [webhook.sign(event_id, tracking, secret) for event_id, tracking in news]

    async def purchases(self, reference: str | None = None) -> int:
        """How many labels were sold: in all, or for one reference of ours."""
        return await self._client.count(reference)

    async def shipment(self, handle: str) -> Shipment:
        """What the books hold of a shipment, declaration included. Raises Refused for an unknown handle."""
        try:
            return (await self._client.look_up(handle)).shipment
        except SaidNo as said:
            raise error_of(said) from None

    # --- pieces

    def _offer(
        self,
        origin: Address,
        destination: Address,
        parcels: tuple[Parcel, ...],
        currency: str,
        signature: Signature,
        handle: str = "",
    ) -> tuple[tuple[Rate, ...], tuple[Problem, ...]]:
        unknown = not origin.country or not destination.country
        if unknown or not parcels or self._client.fault(destination.city) == "nowhere":
            return (), (self._problem("no_service", "No service goes there."),)
        fit = [service for service in SERVICES if carries(service, parcels)]
        if not fit:
            return (), (self._problem("rate_refused", "A parcel is too heavy or too large."),)
        rates = tuple(
            self._rate(
                service,
                price(service, origin, destination, parcels, currency, signature),
                transit_days(service, origin, destination),
                handle,
            )
            for service in fit
        )
        return rates, ()

    def _rate(self, service: Service, amount: Money, days: int, handle: str) -> Rate:
        return Rate(
            account=self._settings.account,
            carrier=CARRIER,
            service=service.name,
            price=amount,
            list_price=amount.percent(Decimal(125)),
            transit_days=days,
            transit_basis="working",
            rate_id=_rate_id(handle, service.name) if handle else "",
        )

    def _purchased(self, sale: Sale) -> Purchased:
        if sale.service is None or sale.amount is None or sale.tracking_code is None or sale.tracker is None:
            raise error_of(SaidNo("SHIPMENT.NO_LABEL", "Nothing was bought for this shipment."))
        days = transit_days(sale.service, sale.shipment.origin, sale.shipment.destination)
        return Purchased(
            handle=sale.handle,
            rate=self._rate(sale.service, sale.amount, days, sale.handle),
            tracking_code=sale.tracking_code,
            tracker=sale.tracker,
            files=(
                label_file(sale.handle, sale.shipment.label_format),
                *([invoice_file(sale.handle)] if sale.shipment.customs is not None else ()),
            ),
            test_mode=True,
        )

    def _problem(self, code: str, message: str = "") -> Problem:
        return Problem(self._settings.account, CARRIER, code, message)


def _rate_id(handle: str, service: str) -> str:
    return f"{handle}.{service.lower()}"
