"""Alerts leave by mail and as signed webhooks; what came of each is told as it was, and nothing is said twice."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from connector.attention.alerts import Item, Message
from connector.attention.letter import Place
from connector.attention.post import Addresses, Hook, Mailbox, Post
from connector.smtp import MailServer
from connector.words.reason import Reason
from tests.simulators.mailbox import a_mailbox
from tests.webhooks.servers import always, reply, serve
from webhooks.outgoing import OutgoingClient
from webhooks.signatures import standard_key, standard_signature

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 23, 9, 4, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOBODY = Addresses({}, {"shop_1": Place("Tea shop", "tea.example")})
ITEM = Item("att_1", "open", "shop_1", "acc_1", Reason("carrier_out", {"carrier": "EasyPost"}), AT)


def a_message(channel: str = "webhook", recipient: str = "") -> Message:
    return Message("msg_1", channel, recipient, (ITEM,), AT)  # type: ignore[arg-type]  # One of the literals.


@pytest.fixture
async def outgoing() -> AsyncIterator[OutgoingClient]:
    client = OutgoingClient(allow_private=True)
    yield client
    await client.aclose()


def hooked(outgoing: OutgoingClient, url: str) -> Post:
    key = standard_key(SECRET)
    assert key is not None
    return Post(outgoing, "https://ship.example.com", None, Hook(url, key))


async def test_a_webhook_is_signed_as_the_specification_says(outgoing: OutgoingClient) -> None:
    async with serve(always(reply())) as server:
        handed = await hooked(outgoing, f"{server.url}/alerts").send(a_message(), NOBODY)
    assert handed.outcome == "sent"
    head, _, raw = server.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    given = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    signed = f"msg_1.{headers['webhook-timestamp']}.".encode() + raw
    expected = base64.b64encode(hmac.digest(b"k" * 32, signed, "sha256")).decode()
    assert {name.lower(): value for name, value in given.items()}["webhook-signature"] == f"v1,{expected}"
    body = json.loads(raw)
    assert body["type"] == "alert.open"
    assert body["data"]["subject"].startswith("[Waybill] Tea shop: EasyPost has not answered")
    assert body["data"]["matters"][0]["code"] == "carrier_out"


def test_the_signature_is_that_of_the_specifications_example() -> None:
    """Key, id, time and body of the example in the Standard Webhooks specification."""
    key = standard_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert key is not None
    made = standard_signature(b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, key)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_ä"])
def test_a_secret_that_is_none_makes_no_key(secret: str) -> None:
    assert standard_key(secret) is None


async def test_an_address_that_refuses_is_named_by_its_answer(outgoing: OutgoingClient) -> None:
    async with serve(always(reply(status="410 Gone"))) as server:
        handed = await hooked(outgoing, server.url).send(a_message(), NOBODY)
    assert (handed.outcome, handed.said) == ("not_sent", "the address answered 410")


async def test_an_address_in_a_private_network_is_refused_unless_that_is_allowed() -> None:
    guarded = OutgoingClient()
    async with serve(always(reply())) as server:
        handed = await hooked(guarded, server.url).send(a_message(), NOBODY)
        assert handed.outcome == "not_sent"
        assert server.requests == []
    await guarded.aclose()


async def test_a_shop_is_told_at_its_own_address_and_everything_else_at_the_houses(outgoing: OutgoingClient) -> None:
    with a_mailbox() as box:
        post = Post(
            outgoing, "https://x.example", Mailbox(MailServer.read(box.url), "waybill@x.example", "desk@x.example")
        )
        own = Addresses({"shop_1": "tea@shop.example"}, NOBODY.places)
        routes = post.routes(own)
        assert (routes.recipient("shop_1"), routes.recipient("shop_2")) == ("shop_1", "")
        assert list(routes.channels("")) == ["mail"]
        assert (await post.send(a_message("mail", "shop_1"), own)).outcome == "sent"
        assert (await post.send(a_message("mail"), own)).outcome == "sent"
        assert [mail["To"] for mail in box.arrived] == ["tea@shop.example", "desk@x.example"]
        assert {mail["Message-ID"] for mail in box.arrived} == {"<msg_1@x.example>"}


async def test_a_house_without_an_address_still_tells_shops_that_have_one(outgoing: OutgoingClient) -> None:
    post = Post(outgoing, "https://x.example", Mailbox(MailServer("127.0.0.1", 1, "none"), "", ""))
    routes = post.routes(Addresses({"shop_1": "tea@shop.example"}, {}))
    assert list(routes.channels("shop_1")) == ["mail"]
    assert list(routes.channels("")) == []


async def test_a_test_says_what_came_of_each_way(outgoing: OutgoingClient) -> None:
    with a_mailbox() as box:
        box.faults.append("refuse")
        key = standard_key(SECRET)
        assert key is not None
        async with serve(always(reply())) as server:
            mailbox = Mailbox(MailServer.read(box.url), "waybill@x.example", "desk@x.example")
            done = await Post(outgoing, "https://x.example", mailbox, Hook(server.url, key)).test(AT, "msg_2")
    assert {way: each.outcome for way, each in done.items()} == {"mail": "not_sent", "webhook": "sent"}
    assert "550" in done["mail"].said
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2])["type"] == "alert.test"


async def test_nothing_set_up_tells_nobody(outgoing: OutgoingClient) -> None:
    post = Post(outgoing, "https://x.example")
    assert await post.test(AT, "msg_3") == {}
    assert list(post.routes(NOBODY).channels("")) == []
