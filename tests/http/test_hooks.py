"""Webhooks are proved, stored and answered; what cannot be stored is asked for again."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from connector.http.hooks import Busy, Threads
from connector.http.limits import Limits
from tests.http.house import CARRIER_TOKEN, HOOK_BODY, HOOKS_TOKEN, House, sign

pytestmark = pytest.mark.anyio

STORE_PATH = f"/hooks/shp_1/{HOOKS_TOKEN}"
CARRIER_PATH = f"/hooks/carrier/{CARRIER_TOKEN}"
APP_PATH = "/apps/app_1/hooks"
SHOP = {"x-shopify-shop-domain": "one.example.com"}
SIGNED = {"x-signature": sign(HOOK_BODY), **SHOP}
KINDS = [
    (STORE_PATH, "store", "store:shp_1"),
    (CARRIER_PATH, "carrier", "carrier:acc_1"),
    (APP_PATH, "app", "app:app_1"),
]


@pytest.mark.parametrize(("path", "kind", "key"), KINDS)
async def test_a_proved_delivery_is_stored_for_its_shop_and_queued(
    house: House, path: str, kind: str, key: str
) -> None:
    answer = await house.ask("POST", path, content=HOOK_BODY, headers=SIGNED)
    assert answer.status_code == 200
    assert house.inbox.kept == [(key, "1", "orders/paid", HOOK_BODY, "shp_1")]
    assert house.queued == ["inb_1"]
    assert house.count("waybill_webhook_deliveries_total", kind=kind, outcome="accepted") == 1


@pytest.mark.parametrize(("path", "kind", "key"), KINDS)
async def test_a_repeat_is_answered_alike_and_queued_once(house: House, path: str, kind: str, key: str) -> None:
    async with house.client() as client:
        answers = [await client.post(path, content=HOOK_BODY, headers=SIGNED) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(house.queued) == 1


@pytest.mark.parametrize(("path", "kind", "key"), KINDS)
@pytest.mark.parametrize("signature", [None, "", "nonsense", "ř", sign(b"other")])
async def test_a_wrong_signature_is_a_401_and_stores_nothing(
    house: House, path: str, kind: str, key: str, signature: str | None
) -> None:
    headers = {name: value.encode() for name, value in SHOP.items()}
    if signature is not None:
        headers["x-signature"] = signature.encode()
    answer = await house.ask("POST", path, content=HOOK_BODY, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"].startswith("signature_")
    assert not house.inbox.kept
    assert not house.queued
    assert house.count("waybill_webhook_deliveries_total", kind=kind, outcome="forged") == 1


STRANGERS = [
    ("/hooks/shp_9/" + HOOKS_TOKEN, SIGNED),
    ("/hooks/shp_1/" + "r" * 32, SIGNED),
    (STORE_PATH, {**SIGNED, "x-shopify-shop-domain": "two.example.com"}),
    ("/hooks/carrier/" + "x" * 32, SIGNED),
    ("/hooks/carrier/" + "ř" * 32, SIGNED),
    ("/apps/app_9/hooks", SIGNED),
    ("/apps/app_without_hooks/hooks", SIGNED),
    (APP_PATH, {**SIGNED, "x-shopify-shop-domain": "nine.example.com"}),
]


@pytest.mark.parametrize(("path", "headers"), STRANGERS)
async def test_every_stranger_gets_the_same_404(house: House, path: str, headers: dict[str, str]) -> None:
    async with house.client() as client:
        plain = await client.get("/nowhere")
        answer = await client.post(path, content=HOOK_BODY, headers=headers)
    assert (answer.status_code, answer.content) == (404, plain.content)
    assert sorted(answer.headers.raw) == sorted(plain.headers.raw)
    assert house.inbox.kept == []


async def test_an_app_s_delivery_for_an_unknown_shop_is_refused_only_after_its_signature_held(house: House) -> None:
    headers = {"x-signature": "nonsense", "x-shopify-shop-domain": "nine.example.com"}
    assert (await house.ask("POST", APP_PATH, content=HOOK_BODY, headers=headers)).status_code == 401


@pytest.mark.parametrize(("path", "kind", "key"), KINDS)
async def test_another_method_is_refused_with_the_right_one(house: House, path: str, kind: str, key: str) -> None:
    answer = await house.ask("GET", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_while_the_database_is_down_the_sender_is_asked_to_come_again(house: House) -> None:
    def fail() -> None:
        raise OperationalError("INSERT INTO inbox", {"email": "ann@example.com"}, Exception("down"))

    house.inbox.behave = fail
    answer = await house.ask("POST", STORE_PATH, content=HOOK_BODY, headers=SIGNED)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "INSERT" not in answer.text
    assert house.count("waybill_webhook_deliveries_total", kind="store", outcome="failed") == 1


async def test_a_delivery_that_is_not_stored_in_time_is_asked_for_again(house: House) -> None:
    gate = threading.Event()
    house.inbox.behave = lambda: gate.wait(30)
    house.limits = Limits(hook_s=0.05)
    async with house.client() as client:
        answer = await client.post(STORE_PATH, content=HOOK_BODY, headers=SIGNED)
        gate.set()
    assert answer.status_code == 503
    assert house.count("waybill_webhook_deliveries_total", kind="store", outcome="timed_out") == 1


async def test_more_deliveries_than_can_wait_are_asked_to_come_again(house: House) -> None:
    gate, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        gate.wait(30)

    house.inbox.behave = hold
    house.limits = Limits(hook_threads=1, hook_backlog=1)
    async with house.client() as client:
        calls = [asyncio.create_task(client.post(STORE_PATH, content=HOOK_BODY, headers=SIGNED)) for _ in range(3)]
        await asyncio.to_thread(begun.wait, 30)
        done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        (busy,) = done
        assert busy.result().status_code == 503
        gate.set()
        assert {call.result().status_code for call in (await asyncio.wait(waiting))[0]} == {200}
    assert house.count("waybill_webhook_deliveries_total", kind="store", outcome="busy") == 1


async def test_a_place_is_free_again_after_its_call() -> None:
    threads = Threads(1, 0)
    try:
        assert [await threads.run(int, number) for number in ("1", "2", "3")] == [1, 2, 3]
        with pytest.raises(ValueError, match="invalid literal"):
            await threads.run(int, "x")
        assert await threads.run(int, "4") == 4
    finally:
        threads.close()


async def test_a_full_queue_says_so_at_once() -> None:
    threads, gate = Threads(1, 0), threading.Event()
    try:
        first = asyncio.ensure_future(threads.run(gate.wait, 30))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await threads.run(int, "1")
        gate.set()
        assert await first
    finally:
        threads.close()


async def test_before_the_settings_are_in_memory_every_sender_is_asked_to_come_again(house: House) -> None:
    house.directory.ready = False
    answer = await house.ask("POST", STORE_PATH, content=HOOK_BODY, headers=SIGNED)
    assert answer.status_code == 503
    assert house.inbox.kept == []
