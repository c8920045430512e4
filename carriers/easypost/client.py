"""EasyPost over HTTP, one connection with one key."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import anyio

from carriers.breaker import Phase
from carriers.call import Caller, CallLimits, Fenced
from carriers.carrier import Capabilities
from carriers.easypost import asking, mapping, tracking, webhook, wire
from carriers.easypost.collection import EasyPostCollector
from carriers.easypost.combining import combine
from carriers.easypost.errors import raise_for, refused_purchase
from carriers.easypost.settings import EasyPostSettings
from carriers.easypost.verifying import EasyPostVerifier
from carriers.errors import CarrierError, Garbled, Refused, Retryable, Unavailable
from carriers.invoice import CarrierNews
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.parcel import RateRequest, Shipment
from carriers.rate import Rate, Rates
from carriers.tracking import TrackingUpdate
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import HTTPAnswer, Outgoing
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged

T = TypeVar("T")
_WORDS_KEPT = 500
_FILE_BYTES = 8 * 1024 * 1024
_MAGIC = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"))


class EasyPost:
    """See `carriers.carrier.Carrier`."""

    def __init__(
        self, settings: EasyPostSettings, outgoing: Outgoing, clock: Clock, capabilities: Capabilities
    ) -> None:
        self._settings = settings
        self._outgoing = outgoing
        self._clock = clock
        self._base = settings.api_base.rstrip("/")
        self._headers = {"authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        self._caller = Caller("EasyPost", outgoing, CallLimits())
        self._beta_off_until: datetime | None = None
        self._words: OrderedDict[str, tuple[str, ...]] = OrderedDict()  # By handle, to strip them from refusals.
        self._capabilities = capabilities
        self.collector = EasyPostCollector(self._caller, self._base, self._headers, settings)
        self.verifier = EasyPostVerifier(self._caller, self._base, self._headers, settings)

    @property
    def capabilities(self) -> Capabilities:
        """What EasyPost can do, with this connection's look-up ceiling."""
        return self._capabilities

    @property
    def breaker_phase(self) -> Phase:
        """How this connection's circuit breaker stands."""
        return self._caller.breaker_phase

    # --- rates ---

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        """Prices; several parcels are asked for one by one and summed, as EasyPost rates one parcel at a time."""
        bodies = asking.rate_bodies(request, self._settings.carrier_accounts)
        personal = asking.personal_words(request.origin, request.destination)
        if not bodies:
            raise Refused("There is no parcel to ask a price for.", detail="parcels")
        answers: dict[int, Rates | CarrierError] = {}

        async def ask(index: int, body: asking.Body) -> None:
            try:
                answers[index] = await self._rates_of(body, personal, deadline_s)
            except CarrierError as error:
                answers[index] = error

        async with anyio.create_task_group() as group:
            for index, (body, _) in enumerate(bodies):
                group.start_soon(ask, index, body)
        found: list[tuple[Rates, int]] = []
        for index, (_, count) in enumerate(bodies):
            answer = answers[index]
            if isinstance(answer, CarrierError):
                raise answer
            found.append((answer, count))
        return combine(found)

    async def _rates_of(self, body: asking.Body, personal: tuple[str, ...], deadline_s: float) -> Rates:
        """/beta/rates keeps nothing and answers faster; /v2/shipments stands in for it while it is not to be had."""
        ends_at = anyio.current_time() + deadline_s
        if self._beta_off_until is not None and self._clock.now() < self._beta_off_until:
            return await self._ask_rates("/v2/shipments", body, personal, deadline_s, tries=2)
        try:
            return await self._ask_rates("/beta/rates", body, personal, deadline_s, tries=2)
        except _BetaGone as gone:
            self._beta_off_until = self._clock.now() + gone.off_for
        return await self._ask_rates("/v2/shipments", body, personal, ends_at - anyio.current_time(), tries=1)

    async def _ask_rates(
        self, path: str, body: asking.Body, personal: tuple[str, ...], deadline_s: float, tries: int
    ) -> Rates:
        def understand(answer: HTTPAnswer) -> Rates:
            raise_for(answer, personal)
            return mapping.rates(wire.parse(answer.content), personal)

        return await self._caller.read(
            "POST",
            self._base + path,
            partial(_of_beta, understand) if path.startswith("/beta") else understand,
            deadline_s=deadline_s,
            headers=self._headers,
            json=body,
            tries=tries,
            guarded=True,
        )

    # --- labels ---

    async def create(self, shipment: Shipment) -> Created:
        """Make a shipment; a try that is repeated may leave one that nobody buys."""
        personal = asking.personal_words(shipment.origin, shipment.destination)
        if self._settings.label_format is not None:
            shipment = replace(shipment, label_format=self._settings.label_format)
        body = asking.create_body(shipment, self._settings.carrier_accounts)

        def understand(answer: HTTPAnswer) -> Created:
            raise_for(answer, personal)
            return mapping.created(wire.parse(answer.content), personal)

        created = await self._read("POST", "/v2/shipments", understand, json=body)
        self._words[created.handle] = personal
        while len(self._words) > _WORDS_KEPT:
            self._words.popitem(last=False)
        return created

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        """Buy by the ids of shipment and rate, once."""
        if not rate.rate_id:
            return Rejected("rate_gone", "A price without an id cannot be bought.")
        try:
            answer = await self._caller.write(
                "POST",
                f"{self._base}/v2/shipments/{quote(handle, safe='')}/buy",
                deadline_s=self._settings.purchase_timeout_s,
                fence=fence,
                headers=self._headers,
                json={"rate": {"id": rate.rate_id}},
            )
        except Fenced:
            return Rejected("fenced", "Another process goes on with this purchase.")
        except NotSent as error:
            return Rejected("not_sent", error.message, retry_after_s=error.retry_after_s or 10.0)
        except NoAnswer as error:
            return Unknown(handle, f"no answer: {error.detail}")
        if not 200 <= answer.status < 300:
            return refused_purchase(answer, handle, self._words.get(handle))
        try:
            bought = mapping.purchased(wire.parse(answer.content))
        except CarrierError as error:
            return Unknown(handle, f"garbled: {error.detail}")
        if isinstance(bought, NotBought) or bought.handle != handle:
            return Unknown(handle, "the answer shows no label of this shipment")
        return bought

    async def look_up(self, handle: str, rate: Rate | None = None) -> Purchased | NotBought:  # noqa: ARG002
        """How a purchase ended, by the shipment's id (or our reference, which EasyPost takes as well)."""

        def understand(answer: HTTPAnswer) -> Purchased | NotBought:
            raise_for(answer)
            return mapping.purchased(wire.parse(answer.content))

        return await self._read("GET", f"/v2/shipments/{quote(handle, safe='')}", understand)

    async def fetch_file(self, url: str) -> tuple[str, bytes]:
        """A label file. Its first bytes say what it is: an error page is never taken for a label."""

        def understand(answer: HTTPAnswer) -> tuple[str, bytes]:
            if not 200 <= answer.status < 300:
                kind = Retryable if answer.status >= 500 or answer.status == 429 else Refused
                raise kind("The label file cannot be fetched.", detail=f"status {answer.status}")
            return media_type_of(answer.content), answer.content

        # The file lies elsewhere, and the key is none of that place's business.
        return await self._caller.read(
            "GET", url, understand, deadline_s=self._settings.read_timeout_s, max_bytes=_FILE_BYTES
        )

    async def void(self, handle: str, fence: Fence) -> Voided:
        """Ask the money back. If the answer is unclear or a refusal, the shipment itself says how it stands."""
        try:
            answer = await self._caller.write(
                "POST",
                f"{self._base}/v2/shipments/{quote(handle, safe='')}/refund",
                deadline_s=self._settings.read_timeout_s,
                fence=fence,
                headers=self._headers,
            )
            raise_for(answer, self._words.get(handle))
            return mapping.voided(wire.parse(answer.content))
        except NotSent as error:
            raise Unavailable("EasyPost was not asked to void the label.", detail=error.detail) from error
        except (NoAnswer, Retryable) as error:
            return await self._void_state(handle, otherwise=Voided("unknown", error.message))
        except Refused as error:
            if "POSTAGE.REQUIRED" in error.detail:
                return Voided("nothing_charged", error.message)
            return await self._void_state(handle, otherwise=Voided("refused", error.message))

    async def void_state(self, handle: str) -> Voided:
        """The refund as the shipment shows it."""

        def understand(answer: HTTPAnswer) -> Voided:
            raise_for(answer)
            return mapping.voided(wire.parse(answer.content))

        return await self._read("GET", f"/v2/shipments/{quote(handle, safe='')}", understand)

    async def _void_state(self, handle: str, otherwise: Voided) -> Voided:
        """The refund as the shipment shows it, if it shows one."""
        try:
            shown = await self.void_state(handle)
        except CarrierError:
            return otherwise
        return otherwise if shown.state == "unknown" else shown

    # --- tracking ---

    async def track(self, tracker: str) -> TrackingUpdate:
        """The parcel's history, by the tracker's id."""

        def understand(answer: HTTPAnswer) -> TrackingUpdate:
            raise_for(answer)
            return tracking.update(wire.parse(answer.content))

        return await self._read("GET", f"/v2/trackers/{quote(tracker, safe='')}", understand)

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """Check a delivery's v1 signature; the delivery key is the event's id."""
        return webhook.verify(raw, headers, self._settings.webhook_secret.get_secret_value())

    def read_webhook(self, raw: bytes) -> Sequence[CarrierNews]:
        """The news in a verified delivery: scans, bills, refunds."""
        return webhook.news(raw)

    async def close(self) -> None:
        """Nothing of its own to let go of: the outgoing client is shared, and closed by who made it."""

    async def _read(
        self, method: str, path: str, understand: Callable[[HTTPAnswer], T], *, json: asking.Body | None = None
    ) -> T:
        return await self._caller.read(
            method,
            self._base + path,
            understand,
            deadline_s=self._settings.read_timeout_s,
            headers=self._headers,
            json=json,
        )


class _BetaGone(CarrierError):
    """The beta endpoint is not to be had; `off_for` is how long it is left alone."""

    def __init__(self, status: int) -> None:
        super().__init__("EasyPost's stateless rates are not to be had.", detail=f"status {status}")
        self.off_for = timedelta(minutes=10) if status in {404, 405, 410} else timedelta(minutes=1)


def _of_beta(understand: Callable[[HTTPAnswer], Rates], answer: HTTPAnswer) -> Rates:
    if answer.status in {404, 405, 410} or answer.status >= 500:
        raise _BetaGone(answer.status)
    try:
        return understand(answer)
    except Garbled as error:
        raise _BetaGone(answer.status) from error


def media_type_of(content: bytes) -> str:
    """What a label file is, by its first bytes. Raises Garbled for what is no label, such as an HTML page."""
    for magic, media_type in _MAGIC:
        if content.startswith(magic):
            return media_type
    start = content[:64].lstrip()
    if start.startswith((b"^XA", b"~", b"CT~~", b"\xef\xbb\xbf^XA")):
        return "application/zpl"
    if start.startswith((b"N\n", b"N\r\n")):
        return "application/epl2"
    raise Garbled("The label file is not a label.", detail="media type")
