"""Bodies that are too long or too slow are cut, and the rest of the house does not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from connector.http.limits import Limits, NoBody, read_body, read_headers
from connector.http.routes import build_app
from connector.settings import MIB, Settings
from tests.http.house import CARRIER_TOKEN, HOOKS_TOKEN, RATES_TOKEN, House

pytestmark = pytest.mark.anyio

RATES = f"/rates/shp_1/{RATES_TOKEN}"
DOORS = [
    (RATES, MIB),
    (f"/hooks/shp_1/{HOOKS_TOKEN}", 8 * MIB),
    (f"/hooks/carrier/{CARRIER_TOKEN}", 8 * MIB),
    ("/apps/app_1/hooks", 8 * MIB),
]


@pytest.mark.parametrize(("path", "most"), DOORS)
async def test_an_announced_length_beyond_the_limit_is_refused(house: House, path: str, most: int) -> None:
    answer = await house.ask("POST", path, content=b" " * (most + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert not house.inbox.kept
    assert not house.quoting.asked


@pytest.mark.parametrize(("path", "most"), DOORS)
async def test_a_body_of_unknown_length_is_cut_at_the_limit(house: House, path: str, most: int) -> None:
    sent = 0

    async def pour() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * most:
            sent += 65536
            yield b" " * 65536

    answer = await house.ask("POST", path, content=pour())
    assert answer.status_code == 413
    assert sent < 64 * most
    assert not house.inbox.kept
    assert not house.quoting.asked


@pytest.mark.parametrize(("path", "most"), DOORS)
async def test_a_body_of_just_the_limit_is_read(house: House, path: str, most: int) -> None:
    answer = await house.ask("POST", path, content=b" " * most)
    assert answer.status_code in {400, 401}


@pytest.mark.parametrize(("path", "_most"), DOORS)
async def test_a_body_that_drips_is_cut_by_the_clock(house: House, path: str, _most: int) -> None:
    house.limits = Limits(body_s=0.05)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.005)

    answer = await house.ask("POST", path, content=drip())
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "too_slow")
    assert answer.headers["connection"] == "close"
    assert not house.inbox.kept
    assert not house.quoting.asked


@pytest.mark.complaint(29)
async def test_a_client_that_leaves_early_is_counted(house: House) -> None:
    messages: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        messages.append({"message": message})

    scope = {"type": "http", "method": "POST", "path": RATES, "headers": [], "query_string": b"", "root_path": ""}
    await build_app(house.front())(scope, receive, send)
    assert messages == []
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome="gone") == 1


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "0x10", "1, 1"])
async def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    async def receive() -> dict[str, object]:
        raise AssertionError

    refused = await read_body(receive, {"content-length": length}, 10, 1)
    assert isinstance(refused, NoBody)
    assert refused.outcome == "refused"


async def test_a_length_of_endless_digits_is_too_large() -> None:
    async def receive() -> dict[str, object]:
        raise AssertionError

    refused = await read_body(receive, {"content-length": "9" * 5000}, 10, 1)
    assert isinstance(refused, NoBody)
    assert refused.outcome == "too_large"


def test_headers_sent_twice_are_joined() -> None:
    scope = {"headers": [(b"x-a", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")]}
    assert read_headers(scope) == {"x-a": "1, 2", "x-b": "é"}


def test_limits_come_from_the_settings() -> None:
    assert Limits.of(Settings()) == Limits()
    assert Limits.of(Settings(rate_body_bytes=2048, metrics_token="m" * 16)).metrics_token == "m" * 16  # type: ignore[arg-type]
