"""What goes wrong inside stays inside: one small answer, one line in the log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from connector.http.ports import Quoted
from connector.logs import set_up_logs
from tests.http.house import HOOK_BODY, HOOKS_TOKEN, RATE_BODY, RATES_TOKEN, House, sign

pytestmark = pytest.mark.anyio

RATES = f"/rates/shp_1/{RATES_TOKEN}"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The lines that are logged."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("json", "info", stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


async def test_a_fault_is_a_500_with_a_request_id_and_one_line_in_the_log(house: House, log: io.StringIO) -> None:
    async def fail() -> Quoted:
        raise ZeroDivisionError("secret of ann@example.com")

    house.quoting.behave = fail
    answer = await house.ask("POST", RATES, content=RATE_BODY)
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert "Traceback" not in answer.text
    assert "ZeroDivisionError" not in answer.text
    (line,) = [json.loads(text) for text in log.getvalue().splitlines()]
    assert line["request_id"] == error["request_id"]
    assert line["trace"][0] == "ZeroDivisionError"
    assert RATES_TOKEN not in log.getvalue()
    assert "ann@example.com" not in log.getvalue()
    assert house.count("waybill_http_errors_total") == 1
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome="failed") == 1


async def test_a_time_out_inside_is_a_fault_and_not_taken_for_ours(house: House, log: io.StringIO) -> None:
    async def fail() -> Quoted:
        raise TimeoutError

    house.quoting.behave = fail
    assert (await house.ask("POST", RATES, content=RATE_BODY)).status_code == 500
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome="timed_out") == 0


async def test_a_fault_while_storing_is_a_500_of_the_same_form(house: House, log: io.StringIO) -> None:
    def fail() -> None:
        raise KeyError("ann@example.com")

    house.inbox.behave = fail
    headers = {"x-signature": sign(HOOK_BODY)}
    answer = await house.ask("POST", f"/hooks/shp_1/{HOOKS_TOKEN}", content=HOOK_BODY, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert len(log.getvalue().splitlines()) == 1
    assert "ann@example.com" not in log.getvalue()


async def test_ordinary_requests_are_not_logged(house: House, log: io.StringIO) -> None:
    async with house.client() as client:
        await client.post(RATES, content=RATE_BODY)
        await client.post("/rates/shp_9/token", content=RATE_BODY)
    assert log.getvalue() == ""
