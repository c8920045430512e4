"""The storefront's addresses, as bare ASGI applications: a page's question, the same through Shopify, the script."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import parse_qsl

import structlog
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.http.errors import NOT_FOUND, TRY_AGAIN, problem, send_reply
from connector.http.limits import NoBody, read_body, read_headers, refuse_body
from connector.http.ports import Front
from connector.http.storefront.house import Shopfront, StorefrontHouse
from connector.http.storefront.pressing import Pressing, TooMuch, client_of
from connector.http.storefront.reading import Unreadable, read_question
from connector.http.storefront.script import script_reply
from connector.http.storefront.writing import Headers, refusal, write_estimate
from connector.metrics import UNKNOWN
from connector.quotes.estimate import Asked, Fault
from connector.quotes.storefront import is_priced
from webhooks.receiver import Reply
from webhooks.signatures import Invalid, check_shopify_proxy

log = structlog.get_logger("waybill.http.storefront")

ESTIMATE, SCRIPT, PROXY = "/storefront/{shop}/estimate", "/storefront/waybill-widget.js", "/shopify/proxy/{path:path}"
BODY_BYTES = 64 * 1024

Outcome = Literal[
    "offers", "not_served", "unknown", "refused", "pressed", "not_found", "forbidden", "forged", "too_large",
    "too_slow", "gone", "not_ready", "failed",
]  # fmt: skip

_PREFLIGHT = (
    ("access-control-allow-methods", "POST"),
    ("access-control-allow-headers", "content-type"),
    ("access-control-max-age", "86400"),
)


class Storefront:
    """Serves the storefront. Who is not known and whose storefront is off are told apart by nobody."""

    def __init__(self, front: Front, house: StorefrontHouse) -> None:
        self._front = front
        self._house = house
        self._pressing = Pressing(house.per_minute, house.shop_per_minute)

    # --- addresses ----------------------------------------------------------------------------------------------------

    async def estimate(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`/storefront/{shop}/estimate`: any allowed page may ask; without cookies and without credentials."""
        headers = read_headers(scope)
        shop = self._house.estimating.by_key(scope["path_params"]["shop"]) if self._front.directory.ready else None
        if shop is None:
            await self._nobody(send)
            return
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in shop.origins:
            self._count(shop.id, "forbidden")
            await send_reply(send, refusal(403, "origin_not_allowed", headers=(("vary", "origin"),)))
            return
        cors: Headers = (("vary", "origin"),)
        if origin is not None:
            cors = (*cors, ("access-control-allow-origin", origin), ("access-control-expose-headers", "retry-after"))
        if scope["method"] == "OPTIONS":
            await send_reply(send, Reply(204, b"", (*cors, *_PREFLIGHT)))
            return
        client = client_of(_peer(scope), headers, self._house.proxies)
        await self._answer(shop, client, headers, receive, send, cors)

    async def proxy(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`/shopify/proxy/estimate`: a page of the store's own domain asks through Shopify, which signs the address.

        The body is not signed: it proves nothing but what the buyer's page says, as everywhere.
        """
        if not self._front.directory.ready:
            await self._nobody(send)
            return
        headers, query = read_headers(scope), _query(scope)
        domain = dict(query).get("shop", "").lower()
        secrets = self._house.estimating.proxy_secrets(domain)
        verdict = check_shopify_proxy(query, secrets, int(self._house.now().timestamp()))
        if isinstance(verdict, Invalid):
            log.info("app proxy call refused", why=verdict.reason)
            self._count(UNKNOWN, "forged")
            # A shop that is not known is not told apart from a wrong signature.
            await send_reply(send, refusal(401, "signature_wrong" if verdict.reason == "no_secret" else verdict.reason))
            return
        shop = self._house.estimating.by_domain(domain)
        if shop is None or scope["path_params"]["path"] != "estimate":
            await self._nobody(send)
            return
        if scope["method"] != "POST":
            await send_reply(send, problem(405, "method_not_allowed", ("allow", "POST")))
            return
        client = client_of(_peer(scope), headers, self._house.proxies + 1)
        await self._answer(shop, client, headers, receive, send, ())

    async def script(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """`/storefront/waybill-widget.js`."""
        await send_reply(send, script_reply(dict(_query(scope)).get("v", ""), read_headers(scope)))

    # --- one question -------------------------------------------------------------------------------------------------

    async def _answer(
        self,
        shop: Shopfront,
        client: str,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
        cors: Headers,
    ) -> None:
        received_at = time.monotonic()
        outcome: Outcome = "failed"
        try:
            pressed = self._pressing.too_often(shop.id, client, received_at)
            if pressed is not None:
                outcome = "pressed"
                await send_reply(send, _pressed(pressed, cors))
                return
            raw = await read_body(receive, headers, BODY_BYTES, self._front.limits.body_s)
            if isinstance(raw, NoBody):
                outcome = raw.outcome
                await refuse_body(raw, receive, send)
                return
            reply, outcome = await self._reply(shop, client, raw, received_at, cors)
            await send_reply(send, reply)
        finally:
            self._count(shop.id, outcome)

    async def _reply(
        self, shop: Shopfront, client: str, raw: bytes, received_at: float, cors: Headers
    ) -> tuple[Reply, Outcome]:
        try:
            asked = read_question(raw, shop.currency)
        except Unreadable as error:
            return refusal(422, error.code, error.field, cors), "refused"
        pressed = self._too_far(shop, client, asked)
        if pressed is not None:
            return _pressed(pressed, cors), "pressed"
        try:
            async with asyncio.timeout(self._front.limits.rate_s):
                found = await self._house.estimating.estimate(shop.id, asked, received_at)
        except TimeoutError:
            log.warning("estimate not given in time", shop_id=shop.id)
            return Reply(TRY_AGAIN.status, TRY_AGAIN.body, (*TRY_AGAIN.headers, *cors)), "failed"
        if found is None:
            return NOT_FOUND, "not_found"
        if isinstance(found, Fault):
            return refusal(422, found.code, found.field, cors), "refused"
        return write_estimate(found, cors), found.outcome

    def _too_far(self, shop: Shopfront, client: str, asked: Asked) -> TooMuch | None:
        to = asked.destination
        if to is None or not is_priced(to):
            return None
        place = (to.country, "".join(to.postal_code.split()))
        return self._pressing.too_far(shop.id, client, place, shop.places_a_day, self._house.now())

    async def _nobody(self, send: Send) -> None:
        ready = self._front.directory.ready
        self._count(UNKNOWN, "not_found" if ready else "not_ready")
        await send_reply(send, NOT_FOUND if ready else TRY_AGAIN)

    def _count(self, shop_id: str, outcome: Outcome) -> None:
        self._front.metrics.storefront.labels(shop_id, outcome).inc()


def _pressed(pressed: TooMuch, cors: Headers) -> Reply:
    return refusal(429, pressed.code, headers=(("retry-after", str(pressed.retry_after_s)), *cors))


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _query(scope: Scope) -> Sequence[tuple[str, str]]:
    try:
        text = scope["query_string"].decode("latin-1")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return ()


class _Served:
    """Starlette takes an object for a bare application, and a function for one that wants a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)


def storefront_routes(front: Front, house: StorefrontHouse) -> list[BaseRoute]:
    """The storefront's addresses."""
    doors = Storefront(front, house)
    return [
        Route(SCRIPT, _Served(doors.script), methods=["GET"]),
        Route(ESTIMATE, _Served(doors.estimate), methods=["POST", "OPTIONS"]),
        Route(PROXY, _Served(doors.proxy), methods=["GET", "POST"]),
    ]
