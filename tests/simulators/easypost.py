"""EasyPost as a real HTTP server on loopback: what was recorded, a rule for what was not, and faults on request.

In a test: `with serve(build(reference)) as url: control = easypost_control.EasyPostControl(url)`.
As a process of its own: `python -m tests.simulators.easypost --port 0 --state FILE`, which prints its URL.

Any key that starts with EZTK is a test key, with EZAK a production key; others are refused. `/_sim/…` is for tests.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from random import Random

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from tests.simulators.easypost_collections import Collections
from tests.simulators.easypost_faults import Fault, FaultBook, FaultMiddleware, error_body
from tests.simulators.easypost_labels import MEDIA_TYPES, label
from tests.simulators.easypost_trackers import Delivery, Tracking
from tests.simulators.easypost_truth import AccountSet, Body, Truth
from tests.simulators.easypost_world import Refusal, World, not_found
from tests.simulators.server import run

CALLS = {
    "rates": ("POST", r"/beta/rates"),
    "create": ("POST", r"/v2/shipments"),
    "buy": ("POST", r"/v2/shipments/[^/]+/buy"),
    "look_up": ("GET", r"/v2/shipments/[^/]+"),
    "list": ("GET", r"/v2/shipments"),
    "rerate": ("POST", r"/v2/shipments/[^/]+/rerate"),
    "refund": ("POST", r"/v2/shipments/[^/]+/refund"),
    "scan_form": ("POST", r"/v2/scan_forms"),
    "book_pickup": ("POST", r"/v2/pickups/[^/]+/buy"),
    "cancel_pickup": ("POST", r"/v2/pickups/[^/]+/cancel"),
    "verify": ("POST", r"/v2/addresses"),
    "track": ("GET", r"/v2/trackers/[^/]+"),
    "file": ("GET", r"/files/.+"),
}
Handler = Callable[[Request], Awaitable[Response]]


def call_name(scope: Scope) -> str | None:
    """Which of CALLS a request is; "other" for the rest, None for the control endpoints."""
    if scope["path"].startswith("/_sim"):
        return None
    for name, (method, pattern) in CALLS.items():
        if scope["method"] == method and re.fullmatch(pattern, scope["path"]):
            return name
    return "other"


def build(
    reference: Path | None = None, accounts: AccountSet = "one", seed: int = 0, state: Path | None = None
) -> ASGIApp:
    """The app. `accounts` is the account set (see `easypost_truth`), `seed` orders rates, `state` gets the summary."""
    world = World(Truth(reference), accounts, Random(seed))  # noqa: S311 (an order of rates, no secret)
    book = FaultBook()
    api = _API(world, Tracking(world), book, state)
    app = Starlette(routes=api.routes(), middleware=[Middleware(FaultMiddleware, book=book, name_of=call_name)])
    app.add_exception_handler(Refusal, _refused)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    body = error_body(error.code, error.message, error.errors)
    return Response(body, error.status, media_type="application/json; charset=utf-8")


def _mode(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    key = value
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            key = base64.b64decode(value).decode("latin-1").partition(":")[0]
    if key.startswith("EZTK"):
        return "test"
    if key.startswith("EZAK"):
        return "production"
    raise Refusal(401, "UNAUTHORIZED", "Authentication required.")


async def _body(request: Request) -> Body:
    raw = await request.body()
    try:
        read = json.loads(raw or b"{}")
    except ValueError as error:
        raise Refusal(400, "BAD_REQUEST", "Malformed request. Please check the contents and retry.") from error
    return read if isinstance(read, dict) else {}


def _fault(request: Request) -> Fault | None:
    fault: Fault | None = request.scope["state"].get("fault")
    return fault


async def _slow(request: Request) -> None:
    """Effect and answer come later; nobody cancels this when the client goes away."""
    fault = _fault(request)
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)


def _page(items: list[Body], request: Request, name: str) -> Body:
    """A page of a list, newest first, by `page_size` (20, at most 100), `before_id` and `after_id`."""
    size = min(int(request.query_params.get("page_size", 20)), 100)
    ids = [item["id"] for item in items]
    if (before := request.query_params.get("before_id")) in ids:
        items = items[ids.index(before) + 1 :]
    elif (after := request.query_params.get("after_id")) in ids:
        items = items[: ids.index(after)][-size:]
    return {name: items[:size], "has_more": len(items) > size}


class _API:
    """The endpoints."""

    def __init__(self, world: World, tracking: Tracking, book: FaultBook, state: Path | None) -> None:
        self.world = world
        self.tracking = tracking
        self.book = book
        self.collections = Collections(world)
        self.state = state
        self.user_changes: Body = {}

    def routes(self) -> list[Route]:
        """Every URL."""
        table: list[tuple[str, str, Handler]] = [
            ("POST", "/beta/rates", self.rates),
            ("POST", "/v2/shipments", self.create),
            ("GET", "/v2/shipments", self.list_shipments),
            ("GET", "/v2/shipments/{id}", self.shipment),
            ("POST", "/v2/shipments/{id}/buy", self.buy),
            ("POST", "/v2/shipments/{id}/rerate", self.rerate),
            ("POST", "/v2/shipments/{id}/refund", self.refund),
            ("POST", "/v2/shipments/{id}/insure", self.insure),
            ("GET", "/v2/shipments/{id}/label", self.label),
            ("POST", "/v2/addresses", self.address),
            ("GET", "/v2/addresses/{id}", self.thing),
            ("GET", "/v2/addresses/{id}/verify", self.verify),
            ("POST", "/v2/parcels", self.parcel),
            ("GET", "/v2/parcels/{id}", self.thing),
            ("GET", "/v2/rates/{id}", self.thing),
            ("POST", "/v2/trackers", self.create_tracker),
            ("GET", "/v2/trackers", self.list_trackers),
            ("GET", "/v2/trackers/{id}", self.thing),
            ("POST", "/v2/scan_forms", self.collect),
            ("GET", "/v2/scan_forms/{id}", self.collected),
            ("POST", "/v2/pickups", self.collect),
            ("GET", "/v2/pickups/{id}", self.collected),
            ("POST", "/v2/pickups/{id}/{act}", self.collected),
            ("POST", "/v2/batches", self.collect),
            ("POST", "/v2/webhooks", self.create_hook),
            ("GET", "/v2/webhooks", self.list_hooks),
            ("GET", "/v2/webhooks/{id}", self.get_hook),
            ("PATCH", "/v2/webhooks/{id}", self.update_hook),
            ("DELETE", "/v2/webhooks/{id}", self.delete_hook),
            ("GET", "/v2/users", self.user),
            ("GET", "/v2/carrier_accounts", self.carrier_accounts),
            ("GET", "/v2/events", self.list_events),
            ("GET", "/files/postage_label/{name}", self.file),
            ("GET", "/_sim/state", self.sim_state),
            ("POST", "/_sim/faults", self.sim_faults),
            ("DELETE", "/_sim/faults", self.sim_forget),
            ("POST", "/_sim/reset", self.sim_reset),
            ("POST", "/_sim/scans", self.sim_scans),
            ("POST", "/_sim/user", self.sim_user),
            ("POST", "/_sim/shipments/{id}", self.sim_shipment),
            ("GET", "/_sim/shipments/{id}/asked", self.sim_asked),
        ]
        made = [Route(path, self._delayed(handler), methods=[method]) for method, path, handler in table]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*made, Route("/{rest:path}", self._delayed(self.recorded), methods=every)]

    def _delayed(self, handler: Handler) -> Handler:
        async def delayed(request: Request) -> Response:
            if call_name(request.scope) not in {None, "buy", "file"}:
                await _slow(request)
            return await handler(request)

        return delayed

    # --- rates and shipments ---

    async def rates(self, request: Request) -> Response:
        values = (await _body(request)).get("shipment") or {}
        return JSONResponse(self.world.stateless(values, _mode(request), _fault(request)))

    async def create(self, request: Request) -> Response:
        mode = _mode(request)
        values = (await _body(request)).get("shipment") or {}
        shipment = self.world.create(values, mode, _fault(request))
        if values.get("service"):  # A one-call buy.
            rate = next((rate for rate in shipment["rates"] if rate["service"] == values["service"]), {"id": ""})
            booked = self.world.begin(shipment, rate["id"])
            self.world.book(shipment, booked, self._base(request), values.get("insurance"), None)
        self._save()
        return JSONResponse(shipment, 201)

    async def list_shipments(self, request: Request) -> Response:
        mode = _mode(request)
        bought_only = request.query_params.get("purchased", "true").lower() == "true"
        found = [self.world.objects[one] for one in reversed(self.world.shipments)]
        found = [one for one in found if one["mode"] == mode and (one["postage_label"] or not bought_only)]
        return JSONResponse(_page(found, request, "shipments"))

    async def shipment(self, request: Request) -> Response:
        return JSONResponse(self._shipment(request))

    async def buy(self, request: Request) -> Response:
        shipment = self._shipment(request)
        values = await _body(request)
        rate = self.world.begin(shipment, (values.get("rate") or {}).get("id", ""))
        try:
            await _slow(request)
        finally:  # What was begun is carried through, whatever becomes of the connection.
            self.world.book(shipment, rate, self._base(request), values.get("insurance"), _fault(request))
            self._save()
        return JSONResponse(shipment)

    async def rerate(self, request: Request) -> Response:
        return JSONResponse(self.world.rerate(self._shipment(request), _fault(request)))

    async def refund(self, request: Request) -> Response:
        return JSONResponse(self.world.refund(self._shipment(request)))

    async def insure(self, request: Request) -> Response:
        shipment = self._shipment(request)
        return JSONResponse(self.world.insure(shipment, (await _body(request))["amount"]))

    async def label(self, request: Request) -> Response:
        file_format = request.query_params.get("file_format", "PDF")
        return JSONResponse(self.world.convert(self._shipment(request), file_format, self._base(request)))

    async def file(self, request: Request) -> Response:
        await _slow(request)
        if request.path_params["name"] not in self.world.files:
            return Response("<html><body>AccessDenied</body></html>", 403, media_type="text/html")
        file_format, shipment_id = self.world.files[request.path_params["name"]]
        content = await asyncio.to_thread(label, file_format, f"VOID SAMPLE {shipment_id}")
        return Response(content, media_type=MEDIA_TYPES[file_format])

    def _shipment(self, request: Request) -> Body:
        return self.world.find_shipment(request.path_params["id"], _mode(request))

    def _base(self, request: Request) -> str:
        return str(request.base_url).rstrip("/")

    # --- the rest of the API ---

    async def address(self, request: Request) -> Response:
        values = await _body(request)
        mode = _mode(request)
        if set(values) == {"address", "verify"} and self.world.truth.recorded("POST", request.url.path, values) is None:
            return JSONResponse(self.world.verify_address(values["address"], mode), 201)
        if set(values) != {"address"}:  # Verification and bad requests: as recorded, or not at all.
            return await self.recorded(request)
        return JSONResponse(self.world.make_address(values["address"], mode), 201)

    async def verify(self, request: Request) -> Response:
        """As recorded: the address that failed then fails now."""
        address = self.world.get(request.path_params["id"], _mode(request))
        failing = self.world.truth.exchange("address", "address_verify_invalid_address").request["address"]
        name = "address_verify_invalid_address" if address["street1"] == failing["street1"] else "address_verify"
        exchange = self.world.truth.exchange("address", name, 1)
        return JSONResponse(exchange.response, exchange.status)

    async def parcel(self, request: Request) -> Response:
        values = (await _body(request)).get("parcel") or {}
        return JSONResponse(self.world.make_parcel(values, _mode(request)), 201)

    async def thing(self, request: Request) -> Response:
        return JSONResponse(self.world.get(request.path_params["id"], _mode(request)))

    async def create_tracker(self, request: Request) -> Response:
        values = (await _body(request)).get("tracker") or {}
        tracker, is_new = self.tracking.create(values, _mode(request))
        return JSONResponse(tracker, 201 if is_new else 200)

    async def list_trackers(self, request: Request) -> Response:
        return JSONResponse(_page(self.tracking.all(_mode(request)), request, "trackers"))

    async def create_hook(self, request: Request) -> Response:
        values = (await _body(request)).get("webhook") or {}
        return JSONResponse(self.tracking.hook(values, _mode(request)), 201)

    async def list_hooks(self, request: Request) -> Response:
        mode = _mode(request)
        return JSONResponse({"webhooks": [hook for hook, _ in self.tracking.hooks.values() if hook["mode"] == mode]})

    async def get_hook(self, request: Request) -> Response:
        return JSONResponse(self.tracking.get_hook(request.path_params["id"], _mode(request)))

    async def update_hook(self, request: Request) -> Response:
        values = await _body(request)
        return JSONResponse(self.tracking.update_hook(request.path_params["id"], values, _mode(request)), 201)

    async def delete_hook(self, request: Request) -> Response:
        self.tracking.get_hook(request.path_params["id"], _mode(request))
        del self.tracking.hooks[request.path_params["id"]]
        return JSONResponse({})

    async def collect(self, request: Request) -> Response:
        """Scan forms, pick-ups and batches; what is about shipments that are not here is answered as recorded."""
        values, mode = await _body(request), _mode(request)
        made = self.collections
        what = {"scan_forms": made.scan_form, "pickups": made.pickup, "batches": made.batch}
        try:
            return JSONResponse(what[request.url.path.rpartition("/")[2]](values, mode))
        except Refusal as refusal:
            if refusal.status != 404:
                raise
            return await self.recorded(request)

    async def collected(self, request: Request) -> Response:
        """What was made before; a pick-up is bought or cancelled. All else is answered as recorded."""
        _mode(request)
        one, act = request.path_params["id"], request.path_params.get("act")
        if not self.collections.has(one):
            return await self.recorded(request)
        if act == "buy":
            return JSONResponse(self.collections.book(one, await _body(request)))
        return JSONResponse(self.collections.cancel(one) if act == "cancel" else self.collections.find(one))

    async def user(self, request: Request) -> Response:
        if _mode(request) == "test":
            raise Refusal(403, "MODE.UNAUTHORIZED", "This resource requires a production API Key to access.")
        return JSONResponse(self.world.truth.answer("user", "user_retrieve_no_id") | self.user_changes)

    async def carrier_accounts(self, request: Request) -> Response:
        _mode(request)
        return JSONResponse(self.world.truth.answers("carrier_account", "carrier_account_all"))

    async def list_events(self, request: Request) -> Response:
        mode = _mode(request)
        made = [event for event in reversed(self.tracking.events) if event["mode"] == mode]
        return JSONResponse(_page(made, request, "events"))

    async def recorded(self, request: Request) -> Response:
        """What is not simulated is answered as it was recorded for the same request, or with 404."""
        _mode(request)
        found = self.world.truth.recorded(request.method, request.url.path, await _body(request))
        if found is None:
            raise not_found()
        return Response(status_code=204) if found.status == 204 else JSONResponse(found.response, found.status)

    # --- for tests ---

    async def sim_state(self, _: Request) -> Response:
        return JSONResponse(self._summary())

    async def sim_faults(self, request: Request) -> Response:
        try:
            self.book.waiting += [Fault.read(values) for values in json.loads(await request.body())]
        except (ValueError, TypeError) as error:
            raise Refusal(400, "SIMULATOR", str(error)) from error
        return JSONResponse([asdict(fault) for fault in self.book.waiting])

    async def sim_forget(self, _: Request) -> Response:
        self.book.waiting.clear()
        return JSONResponse([])

    async def sim_reset(self, _: Request) -> Response:
        """Forget everything that was made, and the faults."""
        self.world = World(self.world.truth, self.world.accounts, self.world.random)
        self.collections = Collections(self.world)
        self.tracking = Tracking(self.world)
        self.book.waiting.clear()
        self.book.played.clear()
        self.book.calls.clear()
        return JSONResponse({})

    async def sim_scans(self, request: Request) -> Response:
        """Add scans to a parcel (`key`), and post the news to `url` signed with `secret`, or to registered hooks."""
        values = await _body(request)
        changes = values.get("changes") or {}
        delivery = self.tracking.scan(values["key"], values["scans"], values.get("event_id"), **changes)
        targets = [(values["url"], values["secret"])] if values.get("url") else []
        if values.get("registered"):
            targets += [(hook["url"], secret) for hook, secret in self.tracking.hooks.values()]
        return JSONResponse(
            {
                "event_id": delivery.event_id,
                "body": delivery.body.decode(),
                "answers": [await _post(delivery, url, secret) for url, secret in targets],
            }
        )

    async def sim_user(self, request: Request) -> Response:
        """Set fields of the user, such as balance."""
        self.user_changes |= await _body(request)
        return JSONResponse(self.user_changes)

    async def sim_shipment(self, request: Request) -> Response:
        """Set fields of a shipment, such as refund_status, or label_url after 180 days."""
        shipment = self.world.objects[request.path_params["id"]]
        shipment |= await _body(request)
        return JSONResponse(shipment)

    async def sim_asked(self, request: Request) -> Response:
        """What a shipment was made from; answers hide tax numbers."""
        return JSONResponse(self.world.requests[request.path_params["id"]])

    def _summary(self) -> Body:
        told = {"calls": self.book.calls, "faults_played": self.book.played}
        return self.world.summary() | self.collections.summary() | told

    def _save(self) -> None:
        if self.state is not None:
            beside = self.state.with_suffix(".new")
            beside.write_text(json.dumps(self._summary()))
            beside.replace(self.state)


async def _post(delivery: Delivery, url: str, secret: str) -> int:
    async with httpx2.AsyncClient(trust_env=False, timeout=7) as client:
        answer = await client.post(url, content=delivery.body, headers=delivery.headers(secret))
    return answer.status_code


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--reference", type=Path, default=None)
    parser.add_argument("--accounts", choices=["one", "many"], default="one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, default=None, help="kept up to date with what /_sim/state says")
    given = parser.parse_args()
    run(build(given.reference, given.accounts, given.seed, given.state), given.port)


if __name__ == "__main__":
    main()
