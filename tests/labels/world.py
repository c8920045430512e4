"""A whole house on a real database, with a carrier and a store that a test steers and a clock that it moves.

Jobs are registered by `connector.wiring` itself and run by MemoryWork. A worker that is killed comes back and runs
its job again from the top, as the durable engine does.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection

from carriers.address import Address
from carriers.carrier import Capabilities, Carrier, CarrierKind
from carriers.measure import Weight
from carriers.money import Money
from connector import shop_settings
from connector.attention.board import Matter, open_matters
from connector.checkup.refused import RefusedBook
from connector.directory import Directory, ShopEntry
from connector.labels.desk_tables import manifest_labels, manifests
from connector.labels.files import LabelShelf
from connector.labels.tables import labels
from connector.metrics import Metrics
from connector.orders import view
from connector.orders.refresh import REFRESH
from connector.orders.release import release
from connector.orders.view import OrderView
from connector.quotes.decision import DecidedOffer
from connector.quotes.desk import QuoteDesk
from connector.quotes.ledger import LedgerRow, LedgerWriter
from connector.settings import Settings
from connector.storage import settings_versions
from connector.storage.accounts import add_account
from connector.storage.audit import Actor
from connector.storage.database import Database, open_database
from connector.storage.deliveries import open_inbox
from connector.storage.schema import metadata
from connector.storage.secrets import Keyring, new_key
from connector.storage.shops import add_shop, put_locations
from connector.store import (
    Cart,
    CartLine,
    FulfilmentGroup,
    GroupState,
    Order,
    OrderLine,
    RateCall,
    ShippingLine,
    Store,
    StoreKind,
    StoreLocation,
)
from connector.wiring import House, register_jobs
from connector.work.memory import MemoryWork
from connector.work.port import Boundary, Job, Run, Task
from connector.work.runner import Hooks
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier, FakeStore, Killed
from tests.ledger import balances
from webhooks.outgoing import OutgoingClient
from webhooks.ports import Clock

T = TypeVar("T")

PERSON = Actor("person", "desk")
RULE = Actor("rule", "buy=on_paid")
ORIGIN = Address("SK", "811 01", "BL", "Bratislava", "Skladova 1", name="Warehouse")
BUYER = Address(
    "AT", "1010", "9", "Wien", "Stephansplatz 3", name="Sample Buyer", phone="+43 1 234567", email="buyer@example.com"
)
MUG = CartLine(2, Money(1290, "EUR"), Weight(420), "MUG-1", "Mug", "mug-1")
POT = CartLine(1, Money(2450, "EUR"), Weight(980), "POT-1", "Tea pot", "pot-1")


class NoSettings(BaseModel):
    """The fakes are connected without any."""


class BrittleDatabase(Database):
    """The database of a process that can be killed before and after each of its transactions."""

    def __init__(self, inner: Database, world: World) -> None:
        super().__init__(inner.engine, threads=4)
        self._world = world

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        name = getattr(work, "__name__", "transaction")
        self._world.reach(f"before {name}")
        result = await super().run(work, *args, **kwargs)
        self._world.reach(f"after {name}")
        return result


class RememberingWork(MemoryWork):
    """Knows which tasks are running, so that a killed one can be run again."""

    def __init__(self, database: Database, clock: Clock, hooks: Hooks) -> None:
        super().__init__(database, clock, hooks)
        self.running: list[Task] = []

    def register(self, name: str, job: Job) -> None:
        async def remembered(run: Run) -> None:
            self.running.append(run.task)
            try:
                await job(run)
            except Exception:
                self.running.remove(run.task)
                raise
            self.running.remove(run.task)

        super().register(name, remembered)


@dataclass
class World:
    """What a test holds in its hands."""

    database: Database
    clock: FrozenClock
    folder: Path
    carrier: FakeCarrier = field(default_factory=FakeCarrier)
    second_carrier: FakeCarrier | None = None
    store: FakeStore = field(default_factory=FakeStore)
    test_clock: str | None = None
    shop_id: str = ""
    account_id: str = ""
    location_id: str = ""
    boundaries: list[str] = field(default_factory=list)
    kill_at: int | None = None
    dead: bool = False
    on_boundary: Callable[[int], None] | None = None
    house: House = field(init=False, repr=False)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def open(self, beside: World | None = None) -> World:
        """Connect one shop with one carrier account, ready to quote and buy in test mode.

        `beside` is another process of the same installation: its shop is opened, and none is connected.
        """
        keyring = Keyring.from_keys([new_key()]) if beside is None else beside.house.keyring
        rooms = BrittleDatabase(self.database, self)
        outgoing = OutgoingClient(allow_private=True)
        carriers = {"fake": self._carrier_kind(self.carrier)}
        if self.second_carrier is not None:
            carriers["second"] = self._carrier_kind(self.second_carrier)
        directory = Directory(rooms, keyring, outgoing, self.clock, {"fake": self._store_kind()}, carriers)
        self.work = RememberingWork(self.database, self.clock, Hooks(observe=self._observe))
        ledger = LedgerWriter(rooms)
        self.house = House(
            settings=Settings(data_dir=self.folder, test_clock=self.test_clock),
            clock=self.clock,
            keyring=keyring,
            database=rooms,
            outgoing=outgoing,
            directory=directory,
            inbox=open_inbox(keyring, self.clock),
            shelf=LabelShelf(self.folder / "labels", keyring),
            metrics=Metrics(),
            work=cast("Any", self.work),
            ledger=ledger,
            quote_desk=QuoteDesk(self.clock.now, keyring.keyed_hash, ledger),
            refused=RefusedBook(rooms, self.clock.now),
        )
        register_jobs(self.house, self.work)
        if beside is None:
            self.act(self._connect, list(carriers))
        else:
            self.shop_id, self.account_id, self.location_id = beside.shop_id, beside.account_id, beside.location_id
            self.numbers = beside.numbers
        await directory.refresh()
        return self

    # --- looking

    @property
    def shop(self) -> ShopEntry:
        found = self.house.directory.shop(self.shop_id)
        assert found is not None
        return found

    def act(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One transaction of the test's own."""
        return self.database.run_here(work, *args, **kwargs)

    def order(self, order_id: str) -> OrderView:
        return self.act(view.show, self.shop_id, order_id)

    def parcel(self, order_id: str) -> view.ParcelView:
        """The order's only parcel that is not cancelled."""
        (found,) = self.live_parcels(order_id)
        return found

    def live_parcels(self, order_id: str) -> list[view.ParcelView]:
        return [each for each in self.order(order_id).parcels if each.state != "cancelled"]

    def label_states(self, parcel_id: str) -> list[str]:
        return sorted(row.state for row in self.labels_of(parcel_id))

    def labels_of(self, parcel_id: str) -> list[Any]:
        chosen = labels.select(self.shop_id).where(labels.c.parcel_id == parcel_id).order_by(labels.c.id)
        return list(self.act(lambda connection: connection.execute(chosen).all()))

    def matters(self) -> list[Matter]:
        found = self.act(open_matters, self.shop_id)
        for matter in found:
            assert matter.cure != f"{matter.reason.code}_cure", "every matter for a person says what to do"
        return found

    def matter_codes(self) -> list[str]:
        return [matter.reason.code for matter in self.matters()]

    def balances(self) -> dict[str, int]:
        """What stands on each account that is not even; the currencies are all euros here."""
        return {account: minor for (account, _), minor in self.act(balances, self.shop_id).items() if minor}

    # --- doing

    async def set(self, **changes: str) -> None:
        """Publish a settings version, as the command line does."""
        settings = shop_settings.change(self.shop.settings, changes, "EUR")
        body = shop_settings.dump(settings)
        self.act(settings_versions.publish, self.shop_id, body, PERSON, self.clock.now())
        await self.house.directory.refresh()

    async def quote(self, *lines: CartLine, to: Address = BUYER) -> LedgerRow:
        """Ask for prices, and have the answer in the ledger."""
        cart = Cart(lines or (MUG, POT), "EUR", destination=to, location_id="loc_store")
        _, row = await self.house.quote_desk.answer(self.shop.quoting, RateCall(cart, {"call": "1"}))
        await self.house.ledger.flush()
        return row

    def place(
        self, *lines: CartLine, offer: DecidedOffer | None = None, to: Address | None = BUYER, **fields: Any
    ) -> Order:
        """Put a paid order into the store; the offer is the one that the buyer chose."""
        number = next(self.numbers)
        now = self.clock.now()
        group = FulfilmentGroup(
            id=f"grp_{number}",
            state=GroupState.READY,
            lines=tuple(
                OrderLine(
                    f"lin_{number}_{i}", each.quantity, each.price, each.weight, each.sku, each.name, each.variant_id
                )
                for i, each in enumerate(lines or (MUG, POT), 1)
            ),
            destination=to,
            location_id="loc_store",
            service_code="" if offer is None else offer.code,
        )
        charged = () if offer is None else (ShippingLine(offer.code, offer.name, Money(offer.minor, offer.currency)),)
        order = Order(
            id=f"ord_{number}",
            name=f"#{1000 + number}",
            currency="EUR",
            paid=True,
            cancelled=False,
            updated_at=now,
            placed_at=now,
            groups=(group,),
            shipping_lines=charged,
            email=BUYER.email,
        )
        return self.store.put(replace(order, **fields))

    async def buy_from_quote(self, *lines: CartLine, service: str = "fake-ground", **fields: Any) -> Order:
        """Quote, choose, pay: a paid order in the store that nobody told us of yet."""
        row = await self.quote(*lines)
        offer = next(each for each in row.decision.offers if each.code == service)
        return self.place(*lines, offer=offer, **fields)

    def change(self, order_id: str, **fields: Any) -> Order:
        """The order is changed in the store; its update time moves on."""
        return self.store.put(replace(self.store.orders[order_id], **fields), self.clock.now() + timedelta(seconds=1))

    def change_group(self, order_id: str, **fields: Any) -> Order:
        """The order's only group is changed in the store."""
        (group,) = self.store.orders[order_id].groups
        return self.store.put_group(order_id, replace(group, **fields), self.clock.now() + timedelta(seconds=1))

    async def refresh(self, order_id: str) -> None:
        """Have the order read again, and everything done that is due."""
        self.queue(REFRESH, order_id)
        await self.drain()

    def queue(self, name: str, *args: str, key: str = "") -> None:
        task = Task(name, key or f"test:{next(self.numbers)}:{name}:{args}", self.shop_id, args)
        self.act(self.work.enqueue, task)

    async def click_buy(self, order_id: str, over_cap: str = "", another: str = "") -> None:
        """A person asks for labels; `over_cap` and `another` are why they may pass the cap, or buy once more."""
        now, why = self.clock.now(), {"over_cap": over_cap, "another": another}
        self.act(view.request_purchase, self.work, self.shop_id, order_id, PERSON, now, **why)
        await self.drain()

    async def release(self, order_id: str) -> None:
        """A person lets go of the order's holds."""
        self.act(release, self.work, self.shop, order_id, PERSON, "it is sound", self.clock.now())
        await self.drain()

    async def deliver(self, topic: str, about: dict[str, Any], *, carrier: bool = False, key: str = "") -> None:
        """A webhook that has been proved: stored and queued, as the receiver does it. Not processed yet."""
        raw = json.dumps(about).encode()
        endpoint = f"carrier:{self.account_id}" if carrier else f"store:{self.shop_id}"
        delivery_key = key or f"dlv {next(self.numbers)}"

        def keep(connection: Connection) -> None:
            inbox_id = self.house.inbox.store(connection, endpoint, delivery_key, topic, raw, self.shop_id)
            if inbox_id is not None:
                name, args = ("hooks.carrier", (inbox_id, self.account_id)) if carrier else ("hooks.store", (inbox_id,))
                self.work.enqueue(connection, Task(name, inbox_id, self.shop_id, args))

        self.act(keep)

    async def drain(self) -> None:
        """Do what is due now. A worker that is killed is started again, and its job runs from the top."""
        while True:
            try:
                await self.work.drain()
            except Killed:
                self.kill_at, self.dead = None, False
                while self.work.running:
                    self.act(self.work.later, self.work.running[-1], self.clock.now())
                    self.work.running.pop()
            else:
                return

    async def pass_time(self, seconds: float, step_s: float = 5) -> None:
        """Let business time go by, and work be done on the way."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.at = min(end, self.clock.at + timedelta(seconds=step_s))
            await self.drain()

    def put_on_list(self, label_id: str, state: str = "made") -> Any:
        """Have a label stand on a list of the carrier's that got so far; the list's row."""
        now, manifest_id = self.clock.now(), f"man_{next(self.numbers)}"
        (label,) = self.act(
            lambda connection: connection.execute(labels.select(self.shop_id).where(labels.c.id == label_id)).all()
        )
        values = {"account_id": label.account_id, "carrier": label.carrier, "state": state, "made_at": now}
        values |= {"labels": [[label.id, label.handle, label.tracking_code]], "changed_at": now}
        values |= {"actor_kind": "person", "actor_name": "desk"}

        def put(connection: Connection) -> Any:
            connection.execute(manifests.insert(self.shop_id, id=manifest_id, **values))
            connection.execute(manifest_labels.insert(self.shop_id, label_id=label_id, manifest_id=manifest_id))
            return connection.execute(manifests.select(self.shop_id).where(manifests.c.id == manifest_id)).one()

        return self.act(put)

    def reach(self, boundary: str) -> None:
        """Every boundary of a step and of a transaction comes by here; the chosen one ends the process."""
        if self.dead:
            raise Killed
        self.boundaries.append(boundary)
        if self.on_boundary is not None:
            self.on_boundary(len(self.boundaries))
        if self.kill_at is not None and len(self.boundaries) >= self.kill_at:
            self.die()

    def die(self) -> None:
        """End the process: nothing that follows in it, not even its cleaning up, reaches the database."""
        self.dead = True
        raise Killed

    # --- pieces

    def _observe(self, boundary: Boundary, _task: Task, step: str) -> None:
        self.reach(f"{boundary} {step}")

    def _connect(self, connection: Connection, carriers: Sequence[str]) -> None:
        now = self.clock.now()
        shop = add_shop(
            connection,
            self.house.keyring,
            platform="fake",
            domain="fake.example",
            name="Fake shop",
            currency="EUR",
            timezone="Europe/Bratislava",
            credentials={},
            actor=PERSON,
            now=now,
        )
        self.shop_id = shop.id
        (place,) = put_locations(connection, shop.id, [StoreLocation("loc_store", "Warehouse", ORIGIN)], now)
        self.location_id = place.id
        settings_versions.publish(connection, shop.id, {}, PERSON, now)
        for name in carriers:
            account = add_account(connection, self.house.keyring, shop.id, name, {}, True, PERSON, now)
            self.account_id = self.account_id or account.id

    def _carrier_kind(self, carrier: FakeCarrier) -> CarrierKind:
        def connect(settings: BaseModel, outgoing: Any, clock: Clock) -> Carrier:
            return carrier

        return CarrierKind("fake", "Fake carrier", NoSettings, Capabilities("refused", 60), connect)

    def _store_kind(self) -> StoreKind:
        def connect(settings: BaseModel, outgoing: Any, clock: Clock, vault: Any) -> Store:
            return self.store

        return StoreKind("fake", "Fake store", NoSettings, self.store.capabilities, connect, lambda headers: None)


Build = Callable[..., Awaitable[World]]


@asynccontextmanager
async def a_world(url: str, folder: Path, clock: FrozenClock, **parts: Any) -> AsyncIterator[World]:
    """A world on an empty database at this URL."""
    database = open_database(url, pool_size=4)
    metadata.create_all(database.engine)
    try:
        yield await World(database, clock, folder, **parts).open()
    finally:
        database.close()


@pytest.fixture
async def world(tmp_path: Path, clock: FrozenClock) -> AsyncIterator[World]:
    """A world on SQLite."""
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock) as built:
        yield built


@pytest.fixture
async def any_world(tables_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[World]:
    """A world on SQLite, then one on PostgreSQL: for what costs money."""
    async with a_world(tables_url, tmp_path, clock) as built:
        yield built
