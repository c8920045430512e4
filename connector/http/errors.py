"""Answers that are no success: a code, a sentence, perhaps a field; and the last resort for what went wrong inside."""

from __future__ import annotations

import json
import secrets
from functools import lru_cache
from typing import Protocol, runtime_checkable

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector.metrics import Metrics
from webhooks.receiver import Reply

JSON = ("content-type", "application/json")
_CLOSE = ("connection", "close")

_SENTENCES = {
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address takes other methods; see the header Allow.",
    "too_large": "The body is too large.",
    "too_slow": "The body took too long to arrive.",
    "malformed": "The request cannot be read.",
    "busy": "Too much at once; please come again.",
    "try_again": "This could not be kept just now; please come again.",
    "unauthorized": "This address asks for a token.",
    "internal": "Something went wrong on our side; it is in our log under this request id.",
}


def problem(status: int, code: str, *headers: tuple[str, str], field: str = "", request_id: str = "") -> Reply:
    """An answer in the form that every refusal of ours has."""
    error = {"code": code, "message": _SENTENCES[code], "field": field, "request_id": request_id}
    body = json.dumps({"error": {name: value for name, value in error.items() if value}}).encode()
    return Reply(status, body, (JSON, *headers))


# One object for every unknown address, shop and token, so that they cannot be told apart.
NOT_FOUND = problem(404, "not_found")
TOO_LARGE = problem(413, "too_large", _CLOSE)
TOO_SLOW = problem(408, "too_slow", _CLOSE)
MALFORMED = problem(400, "malformed")
BUSY = problem(503, "busy", ("retry-after", "5"))
TRY_AGAIN = problem(503, "try_again", ("retry-after", "30"))
UNAUTHORIZED = problem(401, "unauthorized", ("www-authenticate", "Bearer"))


@lru_cache(maxsize=256)
def _encoded(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def send_reply(send: Send, reply: Reply, *, more: bool = False) -> None:
    """Send an answer as it is. With `more` it is not ended yet, though its length is told."""
    headers = [*_encoded(reply.headers), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": more})


def refuse_route(_request: Request, exc: Exception) -> Response:
    """Answer for an unknown path or a wrong method in our form."""
    reply = NOT_FOUND
    if isinstance(exc, HTTPException) and exc.status_code == 405:
        allowed = sorted((exc.headers or {}).get("Allow", "").replace(" ", "").split(","))
        reply = problem(405, "method_not_allowed", ("allow", ", ".join(allowed)))
    return Response(reply.body, reply.status, dict(reply.headers))


@runtime_checkable
class Apologises(Protocol):
    """An endpoint whose callers read pages, not JSON."""

    def apologise(self, request_id: str) -> Reply:
        """What it says when something went wrong inside."""
        ...


class LastResort:
    """The outermost layer: what was raised is logged once and told to nobody outside."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._log = structlog.get_logger("waybill.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except Exception as exc:  # noqa: BLE001 (the boundary: nothing above would keep the trace inside)
            request_id = secrets.token_hex(8)
            self._metrics.errors.inc()
            self._log.error(
                "request failed",
                request_id=request_id,
                method=scope["method"],
                endpoint=type(scope.get("endpoint")).__name__,
                exc_info=exc,
            )
            if not started:
                endpoint = scope.get("endpoint")
                apology = endpoint.apologise(request_id) if isinstance(endpoint, Apologises) else None
                await send_reply(send, apology or problem(500, "internal", request_id=request_id))
