"""The order sweep: finds every order that no webhook told us of. Converges from zero knowledge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.directory import Directory
from connector.orders.refresh import REFRESH
from connector.orders.tables import orders, sweeps
from connector.storage.database import Database, in_parts, insert_new
from connector.work.port import Run, Task, Work

EVERY = timedelta(minutes=5)
_OVERLAP = timedelta(minutes=15)  # Stores list changes late, and their clocks are not ours.
_NAME = "orders"


@dataclass(frozen=True, slots=True)
class OrderSweep:
    """The job `orders.sweep`, for one shop."""

    database: Database
    directory: Directory
    work: Work
    now: Callable[[], datetime]

    async def sweep(self, run: Run) -> None:
        """Queue a fresh reading of each order that changed since the last sweep and was not seen as it is now."""
        shop = self.directory.shop(run.task.shop_id)
        if shop is None:
            return
        started = self.now()
        reached = await self.database.run(_reached, shop.id)
        since = (reached or shop.record.created_at) - _OVERLAP
        changed = await run.step("store.orders_since", lambda: shop.store.orders_since(since))
        await self.database.run(self._queue, shop.id, changed, started)

    def _queue(
        self, connection: Connection, shop_id: str, changed: list[tuple[str, datetime]], started: datetime
    ) -> None:
        seen: dict[str, datetime] = {}
        for part in in_parts(changed):
            ids = [order_id for order_id, _ in part]
            rows = connection.execute(
                orders.select(shop_id, orders.c.external_id, orders.c.updated_at).where(orders.c.external_id.in_(ids))
            )
            seen |= {row.external_id: row.updated_at for row in rows.all()}
        for order_id, updated_at in changed:
            if order_id not in seen or seen[order_id] < updated_at:
                key = f"sweep:{shop_id}:{order_id}:{updated_at.isoformat()}"
                self.work.enqueue(connection, Task(REFRESH, key, shop_id, (order_id,)))
        if not insert_new(connection, sweeps.insert(shop_id, name=_NAME, reached_at=started)):
            connection.execute(sweeps.update(shop_id).where(sweeps.c.name == _NAME).values(reached_at=started))


def _reached(connection: Connection, shop_id: str) -> datetime | None:
    return connection.execute(sweeps.select(shop_id, sweeps.c.reached_at).where(sweeps.c.name == _NAME)).scalar()
