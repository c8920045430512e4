"""The job `shops.callbacks`: once a day, and when our public address changes, callbacks are repaired and moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from connector.attention.board import need_person
from connector.directory import ShopEntry
from connector.installing.callbacks import is_public, may_move
from connector.installing.installer import Installer
from connector.storage.audit import Actor
from connector.store import StoreMisconfigured
from connector.words.reason import Reason
from connector.work.port import Run

log = structlog.get_logger(__name__)

REPAIR = "shops.callbacks"
EVERY = timedelta(days=1)
BY_WAYBILL = Actor("system", "waybill")


def has_moved(shop: ShopEntry, public_url: str) -> bool:
    """Whether the store still knows our callbacks at another address than the present one."""
    known = shop.record.callbacks_base
    return bool(known) and known != public_url


@dataclass(frozen=True, slots=True)
class CallbackCare:
    """Keeps one shop's callbacks right."""

    installer: Installer

    async def repair(self, run: Run) -> None:
        """Repair and move; what only a person can mend is put before one. Raises StoreRetryable, to be tried again."""
        shop = self.installer.directory.shop(run.task.shop_id)
        if shop is None:
            return
        known, wanted = shop.record.callbacks_base, self.installer.public_url
        if known and known != wanted and not may_move(known, wanted):
            log.warning("callbacks_not_moved", shop=shop.id, known=known, wanted=wanted)
            why = Reason("address_not_public", {"known": known, "wanted": wanted})
            await self.installer.database.run(self._tell, shop.id, why)
            return
        if not known and shop.platform != "sandbox" and not is_public(wanted):
            return  # Connected by an earlier release; where its callbacks lead is not known, and not worth a guess.
        try:
            installed = await self.installer.repair(shop, BY_WAYBILL)
        except StoreMisconfigured as error:
            why = Reason("access_ended", {"said": error.message})
            await self.installer.database.run(self._tell, shop.id, why)
            return
        moved = next((step.detail for step in installed.steps if step.state == "moved"), "")
        if moved:
            log.info("callbacks_moved", shop=shop.id, how=moved)

    def _tell(self, connection: Connection, shop_id: str, why: Reason) -> None:
        need_person(connection, shop_id, shop_id, why, self.installer.clock.now())
