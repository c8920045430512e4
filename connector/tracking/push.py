"""Tell the store: the fulfilment first, then its events in order, each looked up before it is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, or_

from carriers.tracking import TrackingStatus
from connector.attention.board import need_person, settled
from connector.directory import Directory
from connector.storage.database import Database
from connector.store import Fulfilment, FulfilRequest, Store, StoreError, StoreEventRequest, StoreRefused
from connector.tracking.fold import PROGRESS
from connector.tracking.holding import is_letting_go
from connector.tracking.tables import store_events, trackings
from connector.words.reason import Reason
from connector.work.port import Run, TryLater

log = structlog.get_logger(__name__)

_SOON = 2
"""Tries after a short wait, until those of every job take over."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """The job `tracking.push`: brings the store up to date with one label, one run at a time for each label."""

    database: Database
    directory: Directory
    now: Callable[[], datetime]

    async def push(self, run: Run) -> None:
        """Arguments: the label's id."""
        shop_id, (label_id,) = run.task.shop_id, run.task.args
        shop = self.directory.shop(shop_id)
        if shop is None:
            return
        ceiling = timedelta(seconds=shop.store.capabilities.fulfil_ceiling_s)
        row = await self.database.run(_claim, shop_id, label_id, run.task.key, self.now(), ceiling)
        if row is None:
            wait_s = max(2.0, ceiling.total_seconds() / 8)
            raise TryLater("Another run is telling the store about this label.", retry_after_s=wait_s)
        try:
            await self._bring_up_to_date(run, shop.store, row, ceiling)
        except StoreRefused as error:
            await self.database.run(self._refused, shop_id, label_id, error)
        finally:
            await self.database.run(_release, shop_id, label_id, run.task.key)

    async def _bring_up_to_date(self, run: Run, store: Store, row: Any, ceiling: timedelta) -> None:
        if row.fulfil_state == "withdrawn":
            await self._withdraw(run, store, row, ceiling)
            return
        if row.fulfil_state in {"due", "sent"}:
            fulfilment = await self._fulfil(run, store, row, ceiling)
            await self.database.run(self._fulfilled, row, fulfilment)
            fulfilment_id = fulfilment.id
        elif row.fulfil_state == "done":
            fulfilment_id = row.fulfilment_id
            if row.told_stale:
                await self._correct(run, store, row, fulfilment_id)
        elif row.fulfil_state == "refused":
            # A person may have entered the number in the store by hand meanwhile.
            by_hand = await run.step("store.find", lambda: self._find(store, row))
            if by_hand is None:
                return
            await self.database.run(self._fulfilled, row, by_hand)
            fulfilment_id = by_hand.id
        else:
            return
        if store.capabilities.events:
            for event in await self.database.run(_due_events, row.shop_id, row.label_id):
                try:
                    await self._tell(run, store, row, fulfilment_id, event, ceiling)
                except StoreRefused as error:
                    await self.database.run(self._event_refused, row, event, error)

    async def _fulfil(self, run: Run, store: Store, row: Any, ceiling: timedelta) -> Fulfilment:
        await self.database.run(_must_be_free, row, run.task.attempt)
        found = await run.step("store.find", lambda: self._find(store, row))
        if found is not None:
            return found
        self._wait_out(row.fulfil_sent_at, ceiling)
        fresh = await run.step(
            "store.mark", lambda: self.database.run(_mark_fulfil, row.shop_id, row.label_id, self.now())
        )
        request = FulfilRequest(
            order_id=fresh.order_external_id,
            group_id=fresh.group_id,
            lines=tuple((line, quantity) for line, quantity in fresh.lines),
            company=fresh.carrier,
            number=fresh.tracking_code,
            url=fresh.url,
            notify_buyer=fresh.notify_buyer,
            location_id=fresh.store_location_id,
        )
        try:
            return await run.step("store.fulfil", lambda: store.fulfil(request, run.fence))
        except StoreRefused:
            # The units may be gone because an earlier request of ours took effect after we had looked.
            found = await self._find(store, fresh)
            if found is None:
                raise
            return found

    async def _correct(self, run: Run, store: Store, row: Any, fulfilment_id: str) -> None:
        """The number was corrected after the store had been told: replace it there. Safe to repeat."""
        try:
            await run.step(
                "store.correct",
                lambda: store.update_tracking(
                    fulfilment_id, row.carrier, row.tracking_code, row.url, row.notify_buyer, run.fence
                ),
            )
        except StoreRefused as error:
            await self.database.run(self._correction_refused, row, error)
        else:
            await self.database.run(_corrected, row)

    async def _tell(self, run: Run, store: Store, row: Any, fulfilment_id: str, event: Any, ceiling: timedelta) -> None:
        request = StoreEventRequest(
            order_id=row.order_external_id,
            fulfilment_id=fulfilment_id,
            status=TrackingStatus(event.status),
            at=event.at,
            message=event.message,
            city=event.city,
            province=event.province,
            country=event.country,
            postal_code=event.postal_code,
            estimated_delivery=row.estimated_delivery,
        )
        if event.state == "sent" and not await run.step("store.has_event", lambda: store.has_event(request)):
            self._wait_out(event.sent_at, ceiling)
            event_is_there = False
        else:
            event_is_there = event.state == "sent"
        if not event_is_there:
            await self.database.run(_begin_event, event, run.task.key, self.now())
            await run.step("store.event", lambda: store.add_event(request, run.fence))
        await self.database.run(_mark_event, event, "done", self.now())

    async def _withdraw(self, run: Run, store: Store, row: Any, ceiling: timedelta) -> None:
        fulfilment_id = row.fulfilment_id
        if fulfilment_id is None:
            found = await run.step("store.find", lambda: self._find(store, row))
            if found is None:
                self._wait_out(row.fulfil_sent_at, ceiling)
            fulfilment_id = None if found is None else found.id
        if fulfilment_id is not None:
            await self._cancel(run, store, row, fulfilment_id)
        await self.database.run(_set_state, row.shop_id, row.label_id, "cancelled")

    async def _cancel(self, run: Run, store: Store, row: Any, fulfilment_id: str) -> None:
        try:
            await run.step("store.cancel", lambda: store.cancel_fulfilment(fulfilment_id, run.fence))
        except StoreRefused:
            # A store refuses to cancel twice: an earlier request of ours may have done it.
            if await self._find(store, row) is not None:
                raise

    async def _find(self, store: Store, row: Any) -> Fulfilment | None:
        """The store's live fulfilment of this label, under the number that the store was told, or the present one."""
        numbers = [row.told[1], row.tracking_code] if row.told else [row.tracking_code]
        for number in dict.fromkeys(numbers):
            found = await store.find_fulfilment(row.order_external_id, number)
            if found is not None:
                return found
        return None

    def _wait_out(self, sent_at: datetime | None, ceiling: timedelta) -> None:
        """A request that left may still take effect: do not repeat it before the store's ceiling has passed."""
        if sent_at is not None and self.now() < sent_at + ceiling:
            left = (sent_at + ceiling - self.now()).total_seconds()
            raise TryLater("The store may still be working on the last request.", retry_after_s=max(1, left))

    def _fulfilled(self, connection: Connection, row: Any, fulfilment: Fulfilment) -> None:
        mine = trackings.update(row.shop_id).where(
            trackings.c.label_id == row.label_id, trackings.c.fulfil_state.in_(("due", "sent", "refused"))
        )
        connection.execute(mine.values(fulfil_state="done", fulfilment_id=fulfilment.id))
        if fulfilment.tracking_numbers:
            corrected = trackings.update(row.shop_id).where(
                trackings.c.label_id == row.label_id, trackings.c.tracking_code.not_in(fulfilment.tracking_numbers)
            )
            connection.execute(corrected.values(told_stale=True))
        settled(connection, row.shop_id, row.label_id, self.now(), "store_refused_fulfilment")

    def _refused(self, connection: Connection, shop_id: str, label_id: str, error: StoreError) -> None:
        row = connection.execute(trackings.select(shop_id).where(trackings.c.label_id == label_id)).one()
        log.warning("store_refused", shop=shop_id, label=label_id, message=error.message)
        about = {"number": row.tracking_code, "said": error.message}
        if row.fulfil_state == "withdrawn":
            _set_state(connection, shop_id, label_id, "cancelled")
            need_person(connection, shop_id, label_id, Reason("store_refused_withdrawal", about), self.now())
        else:
            _set_state(connection, shop_id, label_id, "refused")
            need_person(connection, shop_id, label_id, Reason("store_refused_fulfilment", about), self.now())

    def _correction_refused(self, connection: Connection, row: Any, error: StoreError) -> None:
        log.warning("store_refused", shop=row.shop_id, label=row.label_id, message=error.message)
        mine = trackings.update(row.shop_id).where(
            trackings.c.label_id == row.label_id, trackings.c.tracking_code == row.tracking_code
        )
        connection.execute(mine.values(told_stale=None))
        about = {"number": row.tracking_code, "said": error.message}
        need_person(connection, row.shop_id, row.label_id, Reason("store_refused_correction", about), self.now())

    def _event_refused(self, connection: Connection, row: Any, event: Any, error: StoreError) -> None:
        """The store has no use for this step; the others are told all the same."""
        log.warning("store_refused", shop=row.shop_id, label=row.label_id, message=error.message)
        _mark_event(connection, event, "refused", self.now())
        about = {"number": row.tracking_code, "said": error.message}
        need_person(connection, row.shop_id, row.label_id, Reason("store_refused_event", about), self.now())


def _claim(
    connection: Connection, shop_id: str, label_id: str, key: str, now: datetime, ceiling: timedelta
) -> Any | None:
    mine = connection.execute(
        trackings.update(shop_id)
        .where(
            trackings.c.label_id == label_id,
            or_(trackings.c.claim.is_(None), trackings.c.claim == key, trackings.c.claimed_at < now - ceiling),
        )
        .values(claim=key, claimed_at=now)
    )
    if mine.rowcount != 1:
        return None
    return connection.execute(trackings.select(shop_id).where(trackings.c.label_id == label_id)).one()


def _release(connection: Connection, shop_id: str, label_id: str, key: str) -> None:
    connection.execute(
        trackings.update(shop_id).where(trackings.c.label_id == label_id, trackings.c.claim == key).values(claim=None)
    )


def _set_state(connection: Connection, shop_id: str, label_id: str, state: str) -> None:
    connection.execute(trackings.update(shop_id).where(trackings.c.label_id == label_id).values(fulfil_state=state))


def _must_be_free(connection: Connection, row: Any, attempt: int) -> None:
    """Raises TryLater while the store still has something of ours to let go of, before these units can leave.

    A store that is away for long lets go late: short waits alone would soon use up the tries.
    """
    soon = attempt <= _SOON
    if _is_taking_back(connection, row):
        said = "The store is still taking an earlier number of this order back."
        raise TryLater(said, retry_after_s=5 if soon else None)
    if is_letting_go(connection, row.shop_id, row.group_id):
        raise TryLater("The store is still letting go of our own hold.", retry_after_s=2 if soon else None)


def _is_taking_back(connection: Connection, row: Any) -> bool:
    """Whether the store still has to let go of another label of this order: its units, or the same number."""
    waiting = trackings.select(row.shop_id, trackings.c.label_id).where(
        trackings.c.order_id == row.order_id,
        trackings.c.label_id != row.label_id,
        trackings.c.fulfil_state == "withdrawn",
    )
    return connection.execute(waiting).first() is not None


def _corrected(connection: Connection, row: Any) -> None:
    """The store knows what was sent; what was typed since then is told by the next push."""
    mine = trackings.update(row.shop_id).where(trackings.c.label_id == row.label_id)
    told = [row.carrier, row.tracking_code, row.url]
    connection.execute(mine.values(told=told))
    unchanged = (
        mine.where(trackings.c.carrier == row.carrier)
        .where(trackings.c.tracking_code == row.tracking_code)
        .where(trackings.c.url == row.url)
    )
    connection.execute(unchanged.values(told_stale=None))


def _mark_fulfil(connection: Connection, shop_id: str, label_id: str, now: datetime) -> Any:
    """Note what leaves for the store; the label as it is now, which a person may have corrected since it was read."""
    fresh = connection.execute(
        trackings.select(shop_id).where(trackings.c.label_id == label_id).with_for_update()
    ).one()
    told = [fresh.carrier, fresh.tracking_code, fresh.url]
    marked = connection.execute(
        trackings.update(shop_id)
        .where(trackings.c.label_id == label_id, trackings.c.fulfil_state.in_(("due", "sent")))
        .values(fulfil_state="sent", fulfil_sent_at=now, told=told, told_stale=None)
    )
    if marked.rowcount != 1:
        raise TryLater("The label was withdrawn meanwhile.", retry_after_s=1)
    return fresh


def _mark_event(connection: Connection, event: Any, state: str, now: datetime) -> None:
    connection.execute(
        store_events.update(event.shop_id)
        .where(
            store_events.c.label_id == event.label_id,
            store_events.c.status == event.status,
            store_events.c.at == event.at,
        )
        .values(state=state, sent_at=now)
    )


def _begin_event(connection: Connection, event: Any, key: str, now: datetime) -> None:
    """Mark a step as sent, and hold on to the claim: another run may have taken over from one that was too slow."""
    mine = connection.execute(
        trackings.update(event.shop_id)
        .where(trackings.c.label_id == event.label_id, trackings.c.claim == key)
        .values(claimed_at=now)
    )
    if mine.rowcount != 1:
        raise TryLater("Another run is telling the store about this label.", retry_after_s=5)
    _mark_event(connection, event, "sent", now)


def _due_events(connection: Connection, shop_id: str, label_id: str) -> list[Any]:
    """What the store is to be told, by time; of steps at the same moment the one that is further on comes last."""
    due = connection.execute(
        store_events.select(shop_id).where(
            store_events.c.label_id == label_id, store_events.c.state.in_(("due", "sent"))
        )
    ).all()
    return sorted(due, key=lambda row: (row.at, PROGRESS[TrackingStatus(row.status)]))
