"""A buyer's name, street, phone and e-mail stand nowhere in clear: not in a table, a file, a log line or a metric.

A whole journey with the sandbox store and carrier over the real front, with faults on the way that make things fail
and be talked about; then everything that was left behind is searched.
"""

from __future__ import annotations

import io
import itertools
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, quote_plus

import httpx2
import pytest
import structlog
from sqlalchemy import MetaData, select

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from carriers.sandbox import SandboxCarrier, SandboxSettings
from connector.cli.accounts import connect_carrier
from connector.cli.orders import _data, _lines
from connector.cli.settings import change_settings
from connector.cli.shops import connect_shop, sandbox_credentials
from connector.http.routes import build_app
from connector.installing.callbacks import callbacks_of
from connector.labels.voids import request_void
from connector.logs import set_up_logs
from connector.orders import view
from connector.quotes.explain import explain
from connector.quotes.ledger import recent
from connector.serving import front_of
from connector.settings import Settings
from connector.storage.audit import Actor
from connector.storage.migrate import migrate
from connector.store import Cart, CartLine, CartTotals, Offer
from connector.stores.sandbox import SandboxStore
from connector.wiring import CARRIERS, House, open_house, register_jobs
from connector.work.memory import MemoryWork
from tests.conftest import FrozenClock
from webhooks.ports import Clock

pytestmark = pytest.mark.anyio

CANARIES = {
    "name": "Zebedea Quillfeather",
    "company": "Umbrafax Holdings",
    "street1": "Obelisk Parade 4711",
    "street2": "Rear Turret 0815",
    "phone": "+43 660 5550177",
    "email": "zebedea.q@umbrafax.example",
    "property": "Engrave: for Ottoline Snarp",
}
DESK = Actor("person", "desk")


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, down to the last detail; the process gets its own logging back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("json", "debug", stream)
    yield stream
    root.handlers, root.level = handlers, level
    logging.getLogger("uvicorn.access").disabled = False
    structlog.reset_defaults()


@dataclass
class Journey:
    """One installation with a shop, and what its people do."""

    house: House
    work: MemoryWork
    clock: FrozenClock
    client: httpx2.AsyncClient
    folder: Path
    shop_id: str = ""

    @property
    def store(self) -> SandboxStore:
        shop = self.house.directory.shop(self.shop_id)
        assert shop is not None
        return cast("SandboxStore", shop.store)

    async def post(self, url: str, call: Any) -> bytes:
        answer = await self.client.post(url, content=call.body, headers=dict(call.headers))
        assert answer.status_code in {200, 503}, answer.content
        return answer.content

    async def tell(self, call: Any) -> None:
        callbacks = await self.store.shopkeeper.callbacks()
        assert callbacks is not None
        await self.post(callbacks.hooks, call)
        await self.work.drain()

    async def buy(self, city: str = "Wien") -> str:
        """From the cart to the label, if there is one; the order's id."""
        to = Address(
            "AT",
            "1010",
            "9",
            city,
            CANARIES["street1"],
            CANARIES["street2"],
            CANARIES["name"],
            CANARIES["company"],
            CANARIES["phone"],
            CANARIES["email"],
        )
        line = CartLine(
            2, Money(1290, "EUR"), Weight(420), "MUG-1", "Mug", "mug-1", properties={"note": CANARIES["property"]}
        )
        total = Money(2580, "EUR")
        cart = Cart((line,), "EUR", None, to, CartTotals(total, Money.zero("EUR"), total), location_id="loc_1")
        shop = self.house.directory.shop(self.shop_id)
        assert shop is not None
        call = self.store.shopkeeper.rate_call(cart)
        answer = await self.post(callbacks_of(self.house.settings.public_url, shop).rates, call)
        await self.house.ledger.flush()
        offer: Offer | None = next(iter(self.store.shopkeeper.offers(answer)), None) if b"offers" in answer else None
        placed = await self.store.shopkeeper.place_order(
            [(cart, offer)], to=to, email=CANARIES["email"], phone=CANARIES["phone"]
        )
        await self.tell(placed.delivery)
        await self.tell(await self.store.shopkeeper.mark_paid(placed.order_id))
        return placed.order_id

    async def pass_time(self, seconds: float, step_s: float = 10) -> None:
        for _ in range(int(seconds / step_s)):
            self.clock.advance(seconds=step_s)
            await self.work.drain()


@pytest.fixture
async def journey(database_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Journey]:
    """A test shop on the sandbox, served in this process."""
    settings = Settings(data_dir=tmp_path / "data", database_url=database_url, public_url="http://waybill.example")
    first = open_house(settings)
    migrate(first.database)
    work = MemoryWork(first.database, clock)
    house = replace(
        first,
        clock=cast("Clock", clock),
        work=cast("Any", work),
        directory=type(first.directory)(
            first.database, first.keyring, first.outgoing, clock, first.directory._stores, CARRIERS
        ),
        quote_desk=type(first.quote_desk)(clock.now, first.keyring.keyed_hash, first.ledger),
    )
    register_jobs(house, work)
    await house.directory.refresh()
    app = build_app(front_of(house))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://waybill.example") as client:
        found = Journey(house, work, clock, client, tmp_path)
        data = await connect_shop(house, "sandbox", sandbox_credentials())
        found.shop_id = str(data["shop_id"])
        shop = house.directory.shop(found.shop_id)
        assert shop is not None
        await connect_carrier(house, shop, CARRIERS["sandbox"], {})
        await change_settings(house, found.shop_id, {"markup_percent": "10", "default_carton": "300x200x150:180"})
        await house.directory.refresh()
        yield found
    await house.aclose()


async def everything_happens(journey: Journey) -> list[str]:
    """Quotes, purchases, faults, tracking, an edit, a hold, a void, a cancellation; the orders' ids."""
    keeper = journey.store.shopkeeper
    faults = ("refuse", "rate-gone", "lost-answer", "lost-request", "nowhere", "down", "empty-wallet")
    orders = [await journey.buy(city) for city in ("Wien", *(f"SANDBOX-{fault.upper()}" for fault in faults))]
    await journey.pass_time(110)
    await journey.tell(await keeper.cancel(orders[-1]))  # Nothing waits for money any more, and buying goes on.
    await journey.pass_time(1200, step_s=120)
    order = journey.house.database.run_here(view.show, journey.shop_id, orders[0])
    label = order.parcels[0].label
    assert label is not None
    assert order.parcels[0].state == "bought"
    account = journey.house.directory.account(journey.shop_id, label.account_id)
    assert account is not None
    carrier = SandboxCarrier(SandboxSettings.model_validate(dict(account.record.settings)), journey.clock)
    hook = f"http://waybill.example/hooks/carrier/{account.record.hook_token}"
    for news in reversed(await carrier.play(label.handle, story="attempted")):
        await journey.post(hook, news)
    await journey.work.drain()
    voided = await journey.buy()
    parcel = journey.house.database.run_here(view.show, journey.shop_id, voided).parcels[0]
    journey.house.database.run_here(
        request_void, journey.work, journey.shop_id, parcel.id, "wrong box", DESK, journey.clock.now()
    )
    cancelled = await journey.buy()
    await journey.tell(await keeper.cancel(cancelled))
    edited = await journey.buy()
    await journey.tell(await keeper.edit(edited, {}, [CartLine(1, Money(100, "EUR"), Weight(50), "PIN", "Pin", "pin")]))
    await journey.tell(keeper.privacy("export", [orders[0]]))
    await journey.pass_time(120)
    return [*orders, voided, cancelled, edited]


def spellings(text: str) -> set[str]:
    """As it may stand in JSON, in a URL, in another case or split into words that mean something alone."""
    words = [word for word in re.split(r"[\s,:]+", text) if len(word) > 5]
    spelled = {each for part in (text, *words) for each in (part, quote(part), quote_plus(part))}
    return {each.casefold() for each in spelled}


FORBIDDEN = sorted(set(itertools.chain.from_iterable(spellings(text) for text in CANARIES.values())))


def found_in(text: str) -> list[str]:
    lowered = text.casefold()
    return [each for each in FORBIDDEN if each in lowered]


async def test_no_table_file_log_line_or_metric_names_a_buyer(journey: Journey, log: io.StringIO) -> None:
    await everything_happens(journey)
    house = journey.house
    tables = MetaData()
    tables.reflect(house.database.engine)
    rows = 0
    for table in tables.sorted_tables:
        for row in house.database.run_here(lambda c, table=table: c.execute(select(table)).all()):
            rows += 1
            assert found_in(" ".join(str(value) for value in row)) == [], table.name
    assert rows > 100
    house.database.close()
    files = [path for path in journey.folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        assert found_in(path.read_bytes().decode("latin-1")) == [], path.name
    logged = log.getvalue()
    assert "purchase_unclear" in logged
    assert found_in(logged) == []
    assert found_in(house.metrics.text().decode()) == []


async def test_what_a_merchant_is_shown_of_quotes_and_matters_names_no_buyer(journey: Journey) -> None:
    orders = await everything_happens(journey)
    house = journey.house
    shown = [line for row in house.database.run_here(recent, journey.shop_id) for line in explain(row)]
    for order_id in orders:
        found = house.database.run_here(view.show, journey.shop_id, order_id)
        shown += [*_lines(found), str(_data(found))]
    assert len(shown) > 50
    assert found_in("\n".join(shown)) == []


async def test_the_search_would_find_them(journey: Journey) -> None:
    """The canaries are in the orders that the store has, so they were there to be leaked."""
    order_id = await journey.buy()
    order = await journey.store.order(order_id)
    assert order is not None
    assert order.groups[0].destination is not None
    assert found_in(order.groups[0].destination.street1)
    assert found_in(repr(order))
