"""Every way in which a carrier misbehaves costs its own prices only, and is named: a real connection over loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

import carriers.easypost
from carriers.carrier import Carrier
from connector.quotes.ask import Account
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.desk import QuoteDesk
from connector.quotes.ledger import LedgerRow
from connector.quotes.shop import QuotingShop
from connector.store import RateCall
from tests.conftest import FrozenClock
from tests.quotes.test_desk import BRATISLAVA, KeptRows
from tests.quotes.world import PlainCarrier, a_cart, as_carrier, keyed_hash, plain_store, settings
from tests.simulators.server import serve
from webhooks.outgoing import OutgoingClient

pytestmark = pytest.mark.anyio

HTML = [(b"content-type", b"text/html")]
TYPE = [(b"content-type", b"application/json")]


def rate(service: str = "Ground", price: str = "7.00", currency: str = "EUR", account: str = "ca_1") -> dict[str, Any]:
    return {
        "carrier": "DHL", "service": service, "carrier_account_id": account, "rate": price, "currency": currency,
        "mode": "test", "delivery_days": 2,
    }  # fmt: skip


@dataclass
class Misbehaving:
    """A carrier's API as an ASGI application, which does what it is told to."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: list(TYPE))
    body: bytes = json.dumps({"rates": [rate()], "messages": []}).encode()
    before_s: float = 0
    drips: bool = False
    calls: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        self.calls += 1
        await asyncio.sleep(self.before_s)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        if self.drips:
            for index in range(len(self.body)):
                await send({"type": "http.response.body", "body": self.body[index : index + 1], "more_body": True})
                await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": self.body})

    def says(self, rates: list[dict[str, Any]], *messages: dict[str, str]) -> None:
        """Answer with these prices and messages."""
        self.body = json.dumps({"rates": rates, "messages": list(messages)}).encode()


@pytest.fixture(scope="module")
def party() -> Iterator[tuple[Misbehaving, str]]:
    app = Misbehaving()
    with serve(app) as url:
        yield app, url


@pytest.fixture
def carrier(party: tuple[Misbehaving, str]) -> Misbehaving:
    """The same server for all, well behaved again."""
    app, _ = party
    fresh = Misbehaving()
    for name in ("status", "headers", "body", "before_s", "drips", "calls"):
        setattr(app, name, getattr(fresh, name))
    return app


Ask = Callable[..., "asyncio.Future[LedgerRow]"]


@pytest.fixture
async def ask(party: tuple[Misbehaving, str], carrier: Misbehaving, clock: FrozenClock) -> AsyncIterator[Ask]:
    """Quote for a shop with this carrier and one that is well; a hard deadline of 0.7 s."""
    outgoing = OutgoingClient(allow_private=True)
    kind = carriers.easypost.KIND
    connection = kind.connect(kind.settings.model_validate({"api_key": "EZTK1", "api_base": party[1]}), outgoing, clock)
    desk = QuoteDesk(clock.now, keyed_hash, KeptRows(), CarrierAnswers())

    async def one(well: bool = True, **changes: str) -> LedgerRow:
        connections: list[Carrier] = [connection, *([as_carrier(PlainCarrier())] if well else [])]
        accounts = tuple(Account(f"acc_{i}", "easypost", each, "shop_1") for i, each in enumerate(connections))
        chosen = settings(hard_deadline_ms="700", soft_deadline_ms="100", **changes)
        shop = QuotingShop("shop_1", plain_store(), chosen, 1, "UTC", (BRATISLAVA,), accounts)
        _, row = await desk.answer(shop, RateCall(a_cart()))
        return row

    yield one  # type: ignore[misc]
    await desk.aclose()
    await connection.close()
    await outgoing.aclose()


def codes(row: LedgerRow) -> set[str]:
    return {offer.code for offer in row.decision.offers}


def reasons(row: LedgerRow) -> set[str]:
    return {each.reason.code for each in row.decision.withheld}


OTHERS = {"fake-ground", "fake-express"}


async def test_well_behaved_its_prices_are_shown(ask: Ask) -> None:
    assert codes(await ask()) == OTHERS | {"dhl-ground"}


@pytest.mark.complaint(25)
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"before_s": 30}, "problem_timeout"),
        ({"drips": True, "body": b" " * 400}, "problem_timeout"),
        ({"before_s": 1.5}, "problem_timeout"),
        ({"status": 500, "body": b'{"error": {"code": "INTERNAL_SERVER_ERROR", "message": "x"}}'}, None),
        ({"status": 503, "body": b""}, None),
        ({"status": 502, "body": b"<html><h1>Bad gateway</h1></html>", "headers": HTML}, None),
        ({"status": 200, "body": b"<html>Maintenance</html>", "headers": HTML}, "problem_garbled"),
        ({"body": b'{"rates": [{"carrier": "DHL", "serv'}, "problem_garbled"),
        ({"body": b""}, "problem_garbled"),
        ({"body": b'{"rates": null}'}, "problem_garbled"),
        ({"status": 401, "body": b'{"error": {"code": "UNAUTHORIZED", "message": "x"}}'}, "problem_credentials"),
    ],
    ids=["hung", "dripping", "slow", "500", "503 empty", "502 HTML", "200 HTML", "truncated", "empty", "null", "401"],
)  # fmt: skip
async def test_a_fault_costs_its_own_prices_only_and_has_a_reason(
    ask: Ask, carrier: Misbehaving, fault: dict[str, Any], reason: str | None
) -> None:
    for name, value in fault.items():
        setattr(carrier, name, value)
    row = await ask()
    assert row.decision.outcome == "offers"
    assert codes(row) == OTHERS
    found = {each for each in reasons(row) if each.startswith("problem_")}
    assert found
    if reason is not None:
        assert found == {reason}


@pytest.mark.parametrize("retry_after", [b"1", b"30", b"soon", b"-1"])
async def test_a_carrier_that_asks_for_patience_is_left_in_peace(
    ask: Ask, carrier: Misbehaving, retry_after: bytes
) -> None:
    carrier.status, carrier.headers = 429, [*TYPE, (b"retry-after", retry_after)]
    carrier.body = b'{"error": {"code": "RATE_LIMITED", "message": "x"}}'
    row = await ask()
    assert codes(row) == OTHERS
    assert reasons(row) <= {"problem_overloaded", "problem_timeout"}
    assert carrier.calls <= 2


async def test_no_prices_but_messages_are_the_carrier_s_own_reasons(ask: Ask, carrier: Misbehaving) -> None:
    message = {"carrier": "DHL", "carrier_account_id": "ca_1", "type": "rate_error", "message": "No service there."}
    carrier.says([], message)
    row = await ask()
    assert codes(row) == OTHERS
    assert [each.said for each in row.decision.withheld] == ["No service there."]


@pytest.mark.complaint(30)
async def test_prices_in_another_currency_are_withheld_or_exchanged(ask: Ask, carrier: Misbehaving) -> None:
    carrier.says([rate(currency="USD")])
    row = await ask()
    assert codes(row) == OTHERS
    assert reasons(row) == {"other_currency"}
    assert "dhl-ground" in codes(await ask(exchange_rates="USD/EUR:0.92"))


async def test_of_services_of_one_name_the_cheapest_is_shown(ask: Ask, carrier: Misbehaving) -> None:
    carrier.says([rate(price="9.00", account="ca_2"), rate(price="8.00"), rate(price="8.50", account="ca_3")])
    row = await ask()
    (offer,) = [each for each in row.decision.offers if each.code == "dhl-ground"]
    assert (offer.minor, offer.bought_as and offer.bought_as.account) == (800, "ca_1")
    assert reasons(row) == {"dearer_double"}


async def test_a_price_that_cannot_be_read_costs_itself_only(ask: Ask, carrier: Misbehaving) -> None:
    carrier.says([rate("Ground"), rate("Night", price="cheap"), rate("Day", price="-1.00")])
    assert codes(await ask()) == OTHERS | {"dhl-ground"}


async def test_a_hundred_accounts_are_all_seen(ask: Ask, carrier: Misbehaving) -> None:
    carrier.says([rate(f"S{number}", f"{number + 1}.00", account=f"ca_{number}") for number in range(100)])
    row = await ask()
    assert len(codes(row) - OTHERS) == 100


@pytest.mark.complaint(25, 27)
async def test_alone_and_hung_it_leaves_the_platform_s_backup_or_the_merchant_s_safety_rates(
    ask: Ask, carrier: Misbehaving
) -> None:
    carrier.before_s = 30
    assert (await ask(well=False)).decision.outcome == "backup"
    row = await ask(well=False, backup="safety", safety_rates="Standard:standard:6.90")
    assert codes(row) == {"standard"}
    assert {offer.source for offer in row.decision.offers} == {"safety"}


async def test_after_failures_in_a_row_it_is_left_alone_for_a_while(ask: Ask, carrier: Misbehaving) -> None:
    carrier.status, carrier.body = 500, b"{}"
    for _ in range(300):
        calls = carrier.calls
        assert codes(await ask()) == OTHERS
        if carrier.calls == calls:
            return
        await asyncio.sleep(0.02)
    pytest.fail("It was asked every time.")
