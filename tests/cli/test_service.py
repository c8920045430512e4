"""`waybill up` and `demo`: real processes that start, answer, and stop without leaving anything behind."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.cli.shell import Process, Shell, shell_in, started, until
from tests.cli.worlds import DOMAIN, Shop
from webhooks.errors import OutgoingError
from webhooks.outgoing import HTTPAnswer, OutgoingClient

pytestmark = pytest.mark.slow


def call(method: str, url: str, content: bytes = b"") -> HTTPAnswer | None:
    """One call; None while nobody answers."""

    async def ask() -> HTTPAnswer | None:
        client = OutgoingClient(allow_private=True)
        try:
            return await client.request(method, url, deadline_s=10, content=content or None)
        except OutgoingError:
            return None
        finally:
            await client.aclose()

    return anyio.run(ask)


def base_of(process: Process) -> str:
    """Where the web process listens, which its log says."""
    listening = re.compile(r"running on (http://127\.0\.0\.1:\d+)")

    def found() -> str:
        return next((match[1] for line in process.log if (match := listening.search(line))), "")

    until(found, "the web process to listen")
    return found()


def children(process: Process) -> list[int]:
    """The processes that the supervisor started."""
    return [int(match[1]) for line in process.log if (match := re.search(r"started as process (\d+)", line))]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def status(url: str) -> int:
    answer = call("GET", url)
    return 0 if answer is None else answer.status


def test_up_serves_a_first_quote_and_stops_without_a_trace(shop: Shop) -> None:
    """From start to stop: health, readiness, a worker's heartbeat, a quote, then SIGTERM; the log stays calm."""
    with started(shop.shell, "up", "--port", "0") as process:
        assert process.line().startswith("Waybill listens on a free port of 127.0.0.1")
        base = base_of(process)
        until(lambda: status(f"{base}/healthz") == 200, "/healthz")
        until(lambda: status(f"{base}/readyz") == 200, "/readyz")

        def heartbeat() -> Any:
            answer = call("GET", f"{base}/readyz")
            return answer and json.loads(answer.content)["worker_heartbeat_age_s"] is not None

        until(heartbeat, "the worker")
        rate_url = shop.shell.json("shop", "list")["shops"][0]["rate_url"].replace("http://127.0.0.1:8080", base)
        request = shop.at_the_store(_signed)
        answer = anyio.run(_post, rate_url, request)
        assert answer.status == 200
        assert json.loads(answer.content)["offers"]
        assert process.stop() == 0
    assert not [pid for pid in children(process) if alive(pid)]
    ends = [line for line in process.log if "ended with" in line]
    assert sorted(ends) == ["waybill up: web: ended with exit code 0", "waybill up: worker: ended with exit code 0"]
    assert not [line for line in process.log if re.search(r"\[(warning|error|critical)", line)]
    token = rate_url.rpartition("/")[2]
    assert token not in "\n".join(process.log)


async def _signed(keeper: Any) -> Any:
    from tests.cli.worlds import _cart

    return keeper.rate_call(_cart())


async def _post(url: str, request: Any) -> HTTPAnswer:
    client = OutgoingClient(allow_private=True)
    try:
        return await client.request("POST", url, deadline_s=20, content=request.body, headers=request.headers)
    finally:
        await client.aclose()


def test_up_takes_the_json_form_and_stops_at_ctrl_c(shop: Shop) -> None:
    with started(shop.shell, "up", "--port", "0", "--json") as process:
        assert json.loads(process.line()) == {"url": "http://127.0.0.1:8080", "host": "127.0.0.1", "port": 0}
        base_of(process)
        assert process.stop(signal.SIGINT) == 0
    assert not [pid for pid in children(process) if alive(pid)]


def test_up_on_a_wrong_setting_ends_at_once(tmp_path: Path) -> None:
    with started(shell_in(tmp_path, lease_s="1"), "up") as process:
        until(lambda: process.child.poll() is not None, "its end")
        assert process.child.returncode == 78
    assert not children(process)


def test_a_shop_that_is_added_while_the_server_runs_is_served(shell: Shell) -> None:
    with started(shell, "up", "--port", "0") as process:
        base = base_of(process)
        added = shell.json("shop", "add", "sandbox", "--domain", DOMAIN)
        rate_url = added["rate_url"].replace("http://127.0.0.1:8080", base)

        def known() -> bool:
            answer = call("POST", rate_url, b"{}")
            return answer is not None and answer.status != 404

        until(known, "the server to know the shop")


@pytest.mark.need(77)
def test_the_demo_tells_the_whole_story_and_leaves_no_process(tmp_path: Path) -> None:
    """Variables of the environment, a wrong one included, do not touch it."""
    shell = Shell({"WAYBILL_DATA_DIR": str(tmp_path / "untouched"), "WAYBILL_PORT": "no port", "TMPDIR": str(tmp_path)})
    with started(shell, "demo", "--once", "--json") as process:
        story = json.loads(process.line())
        until(lambda: process.child.poll() is not None, "its end")
        assert process.child.returncode == 0
    assert [step["step"] for step in story["steps"]] == [
        "start", "set_up", "quote", "order", "webhook", "label", "fulfilment", "tracking", "delivered", "amounts",
    ]  # fmt: skip
    figures = {step["step"]: step for step in story["steps"]}
    assert (figures["label"]["sold"], figures["delivered"]["timeline"][-1]) == (1, "delivered")
    assert Path(figures["label"]["files"][0]).read_bytes().startswith(b"%PDF-")
    assert not [pid for pid in children(process) if alive(pid)]
    assert not (tmp_path / "untouched").exists()
