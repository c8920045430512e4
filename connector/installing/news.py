"""The job `hooks.app`: what a platform posts to one address for all shops of an app, also about shops that left."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from connector.directory import Directory
from connector.installing.privacy import Departures
from connector.orders.news import StoreHooks, still_installed
from connector.storage.database import Database
from connector.store import PrivacyRequest, ShopGone, StoreNews
from connector.work.port import Run
from webhooks.inbox import Inbox


@dataclass(frozen=True, slots=True)
class AppHooks:
    """Works on one delivery (its inbox id); what is about orders goes the way of a shop's own webhooks."""

    database: Database
    directory: Directory
    inbox: Inbox
    departures: Departures
    store_hooks: StoreHooks

    async def process(self, run: Run) -> None:
        """Do what the delivery asks for; it is done in the same transaction."""
        shop_id, (inbox_id,) = run.task.shop_id, run.task.args
        await self.directory.refresh()
        delivery = await self.database.run(self.inbox.load, inbox_id)
        kind = self.directory.kind_of(shop_id)
        news: list[StoreNews] = []
        if delivery is not None and delivery.raw is not None and kind is not None and kind.read_app_hook is not None:
            news = kind.read_app_hook(delivery.topic, delivery.raw)
        shop = self.directory.shop(shop_id)
        if shop is not None and any(not isinstance(each, PrivacyRequest | ShopGone) for each in news):
            await self.store_hooks.process(run)
            return
        if shop is not None and any(isinstance(each, ShopGone) for each in news) and await still_installed(shop.store):
            news = [each for each in news if not isinstance(each, ShopGone)]
        await self.database.run(self._finish, shop_id, inbox_id, news)

    def _finish(self, connection: Connection, shop_id: str, inbox_id: str, news: list[StoreNews]) -> None:
        for each in news:
            match each:
                case PrivacyRequest():
                    self.departures.obey(connection, shop_id, inbox_id, each)
                case ShopGone():
                    self.departures.let_go(connection, shop_id)
                case _:
                    pass  # News of orders of a shop that left.
        self.inbox.done(connection, inbox_id)
