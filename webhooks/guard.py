"""Connect only to addresses that were checked: the guard against calls into private networks and DNS rebinding."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

import anyio
import anyio.to_thread
import httpcore2

from webhooks.errors import NotSent

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
AllowPrivate = bool | Callable[[str], bool]

_HEAD_START_S = 0.25  # RFC 8305 (Happy Eyeballs): how long one address is tried before the next one joins.
_LOOKUPS_PER_HOST = 4
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: IPAddress) -> bool:
    """True for an address of the open internet; an IPv4 address inside an IPv6 one counts as itself."""
    inner = _inner(address)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified)


def _inner(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, in the system's order. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections for the connection pools, to the very address that was checked.

    All addresses of a host must be public, unless `allow_private` says yes (to everything, or to that host). The TLS
    name stays the host. Raises NotSent for a refused address or a name that does not resolve.
    """

    def __init__(self, allow_private: AllowPrivate, lookup: Resolve = resolve) -> None:
        self._allow_private = allow_private
        self._lookup = lookup
        self._inner = httpcore2.AnyIOBackend()
        self._lookups: Counter[str] = Counter()
        self._lock = threading.Lock()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  The parent class fixes the name.
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers."""
        addresses = await self._checked(host, port)

        async def connect(address: str) -> httpcore2.AsyncNetworkStream:
            return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

        return await (connect(addresses[0]) if len(addresses) == 1 else _Race(connect).run(addresses))

    async def sleep(self, seconds: float) -> None:
        """Wait; asked for by the parent class only."""
        await anyio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = [str(ipaddress.ip_address(host))]
        except ValueError:
            addresses = await self._addresses(host, port)
        allowed = self._allow_private if isinstance(self._allow_private, bool) else self._allow_private(host)
        # A zone ("fe80::1%eth0") exists on link-local addresses only; ip_address reads it.
        if not allowed and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
            raise NotSent(f"{host} is in a private network, and Waybill does not call there.", detail="private address")
        return addresses

    async def _addresses(self, host: str, port: int) -> list[str]:
        def look_up() -> list[str]:
            # A name server that hangs keeps a thread for a while after its caller gave up: so few of them a host.
            with self._lock:
                if self._lookups[host] >= _LOOKUPS_PER_HOST:
                    raise NotSent(f"The address of {host} cannot be found just now.", detail="name look-ups hang")
                self._lookups[host] += 1
            try:
                return self._lookup(host, port)
            finally:
                with self._lock:
                    self._lookups[host] -= 1
                    self._lookups += Counter()  # Drops the zeros.

        limiter = anyio.CapacityLimiter(1)
        try:
            addresses = await anyio.to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=limiter)
        except (OSError, UnicodeError) as error:
            raise NotSent(f"The address of {host} cannot be found.", detail=type(error).__name__) from error
        if not addresses:
            raise NotSent(f"The address of {host} cannot be found.", detail="no address")
        return addresses


class _Race:
    """Tries addresses one after the other with a short head start each, and keeps the first that connects."""

    def __init__(self, connect: Callable[[str], Awaitable[httpcore2.AsyncNetworkStream]]) -> None:
        self._connect = connect
        self._winner: httpcore2.AsyncNetworkStream | None = None
        self._error: Exception | None = None

    async def run(self, addresses: list[str]) -> httpcore2.AsyncNetworkStream:
        try:
            async with anyio.create_task_group() as group:
                for address in addresses:
                    failed = anyio.Event()
                    group.start_soon(self._attempt, address, failed, group.cancel_scope)
                    with anyio.move_on_after(_HEAD_START_S):
                        await failed.wait()
        except BaseException:
            if self._winner is not None:
                await self._winner.aclose()
            raise
        if self._winner is None:
            raise self._error or httpcore2.ConnectError("no address")
        return self._winner

    async def _attempt(self, address: str, failed: anyio.Event, race: anyio.CancelScope) -> None:
        try:
            stream = await self._connect(address)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            self._error = self._error or error
            failed.set()
            return
        if self._winner is None:
            self._winner = stream
            race.cancel()
        else:
            await stream.aclose()
