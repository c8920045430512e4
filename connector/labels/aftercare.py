"""After the purchase: fetch the files to keep, and ask the money back for a label that was voided."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection

from carriers.label import Voided
from carriers.money import Money
from connector.attention.board import need_person
from connector.directory import Directory
from connector.labels import record
from connector.labels.amounts import book
from connector.labels.by_hand import is_by_hand, take_back
from connector.labels.files import LabelShelf
from connector.labels.tables import labels
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.tracking.record import withdraw
from connector.words.reason import Reason
from connector.work.port import Run, Task, TryLater, Work
from webhooks.errors import WaybillError

_ASK_AGAIN = timedelta(hours=6)
_WINDOW = timedelta(days=30)


class NotVoidable(WaybillError):
    """The parcel has no label that can be voided."""


@dataclass(frozen=True, slots=True)
class Aftercare:
    """The jobs `label.files` and `label.void`; both take the label's id."""

    database: Database
    directory: Directory
    work: Work
    shelf: LabelShelf
    now: Callable[[], datetime]

    async def fetch(self, run: Run) -> None:
        """Copy the carrier's documents to our shelf."""
        shop_id, (label_id,) = run.task.shop_id, run.task.args
        label = await self.database.run(record.label_of, shop_id, label_id)
        account = None if label is None else self.directory.account(shop_id, label.account_id)
        if label is None or account is None:
            return
        for row in await self.database.run(record.files_of, shop_id, label_id):
            if row.sha256 is not None or not row.url:
                continue
            fetch = functools.partial(account.connection.fetch_file, row.url)
            media_type, content = await run.step("label.fetch", fetch)
            digest = await anyio.to_thread.run_sync(self.shelf.put, content)
            await self.database.run(record.file_fetched, row, media_type, digest, len(content), self.now())

    async def void(self, run: Run) -> None:
        """Ask the carrier for the money back, and see what came of it."""
        shop_id, (label_id,) = run.task.shop_id, run.task.args
        label = await self.database.run(record.label_of, shop_id, label_id)
        account = None if label is None else self.directory.account(shop_id, label.account_id)
        if label is None or account is None or label.state != "void_requested":
            return
        handle = label.booked_handle or label.handle
        if label.void_checks == 0:
            outcome = await run.step("label.void", lambda: account.connection.void(handle, run.fence))
        else:
            outcome = await run.step("label.void_state", lambda: account.connection.void_state(handle))
        if outcome.state == "unknown":
            raise TryLater("The carrier did not say what became of the void.")
        await self.database.run(self._voided, label, outcome)

    def _voided(self, connection: Connection, label: Any, outcome: Voided) -> None:
        now = self.now()
        parcel = record.parcel_of(connection, label.shop_id, label.parcel_id)
        money = Money(label.booked_minor, label.booked_currency)
        about = {"order_id": parcel.order_id, "parcel_id": label.parcel_id, "label_id": label.id} if parcel else {}
        mine = labels.update(label.shop_id).where(labels.c.id == label.id, labels.c.state == "void_requested")
        if outcome.state in {"voided", "nothing_charged"}:
            if connection.execute(mine.values(state="voided")).rowcount != 1:
                return
            book(connection, label.shop_id, "refunded", money, cause=label.id, now=now, **about)
        elif outcome.state == "refused":
            if connection.execute(mine.values(state="void_refused")).rowcount != 1:
                return
            book(connection, label.shop_id, "lost", money, cause=label.id, now=now, **about)
            why = Reason("void_refused", {"number": label.tracking_code, "amount": money, "said": outcome.message})
            need_person(connection, label.shop_id, label.id, why, now)
        else:
            connection.execute(mine.values(void_checks=labels.c.void_checks + 1))
            if now - label.settled_at > _WINDOW:
                why = Reason("refund_overdue", {"number": label.tracking_code, "amount": money})
                need_person(connection, label.shop_id, label.id, why, now)
            task = Task("labels.void", f"void:{label.id}:{label.void_checks + 1}", label.shop_id, (label.id,))
            self.work.later(connection, task, now + _ASK_AGAIN)


def request_void(
    connection: Connection, work: Work, shop_id: str, parcel_id: str, reason: str, actor: Actor, now: datetime
) -> str:
    """Take a parcel's label out of use at once and have the money asked back; returns the label's id.

    A number that was typed by hand is taken back: there is nobody to ask for money.

    Raises NotVoidable where the parcel has no bought label.
    """
    record.lock_parcel(connection, shop_id, parcel_id)
    label = record.live_label(connection, shop_id, parcel_id)
    if label is None or label.state != "bought":
        raise NotVoidable("This parcel has no label that could be voided.", detail=parcel_id)
    if is_by_hand(label):
        take_back(connection, work, shop_id, label.id, reason, actor, now)
        return str(label.id)
    moved = connection.execute(
        labels.update(shop_id)
        .where(labels.c.id == label.id, labels.c.state == "bought")
        .values(state="void_requested", void_reason=reason[:300], version=labels.c.version + 1)
    )
    if moved.rowcount != 1:
        raise NotVoidable("The label was moved meanwhile.", detail=parcel_id)
    parcel = record.parcel_of(connection, shop_id, parcel_id)
    record.set_parcel(connection, shop_id, parcel_id, "voided", now, Reason("voided_by", {"who": actor.name}))
    money = Money(label.booked_minor, label.booked_currency)
    if parcel is not None:
        book(
            connection,
            shop_id,
            "refund_due",
            money,
            order_id=parcel.order_id,
            cause=label.id,
            now=now,
            parcel_id=parcel_id,
            label_id=label.id,
        )
    withdraw(connection, work, shop_id, label.id)
    work.enqueue(connection, Task("labels.void", f"void:{label.id}", shop_id, (label.id,)))
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="label.void",
        subject=label.id,
        shop_id=shop_id,
        detail={"reason": reason[:300]},
    )
    return str(label.id)
