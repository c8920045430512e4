"""A live carrier in EasyPost's words, on loopback: slow, failing and hanging as told; it counts its calls.

Prices go by eight zones (from the first three digits of a ZIP code) and whole pounds, as parcel carriers' do.
Arguments: port, least and greatest seconds of an answer, share of calls that fail, share that hang. `GET /calls` tells
the count;
`POST /hang/1` lets every call hang from then on, `/hang/0` ends that.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

HANG_S = 30.0
SERVICES = (("Ground", 640, 58), ("Priority", 890, 96), ("Express", 2450, 210))


def price(service: str, zip3: str, pounds: int) -> int:
    """In cents."""
    zone = int(zip3) % 8 + 1
    base, per_pound = next((base, each) for name, base, each in SERVICES if name == service)
    return base + 35 * zone + pounds * (per_pound + 6 * zone)


def app(least_s: float, most_s: float, failing: float, hanging: float) -> Starlette:
    """The carrier. What goes wrong is drawn with a fixed seed."""
    draw = random.Random(7)
    state = {"calls": 0, "hang": False}

    async def rates(request: Request) -> Response:
        state["calls"] += 1
        body = await request.json()
        dice = draw.random()
        if state["hang"] or dice < hanging:
            await asyncio.sleep(HANG_S)
        await asyncio.sleep(draw.uniform(least_s, most_s))
        if dice < hanging + failing:
            return _broken(draw)
        shipment = body["shipment"]
        pounds = max(1, math.ceil(float(shipment["parcel"]["weight"]) / 16))
        zip3 = "".join(each for each in shipment["to_address"]["zip"] if each.isdigit())[:3] or "0"
        name = request.headers["authorization"][-4:]
        found = [
            {
                "carrier": f"Carrier{name}", "service": service, "carrier_account_id": f"ca_{name}", "mode": "test",
                "rate": f"{price(service, zip3, pounds) / 100:.2f}", "currency": "USD", "delivery_days": 3,
            }
            for service, _, _ in SERVICES
        ]  # fmt: skip
        return JSONResponse({"rates": found, "messages": []})

    async def calls(_request: Request) -> Response:
        return JSONResponse(state["calls"])

    async def hang(request: Request) -> Response:
        state["hang"] = request.path_params["on"] == "1"
        return JSONResponse(state["hang"])

    return Starlette(
        routes=[
            Route("/beta/rates", rates, methods=["POST"]),
            Route("/v2/shipments", rates, methods=["POST"]),
            Route("/calls", calls),
            Route("/hang/{on}", hang, methods=["POST"]),
        ]
    )


def _broken(draw: random.Random) -> Response:
    return draw.choice(
        (
            PlainTextResponse("<html>Bad gateway</html>", 502, media_type="text/html"),
            JSONResponse({"error": {"code": "INTERNAL_SERVER_ERROR", "message": "Something went wrong."}}, 500),
            PlainTextResponse(json.dumps({"rates": []})[:7], 200, media_type="application/json"),
        )
    )


if __name__ == "__main__":
    port, *numbers = sys.argv[1:]
    carrier = app(*(float(each) for each in numbers))
    uvicorn.run(carrier, host="127.0.0.1", port=int(port), log_level="critical", access_log=False)
