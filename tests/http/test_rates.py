"""The checkout's door answers whoever may ask, in time, and tells strangers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from connector.http.callers import find_shop
from connector.http.limits import Limits
from connector.http.ports import Quoted
from connector.http.rates import Rates
from tests.http.house import RATE_BODY, RATES_TOKEN, House, HouseDirectory, HouseStore, Shop, sign
from webhooks.receiver import Reply

pytestmark = pytest.mark.anyio

PATH = f"/rates/shp_1/{RATES_TOKEN}"
DOMAIN = "x-shopify-shop-domain"


async def test_a_rate_request_gets_the_desk_s_bytes(house: House) -> None:
    answer = await house.ask("POST", PATH, content=RATE_BODY)
    assert (answer.status_code, answer.content) == (200, b'{"rates": [1]}')
    assert answer.headers["content-type"] == "application/json"
    assert [shop_id for shop_id, _ in house.quoting.asked] == ["shp_1"]
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome="answered") == 1


async def test_the_store_reads_the_call_byte_for_byte_with_lower_case_headers_and_query(house: House) -> None:
    await house.ask("POST", PATH, content=RATE_BODY, headers={"X-Mixed-Case": "Yes"}, params={"a": "b c", "d": ""})
    (incoming,) = house.shop.house_store.incoming
    assert incoming.raw == RATE_BODY
    assert incoming.headers["x-mixed-case"] == "Yes"
    assert incoming.query == {"a": "b c", "d": ""}
    assert incoming.shop == "one.example.com"


async def test_a_body_in_pieces_is_put_together(house: House) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(RATE_BODY), 7):
            yield RATE_BODY[start : start + 7]

    answer = await house.ask("POST", PATH, content=pieces())
    assert answer.status_code == 200
    assert house.shop.house_store.incoming[0].raw == RATE_BODY


@pytest.mark.parametrize("domain", ["one.example.com", "ONE.Example.com"])
async def test_a_header_that_names_the_same_shop_is_welcome(house: House, domain: str) -> None:
    answer = await house.ask("POST", PATH, content=RATE_BODY, headers={DOMAIN: domain})
    assert answer.status_code == 200


STRANGERS = {
    "unknown shop": (f"/rates/shp_9/{RATES_TOKEN}", {}),
    "unknown shop with a shop's header": (f"/rates/shp_9/{RATES_TOKEN}", {DOMAIN: "one.example.com"}),
    "wrong token": (f"/rates/shp_1/{'x' * 32}", {}),
    "token of the hooks": (f"/rates/shp_1/{'h' * 32}", {}),
    "longer token": (f"/rates/shp_1/{RATES_TOKEN}x", {}),
    "token in other characters": (f"/rates/shp_1/{'ř' * 32}", {}),
    "token of no character": ("/rates/shp_1/%00%ff", {}),
    "header of another shop of ours": (PATH, {DOMAIN: "two.example.com"}),
    "header of an unknown shop": (PATH, {DOMAIN: "evil.example.com"}),
    "empty header": (PATH, {DOMAIN: ""}),
    "header of two shops": (PATH, [(DOMAIN, "one.example.com"), (DOMAIN, "two.example.com")]),
    "header in other characters": (PATH, {DOMAIN: "óne.example.com".encode()}),
    "unknown address": ("/rates", {}),
    "a slash too many": (f"{PATH}/", {}),
}


@pytest.mark.parametrize("stranger", sorted(STRANGERS))
async def test_every_stranger_gets_the_same_404(house: House, stranger: str) -> None:
    path, headers = STRANGERS[stranger]
    async with house.client() as client:
        plain = await client.get("/nowhere")
        answer = await client.post(path, content=RATE_BODY, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == plain.status_code == 404
    assert answer.content == plain.content
    assert sorted(answer.headers.raw) == sorted(plain.headers.raw)
    assert house.quoting.asked == []


async def test_a_stranger_s_body_is_not_read(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536
            await asyncio.sleep(0)

    answer = await house.ask("POST", "/rates/shp_9/token", content=endless(), headers={"content-length": "1"})
    assert answer.status_code == 404


async def test_strangers_make_no_new_series(house: House) -> None:
    await house.ask("POST", "/rates/shp_9/token", content=RATE_BODY)
    assert house.count("waybill_rate_requests_total", shop="unknown", outcome="not_found") == 1
    assert b"shp_9" not in house.metrics.text()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(token=st.text(max_size=40), header=st.none() | st.text(max_size=40), shop_id=st.sampled_from(["shp_1", "shp_9"]))
def test_only_the_right_token_and_no_other_shop_s_header_find_a_shop(
    token: str, header: str | None, shop_id: str
) -> None:
    shop = Shop()
    headers = {} if header is None else {DOMAIN: header}
    found = find_shop(HouseDirectory([shop]), shop_id, token, "rates", headers)
    fits = (shop_id, token) == ("shp_1", RATES_TOKEN) and (header is None or header.lower() == shop.domain)
    assert found == (shop if fits else None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b'{"rate": {"currency": "EUR", "quantity": 0}}', "rate.quantity"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_naming_the_field(house: House, body: bytes, field: str) -> None:
    answer = await house.ask("POST", PATH, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert house.quoting.asked == []
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome="refused") == 1


async def test_a_query_of_endless_fields_is_refused(house: House) -> None:
    answer = await house.ask("POST", f"{PATH}?{'&'.join('a' * 200)}", content=RATE_BODY)
    assert answer.status_code == 400


async def test_a_wrong_signature_is_answered_and_counted_where_it_is_only_preferred(house: House) -> None:
    async with house.client() as client:
        wrong = await client.post(PATH, content=RATE_BODY, headers={"x-signature": "nonsense"})
        right = await client.post(PATH, content=RATE_BODY, headers={"x-signature": sign(RATE_BODY)})
    assert wrong.status_code == right.status_code == 200
    assert house.count("waybill_rate_signatures_total", shop="shp_1", result="wrong") == 1
    assert house.count("waybill_rate_signatures_total", shop="shp_1", result="valid") == 1


async def test_a_wrong_signature_is_refused_and_counted_where_it_is_required() -> None:
    house = House(Shop(house_store=HouseStore("require")))
    answer = await house.ask("POST", PATH, content=RATE_BODY, headers={"x-signature": "nonsense"})
    assert answer.status_code == 401
    assert house.quoting.asked == []
    assert house.count("waybill_rate_signatures_total", shop="shp_1", result="wrong") == 1


async def test_a_desk_that_hangs_is_answered_with_backup_rates_never_with_nothing(house: House) -> None:
    async def hang() -> Quoted:
        await asyncio.Event().wait()
        raise AssertionError

    house.limits, house.quoting.behave = Limits(rate_s=0.05), hang
    answer = await house.ask("POST", PATH, content=RATE_BODY)
    assert (answer.status_code, answer.json()) == (503, {"backup": "timed_out"})
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome="timed_out") == 1


async def test_the_platform_s_patience_limits_ours() -> None:
    store = HouseStore()
    store.capabilities = replace(store.capabilities, hard_deadline_s=0.05)

    async def hang() -> Quoted:
        await asyncio.Event().wait()
        raise AssertionError

    house = House(Shop(house_store=store))
    house.quoting.behave = hang
    assert (await house.ask("POST", PATH, content=RATE_BODY)).status_code == 503


@pytest.mark.complaint(28)
@pytest.mark.parametrize("outcome", ["empty", "backup"])
async def test_what_was_answered_is_counted_apart(house: House, outcome: str) -> None:
    async def behave() -> Quoted:
        return Quoted(Reply(200), "empty" if outcome == "empty" else "backup")

    house.quoting.behave = behave
    await house.ask("POST", PATH, content=RATE_BODY)
    assert house.count("waybill_rate_requests_total", shop="shp_1", outcome=outcome) == 1


async def test_before_the_settings_are_in_memory_everyone_is_asked_to_come_again(house: House) -> None:
    house.directory.ready = False
    async with house.client() as client:
        answers = [await client.post(path, content=RATE_BODY) for path in (PATH, "/rates/shp_9/token")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_refused_with_the_right_one(house: House, method: str) -> None:
    answer = await house.ask(method, PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_many_shops_are_served_at_once(house: House) -> None:
    together = asyncio.Barrier(20)

    async def wait() -> Quoted:
        await together.wait()
        return Quoted(Reply(200), "answered")

    house.quoting.behave = wait
    async with house.client() as client:
        answers = await asyncio.gather(*(client.post(PATH, content=RATE_BODY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_repeat_is_answered_without_reading_the_call(house: House) -> None:
    house.quoting.repeats[RATE_BODY] = Quoted(Reply(200, b'{"rates": [2]}'), "answered", "repeat", "valid")
    answer = await house.ask("POST", PATH, content=RATE_BODY)
    assert answer.json() == {"rates": [2]}
    assert house.quoting.asked == []
    assert house.shop.house_store.incoming == []
    assert house.count("waybill_rate_signatures_total", shop="shp_1", result="valid") == 1
    assert house.count("waybill_rate_answer_seconds_count", source="repeat") == 1


async def test_every_call_of_a_known_shop_is_counted_by_how_it_ended(house: House) -> None:
    await house.ask("POST", PATH, content=RATE_BODY)
    await house.ask("POST", PATH, content=b"{")
    await house.ask("POST", "/rates/shp_9/token", content=RATE_BODY)
    assert house.quoting.outcomes == [("shp_1", "answered"), ("shp_1", "refused")]


async def test_a_platform_that_hangs_up_before_the_answer_is_noticed() -> None:
    """It hangs up half a second after it asked; the desk learns after how long."""
    house, answered = House(), asyncio.Event()

    async def slowly() -> Quoted:
        while not house.quoting.hung_up_after:  # noqa: ASYNC110 - what is waited for is a list.
            await asyncio.sleep(0.01)
        answered.set()
        return Quoted(Reply(200), "answered")

    house.quoting.behave = slowly
    said: Iterator[Message] = iter(
        [{"type": "http.request", "body": RATE_BODY, "more_body": False}, {"type": "http.disconnect"}]
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(said)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path_params": {"shop": "shp_1", "token": RATES_TOKEN}, "headers": [], "query_string": b""}
    await asyncio.wait_for(Rates(house.front())(scope, receive, send), 20)
    assert answered.is_set()
    (after_s,) = house.quoting.hung_up_after
    assert after_s >= 0.3
