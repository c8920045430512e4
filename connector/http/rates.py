"""The checkout's door: a rate request in, prices out, always in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Literal
from urllib.parse import parse_qsl

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import Receive, Scope, Send

from connector.http.callers import find_shop
from connector.http.errors import MALFORMED, NOT_FOUND, TRY_AGAIN, send_reply
from connector.http.limits import NoBody, read_body, read_headers, refuse_body
from connector.http.ports import Front, Quoting, ShopEntry
from connector.metrics import UNKNOWN
from connector.store import Incoming, RateCall, Refusal, UseBackup
from webhooks.receiver import Reply

Outcome = Literal[
    "answered", "empty", "backup", "refused", "not_found", "too_large", "too_slow", "gone", "timed_out", "failed"
]  # fmt: skip


_LOOK_AFTER_S = 0.4


class Rates:
    """`POST /rates/{shop}/{token}`, as a bare ASGI application: this is the path that has to be fast.

    No database stands here. Not knowing in time is answered with the platform's backup rates, never with nothing.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._counters: dict[tuple[str, str, str], Counter] = {}  # Found by one look-up instead of prometheus' lock.
        self._histograms: dict[str, Histogram] = {}
        self._log = structlog.get_logger("waybill.http.rates")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        received_at = time.monotonic()
        headers, path = read_headers(scope), scope["path_params"]
        if not self._front.directory.ready:
            self._count("requests", UNKNOWN, "not_ready")
            await send_reply(send, TRY_AGAIN)
            return
        entry = find_shop(self._front.directory, path["shop"], path["token"], "rates", headers)
        if entry is None:
            self._count("requests", UNKNOWN, "not_found")
            await send_reply(send, NOT_FOUND)
            return
        outcome: Outcome = "failed"
        source = ""
        try:
            limits = self._front.limits
            raw = await read_body(receive, headers, limits.rate_body_bytes, min(limits.body_s, limits.rate_s))
            if isinstance(raw, NoBody):
                outcome = raw.outcome
                await refuse_body(raw, receive, send)
                return
            reply, outcome, source = await self._answer(
                entry, headers, scope["query_string"], raw, received_at, receive
            )
            await send_reply(send, reply)
        finally:
            self._count("requests", entry.id, outcome)
            self._front.quoting.received(entry.id, outcome)
            self._took(source or outcome, time.monotonic() - received_at)

    async def _answer(
        self,
        entry: ShopEntry,
        headers: Mapping[str, str],
        query_string: bytes,
        raw: bytes,
        received_at: float,
        receive: Receive,
    ) -> tuple[Reply, Outcome, str]:
        query = _read_query(query_string)
        if query is None:
            return MALFORMED, "refused", ""
        incoming = Incoming(headers, query, raw, entry.domain)
        again = self._front.quoting.again(entry.id, incoming)
        if again is not None:
            self._count("signatures", entry.id, again.signature)
            return again.reply, again.outcome, again.source
        call = entry.store.read_rate_call(incoming)
        self._count_signature(entry.id, call)
        if isinstance(call, Refusal):
            return entry.store.write_answer(call, {}), "refused", ""
        patience = min(self._front.limits.rate_s, entry.store.capabilities.hard_deadline_s)
        watch = _HangUp(self._front.quoting, entry.id, received_at, receive)
        try:
            async with asyncio.timeout(max(0.0, patience - (time.monotonic() - received_at))) as limit:
                quoted = await self._front.quoting.answer(entry.id, call, received_at, incoming)
        except TimeoutError:
            if not limit.expired():
                raise
            self._log.error("rate request not answered in time", shop_id=entry.id, limit_s=patience)
            return entry.store.write_answer(UseBackup("timed_out"), call.echo), "timed_out", ""
        finally:
            watch.end()
        return quoted.reply, quoted.outcome, quoted.source

    def _count_signature(self, shop_id: str, call: RateCall | Refusal) -> None:
        if isinstance(call, RateCall):
            result = call.signature
        elif call.status == 401:
            result = "absent" if call.code == "signature_missing" else "wrong"
            if self._front.rate_call_refused is not None:
                self._front.rate_call_refused(shop_id)
        else:
            return
        self._count("signatures", shop_id, result)

    def _took(self, source: str, seconds: float) -> None:
        histogram = self._histograms.get(source)
        if histogram is None:
            histogram = self._histograms[source] = self._front.metrics.rate_seconds.labels(source)
        histogram.observe(seconds)

    def _count(self, what: Literal["requests", "signatures"], shop_id: str, value: str) -> None:
        counter = self._counters.get((what, shop_id, value))
        if counter is None:
            metrics = self._front.metrics
            family = metrics.rate_requests if what == "requests" else metrics.rate_signatures
            counter = self._counters[what, shop_id, value] = family.labels(shop_id, value)
        counter.inc()


class _HangUp:
    """Notices a platform that hangs up before it is answered. It looks late: most answers are there by then."""

    def __init__(self, quoting: Quoting, shop_id: str, received_at: float, receive: Receive) -> None:
        self._quoting = quoting
        self._shop_id = shop_id
        self._received_at = received_at
        self._receive = receive
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_LOOK_AFTER_S, self._begin)

    def end(self) -> None:
        """The answer is there: a hang-up from now on says nothing of patience."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._look(), name="rate call's end")

    async def _look(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._quoting.hung_up(self._shop_id, time.monotonic() - self._received_at)


def _read_query(raw: bytes) -> dict[str, str] | None:
    if not raw:
        return {}
    try:
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return None
