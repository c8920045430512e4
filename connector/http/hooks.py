"""The doors for webhooks of stores, carriers and apps: proved, stored, answered; the work is done elsewhere."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from connector.http.callers import find_shop
from connector.http.errors import BUSY, NOT_FOUND, TRY_AGAIN, send_reply
from connector.http.limits import NoBody, read_body, read_headers, refuse_body
from connector.http.ports import APP, CARRIER, STORE, AppEntry, Front
from connector.redaction import describe_error
from connector.store import PrivacyRequest, ShopGone, VerifyAppHook
from webhooks.receiver import Authentic, Endpoint, Forged, Reply, Verify

T = TypeVar("T")
Take = Callable[[str, Mapping[str, str], bytes], Reply]
"""Takes a delivery (method, headers, body) in a thread."""

Find = Callable[[Mapping[str, str], Mapping[str, str]], Take | None]
"""Finds by path parameters and headers what takes deliveries there; None if nobody has such an address."""

NOTHING_KEPT = Reply(200)

_OUTCOMES = {400: "refused", 401: "forged", 404: "not_found", 413: "too_large"}


class Busy(Exception):
    """Too many deliveries wait."""


class Threads:
    """A few threads with a bounded queue before them. A call that is given up may still run to its end."""

    def __init__(self, threads: int, backlog: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hooks")
        self._places = threading.BoundedSemaphore(threads + backlog)

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """The call's result. Raises Busy at once if the queue is full."""
        if not self._places.acquire(blocking=False):
            raise Busy
        future = self._pool.submit(call, *args)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let running calls end and forget waiting ones: their senders were not answered and come again."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Hooks:
    """A door for one kind of deliveries, as a bare ASGI application."""

    def __init__(self, kind: str, find: Find, front: Front, threads: Threads) -> None:
        self._kind = kind
        self._find = find
        self._front = front
        self._threads = threads
        self._log = structlog.get_logger("waybill.http.hooks")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        arrived, outcome = time.monotonic(), "failed"
        metrics = self._front.metrics
        try:
            if not self._front.directory.ready:
                outcome = "not_ready"
                await send_reply(send, TRY_AGAIN)
                return
            headers = read_headers(scope)
            take = self._find(scope["path_params"], headers)
            if take is None:
                outcome = "not_found"
                await send_reply(send, NOT_FOUND)
                return
            limits = self._front.limits
            raw = await read_body(receive, headers, limits.hook_body_bytes, min(limits.body_s, limits.hook_s))
            if isinstance(raw, NoBody):
                outcome = raw.outcome
                await refuse_body(raw, receive, send)
                return
            reply, outcome = await self._keep(take, scope["method"], headers, raw, arrived)
            await send_reply(send, reply)
        finally:
            metrics.deliveries.labels(self._kind, outcome).inc()
            metrics.delivery_seconds.labels(self._kind).observe(time.monotonic() - arrived)

    async def _keep(
        self, take: Take, method: str, headers: Mapping[str, str], raw: bytes, arrived: float
    ) -> tuple[Reply, str]:
        """Store in a thread. What could not be stored in time is answered so that the sender comes again."""
        try:
            async with asyncio.timeout(max(0.0, self._front.limits.hook_s - (time.monotonic() - arrived))) as limit:
                reply = await self._threads.run(take, method, headers, raw)
        except Busy:
            return BUSY, "busy"
        except TimeoutError:
            if not limit.expired():
                raise
            self._log.error("webhook not stored in time", kind=self._kind, limit_s=self._front.limits.hook_s)
            return TRY_AGAIN, "timed_out"
        except SQLAlchemyError as exc:
            self._log.error("webhook not stored", kind=self._kind, error=describe_error(exc))
            return TRY_AGAIN, "failed"
        return reply, "accepted" if reply.status < 300 else _OUTCOMES.get(reply.status, "refused")


def store_hooks(front: Front, threads: Threads) -> Hooks:
    """`POST /hooks/{shop}/{token}`: a shop's own subscriptions. The inbox key is `store:` and the shop's id."""

    def find(path: Mapping[str, str], headers: Mapping[str, str]) -> Take | None:
        entry = find_shop(front.directory, path["shop"], path["token"], "hooks", headers)
        return None if entry is None else _take(front, STORE, entry.id, entry.id, entry.store.verify_webhook)

    return Hooks(STORE, find, front, threads)


def carrier_hooks(front: Front, threads: Threads) -> Hooks:
    """`POST /hooks/carrier/{token}`: an account's tracking news. The inbox key is `carrier:` and the account's id."""

    def find(path: Mapping[str, str], _headers: Mapping[str, str]) -> Take | None:
        hook = front.directory.carrier_hook(path["token"])
        return None if hook is None else _take(front, CARRIER, hook.id, hook.shop_id, hook.carrier.verify_webhook)

    return Hooks(CARRIER, find, front, threads)


def app_hooks(front: Front, threads: Threads) -> Hooks:
    """`POST /apps/{app}/hooks`: topics of a whole app. The inbox key is `app:` and the app's id.

    `{app}` is an app's id, or a platform's name. The shop comes from a header, which is believed only after the
    signature held; it may have left, since the platform goes on telling what is to be forgotten.
    """

    def find(path: Mapping[str, str], headers: Mapping[str, str]) -> Take | None:
        app = front.directory.app_of(path["app"], headers)
        if app is None or app.verify_app_hook is None:
            return None
        return functools.partial(take, app, app.verify_app_hook)

    def take(app: AppEntry, check: VerifyAppHook, method: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        delivery = check(raw, headers, app.secrets)
        if isinstance(delivery, Forged):
            verdict: Authentic | Forged = delivery
            shop_id = ""
        else:
            verdict = delivery.verdict
            shop_id = front.directory.shop_of_app(app, delivery.shop) or ""
            if not shop_id:
                # Nothing is kept of such a shop, so there is nothing to forget; what else is told comes again.
                return NOTHING_KEPT if _is_farewell(app, verdict.topic, raw) else NOT_FOUND
        return _take(front, APP, app.id, shop_id, lambda _raw, _headers: verdict)(method, headers, raw)

    return Hooks(APP, find, front, threads)


def _is_farewell(app: AppEntry, topic: str, raw: bytes) -> bool:
    """Whether a delivery only asks to let go or to tell what is kept."""
    news = app.read_app_hook(topic, raw) if app.read_app_hook is not None else []
    return bool(news) and all(isinstance(each, PrivacyRequest | ShopGone) for each in news)


def _take(front: Front, kind: str, owner_id: str, shop_id: str, verify: Verify) -> Take:
    endpoint = Endpoint(f"{kind}:{owner_id}", verify, shop_id, front.limits.hook_body_bytes)
    return lambda method, headers, raw: front.receiving.receive(endpoint, method, headers, raw)
