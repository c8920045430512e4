"""The shop's counter for tests of the desk: buyers ask and pay, and a worker in this process does what is queued."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.orders import view
from connector.orders.refresh import REFRESH
from connector.orders.view import OrderView
from connector.quotes.ledger import LedgerRow
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.store import Cart, CartLine, CartTotals, Offer, RateCall
from connector.stores.sandbox import SandboxStore
from connector.wiring import House, register_jobs
from connector.work.lease import executors
from connector.work.memory import MemoryWork
from connector.work.port import Task
from tests.http.desk.world import DeskWorld, copied_house, opened

BUYER = Address(
    "AT", "1010", "9", "Wien", "Canary Street 3", name="Canary Buyer", phone="+43 1 999", email="canary@example.com"
)
POT = CartLine(1, Money(2450, "EUR"), Weight(980), "POT-1", "Tea pot", "pot-1")
_keys = count(1)


@dataclass
class Counter:
    """A desk, with buyers before it and a worker behind it."""

    desk: DeskWorld
    work: Any

    @property
    def house(self) -> House:
        return self.desk.house

    @property
    def shop(self) -> Any:
        found = self.house.directory.shop(self.desk.shop_id)
        assert found is not None
        return found

    async def settle(self, body: dict[str, Any]) -> None:
        """The shop's settings as given, known to everybody."""
        anna = Actor("person", "anna")
        self.house.here(settings_versions.publish, self.desk.shop_id, body, anna, self.house.clock.now())
        await self.house.directory.refresh()

    async def fresh(self) -> Any:
        """The shop as it is set by now."""
        await self.house.directory.refresh()
        return self.shop

    async def quote(self, *lines: CartLine, country: str = "AT") -> LedgerRow:
        """A checkout asks, and the answer is kept."""
        _, row = await self.house.quote_desk.answer(self.shop.quoting, RateCall(a_cart(lines or (POT,), country)))
        await self.house.ledger.flush()
        return row

    async def order(self, *lines: CartLine, risky: bool = False, to: Address = BUYER) -> OrderView:
        """A buyer chooses the cheapest option and pays; the order is read, and nothing is bought yet."""
        row = await self.quote(*lines)
        chosen = row.decision.offers[0]
        offer = Offer(chosen.code, chosen.name, Money(chosen.minor, chosen.currency))
        keeper = cast("SandboxStore", self.shop.store).shopkeeper
        placed = await keeper.place_order(
            [(a_cart(lines or (POT,)), offer)], to=to, email=BUYER.email, phone=BUYER.phone, risky=risky
        )
        await keeper.mark_paid(placed.order_id)
        self.queue(REFRESH, placed.order_id)
        await self.drain()
        return self.see(placed.order_id)

    def queue(self, name: str, *args: str) -> None:
        task = Task(name, f"counter:{next(_keys)}", self.desk.shop_id, args)
        self.house.here(self.work.enqueue, task)

    async def drain(self) -> None:
        """The worker does what is due."""
        await self.work.drain()

    def see(self, reference: str) -> OrderView:
        return self.house.here(view.show, self.desk.shop_id, reference)

    def pretend_worker(self) -> None:
        """A worker that is alive for an hour, as far as anybody can tell."""
        values = {
            "id": "exe_test",
            "kind": "worker",
            "host": "here",
            "pid": 1,
            "incarnation": "1",
            "fenced": False,
            "stopped": False,
        }
        values |= {"started_at": 0.0, "expires_at": 4e9}
        self.house.here(lambda connection: connection.execute(insert(executors).values(**values)))


def a_cart(lines: tuple[CartLine, ...], country: str = "AT") -> Cart:
    """A cart as a checkout has it: a place without a street."""
    total = Money(sum(line.price.minor * line.quantity for line in lines), "EUR")
    place = Address(country, BUYER.postal_code, BUYER.province, BUYER.city)
    return Cart(
        lines, "EUR", destination=place, totals=CartTotals(total, Money.zero("EUR"), total), location_id="loc_1"
    )


@asynccontextmanager
async def counter_at(steady: Path, folder: Path, **settings: Any) -> AsyncIterator[Counter]:
    """A counter on a copy of a data folder. Nothing is bought without a click."""
    house = copied_house(steady, folder, **settings)
    house.prepare_database()
    work = MemoryWork(house.database, house.clock)
    house = replace(house, work=cast("Any", work))
    register_jobs(house, work)
    async with opened(house) as desk:
        yield Counter(desk, work)
