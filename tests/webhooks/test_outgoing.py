"""The outgoing client says truthfully whether a request left, keeps its deadline, and goes nowhere else."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import pytest

from tests.webhooks.servers import always, hang, reply, serve
from webhooks.errors import NoAnswer, NotSent
from webhooks.outgoing import CallTrace, Outgoing, OutgoingClient, redact_path

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client(**options: object) -> AsyncIterator[OutgoingClient]:
    made = OutgoingClient(**({"allow_private": True} | options))  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.aclose()


async def test_an_answer_is_whole_and_its_header_names_are_lower_case() -> None:
    raw = reply(b'{"ok":true}', "201 Created", "X-Request-Id: abc", "Set-Cookie: a=1", "Set-Cookie: b=2")
    async with serve(always(raw)) as server, client() as outgoing:
        answer = await outgoing.request("POST", f"{server.url}/v2/x?y=1", deadline_s=5, json={"é": 1})
        again = await outgoing.request("GET", f"{server.url}/", deadline_s=5)
    assert (answer.status, answer.content) == (201, b'{"ok":true}')
    assert answer.headers["x-request-id"] == "abc"
    assert answer.headers["set-cookie"] == "a=1, b=2"
    assert again.status == 201
    assert server.connections == 1, "the connection is used again"
    first, second = server.requests
    assert first.startswith(b"POST /v2/x?y=1 HTTP/1.1\r\n")
    assert b"user-agent: Waybill/" in first
    assert first.endswith('{"é": 1}'.encode())
    assert b"cookie" not in second.lower()


async def test_the_client_is_an_outgoing() -> None:
    async with client() as made:
        outgoing: Outgoing = made
        assert outgoing is made


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with serve(always(reply(b"", "302 Found", "Location: /else"))) as server, client() as outgoing:
        answer = await outgoing.request("GET", server.url, deadline_s=5)
    assert answer.status == 302
    assert len(server.requests) == 1


async def test_a_request_that_left_and_got_no_answer_in_time_is_no_answer() -> None:
    async with serve(hang) as server, client() as outgoing:
        with pytest.raises(NoAnswer):
            await outgoing.request("POST", server.url, deadline_s=0.2, json={})
    assert len(server.requests) == 1


async def test_the_deadline_covers_a_body_that_drips() -> None:
    async def drip(stream: anyio.abc.ByteStream, _request: bytes) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await stream.send(b"x")
            await anyio.sleep(0.02)

    async with serve(drip) as server, client() as outgoing:
        with pytest.raises(NoAnswer):
            await outgoing.request("GET", server.url, deadline_s=0.3)


async def test_a_connection_cut_in_the_answer_is_no_answer_and_never_repeated() -> None:
    async def cut(stream: anyio.abc.ByteStream, _request: bytes) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxx")
        await stream.aclose()

    async with serve(cut) as server, client() as outgoing:
        with pytest.raises(NoAnswer):
            await outgoing.request("POST", server.url, deadline_s=5, json={})
    assert len(server.requests) == 1


async def test_no_connection_means_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with client() as outgoing:
            with pytest.raises(NotSent) as caught:
                await outgoing.request("POST", f"http://127.0.0.1:{port}/", deadline_s=5, json={})
    assert caught.value.detail == "ConnectionRefusedError"


async def test_a_deadline_that_has_passed_means_not_sent() -> None:
    async with serve(always(reply())) as server, client() as outgoing:
        with pytest.raises(NotSent):
            await outgoing.request("POST", server.url, deadline_s=0, json={})
    assert server.requests == []


async def test_waiting_for_a_free_connection_until_the_deadline_means_not_sent() -> None:
    async with serve(hang) as server, client(connections_per_host=1) as outgoing:

        async def first() -> None:
            with pytest.raises(NoAnswer):
                await outgoing.request("POST", server.url, deadline_s=1, json={})

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await server.arrived.wait()
            with pytest.raises(NotSent):
                await outgoing.request("POST", server.url, deadline_s=0.1, json={})
    assert len(server.requests) == 1


@pytest.mark.complaint(25)
async def test_a_hung_party_does_not_keep_another_from_being_called() -> None:
    async with serve(hang) as hung, serve(always(reply(b"fine"))) as well, client(connections_per_host=2) as outgoing:

        async def stuck() -> None:
            with pytest.raises((NotSent, NoAnswer)):
                await outgoing.request("GET", hung.url, deadline_s=1)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(stuck)
            await hung.arrived.wait()
            assert (await outgoing.request("GET", well.url, deadline_s=5)).content == b"fine"


async def test_the_fence_is_asked_last_and_its_no_keeps_every_byte_here() -> None:
    async with serve(always(reply())) as server, client() as outgoing:
        await outgoing.request("GET", server.url, deadline_s=5, fence=lambda: True)
        with pytest.raises(NotSent) as caught:
            await outgoing.request("POST", server.url, deadline_s=5, json={}, fence=lambda: False)
        await outgoing.request("GET", server.url, deadline_s=5)
    assert caught.value.detail == "fenced"
    assert len(server.requests) == 2


async def test_the_fence_is_asked_after_the_connection_stands() -> None:
    seen: list[int] = []
    async with serve(always(reply())) as server, client() as outgoing:

        def fence() -> bool:
            seen.append(len(server.requests))
            return True

        def late(_host: str, _port: int) -> list[str]:
            assert seen == []
            return ["127.0.0.1"]

        async with client(lookup=late) as other:
            await other.request("POST", f"http://carrier.example:{server.port}", deadline_s=5, fence=fence)
        assert outgoing is not other
    assert seen == [0]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.5.4",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:0a00:0001::1",
        "ff02::1",
    ],
)
async def test_private_addresses_are_refused_whatever_the_name(address: str) -> None:
    async with client(allow_private=False, lookup=lambda _h, _p: ["8.8.8.8", address]) as outgoing:
        with pytest.raises(NotSent) as caught:
            await outgoing.request("GET", "http://innocent.example/", deadline_s=5)
    assert caught.value.detail == "private address"


async def test_private_addresses_are_refused_in_the_url_itself() -> None:
    async with serve(always(reply())) as server, client(allow_private=False) as outgoing:
        for host in ("127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1"):
            with pytest.raises(NotSent):
                await outgoing.request("GET", f"http://{host}:{server.port}/", deadline_s=5)
    assert server.connections == 0


async def test_the_name_is_looked_up_once_so_that_a_second_answer_cannot_pass() -> None:
    answers = iter([["127.0.0.1"]])
    async with serve(always(reply())) as server, client(lookup=lambda _h, _p: next(answers)) as outgoing:
        answer = await outgoing.request("GET", f"http://carrier.example:{server.port}/", deadline_s=5)
        assert answer.status == 200
    assert b"host: carrier.example:" in server.requests[0]


async def test_a_predicate_opens_private_networks_to_named_hosts_only() -> None:
    async with (
        serve(always(reply())) as server,
        client(allow_private=lambda host: host == "own.example", lookup=lambda _h, _p: ["127.0.0.1"]) as outgoing,
    ):
        assert (await outgoing.request("GET", f"http://own.example:{server.port}", deadline_s=5)).status == 200
        with pytest.raises(NotSent):
            await outgoing.request("GET", f"http://other.example:{server.port}", deadline_s=5)


async def test_another_address_is_tried_when_the_first_does_not_answer() -> None:
    async with (
        serve(always(reply())) as server,
        client(lookup=lambda _h, _p: ["::1", "127.0.0.1"]) as outgoing,
    ):
        assert (await outgoing.request("GET", f"http://two.example:{server.port}", deadline_s=5)).status == 200


async def test_an_unknown_name_is_not_sent() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async with client(lookup=unknown) as outgoing:
        with pytest.raises(NotSent):
            await outgoing.request("GET", "https://nowhere.example/", deadline_s=5)


async def test_name_look_ups_that_hang_are_few_and_leave_others_alone() -> None:
    release = threading.Event()
    asked: list[str] = []

    def lookup(host: str, _port: int) -> list[str]:
        if host == "hung.example":
            asked.append(host)
            release.wait(10)
        return ["127.0.0.1"]

    try:
        async with serve(always(reply())) as server, client(lookup=lookup) as outgoing:
            for _ in range(6):
                with pytest.raises(NotSent):
                    await outgoing.request("GET", "http://hung.example/", deadline_s=0.1)
            assert len(asked) == 4
            assert (await outgoing.request("GET", f"http://well.example:{server.port}", deadline_s=5)).status == 200
    finally:
        release.set()


@pytest.mark.parametrize("url", ["ftp://x.example/", "x.example", "http://u:p@x.example/", "http:///x", "http://[::1"])
async def test_only_plain_http_urls_are_called(url: str) -> None:
    async with client() as outgoing:
        with pytest.raises(NotSent):
            await outgoing.request("GET", url, deadline_s=5)


@pytest.mark.parametrize("value", ["née", "a\r\nX-Evil: 1", "a\x00b"])
async def test_a_header_that_cannot_be_written_is_not_sent(value: str) -> None:
    async with serve(always(reply())) as server, client() as outgoing:
        with pytest.raises(NotSent):
            await outgoing.request("GET", server.url, deadline_s=5, headers={"x-name": value})
    assert server.requests == []


async def test_a_body_over_the_limit_is_refused() -> None:
    async with serve(always(reply(b"x" * 100))) as server, client() as outgoing:
        with pytest.raises(NoAnswer):
            await outgoing.request("GET", server.url, deadline_s=5, max_bytes=99)
        assert len((await outgoing.request("GET", server.url, deadline_s=5, max_bytes=100)).content) == 100


async def test_the_limit_holds_for_what_a_packed_body_unfolds_to() -> None:
    packed = gzip.compress(b"\0" * 5_000_000)
    async with serve(always(reply(packed, "200 OK", "Content-Encoding: gzip"))) as server, client() as outgoing:
        with pytest.raises(NoAnswer):
            await outgoing.request("GET", server.url, deadline_s=5, max_bytes=1_000_000)
        answer = await outgoing.request("GET", server.url, deadline_s=5, max_bytes=5_000_000)
        assert len(answer.content) == 5_000_000


@pytest.mark.parametrize(
    ("body", "coding"), [(b"not gzip", "gzip"), (gzip.compress(b"abcdef", mtime=0)[:-9], "gzip"), (b"x", "br")]
)
async def test_a_body_that_cannot_be_unpacked_is_no_answer(body: bytes, coding: str) -> None:
    async with serve(always(reply(body, "200 OK", f"Content-Encoding: {coding}"))) as server, client() as outgoing:
        with pytest.raises(NoAnswer):
            await outgoing.request("GET", server.url, deadline_s=5)


async def test_the_trace_tells_no_ids_tokens_or_query_values() -> None:
    traces: list[CallTrace] = []
    async with serve(always(reply())) as server, client(trace=traces.append) as outgoing:
        url = f"{server.url}/v2/shipments/shp_123abc/buy?email=ann@example.com"
        await outgoing.request("POST", url, deadline_s=5, json={"name": "Ann"}, headers={"authorization": "s3cret"})
        with pytest.raises(NotSent):
            await outgoing.request("GET", server.url, deadline_s=5, fence=lambda: False)
    assert (traces[0].path, traces[0].outcome, traces[0].status) == ("/v2/shipments/*/buy", "answered", 200)
    assert traces[1].outcome == "not_sent"
    assert all(secret not in repr(traces) for secret in ("ann@", "s3cret", "shp_123abc", "Ann"))


def test_plain_words_and_versions_stay_in_a_redacted_path() -> None:
    assert redact_path("/admin/api/2026-10/graphql.json") == "/admin/api/2026-10/graphql.json"
    assert redact_path("/hooks/carrier/0h4k9s2m1x") == "/hooks/carrier/*"
    assert redact_path("/Ann%20Smith/") == "/*/"
