"""The pretend platform itself: what would stand behind an HTTP interface, with a SQLite file for its books.

Refusals are raised as SaidNo, with the platform's own codes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from connector.store import FulfilRequest, StoreEventRequest
from connector.stores.sandbox.books import Books, stamp
from connector.stores.sandbox.documents import FulfilmentJSON, GroupJSON, OrderJSON, StepJSON
from connector.stores.sandbox.errors import SaidNo
from connector.stores.sandbox.mapping import number_of, order_id
from connector.stores.sandbox.settings import SandboxStoreSettings
from webhooks.ports import Clock, Fence

T = TypeVar("T")

FIRST_NUMBER = 1001


class PretendPlatform:
    """One shop's interface. Each call is one transaction in the books."""

    def __init__(self, settings: SandboxStoreSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._books = Books(settings.path, settings.domain, settings.secret.get_secret_value())

    # --- orders

    async def order(self, any_id: str) -> OrderJSON | None:
        """The order that an id of an order, a group or a fulfilment belongs to; None if there is none."""
        number = number_of(any_id)
        self._reachable()
        return None if number is None else await self._books.transact(lambda books: self._load(books, number))

    async def orders_since(self, since: datetime) -> list[tuple[str, datetime]]:
        """Ids and update times of orders that changed at or after `since`, oldest first."""
        self._reachable()

        def work(books: sqlite3.Connection) -> list[tuple[str, datetime]]:
            asked = (
                "SELECT number, updated_at FROM orders WHERE domain = ? AND updated_at >= ? ORDER BY updated_at, number"
            )
            rows = books.execute(asked, (self.settings.domain, stamp(since))).fetchall()
            return [(order_id(number), datetime.fromisoformat(updated)) for number, updated in rows]

        return await self._books.transact(work)

    async def place(self, make: Callable[[int, datetime], OrderJSON]) -> OrderJSON:
        """Keep a new order, made from its number and the present."""
        now = self._clock.now()

        def work(books: sqlite3.Connection) -> OrderJSON:
            highest = "SELECT max(number) FROM orders WHERE domain = ?"
            (last,) = books.execute(highest, (self.settings.domain,)).fetchone()
            order = make(FIRST_NUMBER if last is None else last + 1, now)
            self._save(books, order)
            return order

        return await self._books.transact(work)

    async def change(self, any_id: str, change: Callable[[OrderJSON], T], fence: Fence | None = None) -> T:
        """Change an order in one transaction; the fence is asked with the lock held, just before."""
        number = number_of(any_id)
        self._reachable()

        def work(books: sqlite3.Connection) -> T:
            if fence is not None and not fence():
                raise SaidNo("fenced", "This process may no longer act; another one goes on.")
            order = None if number is None else self._load(books, number)
            if order is None:
                raise SaidNo("order_unknown", "The shop has no such order.")
            result = change(order)
            order.updated_at = self._clock.now()
            self._save(books, order)
            return result

        result = await self._books.transact(work)
        if fence is not None and self.settings.fault == "lost-answer":
            raise SaidNo("no_answer", "The shop did not answer; whether it took effect is not known.")
        return result

    # --- fulfilments

    async def fulfil(self, request: FulfilRequest, fence: Fence) -> FulfilmentJSON:
        """Note that units left. Refuses more than remain, held groups, and cancelled orders."""

        def change(order: OrderJSON) -> FulfilmentJSON:
            group = group_of(order, request.group_id)
            if order.cancelled:
                raise SaidNo("order_cancelled", "The order was cancelled.")
            if group.holds:
                raise SaidNo("group_held", "The order is on hold.")
            units = dict(request.lines)
            lines = {line.id: line for line in group.lines}
            if not units or len(units) != len(request.lines) or not units.keys() <= lines.keys():
                raise SaidNo("line_unknown", "The order has no such lines.")
            for line_id, quantity in units.items():
                if not 0 < quantity <= lines[line_id].quantity - order.shipped(line_id):
                    raise SaidNo("too_many_units", "More units were named than wait to be shipped.")
            fulfilment = FulfilmentJSON(
                id=f"ful_{order.number}_{len(order.fulfilments) + 1}",
                group=group.id,
                units=units,
                company=request.company,
                number=request.number,
                url=request.url,
                notified=request.notify_buyer,
            )
            order.fulfilments.append(fulfilment)
            return fulfilment

        return await self.change(request.order_id, change, fence)

    async def update_tracking(
        self, fulfilment_id: str, company: str, number: str, url: str, notify: bool, fence: Fence
    ) -> None:
        """Replace the tracking of a fulfilment."""

        def change(order: OrderJSON) -> None:
            fulfilment = fulfilment_of(order, fulfilment_id)
            fulfilment.company, fulfilment.number, fulfilment.url = company, number, url
            fulfilment.notified = fulfilment.notified or notify

        await self.change(fulfilment_id, change, fence)

    async def cancel_fulfilment(self, fulfilment_id: str, fence: Fence) -> None:
        """Take a fulfilment back; a repeat changes nothing."""

        def change(order: OrderJSON) -> None:
            fulfilment_of(order, fulfilment_id).cancelled = True

        await self.change(fulfilment_id, change, fence)

    async def add_event(self, request: StoreEventRequest, fence: Fence) -> None:
        """Add a step to a fulfilment's timeline."""

        def change(order: OrderJSON) -> None:
            step = StepJSON(
                status=request.status.value,
                at=request.at,
                message=request.message,
                city=request.city,
                country=request.country,
            )
            fulfilment_of(order, request.fulfilment_id).timeline.append(step)

        await self.change(request.fulfilment_id, change, fence)

    # --- facts: locations, products, what was installed

    async def facts(self, kind: str) -> dict[str, bytes]:
        """Documents of one kind by id, in the order of their ids."""
        self._reachable()

        def work(books: sqlite3.Connection) -> dict[str, bytes]:
            asked = "SELECT id, document FROM facts WHERE domain = ? AND kind = ? ORDER BY id"
            rows = books.execute(asked, (self.settings.domain, kind)).fetchall()
            return {each: self._books.open(document) for each, document in rows}

        return await self._books.transact(work)

    async def put_fact(self, kind: str, fact_id: str, document: bytes | None) -> None:
        """Keep a document, or with None remove it."""
        self._reachable()

        def work(books: sqlite3.Connection) -> None:
            where = (self.settings.domain, kind, fact_id)
            if document is None:
                books.execute("DELETE FROM facts WHERE domain = ? AND kind = ? AND id = ?", where)
                return
            kept = "INSERT OR REPLACE INTO facts (domain, kind, id, document) VALUES (?, ?, ?, ?)"
            books.execute(kept, (*where, self._books.seal(document)))

        await self._books.transact(work)

    # --- pieces

    def _reachable(self) -> None:
        if self.settings.fault == "down":
            raise SaidNo("platform_down", "The sandbox shop plays dead.")

    def _load(self, books: sqlite3.Connection, number: int) -> OrderJSON | None:
        asked = "SELECT document FROM orders WHERE domain = ? AND number = ?"
        row = books.execute(asked, (self.settings.domain, number)).fetchone()
        return None if row is None else OrderJSON.model_validate_json(self._books.open(row[0]))

    def _save(self, books: sqlite3.Connection, order: OrderJSON) -> None:
        books.execute(
            "INSERT OR REPLACE INTO orders (domain, number, updated_at, document) VALUES (?, ?, ?, ?)",
            (
                self.settings.domain,
                order.number,
                stamp(order.updated_at),
                self._books.seal(order.model_dump_json().encode()),
            ),
        )


def group_of(order: OrderJSON, group_id: str) -> GroupJSON:
    """The order's group. Raises SaidNo."""
    for group in order.groups:
        if group.id == group_id:
            return group
    raise SaidNo("group_unknown", "The order has no such group.")


def fulfilment_of(order: OrderJSON, fulfilment_id: str) -> FulfilmentJSON:
    """The order's fulfilment. Raises SaidNo."""
    for fulfilment in order.fulfilments:
        if fulfilment.id == fulfilment_id:
            return fulfilment
    raise SaidNo("fulfilment_unknown", "The order has no such fulfilment.")
