"""Run an ASGI app as a real HTTP server on loopback: in a thread of a test, or as a process that outlives others.

An app finds `scope["state"]["abort"]`: calling it drops the connection without another byte, as a broken link does.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

GRACE_S = 1


class _Abortable(H11Protocol):
    """Lets the app drop its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


class _Server(uvicorn.Server):
    """Says when it is up, and leaves no connection open behind it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            transport = cast("_Abortable", connection).transport
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)


def _server(app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app,
        http=_Abortable,
        ws="none",
        lifespan="auto",
        loop="asyncio",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return _Server(config)


def _listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    # Named as TCP, because asyncio switches Nagle off only for sockets that say so: else each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve the app from a thread with its own event loop; gives the base URL without a trailing slash.

    Leaving ends requests that still hang after `GRACE_S` and waits until the thread is gone.
    """
    server = _server(app)
    with _listen(port) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="simulator", daemon=True)
        thread.start()
        try:
            while not server.is_up.wait(0.05):
                if not thread.is_alive():
                    raise RuntimeError("The simulator did not start.")
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join(GRACE_S + 10)
            if thread.is_alive():
                raise RuntimeError("The simulator did not stop.")


def run(app: ASGIApp, port: int = 0, hosts: Sequence[str] = ("127.0.0.1",)) -> None:
    """Serve the app in this process until SIGTERM or SIGINT; the first line on standard output is the base URL.

    Further `hosts` are further addresses of this machine, with the same port.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(port, hosts[0]))
        others = [stack.enter_context(_listen(listener.getsockname()[1], host)) for host in hosts[1:]]
        sys.stdout.write(_url(listener) + "\n")
        sys.stdout.flush()
        _server(app).run([listener, *others])


@contextmanager
def serve_in_child(module: str, *arguments: str) -> Iterator[str]:
    """Run `python -m module arguments…` (a main that calls `run`) as its own process; gives its base URL."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 (our own module)
        try:
            assert child.stdout is not None
            url = child.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"{module} did not start.")
            yield url
        finally:
            child.terminate()
            try:
                child.wait(GRACE_S + 10)
            except subprocess.TimeoutExpired:
                child.kill()
