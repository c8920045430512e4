"""The floor: a bare Starlette application under our uvicorn settings that checks the same HMAC and answers the same.

Arguments: port, secret, file with the bytes of the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.http.server import server_config


def app(secret: bytes, body: bytes) -> Starlette:
    """One route."""

    async def answer(request: Request) -> Response:
        raw = await request.body()
        expected = base64.b64encode(hmac.new(secret, raw, hashlib.sha256).digest())
        given = request.headers.get("x-shopify-hmac-sha256", "").encode()
        if not hmac.compare_digest(expected, given):
            return Response(status_code=401)
        return Response(body, headers={"content-type": "application/json"})

    return Starlette(routes=[Route("/rates/{shop}/{token}", answer, methods=["POST"])])


if __name__ == "__main__":
    port, secret, file = sys.argv[1:]
    served = app(secret.encode(), Path(file).read_bytes())
    uvicorn.Server(server_config(served, host="127.0.0.1", port=int(port))).run()
