"""Through a real server: refusals reach the client, slow ones are cut off, tokens stay out of the log."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
import structlog
import uvicorn

from connector.http.limits import Limits
from connector.http.routes import build_app
from connector.http.server import server_config
from connector.logs import set_up_logs
from connector.settings import MIB
from tests.http.house import RATE_BODY, RATES_TOKEN, House

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PATH = f"/rates/shp_1/{RATES_TOKEN}"


@pytest.fixture
async def port(house: House) -> AsyncIterator[int]:
    """A server of the house on a free port."""
    house.limits = Limits(body_s=0.3)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(build_app(house.front()), host="127.0.0.1", port=0, grace_s=1))
    serving = asyncio.create_task(server.serve([listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


@pytest.fixture
async def client(port: int) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client


async def test_a_rate_request_is_answered(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, content=RATE_BODY)
    assert (answer.status_code, answer.content) == (200, b'{"rates": [1]}')
    assert "server" not in answer.headers


async def test_a_client_that_sends_too_much_gets_to_read_the_refusal(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, content=b" " * (4 * MIB))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_a_client_that_streams_too_much_gets_to_read_the_refusal(client: httpx2.AsyncClient) -> None:
    async def pour() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65536

    assert (await client.post(PATH, content=pour())).status_code == 413


async def test_a_connection_whose_body_does_not_come_is_closed(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\n{{".encode())
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_connection_serves_on_after_a_stranger_s_request(client: httpx2.AsyncClient) -> None:
    strange = await client.post("/rates/shp_9/token", content=b" " * 100_000)
    answer = await client.post(PATH, content=RATE_BODY)
    assert (strange.status_code, answer.status_code) == (404, 200)


async def test_no_token_reaches_the_log(client: httpx2.AsyncClient) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("text", "debug", stream)
    try:
        await client.post(PATH, content=RATE_BODY)
        await client.get(PATH)
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()
    assert RATES_TOKEN not in stream.getvalue()
