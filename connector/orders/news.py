"""What stores tell: from a stored delivery to the work that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from connector.directory import Directory
from connector.orders.refresh import REFRESH
from connector.storage.database import Database
from connector.store import (
    GroupNews,
    OrderNews,
    PrivacyRequest,
    ProductNews,
    ShopGone,
    Store,
    StoreMisconfigured,
    StoreRefused,
)
from connector.work.due import AT_ONCE
from connector.work.port import KEY_LENGTH, Run, Task, Work
from webhooks.inbox import Inbox


class Departing(Protocol):
    """Does what privacy requests ask, and lets shops go; see connector.installing.privacy."""

    def obey(self, connection: Connection, shop_id: str, delivery_id: str, request: PrivacyRequest) -> None:
        """Forget, or tell the merchant what is held."""
        ...

    def let_go(self, connection: Connection, shop_id: str) -> None:
        """The merchant removed the app."""
        ...


def _nothing(_connection: Connection, _shop_id: str, _product_ids: Sequence[str]) -> None:
    """Where no catalogue listens."""


@dataclass(frozen=True, slots=True)
class StoreHooks:
    """The job `hooks.store` (the delivery's inbox id)."""

    database: Database
    directory: Directory
    work: Work
    inbox: Inbox
    departures: Departing
    products_changed: Callable[[Connection, str, Sequence[str]], None] = _nothing

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
        told = shop.store.read_webhook(delivery.topic, delivery.raw)
        for news in told:
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
        if gone and await still_installed(shop.store):
            gone = False
        product_ids = [news.product_id for news in told if isinstance(news, ProductNews)]
        await self.database.run(self._finish, shop_id, inbox_id, order_ids, product_ids, gone, requests)

    def _finish(
        self,
        connection: Connection,
        shop_id: str,
        inbox_id: str,
        order_ids: list[str],
        product_ids: list[str],
        gone: bool,
        requests: list[PrivacyRequest],
    ) -> None:
        self.products_changed(connection, shop_id, product_ids)
        for order_id in order_ids:
            # Stores tell of one change in several messages. One reading that has not begun is enough for all of them.
            task = Task(REFRESH, f"news:{shop_id}:{order_id}"[:KEY_LENGTH], shop_id, (order_id,))
            self.work.later(connection, task, AT_ONCE)
        for request in requests:
            self.departures.obey(connection, shop_id, inbox_id, request)
        if gone:
            self.departures.let_go(connection, shop_id)
        self.inbox.done(connection, inbox_id)


async def still_installed(store: Store) -> bool:
    """Whether a store that is said to have removed us lets us in all the same: the news is older than our return.

    Raises StoreRetryable where that cannot be found out now.
    """
    try:
        return await store.rates_on() is not None
    except (StoreMisconfigured, StoreRefused):
        return False
