"""The label sweep: takes up each purchase, refund, probe and push that no work waits for, and reminds of claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, or_

from carriers.money import Money
from connector.directory import Directory, ShopEntry
from connector.labels import gates, late, voids
from connector.labels.choose import Terms
from connector.labels.claim_windows import remind
from connector.labels.record import settle_at
from connector.labels.tables import labels
from connector.labels.terms import amount_in
from connector.storage.database import Database
from connector.tracking.record import adopt_strays, push_soon
from connector.tracking.tables import store_events, trackings
from connector.work.port import Run, Work

EVERY = timedelta(minutes=10)
_OVERDUE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LabelSweep:
    """The job `labels.sweep`, for one shop."""

    database: Database
    directory: Directory
    work: Work
    now: Callable[[], datetime]

    async def sweep(self, run: Run) -> None:
        """Look unclear purchases up again, look after refunds and claims, and tell the store what it was not told."""
        shop = self.directory.shop(run.task.shop_id)
        if shop is not None:
            await self.database.run(self._sweep, shop.id)
            await self.database.run(remind, shop.id, partial(_worth_a_claim, shop), self.now())

    def _sweep(self, connection: Connection, shop_id: str) -> None:
        now = self.now()
        unclear = labels.select(shop_id).where(
            labels.c.state.in_(("sent", "unknown")), labels.c.sent_at < now - _OVERDUE
        )
        for label in connection.execute(unclear).all():
            settle_at(connection, self.work, label, now)
        silent = trackings.select(shop_id, trackings.c.label_id).where(
            or_(trackings.c.fulfil_state.in_(("due", "sent", "withdrawn")), trackings.c.told_stale.is_(True)),
            trackings.c.began_at < now - _OVERDUE,
        )
        waiting = store_events.select(shop_id, store_events.c.label_id).where(
            store_events.c.state.in_(("due", "sent")), store_events.c.at < now - _OVERDUE
        )
        untold = {row.label_id for query in (silent, waiting) for row in connection.execute(query).all()}
        for label_id in sorted(untold):
            push_soon(connection, self.work, shop_id, label_id)
        for label in voids.overdue(connection, shop_id, now - _OVERDUE):
            voids.look_again(connection, self.work, label, now)
        for label_id in late.overdue(connection, shop_id, now):
            late.look_soon(connection, self.work, shop_id, label_id, now)
        gates.wake_forgotten(connection, self.work, shop_id, now, _OVERDUE)
        adopt_strays(connection, self.work, shop_id, now)


def _worth_a_claim(shop: ShopEntry, price: Money) -> Money:
    """How much more than a label's price is worth a claim: more than what a purchase may differ by."""
    buying = shop.settings.buying
    amount = amount_in(buying.amount, shop.record.currency, price.currency, shop.settings.exchange_rates)
    return Terms(buying.percent, amount).tolerance(price)
