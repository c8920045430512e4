"""Bodies that are too long or too slow, headers as our readers take them, and proof that a request may ask."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.types import Message, Receive, Scope, Send

from connector.http.errors import MALFORMED, TOO_LARGE, TOO_SLOW, send_reply
from connector.settings import Settings
from webhooks.receiver import Reply

# After a refusal for length the rest is read and dropped for a while, else the client's system may throw our answer
# away together with the connection (RFC 9112, 9.6).
_LINGER_S = 1.0
_LINGER_BYTES = 32 * 1024 * 1024

BodyOutcome = Literal["too_large", "too_slow", "gone", "refused"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long; lengths in bytes, times in seconds."""

    rate_body_bytes: int = 1024 * 1024
    hook_body_bytes: int = 8 * 1024 * 1024
    body_s: float = 5
    rate_s: float = 8
    hook_s: float = 4.5
    hook_threads: int = 4
    hook_backlog: int = 256
    metrics_token: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings name."""
        return cls(
            rate_body_bytes=settings.rate_body_bytes,
            hook_body_bytes=settings.hook_body_bytes,
            body_s=settings.body_timeout_s,
            rate_s=settings.rate_timeout_s,
            hook_s=settings.hook_timeout_s,
            hook_threads=settings.hook_threads,
            hook_backlog=settings.hook_backlog,
            metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else "",
        )


@dataclass(frozen=True, slots=True)
class NoBody:
    """Why a body was not taken; `reply` is None where nobody listens any more."""

    outcome: BodyOutcome
    reply: Reply | None


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers, whose names ASGI gives in lower case. Those sent twice are joined, so that none hides another."""
    pairs = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(headers) < len(pairs):
        headers.clear()
        for raw_name, raw_value in pairs:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def read_body(receive: Receive, headers: Mapping[str, str], most: int, within_s: float) -> bytes | NoBody:
    """The whole body, of at most so many bytes and within so many seconds."""
    refused = _refused(headers.get("content-length", ""), most)
    if refused is not None:
        return refused
    chunks: list[bytes] = []
    size = 0
    first = _Begun(receive)
    if first.is_there and not first.message.get("more_body", False):
        # The usual case: it came with the head, and nothing has to be waited for.
        if first.message["type"] == "http.disconnect":
            return NoBody("gone", None)
        raw = first.message.get("body", b"")
        return raw if len(raw) <= most else NoBody("too_large", TOO_LARGE)
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await (receive() if chunks else first)
                if message["type"] == "http.disconnect":
                    return NoBody("gone", None)
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > most:
                    return NoBody("too_large", TOO_LARGE)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        return NoBody("too_slow", TOO_SLOW)


def _refused(announced: str, most: int) -> NoBody | None:
    """Why a body of this announced length is not even read."""
    if announced and not (announced.isascii() and announced.isdigit()):
        return NoBody("refused", MALFORMED)
    if announced and (len(announced) > 15 or int(announced) > most):
        return NoBody("too_large", TOO_LARGE)
    return None


class _Begun:
    """A reception that has begun: its message is there at once, or has still to be awaited."""

    def __init__(self, receive: Receive) -> None:
        self.is_there = False
        self.message: Message = {"type": "http.disconnect"}
        self._rest = receive().__await__()
        try:
            self._waits_for = next(self._rest)
        except StopIteration as ended:
            self.is_there, self.message = True, ended.value

    def __await__(self) -> Generator[Any, Any, Message]:
        """The message."""
        if self.is_there:
            return self.message
        waits_for = self._waits_for
        while True:
            try:
                sent = yield waits_for
                waits_for = self._rest.send(sent)
            except StopIteration as ended:
                return dict(ended.value)
            except BaseException as error:  # noqa: BLE001  Cancellation above all; it is thrown in, not kept.
                try:
                    waits_for = self._rest.throw(error)
                except StopIteration as ended:
                    return dict(ended.value)


async def refuse_body(refused: NoBody, receive: Receive, send: Send) -> None:
    """Tell the client why its body was not taken, so that it gets to read it."""
    if refused.reply is None:
        return
    if refused.outcome != "too_large":
        await send_reply(send, refused.reply)
        return
    await send_reply(send, refused.reply, more=True)
    dropped = 0
    try:
        async with asyncio.timeout(_LINGER_S):
            while dropped < _LINGER_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    break
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def same_text(given: str, expected: str) -> bool:
    """Whether both are equal, in a time that tells nothing of where they differ; any characters may be given."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))
