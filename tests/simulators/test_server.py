"""The server under all simulators."""

from __future__ import annotations

import asyncio
import http.client
import threading
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.simulators.server import serve


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _drop(request: Request) -> PlainTextResponse:
    request.scope["state"]["abort"]()
    return PlainTextResponse("never seen")


async def _hang(_: Request) -> PlainTextResponse:
    await asyncio.sleep(3600)
    return PlainTextResponse("never seen")


APP = Starlette(routes=[Route("/hello", _hello), Route("/drop", _drop), Route("/hang", _hang)])


def _get(base_url: str, path: str, timeout_s: float = 5) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_an_app_is_served_on_loopback_until_the_block_is_left() -> None:
    with serve(APP) as base_url:
        assert _get(base_url, "/hello") == (200, b"hello")
    with pytest.raises(ConnectionRefusedError):
        _get(base_url, "/hello")


def test_a_connection_can_be_dropped_without_an_answer() -> None:
    with serve(APP) as base_url, pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        _get(base_url, "/drop")


def test_leaving_does_not_wait_for_a_request_that_hangs() -> None:
    before = set(threading.enumerate())
    with serve(APP) as base_url, pytest.raises(TimeoutError):
        _get(base_url, "/hang", timeout_s=0.2)
    assert not [each for each in set(threading.enumerate()) - before if each.name == "simulator"]


def test_leaving_ends_the_wait_of_a_client_that_is_still_there() -> None:
    with serve(APP) as base_url:
        connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=5)
        connection.request("GET", "/hang")
    with closing(connection), suppress(http.client.RemoteDisconnected, ConnectionResetError):
        assert connection.getresponse().status == 500
