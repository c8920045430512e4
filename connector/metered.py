"""A carrier whose calls are counted: how often, how long, and with which outcome."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from prometheus_client import Counter, Histogram

from carriers.carrier import Capabilities, Carrier
from carriers.errors import CarrierError
from carriers.invoice import CarrierNews
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.parcel import RateRequest, Shipment
from carriers.rate import Rate, Rates
from carriers.tracking import TrackingUpdate
from connector.metrics import Metrics
from webhooks.ports import Fence
from webhooks.receiver import Authentic, Forged

T = TypeVar("T")


class MeteredCarrier:
    """Passes every call on to a connection, and tells the metrics of it."""

    def __init__(self, name: str, connection: Carrier, metrics: Metrics) -> None:
        self._name = name
        self._connection = connection
        self._metrics = metrics
        self._outcomes: dict[tuple[str, str], Counter] = {}  # Finding a labelled series costs more than counting in it.
        self._seconds: dict[str, Histogram] = {}

    @property
    def capabilities(self) -> Capabilities:
        """As the connection's."""
        return self._connection.capabilities

    @property
    def connection(self) -> Carrier:
        """The connection itself."""
        return self._connection

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        """Counted as `rates`."""
        return await self._count("rates", self._connection.rates(request, deadline_s))

    async def create(self, shipment: Shipment) -> Created:
        """Counted as `create`."""
        return await self._count("create", self._connection.create(shipment))

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        """Counted as `purchase`; a refusal by its code, an unclear outcome as `unknown`."""
        return await self._count("purchase", self._connection.purchase(handle, rate, fence), _of_purchase)

    async def look_up(self, handle: str, rate: Rate | None = None) -> Purchased | Rejected | NotBought:
        """Counted as `look_up`."""
        return await self._count("look_up", self._connection.look_up(handle, rate))

    async def fetch_file(self, url: str) -> tuple[str, bytes]:
        """Counted as `file`."""
        return await self._count("file", self._connection.fetch_file(url))

    async def void(self, handle: str, fence: Fence) -> Voided:
        """Counted as `void`."""
        return await self._count("void", self._connection.void(handle, fence))

    async def void_state(self, handle: str) -> Voided:
        """Counted as `void_state`."""
        return await self._count("void_state", self._connection.void_state(handle))

    async def track(self, tracker: str) -> TrackingUpdate:
        """Counted as `track`."""
        return await self._count("track", self._connection.track(tracker))

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """No call to the carrier."""
        return self._connection.verify_webhook(raw, headers)

    def read_webhook(self, raw: bytes) -> Sequence[CarrierNews]:
        """No call to the carrier."""
        return self._connection.read_webhook(raw)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _count(self, call: str, answer: Awaitable[T], outcome_of: Callable[[T], str] = lambda _: "ok") -> T:
        started, outcome = time.monotonic(), "cancelled"
        try:
            result = await answer
            outcome = outcome_of(result)
        except CarrierError as error:
            outcome = error.code
            raise
        finally:
            self._tell(call, outcome, time.monotonic() - started)
        return result

    def _tell(self, call: str, outcome: str, seconds: float) -> None:
        counter = self._outcomes.get((call, outcome))
        if counter is None:
            counter = self._outcomes[call, outcome] = self._metrics.carrier_calls.labels(self._name, call, outcome)
        took = self._seconds.get(call)
        if took is None:
            took = self._seconds[call] = self._metrics.carrier_seconds.labels(self._name, call)
        counter.inc()
        took.observe(seconds)


def _of_purchase(result: Purchased | Rejected | Unknown) -> str:
    match result:
        case Purchased():
            return "ok"
        case Rejected():
            return result.code
        case Unknown():
            return "unknown"
