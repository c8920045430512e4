"""Batches: many orders chosen at once, their cost looked at, their labels bought, and what came of each.

A batch is a list of orders and whether their labels were asked for; what became of them is read from their parcels. It
buys by the one way of every purchase, so nothing is bought twice, and a job that is killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func

from carriers.money import Money
from connector.labels import record
from connector.labels.tables import BUYABLE, parcels
from connector.orders import listing, unseen
from connector.orders.listing import OrderFilter, OrderLine, ParcelLine
from connector.orders.tables import batch_items, batches, orders
from connector.orders.view import CapReached, NoSuchOrder, NothingToBuy
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database, in_parts
from connector.storage.ids import new_id
from connector.words.reason import Reason
from connector.work.port import Run, Task, Work
from webhooks.errors import WaybillError

JOB = "batches.buy"
MOST = 1000
"""The most orders of one batch."""

_AT_ONCE = 20
_PRICED = (parcels.c.id, parcels.c.state, parcels.c.bought_as)


class NoBatch(WaybillError):
    """Nothing was chosen, too much was, or there is no such batch."""


@dataclass(frozen=True, slots=True)
class Item:
    """An order of the batch, and when its labels were asked for: `why` is why not. `line` is None once it is gone."""

    position: int
    order_id: str
    asked_at: datetime | None
    why: Reason | None
    line: OrderLine | None

    @property
    def outcome(self) -> str:
        """How the order stands.

        chosen, open (a label, or its file, still comes), bought, file_missing (bought, and cannot be printed), partly,
        unclear (only a person can tell), stopped (see its parcels) or nothing.
        """
        if self.line is None or not self.line.parcels:
            return "nothing"
        states = [each.state for each in self.line.parcels]
        if all(state == "bought" for state in states):
            shown = {each.shown for each in self.line.parcels}
            if "file_coming" in shown and self.asked_at is not None:
                return "open"
            return "file_missing" if "file_missing" in shown else "bought"
        if self.why is not None:
            return "stopped"
        if self.asked_at is None:
            return "chosen"
        if any(self._is_open(each) for each in self.line.parcels):
            return "open"
        if any(each.is_unclear for each in self.line.parcels):
            return "unclear"
        return "partly" if "bought" in states else "stopped"

    def is_asked(self, parcel: ParcelLine) -> bool:
        """Whether it waits for a worker: it was asked for, and not let go of, edited or planned anew since."""
        asked = self.why is None and self.asked_at is not None and parcel.changed_at <= self.asked_at
        return asked and parcel.state == "planned" and parcel.why is None

    def _is_open(self, parcel: ParcelLine) -> bool:
        """Whether its outcome still comes by itself; what waits for a click, or at a gate, may wait for long."""
        return self.is_asked(parcel) or (parcel.state in {"buying", "unknown"} and not parcel.is_unclear)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch with what came of it so far."""

    id: str
    made_at: datetime
    bought_at: datetime | None
    items: tuple[Item, ...]

    def count(self, *outcomes: str) -> int:
        """How many orders have one of these outcomes."""
        return sum(each.outcome in outcomes for each in self.items)

    @property
    def open(self) -> int:
        """How many orders have no outcome yet, once they were asked for."""
        return 0 if self.bought_at is None else self.count("chosen", "open")

    @property
    def parcels(self) -> list[str]:
        """The parcels with a label, in the batch's order."""
        return [each.id for item in self.items if item.line is not None for each in item.line.bought]


@dataclass(frozen=True, slots=True)
class Preview:
    """What buying would cost, by the prices that were quoted. `unpriced`: parcels without one."""

    orders: int
    parcels: int
    totals: tuple[Money, ...]
    unpriced: int
    held: int
    by_order: Mapping[str, tuple[Money, ...]] = field(default_factory=dict)


def matching(connection: Connection, shop_id: str, chosen: OrderFilter) -> list[str]:
    """Every order that the filter finds and whose labels could be bought, the oldest first. Raises NoBatch.

    Where it is not clear whether there is a label already, nothing is bought by the dozen: a person looks first. What
    was held or refused is found only by a filter that asks for it.
    """
    found: list[str] = []
    stopped = {"held", "refused"} - {chosen.state}
    for line in listing.pages(connection, shop_id, chosen):
        waits = not any(each.is_unclear or each.state in stopped for each in line.parcels)
        if line.can_buy and not line.cancelled and waits:
            found.append(line.id)
            if len(found) > MOST:
                raise NoBatch(f"A batch has at most {MOST} orders: narrow the list, by days for instance.")
    return found[::-1]


def make(connection: Connection, shop_id: str, order_ids: Sequence[str], actor: Actor, now: datetime) -> str:
    """Put orders on a batch, in this order; nothing is bought. Returns its id. Raises NoBatch."""
    ids = list(dict.fromkeys(order_ids))
    if len(ids) > MOST:
        raise NoBatch(f"A batch has at most {MOST} orders.")
    known: set[str] = set()
    for part in in_parts(ids):
        some = orders.select(shop_id, orders.c.id).where(orders.c.id.in_(part))
        known |= {row.id for row in connection.execute(some).all()}
    ids = [each for each in ids if each in known]
    if not ids:
        raise NoBatch("Choose the orders whose labels you want to buy.")
    batch_id = new_id("bat", now)
    new = batches.insert(shop_id, id=batch_id, made_at=now, actor_kind=actor.kind, actor_name=actor.name)
    connection.execute(new)
    rows = [
        {"shop_id": shop_id, "batch_id": batch_id, "position": place, "order_id": each}
        for place, each in enumerate(ids, 1)
    ]
    connection.execute(batch_items.for_rows, rows)
    return batch_id


def load(connection: Connection, shop_id: str, batch_id: str) -> Batch:
    """A batch as it stands. Raises NoBatch."""
    row = _row(connection, shop_id, batch_id)
    items = connection.execute(
        batch_items.select(shop_id).where(batch_items.c.batch_id == batch_id).order_by(batch_items.c.position)
    ).all()
    lines: dict[str, OrderLine] = {}
    ids = [item.order_id for item in items]
    for part in in_parts(ids):
        lines |= {line.id: line for line in listing.some(connection, shop_id, part)}
    found = tuple(
        Item(
            item.position,
            item.order_id,
            item.asked_at,
            None if item.why is None else Reason.from_json(item.why),
            lines.get(item.order_id),
        )
        for item in items
    )
    return Batch(row.id, row.made_at, row.bought_at, found)


def preview(connection: Connection, shop_id: str, batch: Batch) -> Preview:
    """What buying the labels of the batch would cost, as they were quoted; the carrier's price counts in the end."""
    owners = {
        each.id: item.order_id
        for item in batch.items
        if item.line is not None
        for each in item.line.parcels
        if each.state in BUYABLE
    }
    ids = list(owners)
    prices: dict[str, list[Money]] = {}
    unpriced = held = 0
    for part in in_parts(ids):
        some = parcels.select(shop_id, *_PRICED).where(parcels.c.id.in_(part))
        for row in connection.execute(some).all():
            held += row.state == "held"
            price = record.quoted(row)
            if price is None:
                unpriced += 1
            else:
                prices.setdefault(owners[row.id], []).append(price)
    waiting = sum(item.line is not None and item.line.can_buy for item in batch.items)
    return Preview(
        orders=waiting,
        parcels=len(ids),
        totals=summed(each for some in prices.values() for each in some),
        unpriced=unpriced,
        held=held,
        by_order={order_id: summed(some) for order_id, some in prices.items()},
    )


def summed(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """One sum for each currency."""
    totals: dict[str, Money] = {}
    for each in amounts:
        totals[each.currency] = totals.get(each.currency, Money.zero(each.currency)) + each
    return tuple(totals.values())


def buy(
    connection: Connection, work: Work, shop_id: str, batch_id: str, actor: Actor, now: datetime, *, over_cap: str = ""
) -> int:
    """Have the labels of a batch bought; how many orders it has. A second click changes nothing. Raises NoBatch."""
    row = _row(connection, shop_id, batch_id, hold=True)
    count = connection.execute(
        batch_items.select(shop_id, func.count()).where(batch_items.c.batch_id == batch_id)
    ).scalar_one()
    if row.bought_at is None:
        values = {"bought_at": now, "actor_kind": actor.kind, "actor_name": actor.name, "over_cap": over_cap[:300]}
        connection.execute(batches.update(shop_id).where(batches.c.id == batch_id).values(**values))
        work.enqueue(connection, Task(JOB, f"batch:{batch_id}", shop_id, (batch_id,)))
        audit.record(
            connection,
            now=now,
            actor=actor,
            action="batch.buy",
            subject=batch_id,
            shop_id=shop_id,
            detail={"orders": int(count)},
        )
    return int(count)


def try_again(connection: Connection, work: Work, shop_id: str, batch_id: str, actor: Actor, now: datetime) -> int:
    """Ask once more for what has no label: orders that were refused, held or stopped, not unclear ones; how many."""
    row = _row(connection, shop_id, batch_id, hold=True)
    if row.bought_at is None:
        raise NoBatch("The labels of this batch were not asked for yet.")
    items = load(connection, shop_id, batch_id).items
    failed = [item.position for item in items if item.outcome in {"stopped", "partly"}]
    if failed:
        mine = batch_items.update(shop_id).where(batch_items.c.batch_id == batch_id, batch_items.c.position.in_(failed))
        connection.execute(mine.values(asked_at=None, why=None))
        by = {"actor_kind": actor.kind, "actor_name": actor.name}
        if Actor(row.actor_kind, row.actor_name) != actor:
            by["over_cap"] = ""  # Who may pass the cap said so for themselves, not for whoever asks next.
        connection.execute(batches.update(shop_id).where(batches.c.id == batch_id).values(**by))
        work.enqueue(connection, Task(JOB, f"batch:{batch_id}:{now.isoformat()}", shop_id, (batch_id,)))
        audit.record(
            connection,
            now=now,
            actor=actor,
            action="batch.again",
            subject=batch_id,
            shop_id=shop_id,
            detail={"orders": len(failed)},
        )
    return len(failed)


@dataclass(frozen=True, slots=True)
class BatchBuyer:
    """The job `batches.buy` (batch): asks for the labels of its orders, a few at a time, each once."""

    database: Database
    work: Work
    now: Callable[[], datetime]

    async def buy(self, run: Run) -> None:
        """Ask for what was not asked for; the purchases are jobs of their own."""
        (batch_id,) = run.task.args
        while await run.step("batch.ask", lambda: self.database.run(self._some, run.task.shop_id, batch_id)):
            continue

    def _some(self, connection: Connection, shop_id: str, batch_id: str) -> int:
        """The next few orders, asked for and marked in one transaction; how many there were."""
        row = _row(connection, shop_id, batch_id, hold=True)
        if row.bought_at is None:
            return 0
        actor = Actor(row.actor_kind, row.actor_name)
        waiting = connection.execute(
            batch_items.select(shop_id)
            .where(batch_items.c.batch_id == batch_id, batch_items.c.asked_at.is_(None))
            .order_by(batch_items.c.position)
            .limit(_AT_ONCE)
        ).all()
        for item in waiting:
            why = self._ask(connection, shop_id, item.order_id, actor, row.over_cap)
            mine = batch_items.update(shop_id).where(
                batch_items.c.batch_id == batch_id, batch_items.c.position == item.position
            )
            connection.execute(mine.values(asked_at=self.now(), why=None if why is None else why.to_json()))
        return len(waiting)

    def _ask(self, connection: Connection, shop_id: str, order_id: str, actor: Actor, over_cap: str) -> Reason | None:
        """Why an order's labels are not asked for."""
        try:
            return unseen.ask(connection, self.work, shop_id, order_id, actor, self.now(), over_cap=over_cap)
        except NothingToBuy:
            return Reason("nothing_to_buy")
        except NoSuchOrder:
            return Reason("order_gone")
        except CapReached as error:
            return Reason("batch_at_cap", {"said": error.message})


def _row(connection: Connection, shop_id: str, batch_id: str, *, hold: bool = False) -> Any:
    chosen = batches.select(shop_id).where(batches.c.id == batch_id)
    row = connection.execute(chosen.with_for_update() if hold else chosen).one_or_none()
    if row is None:
        raise NoBatch("There is no such batch.", detail=batch_id)
    return row
