"""Show in the store that an order waits, and why; and take that away again. Only our own hold is ever touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from connector.directory import Directory
from connector.storage.database import Database, insert_new
from connector.store import HoldReason, StoreHolds, StoreMisconfigured, StoreRefused
from connector.tracking.tables import store_holds
from connector.work.port import Run, Task, TryLater, Work

log = structlog.get_logger(__name__)

HOLD = "store.hold"
_SENT = "sent"
_CHANGED = "What the store shall show has changed meanwhile."


@dataclass(frozen=True, slots=True)
class Shown:
    """Why the parcels of a group wait, in words for the store; without anything personal."""

    reason: HoldReason
    note: str


def want(connection: Connection, work: Work, shop_id: str, group_id: str, shown: Shown | None, now: datetime) -> None:
    """Have the store show this hold for a group, or with None no hold of ours. A repeat changes nothing."""
    wanted = None if shown is None else [shown.reason, shown.note]
    if shown is not None:
        new = store_holds.insert(shop_id, group_id=group_id, wanted=None, shown=None, state="off", turn=0, at=now)
        insert_new(connection, new)
    mine = store_holds.c.group_id == group_id
    row = connection.execute(store_holds.select(shop_id).where(mine).with_for_update()).one_or_none()
    if row is None or row.wanted == wanted:
        return
    change = store_holds.update(shop_id).where(mine)
    connection.execute(change.values(wanted=wanted, state="due", turn=row.turn + 1, at=now))
    work.enqueue(connection, Task(HOLD, f"hold:{group_id}:{row.turn + 1}", shop_id, (group_id,)))


def is_letting_go(connection: Connection, shop_id: str, group_id: str) -> bool:
    """Whether the store still has to take our hold away, before units of the group can leave."""
    row = _load(connection, shop_id, group_id)
    return row is not None and row.state == "due" and row.wanted is None


@dataclass(frozen=True, slots=True)
class StoreHolding:
    """The job `store.hold`, which takes a group's id: brings the store's hold in line with what is wanted now."""

    database: Database
    directory: Directory
    now: Callable[[], datetime]

    async def bring_in_line(self, run: Run) -> None:
        """Look first, then set or release; a write whose answer was lost is seen by the next look."""
        shop_id, (group_id,) = run.task.shop_id, run.task.args
        shop = self.directory.shop(shop_id)
        row = await self.database.run(_load, shop_id, group_id)
        if shop is None or row is None or row.state != "due" or shop.store.holds is None:
            return
        try:
            ceiling = timedelta(seconds=shop.store.capabilities.fulfil_ceiling_s)
            await self._converge(run, shop.store.holds, row, ceiling)
        except (StoreRefused, StoreMisconfigured) as error:
            log.warning("store_refused_hold", shop=shop_id, wanted=row.wanted is not None, message=error.message)
            state = "refused"
        else:
            state = "off" if row.wanted is None else "shown"
        if not await self.database.run(_done, row, state, self.now()):
            raise TryLater(_CHANGED, retry_after_s=1)

    async def _converge(self, run: Run, holds: StoreHolds, row: Any, ceiling: timedelta) -> None:
        shown, unsure = (row.shown[:2], len(row.shown) > 2) if row.shown else (None, False)
        there = await run.step("hold.find", lambda: holds.find(row.group_id))
        if there and row.wanted != shown:
            await run.step("hold.release", lambda: holds.release(row.group_id, run.fence))
            there = False
        elif row.wanted is None and unsure and self.now() < row.at + ceiling:
            left = (row.at + ceiling - self.now()).total_seconds()
            raise TryLater("A hold may still come to be there.", retry_after_s=max(1.0, left))
        if row.wanted is not None and not there:
            await self._set(run, holds, row)

    async def _set(self, run: Run, holds: StoreHolds, row: Any) -> None:
        """Written before it leaves, so that a hold whose answer was lost is known as this one, and stays."""
        reason, note = row.wanted
        if not await self.database.run(_sends, row):
            raise TryLater(_CHANGED, retry_after_s=1)
        try:
            await run.step("hold.set", lambda: holds.hold(row.group_id, reason, note, run.fence))
        except StoreRefused:
            # A store refuses a second hold: an earlier request of ours may have taken effect after we had looked.
            if not await run.step("hold.find", lambda: holds.find(row.group_id)):
                raise


def _load(connection: Connection, shop_id: str, group_id: str) -> Any | None:
    chosen = store_holds.select(shop_id).where(store_holds.c.group_id == group_id)
    return connection.execute(chosen).one_or_none()


def _sends(connection: Connection, row: Any) -> bool:
    """No hold of ours is there now; this one is sent, and nobody knows yet whether it came to be."""
    mine = (store_holds.c.group_id == row.group_id) & (store_holds.c.turn == row.turn)
    return (
        connection.execute(store_holds.update(row.shop_id).where(mine).values(shown=[*row.wanted, _SENT])).rowcount == 1
    )


def _done(connection: Connection, row: Any, state: str, now: datetime) -> bool:
    mine = (store_holds.c.group_id == row.group_id) & (store_holds.c.turn == row.turn)
    change = store_holds.update(row.shop_id).where(mine)
    return connection.execute(change.values(state=state, shown=row.wanted, at=now)).rowcount == 1
