"""EasyPost's scan forms and pick-ups. Several shipments of one pick-up go through a batch, as EasyPost wants it.

Shapes from EasyPost's recorded traffic (scan_form, pickup and batch of 2025-03).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from carriers.call import Caller, Fenced
from carriers.collection import BookedPickup, Manifest, NotBooked, OfferedPickup, PickupOffer, PickupRequest
from carriers.easypost import asking, mapping, wire
from carriers.easypost.errors import raise_for, refused_purchase
from carriers.easypost.settings import EasyPostSettings
from carriers.errors import CarrierError
from carriers.label import LabelFile, Rejected, Unknown
from carriers.money import MoneyError
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import HTTPAnswer
from webhooks.ports import Fence

T = TypeVar("T")
_STATES: Mapping[str, str] = {"created": "made", "creating": "pending", "failed": "failed"}


class EasyPostCollector:
    """See `carriers.collection.Collector`."""

    def __init__(self, caller: Caller, base: str, headers: Mapping[str, str], settings: EasyPostSettings) -> None:
        self._caller = caller
        self._base = base
        self._headers = dict(headers)
        self._settings = settings

    async def make_manifest(self, handles: Sequence[str], fence: Fence) -> Manifest | Rejected | Unknown:
        """POST /v2/scan_forms: shipments of one carrier account, one day and one origin."""
        body = {"scan_form": {"shipment": [{"id": handle} for handle in handles]}}
        answer = await self._write("/v2/scan_forms", body, handles[0], fence)
        if not isinstance(answer, HTTPAnswer):
            return answer
        try:
            return _manifest(wire.parse(answer.content))
        except CarrierError as error:
            return Unknown(handles[0], f"garbled: {error.detail}")

    async def find_manifest(self, handles: Sequence[str]) -> Manifest | None:
        """The scan form that the first shipment names; it is the form of all of them, as they were sent together.

        A form that failed holds no shipment, whatever names it.
        """

        def understand(answer: HTTPAnswer) -> str:
            raise_for(answer)
            return wire.read(wire.WireScanFormOf, wire.parse(answer.content)).scan_form_id

        handle = await self._read(f"/v2/shipments/{quote(handles[0], safe='')}", understand)
        found = await self.manifest_state(handle) if handle else None
        return None if found is None or found.state == "failed" else found

    async def manifest_state(self, handle: str) -> Manifest:
        """GET /v2/scan_forms/{id}."""

        def understand(answer: HTTPAnswer) -> Manifest:
            raise_for(answer)
            return _manifest(wire.parse(answer.content))

        return await self._read(f"/v2/scan_forms/{quote(handle, safe='')}", understand)

    async def offer_pickup(self, request: PickupRequest) -> OfferedPickup:
        """POST /v2/pickups; a pick-up that nobody books costs nothing, so a repeat does no harm."""
        personal = asking.personal_words(request.address)
        body = asking.pickup_body(request)
        if len(request.handles) > 1:
            body["pickup"]["batch"] = {"id": await self._batch(request)}
        else:
            body["pickup"]["shipment"] = {"id": request.handles[0]}

        def understand(answer: HTTPAnswer) -> OfferedPickup:
            raise_for(answer, personal)
            read = wire.read(wire.WirePickup, wire.parse(answer.content))
            said = [str(each.get("message", "")) for each in read.messages if isinstance(each, dict)]
            words = asking.without(personal, "; ".join(part for part in said if part))
            return OfferedPickup(read.id, _offers(read), words)

        return await self._read("/v2/pickups", understand, method="POST", json=body)

    async def book_pickup(self, handle: str, offer: PickupOffer, fence: Fence) -> BookedPickup | Rejected | Unknown:
        """POST /v2/pickups/{id}/buy."""
        body = {"carrier": offer.carrier, "service": offer.service}
        answer = await self._write(f"/v2/pickups/{quote(handle, safe='')}/buy", body, handle, fence)
        if not isinstance(answer, HTTPAnswer):
            return answer
        try:
            found = _booking(wire.parse(answer.content))
        except CarrierError as error:
            return Unknown(handle, f"garbled: {error.detail}")
        return found if isinstance(found, BookedPickup) else Unknown(handle, "the answer shows no booking")

    async def look_up_pickup(self, handle: str) -> BookedPickup | NotBooked:
        """GET /v2/pickups/{id}."""

        def understand(answer: HTTPAnswer) -> BookedPickup | NotBooked:
            raise_for(answer)
            return _booking(wire.parse(answer.content))

        return await self._read(f"/v2/pickups/{quote(handle, safe='')}", understand)

    async def cancel_pickup(self, handle: str, fence: Fence) -> NotBooked | Rejected | Unknown:
        """POST /v2/pickups/{id}/cancel."""
        answer = await self._write(f"/v2/pickups/{quote(handle, safe='')}/cancel", {}, handle, fence)
        if not isinstance(answer, HTTPAnswer):
            return answer
        try:
            found = _booking(wire.parse(answer.content))
        except CarrierError as error:
            return Unknown(handle, f"garbled: {error.detail}")
        return found if isinstance(found, NotBooked) and found.cancelled else Unknown(handle, "not cancelled")

    async def _batch(self, request: PickupRequest) -> str:
        """A batch of bought shipments: only a means to name several of them."""
        body = {"batch": {"reference": request.reference, "shipments": [{"id": each} for each in request.handles]}}

        def understand(answer: HTTPAnswer) -> str:
            raise_for(answer)
            return wire.read(wire.WireBatch, wire.parse(answer.content)).id

        return await self._read("/v2/batches", understand, method="POST", json=body)

    async def _write(self, path: str, body: Any, handle: str, fence: Fence) -> HTTPAnswer | Rejected | Unknown:
        try:
            answer = await self._caller.write(
                "POST",
                self._base + path,
                deadline_s=self._settings.purchase_timeout_s,
                fence=fence,
                headers=self._headers,
                json=body,
            )
        except Fenced:
            return Rejected("fenced", "Another process goes on with this.")
        except NotSent as error:
            return Rejected("not_sent", error.message, retry_after_s=error.retry_after_s or 10.0)
        except NoAnswer as error:
            return Unknown(handle, f"no answer: {error.detail}")
        return answer if 200 <= answer.status < 300 else refused_purchase(answer, handle)

    async def _read(
        self, path: str, understand: Callable[[HTTPAnswer], T], *, method: str = "GET", json: Any = None
    ) -> T:
        return await self._caller.read(
            method,
            self._base + path,
            understand,
            deadline_s=self._settings.read_timeout_s,
            headers=self._headers,
            json=json,
            tries=2 if method == "GET" else 1,
        )


def _manifest(value: object) -> Manifest:
    read = wire.read(wire.WireScanForm, value)
    file = LabelFile("manifest", "application/pdf", url=read.form_url) if read.form_url else None
    codes = tuple(code for code in read.tracking_codes if isinstance(code, str))
    match _STATES.get(read.status, "pending"):
        case "made":
            return Manifest(read.id, "made", codes, file)
        case "failed":
            return Manifest(read.id, "failed", codes, message=read.message)
    return Manifest(read.id, "pending", codes, file, read.message)


def _offers(read: wire.WirePickup) -> tuple[PickupOffer, ...]:
    return tuple(offer for line in read.pickup_rates if (offer := _offer(line)) is not None)


def _offer(value: object) -> PickupOffer | None:
    """A pick-up rate; one that cannot be read is left out."""
    read = wire.read_or_none(wire.WireRate, value)
    if read is None:
        return None
    try:
        return PickupOffer(read.carrier, read.service, mapping.amount(read.rate, read.currency))
    except (CarrierError, MoneyError, ValueError, ArithmeticError):
        return None


def _booking(value: object) -> BookedPickup | NotBooked:
    read = wire.read(wire.WirePickup, value)
    if read.status == "scheduled" or (read.confirmation and read.status not in {"canceled", "cancelled"}):
        return BookedPickup(read.id, read.confirmation, _offers(read))
    return NotBooked(read.id, cancelled=read.status in {"canceled", "cancelled"})
