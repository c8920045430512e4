"""Shopify as a real HTTP server on loopback: one shop, the whole 2026-10 schema, and faults on request.

In a test: `with serve(build(reference)) as url: control = shopify_control.ShopifyControl(url)`.
As a process of its own: `python -m tests.simulators.shopify --port 0 --state FILE`, which prints its URL.

The shop is `waybill-test.myshopify.com` unless `--domain` says otherwise, its app `client-id` with `client-secret`.
`/_sim/…` is for tests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.simulators.server import run
from tests.simulators.shopify_admin import grant
from tests.simulators.shopify_faults import EFFECTIVE, Fault, FaultBook
from tests.simulators.shopify_graphql import Endpoint, check, default_reference, operation_name
from tests.simulators.shopify_hooks import Delivery, deliveries, delivery, sign
from tests.simulators.shopify_world import Body, World

SUPPORTED = ("2026-01", "2026-04", "2026-07", "2026-10")
_HTML = "<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"


class Shopify:
    """The endpoints. `state` is a file that is kept up to date with what `/_sim/state` says."""

    def __init__(self, world: World, endpoint: Endpoint, state: Path | None) -> None:
        self.world = world
        self.endpoint = endpoint
        self.state = state
        self.book = FaultBook()
        self.saved: World | None = None

    def routes(self) -> list[Route]:
        acts: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("POST", "/_sim/orders", self.sim_place),
            ("POST", "/_sim/orders/{number}/{verb}", self.sim_order),
            ("POST", "/_sim/locations", self.sim_location),
            ("DELETE", "/_sim/locations", self.sim_close_locations),
            ("POST", "/_sim/uninstall", self.sim_uninstall),
            ("POST", "/_sim/settings", self.sim_settings),
            ("POST", "/_sim/save", self.sim_save),
            ("POST", "/_sim/back", self.sim_back),
            ("POST", "/_sim/setup", self.sim_setup),
            ("POST", "/_sim/bucket", self.sim_bucket),
            ("DELETE", "/_sim/tokens", self.sim_drop_tokens),
            ("POST", "/_sim/checkout", self.sim_checkout),
            ("POST", "/_sim/deliver", self.sim_deliver),
            ("GET", "/_sim/deliveries", self.sim_deliveries),
            ("POST", "/_sim/sign", self.sim_sign),
            ("POST", "/_sim/faults", self.sim_faults),
            ("DELETE", "/_sim/faults", self.sim_forget_faults),
            ("GET", "/_sim/state", self.sim_state),
        ]
        return [
            Route("/admin/oauth/access_token", self.token, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", self.graphql, methods=["POST"]),
            *[Route(path, endpoint, methods=[method]) for method, path, endpoint in acts],
        ]

    # --- Shopify's own endpoints --------------------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        """Client credentials, the exchange of an id token, a code, and the refresh of a rotating pair."""
        body = await _body(request)
        return await self._play(request, "token", lambda _: (self._grant(body), {}))

    def _grant(self, body: Body) -> tuple[int, Body]:
        known = (body.get("client_id"), body.get("client_secret")) == (self.world.client_id, self.world.client_secret)
        if not known:
            return 400, {"error": "invalid_client", "error_description": "Client authentication failed"}
        return grant(self.world, body)

    async def graphql(self, request: Request) -> Response:
        """One operation."""
        body = await _body(request)
        document, _ = check(self.endpoint.schema, str(body.get("query") or ""))
        call = operation_name(document) if document else "invalid"
        asked = request.path_params["version"]
        headers = {"x-shopify-api-version": asked if asked in SUPPORTED else SUPPORTED[0]}
        if not self.world.takes(request.headers.get("x-shopify-access-token", "")):
            errors = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": errors}, 401, headers)

        def act(fault: Fault | None) -> tuple[tuple[int, Body], dict[str, str]]:
            answer = self.endpoint.run(body, throttled=fault is not None and fault.kind == "throttled")
            return (200, answer), headers

        return await self._play(request, call, act)

    async def _play(
        self,
        request: Request,
        call: str,
        act: Callable[[Fault | None], tuple[tuple[int, Body], dict[str, str]]],
    ) -> Response:
        """Do what was asked, or the fault that stands against it."""
        fault = self.book.take(call)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        answer: tuple[int, Body] = (200, {})
        headers: dict[str, str] = {}
        if fault is None or fault.kind in EFFECTIVE or fault.kind == "throttled":
            answer, headers = act(fault)
            self._save()
        headers = {"x-request-id": f"sim-{sum(self.world.calls.values())}", **headers}
        if fault is None:
            return JSONResponse(answer[1], answer[0], headers)
        return await _spoil(request, fault, answer, headers)

    # --- control ------------------------------------------------------------------------------------------------------

    async def sim_place(self, request: Request) -> Response:
        spec = await _body(request)
        placed = [self.world.place(spec) for _ in range(spec.pop("count", 1))]
        self._save()
        return JSONResponse({"id": placed[0]["id"], "ids": [order["id"] for order in placed]})

    async def sim_order(self, request: Request) -> Response:
        order = self.world.order(f"gid://shopify/Order/{request.path_params['number']}")
        assert order is not None
        given = await _body(request)
        match request.path_params["verb"]:
            case "pay":
                self.world.pay(order)
            case "cancel":
                self.world.cancel(order)
            case "edit":
                self.world.edit(order, given)
            case "hold":
                self.world.hold(order, given["reason"])
            case "show":
                pass
            case verb:
                raise ValueError(verb)
        return JSONResponse(order)

    async def sim_location(self, request: Request) -> Response:
        return JSONResponse(self.world.add_location(await _body(request)))

    async def sim_close_locations(self, _: Request) -> Response:
        for location in self.world.locations:
            location["isActive"] = False
        return JSONResponse({})

    async def sim_uninstall(self, _: Request) -> Response:
        self.world.uninstall()
        return JSONResponse({})

    async def sim_settings(self, request: Request) -> Response:
        for name, value in (await _body(request)).items():
            if not hasattr(self.world, name):
                raise ValueError(name)
            kind = {"scopes": frozenset, "refresh_tokens": set, "codes": set}.get(name)
            setattr(self.world, name, kind(value) if kind is not None and value is not None else value)
        return JSONResponse({})

    async def sim_save(self, _: Request) -> Response:
        self.saved = self.world.copy()
        return JSONResponse({})

    async def sim_back(self, _: Request) -> Response:
        assert self.saved is not None
        self.world = self.endpoint.world = self.saved.copy()
        self.book.waiting.clear()
        self.endpoint.bucket.available = self.endpoint.bucket.maximum
        return JSONResponse({})

    async def sim_setup(self, request: Request) -> Response:
        self.world.setup.change(await _body(request))
        return JSONResponse({})

    async def sim_bucket(self, request: Request) -> Response:
        self.endpoint.bucket.fill(**await _body(request))
        return JSONResponse({})

    async def sim_drop_tokens(self, _: Request) -> Response:
        self.world.tokens.clear()
        return JSONResponse({})

    async def sim_checkout(self, request: Request) -> Response:
        given = await _body(request)
        raw = given["raw"] if given["raw"] is not None else json.dumps(given["body"])
        url = given["url"] or next(service["callbackUrl"] for service in self.world.services if service["active"])
        headers = {"content-type": "application/json", "x-shopify-shop-domain": self.world.domain}
        if given["signed"] != "absent":
            secret = self.world.client_secret if given["signed"] == "valid" else "another secret"
            headers["x-shopify-hmac-sha256"] = sign(raw.encode(), secret)
        began = time.monotonic()
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as client:
            try:
                answer = await client.post(url, content=raw.encode(), headers=headers)
            except httpx2.TransportError:  # Nobody is there, or nobody answers: the shop goes on selling by itself.
                return JSONResponse({"status": 0, "body": "", "elapsed_s": time.monotonic() - began, "shown": "backup"})
        return JSONResponse(
            {
                "status": answer.status_code,
                "body": answer.text,
                "elapsed_s": time.monotonic() - began,
                "shown": _shown(answer),
            }
        )

    async def sim_deliver(self, request: Request) -> Response:
        given = await _body(request)
        if given["topics"] is not None:
            self.world.news = [news for news in self.world.news if news.topic in given["topics"]]
        line = [one for one in deliveries(self.world) for _ in range(given["copies"])]
        if given["seed"] is not None:
            Random(given["seed"]).shuffle(line)  # noqa: S311  An order that a test can repeat.
        gate = asyncio.Semaphore(given["at_once"])
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as client:
            posts = [_post(client, gate, one, given["url"]) for one in line]
            statuses = await asyncio.gather(*posts)
        return JSONResponse({"statuses": statuses})

    async def sim_deliveries(self, _: Request) -> Response:
        return JSONResponse([one.as_json() for one in deliveries(self.world)])

    async def sim_sign(self, request: Request) -> Response:
        given = await _body(request)
        return JSONResponse(delivery(self.world, given["topic"], given["body"], given["url"]).as_json())

    async def sim_faults(self, request: Request) -> Response:
        self.book.waiting += [Fault.read(values) for values in await request.json()]
        return JSONResponse({})

    async def sim_forget_faults(self, _: Request) -> Response:
        self.book.waiting.clear()
        return JSONResponse({})

    async def sim_state(self, _: Request) -> Response:
        return JSONResponse(self._summary())

    def _summary(self) -> Body:
        world = self.world
        return {
            "calls": dict(world.calls),
            "tokens_given": world.tokens_given,
            "orders": len(world.orders),
            "fulfillments": [
                {"order": order["id"], **{name: value for name, value in made.items() if not name.startswith("_")}}
                for order in world.orders
                for made in order["fulfillments"]
            ],
            "notified": world.notified,
            "services": world.services,
            "subscriptions": world.subscriptions,
            "news_waiting": [news.topic for news in world.news],
            "faults_played": self.book.played,
        }

    def _save(self) -> None:
        if self.state is not None:
            beside = self.state.with_suffix(".new")
            beside.write_text(json.dumps(self._summary()))
            beside.replace(self.state)


async def _spoil(request: Request, fault: Fault, answer: tuple[int, Body], headers: dict[str, str]) -> Response:
    status, body = answer
    match fault.kind:
        case "withheld":
            await asyncio.sleep(fault.seconds)
        case "hung" | "hung_after_effect":
            await asyncio.sleep(3600)
        case "dropped" | "dropped_after_effect":
            request.scope["state"]["abort"]()
        case "html" | "html_after_effect":
            return Response(_HTML, fault.status, headers, "text/html")
        case "truncated":
            whole = json.dumps(body)
            return Response(whole[: len(whole) // 2], status, headers, "application/json")
        case "version":
            headers = headers | {"x-shopify-api-version": fault.version}
        case "status" | "status_after_effect" | "unauthorised" | "internal" | "partial":
            return _error(fault, body, headers)
        case "slow" | "throttled":
            pass
    return JSONResponse(body, status, headers)


def _error(fault: Fault, body: Body, headers: dict[str, str]) -> Response:
    if fault.kind == "unauthorised":
        return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401, headers)
    if fault.kind in {"internal", "partial"}:
        error = {"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
        data = body.get("data") if fault.kind == "partial" else None
        return JSONResponse({"data": data, "errors": [error]}, 200, headers)
    wait = {"retry-after": f"{fault.seconds}"} if fault.seconds else {}
    return JSONResponse({"errors": "Something went wrong"}, fault.status, headers | wait)


async def _post(client: httpx2.AsyncClient, gate: asyncio.Semaphore, one: Delivery, url: str | None) -> int:
    async with gate:
        try:
            answer = await client.post(url or one.url, content=one.body.encode(), headers=one.headers)
        except httpx2.HTTPError:
            return 0
        return int(answer.status_code)


def _shown(answer: httpx2.Response) -> str:
    """What a buyer sees: 2xx with rates, 2xx without, or the shop's backup rates."""
    if not answer.is_success:
        return "backup"
    try:
        return "rates" if answer.json()["rates"] else "nothing"
    except (ValueError, KeyError, TypeError):
        return "backup"


async def _body(request: Request) -> Body:
    raw = await request.body()
    given: Body = json.loads(raw) if raw and raw != b"null" else {}
    return given


def build(
    reference: Path | None = None,
    *,
    domain: str = "waybill-test.myshopify.com",
    now: Callable[[], datetime] | None = None,
    state: Path | None = None,
) -> ASGIApp:
    """The app of one shop. `now` replaces the machine's clock."""
    world = World(domain=domain)
    if now is not None:
        world.now = now
    shop = Shopify(world, Endpoint(world, reference or default_reference()), state)
    return Starlette(routes=shop.routes())


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--reference", type=Path, default=None)
    parser.add_argument("--domain", default="waybill-test.myshopify.com")
    parser.add_argument("--state", type=Path, default=None, help="kept up to date with what /_sim/state says")
    given = parser.parse_args()
    run(build(given.reference, domain=given.domain, state=given.state), given.port)


if __name__ == "__main__":
    main()
