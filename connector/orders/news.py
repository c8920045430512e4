"""What stores tell: from a stored delivery to the work that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from connector.directory import Directory
from connector.labels.retention import forget_of
from connector.labels.tables import parcels
from connector.orders.refresh import REFRESH
from connector.storage import audit, persons
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.shops import mark_gone
from connector.store import GroupNews, OrderNews, PrivacyRequest, ShopGone
from connector.work.port import Run, Task, Work
from webhooks.inbox import Inbox

log = structlog.get_logger(__name__)
BY_STORE = Actor("store", "webhook")


@dataclass(frozen=True, slots=True)
class StoreHooks:
    """The job `hooks.store` (the delivery's inbox id)."""

    database: Database
    directory: Directory
    work: Work
    inbox: Inbox
    now: Callable[[], datetime]

    async def process(self, run: Run) -> None:
        """Queue what the delivery asks for; the delivery is done in the same transaction."""
        shop_id, (inbox_id,) = run.task.shop_id, run.task.args
        shop = self.directory.shop(shop_id)
        if shop is None and await self.directory.refresh():  # The web process may know a new shop before we do.
            shop = self.directory.shop(shop_id)
        delivery = await self.database.run(self.inbox.load, inbox_id)
        if shop is None or delivery is None or delivery.raw is None:
            await self.database.run(self.inbox.done, inbox_id)
            return
        order_ids, gone, requests = [], False, []
        for news in shop.store.read_webhook(delivery.topic, delivery.raw):
            match news:
                case OrderNews():
                    order_ids.append(news.order_id)
                case GroupNews():
                    group_id = news.group_id
                    order_id = await run.step("store.order_of_group", lambda: shop.store.order_of_group(group_id))  # noqa: B023 - run at once.
                    if order_id is not None:
                        order_ids.append(order_id)
                case ShopGone():
                    gone = True
                case PrivacyRequest():
                    requests.append(news)
        await self.database.run(self._finish, shop_id, inbox_id, order_ids, gone, requests)

    def _finish(
        self,
        connection: Connection,
        shop_id: str,
        inbox_id: str,
        order_ids: list[str],
        gone: bool,
        requests: list[PrivacyRequest],
    ) -> None:
        now = self.now()
        for order_id in order_ids:
            self.work.enqueue(connection, Task(REFRESH, f"hook:{inbox_id}:{order_id}", shop_id, (order_id,)))
        for request in requests:
            self._privacy(connection, shop_id, request, now)
        if gone:
            mark_gone(connection, shop_id, BY_STORE, now)
        self.inbox.done(connection, inbox_id)

    def _privacy(self, connection: Connection, shop_id: str, request: PrivacyRequest, now: datetime) -> None:
        """Erase what is asked for; a request for a copy is put on the audit, where the merchant answers it from."""
        erased, files = 0, 0
        if request.kind == "erase":
            chosen = parcels.select(shop_id, parcels.c.person_id).where(parcels.c.person_id.is_not(None))
            if request.scope == "customer":
                chosen = chosen.where(parcels.c.order_external_id.in_(request.order_ids))
            for person_id in {row.person_id for row in connection.execute(chosen).all()}:
                erased += persons.forget(connection, shop_id, person_id)
            files = forget_of(connection, shop_id, request.order_ids if request.scope == "customer" else None)
        detail = {"scope": request.scope, "orders": len(request.order_ids), "erased": erased, "files": files}
        audit.record(
            connection,
            now=now,
            actor=BY_STORE,
            action=f"privacy.{request.kind}",
            subject=shop_id,
            shop_id=shop_id,
            detail=detail,
        )
