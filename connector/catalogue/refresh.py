"""Jobs that read the store's products: a sweep of all, which converges, and those that a webhook told of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.catalogue import keep
from connector.catalogue.fields import FieldName
from connector.catalogue.product import key_of
from connector.catalogue.tables import state, to_read
from connector.storage.database import Database, insert_new
from connector.store import ProductFacts, ProductPage, Store
from connector.work.port import Run, Task, Work

EVERY = timedelta(hours=6)
SWEEP, READ = "catalogue.sweep", "catalogue.read"
_SOON = timedelta(seconds=5)
"""A change of many products at once comes as as many messages: they are gathered for so long."""
_AT_ONCE = 50
_TOO_MANY = 1000
"""More changed products than that are read by a sweep, which costs fewer calls."""


@dataclass(frozen=True, slots=True)
class CatalogueReader:
    """The jobs `catalogue.sweep` and `catalogue.read`, for one shop. `shop_of` finds it with the names it reads."""

    database: Database
    work: Work
    shop_of: Callable[[str], tuple[Store, Sequence[FieldName]] | None]
    now: Callable[[], datetime]

    async def sweep(self, run: Run) -> None:
        """Read every variant, page by page; a sweep that was interrupted goes on where it stopped."""
        shop_id = run.task.shop_id
        found = self.shop_of(shop_id)
        if found is None or not found[0].capabilities.products:
            return
        store, names = found
        fields = tuple(name.name for name in names)
        sweep, after = await self.database.run(_begin, shop_id, self.now())
        while True:
            page = await run.step("store.products", lambda: store.products(after, fields))  # noqa: B023 - run at once.
            await self.database.run(self._take_in, shop_id, page, names, sweep)
            if not page.after:
                break
            after = page.after

    async def read(self, run: Run) -> None:
        """Read the products that the store told of, until none is left to read."""
        shop_id = run.task.shop_id
        found = self.shop_of(shop_id)
        if found is None or not found[0].capabilities.products:
            return
        store, names = found
        fields = tuple(name.name for name in names)
        while some := await self.database.run(self._next_to_read, shop_id):
            ids = list(some)
            facts = await run.step("store.variants", lambda: store.variants_of(ids, fields))  # noqa: B023 - run at once.
            await self.database.run(_read, shop_id, some, facts, names)

    def changed(self, connection: Connection, shop_id: str, product_ids: Sequence[str]) -> None:
        """The store told that these products changed: read them soon, many together."""
        for product_id in dict.fromkeys(product_ids):
            known = product_id[:120]
            if not insert_new(connection, to_read.insert(shop_id, product_id=known, asked=1, asked_at=self.now())):
                again = to_read.update(shop_id).where(to_read.c.product_id == known)
                connection.execute(again.values(asked=to_read.c.asked + 1))
        if product_ids:
            self.work.later(connection, Task(READ, f"{READ}:{shop_id}", shop_id), self.now() + _SOON)

    def _next_to_read(self, connection: Connection, shop_id: str) -> dict[str, int]:
        """Products with how often each was told of; none, and a sweep instead, where there are too many."""
        rows = connection.execute(to_read.select(shop_id).order_by(to_read.c.asked_at).limit(_TOO_MANY + 1)).all()
        if len(rows) > _TOO_MANY:
            connection.execute(to_read.delete(shop_id))
            self.work.later(connection, Task(SWEEP, f"{SWEEP}:{shop_id}", shop_id), self.now())
            return {}
        return {row.product_id: row.asked for row in rows[:_AT_ONCE]}

    def _take_in(
        self, connection: Connection, shop_id: str, page: ProductPage, names: Sequence[FieldName], sweep: int
    ) -> None:
        keep.put_facts(connection, shop_id, page.variants, names, sweep)
        change: dict[str, str | datetime | None] = {"cursor": page.after}
        if not page.after:
            keep.forget_missing(connection, shop_id, sweep)
            change |= {"swept_at": self.now(), "sweep_began_at": None}
        connection.execute(state.update(shop_id).values(**change))


def _begin(connection: Connection, shop_id: str, now: datetime) -> tuple[int, str]:
    """The sweep's number and where it goes on: behind the cursor of one that was interrupted less than a day ago."""
    insert_new(connection, state.insert(shop_id, version=0))
    row = connection.execute(state.select(shop_id).with_for_update()).one()
    began = row.sweep_began_at
    if began is not None and row.cursor and now - began < timedelta(days=1):
        return row.sweep, row.cursor
    values = {"sweep": row.sweep + 1, "cursor": "", "sweep_began_at": now}
    connection.execute(state.update(shop_id).values(**values))
    return row.sweep + 1, ""


def _read(
    connection: Connection,
    shop_id: str,
    asked: dict[str, int],
    facts: Sequence[ProductFacts],
    names: Sequence[FieldName],
) -> None:
    """Take in what the store said of these products; one that was told of meanwhile stays to be read again."""
    sweep = connection.execute(state.select(shop_id, state.c.sweep)).scalar() or 0
    keep.put_facts(connection, shop_id, facts, names, sweep)
    there = {key_of(each.variant_id, each.sku) for each in facts}
    keep.forget_missing(connection, shop_id, None, list(asked), there)
    for product_id, times in asked.items():
        done = to_read.delete(shop_id).where(to_read.c.product_id == product_id, to_read.c.asked == times)
        connection.execute(done)
        rest = to_read.update(shop_id).where(to_read.c.product_id == product_id)
        connection.execute(rest.values(asked=to_read.c.asked - times))
