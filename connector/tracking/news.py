"""What carriers tell: from a stored delivery to the parcels' states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from carriers.invoice import CarrierNews, Invoiced, MoneyBack
from carriers.tracking import TrackingUpdate
from connector.directory import Directory
from connector.storage.database import Database
from connector.tracking.record import take_in
from connector.work.port import Run, Work
from webhooks.inbox import Inbox

log = structlog.get_logger(__name__)

OnMoney = Callable[[Connection, Work, str, str, Invoiced | MoneyBack, datetime], object]
"""Takes in what a carrier billed or paid back: shop, account, news, now."""


@dataclass(frozen=True, slots=True)
class CarrierHooks:
    """The job `hooks.carrier` (the delivery's inbox id, our account's id)."""

    database: Database
    directory: Directory
    work: Work
    inbox: Inbox
    now: Callable[[], datetime]
    on_stray: Callable[[str], None] = lambda _carrier: None
    on_money: OnMoney = lambda _connection, _work, _shop_id, _account_id, _news, _now: None

    async def process(self, run: Run) -> None:
        """Fold the delivery's events into the parcels; the delivery is done in the same transaction."""
        shop_id, (inbox_id, account_id) = run.task.shop_id, run.task.args
        account = self.directory.account(shop_id, account_id)
        if account is None and await self.directory.refresh():  # The web process may know a new one before we do.
            account = self.directory.account(shop_id, account_id)
        delivery = await self.database.run(self.inbox.load, inbox_id)
        news: Sequence[CarrierNews] = ()
        if account is not None and delivery is not None and delivery.raw is not None:
            news = account.connection.read_webhook(delivery.raw)
        await run.step("tracking.take_in", lambda: self.database.run(self._finish, shop_id, account_id, inbox_id, news))

    def _finish(
        self, connection: Connection, shop_id: str, account_id: str, inbox_id: str, news: Sequence[CarrierNews]
    ) -> None:
        for update in news:
            if not isinstance(update, TrackingUpdate):
                self.on_money(connection, self.work, shop_id, account_id, update, self.now())
            elif take_in(connection, self.work, shop_id, account_id, update, self.now()) is None:
                log.info("tracking_of_unknown_parcel", shop=shop_id, account=account_id)
                self.on_stray(update.carrier)
        self.inbox.done(connection, inbox_id)
