"""The one outgoing HTTP client: pools, a total deadline, a private-address guard, a redacted trace."""

from __future__ import annotations

import json as json_text
import re
import ssl
import time
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread
import httpcore2
import httpx2

from webhooks.errors import NoAnswer, NotSent, OutgoingError
from webhooks.guard import AllowPrivate, GuardedBackend, Resolve, resolve
from webhooks.ports import Fence

_MAX_POOLS = 200
_KEEP_ALIVE_S = 15.0
_PLAIN_SEGMENT = re.compile(r"[a-z_.-]{1,24}|v\d{1,2}|20\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class HTTPAnswer:
    """A whole HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    elapsed_s: float


class Outgoing(Protocol):
    """Makes outgoing calls."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        fence: Fence | None = None,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> HTTPAnswer:
        """One call, never repeated, done with its body within `deadline_s` seconds in total.

        Any status is an answer; redirects are not followed. With a `fence` the first byte leaves only if it says yes.
        Raises NotSent if nothing left this process, NoAnswer if it left and no whole answer came.
        """
        ...


@dataclass(frozen=True, slots=True)
class CallTrace:
    """What may be logged of one call: never a header, a body, a query value, or an id or token of the path.

    `outcome` is answered, not_sent or no_answer; `status` is the HTTP status, where one came.
    """

    method: str
    host: str
    path: str
    outcome: str
    status: int | None
    elapsed_s: float


def redact_path(path: str) -> str:
    """The path with everything replaced by `*` that does not read as a plain word or a version."""
    return "/".join(segment if not segment or _PLAIN_SEGMENT.fullmatch(segment) else "*" for segment in path.split("/"))


class Authorities:
    """Whom TLS believes: the system's authorities and those in a file. Read once for all clients that share them."""

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self.known: ssl.SSLContext | None = None

    async def read(self) -> ssl.SSLContext:
        """Takes tens of milliseconds, so not on the loop."""
        if self.known is None:
            self.known = await anyio.to_thread.run_sync(self._read)
        return self.known

    def _read(self) -> ssl.SSLContext:
        context = httpx2.create_ssl_context(trust_env=False)
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        return context


class OutgoingClient:
    """Outgoing calls over httpcore2 (the engine of httpx2), with one pool of connections per scheme, host and port.

    A party that hangs can use up its own `connections_per_host` only. No redirects, repeats, cookies, proxies or
    settings from the environment; TLS is always verified, by the system's authorities and those in `ca_file`.
    `allow_private` opens private networks to every host, or to those that the predicate says yes to.
    """

    def __init__(
        self,
        *,
        allow_private: AllowPrivate = False,
        connections_per_host: int = 20,
        trace: Callable[[CallTrace], None] | None = None,
        ca_file: Path | None = None,
        lookup: Resolve = resolve,
        authorities: Authorities | None = None,
    ) -> None:
        self._backend = GuardedBackend(allow_private, lookup)
        self._connections = connections_per_host
        self._trace = trace
        self._allow_private = allow_private
        self._lookup = lookup
        self._authorities = authorities or Authorities(ca_file)
        self._pools: OrderedDict[tuple[bytes, bytes, int | None], httpcore2.AsyncConnectionPool] = OrderedDict()
        self._agent = f"Waybill/{_version()}"

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        fence: Fence | None = None,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> HTTPAnswer:
        """See `Outgoing.request`. `max_bytes` bounds the body after decompression."""
        target = _read_url(url)
        body = content if json is None else json_text.dumps(json, ensure_ascii=False, allow_nan=False).encode()
        sending = _Sending(fence, target.host)
        request = self._build(method, target, headers or {}, body, is_json=json is not None, sending=sending)
        started = time.monotonic()
        outcome, status = "no_answer", None
        try:
            with anyio.fail_after(max(deadline_s, 0)):
                status, answer_headers, answer_body = await self._exchange(request, target, max_bytes)
            outcome = "answered"
        except TimeoutError as error:
            raise sending.failure("did not answer in time", "deadline") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as error:
            raise sending.failure("could not be reached", _root(error)) from error
        finally:
            if not sending.left:
                outcome = "not_sent"
            if self._trace is not None:
                path = redact_path(target.path)
                self._trace(CallTrace(method, target.host, path, outcome, status, time.monotonic() - started))
        return HTTPAnswer(status, answer_headers, answer_body, time.monotonic() - started)

    def apart(self) -> OutgoingClient:
        """Another client of the same settings with pools of its own: who hangs there takes nothing from here."""
        return OutgoingClient(
            allow_private=self._allow_private,
            connections_per_host=self._connections,
            trace=self._trace,
            lookup=self._lookup,
            authorities=self._authorities,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, OrderedDict()
        for pool in pools.values():
            await pool.aclose()

    def _build(
        self,
        method: str,
        url: httpx2.URL,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        is_json: bool,
        sending: _Sending,
    ) -> httpcore2.Request:
        sent = {
            "host": url.netloc.decode("ascii"),
            "user-agent": self._agent,
            "accept": "*/*",
            "accept-encoding": "gzip",
        }
        if is_json:
            sent["content-type"] = "application/json"
        sent |= {name.lower(): value for name, value in headers.items()}
        if body is not None or method in {"POST", "PUT", "PATCH"}:
            sent["content-length"] = str(len(body or b""))
        try:
            raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in sent.items()]
        except UnicodeEncodeError as error:
            raise NotSent("The request cannot be sent: a header is not plain text.", detail="header") from error
        return httpcore2.Request(
            method.encode("ascii"),
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=raw,
            content=body or b"",
            extensions={"trace": sending.trace},
        )

    async def _exchange(
        self, request: httpcore2.Request, url: httpx2.URL, max_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        pool = await self._pool(url)
        response = await pool.handle_async_request(request)
        try:
            headers: dict[str, str] = {}
            for raw_name, raw_value in response.headers:
                name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            return response.status, headers, await _read_body(response, headers, max_bytes, url.host)
        finally:
            await response.aclose()

    async def _pool(self, url: httpx2.URL) -> httpcore2.AsyncConnectionPool:
        key = (url.raw_scheme, url.raw_host, url.port)
        if key in self._pools:
            self._pools.move_to_end(key)
            return self._pools[key]
        tls = None
        if url.scheme == "https":
            tls = self._authorities.known or await self._authorities.read()
            if key in self._pools:  # Made by another call while this one waited.
                return self._pools[key]
        pool = self._pools[key] = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=self._connections,
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=self._backend,
        )
        if len(self._pools) > _MAX_POOLS:
            await self._drop_idle_pools()
        return pool

    async def _drop_idle_pools(self) -> None:
        """Forget the longest unused pools; one with calls under way stays."""
        for key, pool in list(self._pools.items())[: len(self._pools) // 2]:
            if all(connection.is_idle() for connection in pool.connections):
                del self._pools[key]
                await pool.aclose()


class _Sending:
    """Whether one request has begun to leave; asks the fence at the last moment before it does."""

    def __init__(self, fence: Fence | None, host: str) -> None:
        self._fence = fence
        self._host = host
        self.left = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore2. Nothing is awaited between the fence's yes and the first write."""
        if event == "http11.send_request_headers.started":
            if self._fence is not None and not self._fence():
                raise NotSent("This process may no longer act; another one goes on.", detail="fenced")
            self.left = True
        elif event == "http11.send_request_headers.failed":
            # A header that cannot be written is refused before the first byte.
            self.left = not isinstance(info.get("exception"), httpcore2.LocalProtocolError)

    def failure(self, what: str, detail: str) -> OutgoingError:
        """The error for a call that broke off, by whether it had left."""
        if self.left:
            return NoAnswer(f"{self._host} {what}; whether the request took effect is not known.", detail=detail)
        return NotSent(f"{self._host} {what}.", detail=detail)


def _read_url(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError, TypeError) as error:
        raise NotSent("The address to call is not a URL.", detail="url") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.userinfo:
        raise NotSent("The address to call is not a plain http or https URL.", detail="url")
    return parsed


async def _read_body(response: httpcore2.Response, headers: Mapping[str, str], max_bytes: int, host: str) -> bytes:
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "", "gzip"}:
        raise NoAnswer(f"{host} sent an answer that cannot be read.", detail="content-encoding")
    unzip = zlib.decompressobj(wbits=31) if coding == "gzip" else None
    body = bytearray()
    stream = response.stream
    assert isinstance(stream, AsyncIterable)  # noqa: S101  For the type: an async pool answers so.
    try:
        async for chunk in stream:
            # The limit holds inside the decompression, so that a small answer cannot fill the memory.
            body += unzip.decompress(chunk, max_bytes + 1 - len(body)) if unzip else chunk
            if len(body) > max_bytes:
                raise NoAnswer(f"{host} sent an answer that is too large.", detail=f"over {max_bytes} bytes")
    except zlib.error as error:
        raise NoAnswer(f"{host} sent an answer that cannot be read.", detail="gzip") from error
    if unzip and body and not unzip.eof:
        raise NoAnswer(f"{host} sent an answer that is not whole.", detail="gzip")
    return bytes(body)


def _root(error: BaseException) -> str:
    """The name of what lies at the bottom: httpcore2 hands on the system's own error as its argument."""
    inner = error.args[0] if error.args else None
    deeper = inner if isinstance(inner, BaseException) else error.__cause__
    return type(error).__name__ if deeper is None else _root(deeper)


def _version() -> str:
    try:
        return metadata.version("waybill")
    except metadata.PackageNotFoundError:  # Run from a source tree that was not installed.
        return "0"
