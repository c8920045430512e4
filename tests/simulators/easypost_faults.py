"""Faults that the EasyPost simulator plays on request, each for the next N calls of a kind."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal[
    "slow",  # effect and answer come `seconds` after the arrival, whether or not the client is still there
    "withheld",  # the effect comes at once, the answer `seconds` later
    "hung",  # neither effect nor answer
    "hung_after_effect",  # the effect, and never an answer
    "dropped",  # the connection breaks; no effect
    "dropped_after_effect",  # the effect, then the connection breaks
    "drip",  # the effect; the body comes one byte every `seconds`
    "status",  # an error answer with `status`, `code`, `message` in EasyPost's form; no effect
    "status_after_effect",  # the effect, then that error answer
    "html",  # an HTML error page with `status`; no effect
    "html_after_effect",  # the effect, then that page
    "truncated",  # the effect; 2xx with half of the JSON
    "garbage",  # the effect; 2xx with JSON of a wrong shape
    "overloaded",  # 429 with Retry-After: `seconds`; no effect
    "no_rates",  # rating gives no rate, and `message` for the account
    "currency",  # rating gives prices in the currency `code`
    "rival",  # rating lists first another carrier's services of equal names, at other prices
    "price",  # a rating or a purchase books prices `cents` higher
]
RATING: tuple[Kind, ...] = ("no_rates", "currency", "rival", "price")


@dataclass
class Fault:
    """One fault. `call` is a name of `easypost.CALLS` ("buy", "rates", …) or "*"; it is played `times` times."""

    call: str
    kind: Kind
    times: int = 1
    seconds: float = 0.0
    status: int = 500
    code: str = "INTERNAL_SERVER_ERROR"
    message: str = "We're sorry, something went wrong."
    cents: int = 0

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """From the JSON of the control endpoint; a misspelt field is an error."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"no such field: {unknown}")
        return cls(**values)


@dataclass
class FaultBook:
    """The faults that are still to be played, those that were, and how often each call came."""

    waiting: list[Fault] = field(default_factory=list)
    played: list[tuple[str, str]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def take(self, call: str) -> Fault | None:
        """Count the call; the next fault for it, counted down."""
        self.calls[call] += 1
        for fault in self.waiting:
            if fault.call in {call, "*"} and fault.times > 0:
                fault.times -= 1
                self.played.append((call, fault.kind))
                return fault
        return None


class FaultMiddleware:
    """Plays the fault of the call that `name_of(scope)` names, around the app."""

    def __init__(self, app: ASGIApp, book: FaultBook, name_of: Any) -> None:
        self.app = app
        self.book = book
        self.name_of = name_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self.name_of(scope) if scope["type"] == "http" else None
        fault = self.book.take(call) if call else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["fault"] = fault
        if fault.kind in RATING or fault.kind == "slow":
            await self.app(scope, receive, send)  # The handlers play these themselves.
            return
        await self._play(fault, scope, receive, send)

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if not _has_effect(fault):
            await _read_all(receive)
            await self._answer(fault, [], scope, send)
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        await self._answer(fault, kept, scope, send)

    async def _answer(self, fault: Fault, kept: list[Message], scope: Scope, send: Send) -> None:
        match fault.kind:
            case "withheld":
                await asyncio.sleep(fault.seconds)
                await _resend(kept, send)
            case "hung" | "hung_after_effect":
                await asyncio.sleep(3600)
            case "dropped" | "dropped_after_effect":
                scope["state"]["abort"]()
            case "drip":
                await _drip(kept, fault.seconds, send)
            case "status" | "status_after_effect":
                await _send(send, fault.status, error_body(fault.code, fault.message))
            case "html" | "html_after_effect":
                page = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
                await _send(send, fault.status, page, [(b"content-type", b"text/html")])
            case "truncated":
                whole = b"".join(m.get("body", b"") for m in kept)
                await _send(send, kept[0]["status"], whole[: len(whole) // 2])
            case "garbage":
                await _send(send, kept[0]["status"], b'{"id": 7, "rates": "none", "selected_rate": [1]}')
            case "overloaded":
                body = error_body("RATE_LIMITED", "Too many requests.")
                await _send(send, 429, body, [(b"retry-after", str(fault.seconds).encode())])
            case _:
                raise AssertionError(fault.kind)


def _has_effect(fault: Fault) -> bool:
    return fault.kind.endswith("_after_effect") or fault.kind in {"withheld", "drip", "truncated", "garbage"}


def error_body(code: str, message: str, errors: Sequence[Any] = ()) -> bytes:
    """An error answer in EasyPost's form."""
    return json.dumps({"error": {"code": code, "message": message, "errors": list(errors)}}).encode()


async def _read_all(receive: Receive) -> None:
    message = await receive()
    while message.get("more_body"):
        message = await receive()


async def _resend(kept: list[Message], send: Send) -> None:
    for message in kept:
        await send(message)


async def _drip(kept: list[Message], seconds: float, send: Send) -> None:
    await send(kept[0])
    for byte in b"".join(m.get("body", b"") for m in kept[1:]):
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.sleep(seconds)
    await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    sent = headers or [(b"content-type", b"application/json; charset=utf-8")]
    sent = [*sent, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
