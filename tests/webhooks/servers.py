"""Small raw servers on loopback, to see exactly which bytes arrive and to answer badly on purpose."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.abc
from anyio.streams.tls import TLSListener

Answer = Callable[[anyio.abc.ByteStream, bytes], Awaitable[None]]


class Served:
    """What reached a server: each request's bytes, and how many connections were opened."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []
        self.connections = 0
        self.arrived = anyio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _read_request(stream: anyio.abc.ByteStream, buffer: bytes) -> bytes | None:
    while b"\r\n\r\n" not in buffer:
        try:
            buffer += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return None
    head, _, rest = buffer.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(rest) < length:
        rest += await stream.receive()
    return head + b"\r\n\r\n" + rest


@asynccontextmanager
async def serve(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Answer each request with `answer(stream, request)` until the block ends."""
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    served = Served(plain.extra(anyio.abc.SocketAttribute.local_port))  # noqa: S610  Not Django's.
    listener = TLSListener(plain, tls, standard_compatible=False) if tls else plain

    async def handle(stream: anyio.abc.ByteStream) -> None:
        served.connections += 1
        async with stream:
            while (request := await _read_request(stream, b"")) is not None:
                served.requests.append(request)
                served.arrived.set()
                try:
                    await answer(stream, request)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield served
        group.cancel_scope.cancel()


def reply(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """The bytes of a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(raw: bytes) -> Answer:
    """Answer every request with these bytes."""

    async def answer(stream: anyio.abc.ByteStream, _request: bytes) -> None:
        await stream.send(raw)

    return answer


async def hang(_stream: anyio.abc.ByteStream, _request: bytes) -> None:
    """Take the request and never answer."""
    await anyio.sleep_forever()
