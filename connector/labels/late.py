"""Purchases that ended without a label, looked at once more: what the carrier booked after all is money of ours.

A carrier may refuse a purchase, or stay silent until it was given up, and book the label all the same. So every
shipment whose purchase left and that was refused or dropped is looked up three times within a day. A label that is
found there is taken for its parcel if that still waits for one and goes where its shipment went; otherwise it is
surplus, and its money asked back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from carriers.errors import CarrierError
from carriers.label import Purchased
from carriers.money import Money
from connector.attention.board import need_person
from connector.directory import Directory
from connector.labels import record
from connector.labels.aftercare import kept_files
from connector.labels.amounts import book
from connector.labels.fees import book_fees
from connector.labels.files import LabelShelf
from connector.labels.tables import labels
from connector.labels.voids import VOID
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.tracking.record import watch
from connector.words.reason import Reason
from connector.work.port import Run, Task, Work

LATE = "labels.late"
GIVEN_UP = ("refused", "dropped")
_WAITS = ("planned", "held", "refused")
_LOOKS = (record.LATE_LOOK, timedelta(hours=1), timedelta(days=1))
_BY_SWEEP = Actor("system", "late purchase")


@dataclass(frozen=True, slots=True)
class LatePurchases:
    """The job `labels.late`; it takes the label's id."""

    database: Database
    directory: Directory
    work: Work
    shelf: LabelShelf
    now: Callable[[], datetime]

    async def look(self, run: Run) -> None:
        """Ask the carrier whether it booked what was given up; account for it if it did."""
        shop_id, (label_id,) = run.task.shop_id, run.task.args
        label = await self.database.run(record.label_of, shop_id, label_id)
        shop = self.directory.shop(shop_id)
        if shop is None or label is None or label.state not in GIVEN_UP or label.void_due is None:
            return
        account = shop.accounts.get(label.account_id)
        found: object = None
        if account is not None:
            try:
                rate = record.rate_of(label)
                found = await run.step("label.look_late", lambda: account.connection.look_up(label.handle, rate))
            except CarrierError:
                found = None  # It is asked again as often as is left.
        if not isinstance(found, Purchased):
            await self.database.run(_look_again, label, self.now())
            return
        files = await kept_files(self.shelf, found)
        settings = shop.settings
        await self.database.run(
            self._account_for,
            label,
            found,
            files,
            fulfil_now=settings.fulfil_when == "label",
            notify_buyer=settings.store_notifies,
        )

    def _account_for(
        self,
        connection: Connection,
        label: Any,
        found: Purchased,
        files: list[record.KeptFile],
        *,
        fulfil_now: bool,
        notify_buyer: bool,
    ) -> None:
        now, shop_id = self.now(), label.shop_id
        record.lock_parcel(connection, shop_id, label.parcel_id)
        parcel, live = record.parcel_and_label(connection, shop_id, label.parcel_id)
        about: dict[str, str | int | bool | Money] = {"number": found.tracking_code, "carrier": found.rate.carrier}
        about["amount"] = found.rate.price
        if live is None and parcel is not None and parcel.state in _WAITS and label.void_reason is None:
            if not _reopen(connection, label):
                return
            again = record.label_of(connection, shop_id, label.id)
            record.bought(
                connection, self.work, again, found, files, fulfil_now=fulfil_now, notify_buyer=notify_buyer, now=now
            )
            need_person(connection, shop_id, label.id, Reason("bought_late", about), now)
            return
        why = Reason("bought_late_surplus", about)
        if live is None and label.void_reason is not None:
            why = Reason("bought_late_elsewhere", about)
        if _keep_surplus(connection, self.work, label, found, now):
            need_person(connection, shop_id, label.id, why, now)


def goes_elsewhere(connection: Connection, shop_id: str, parcel_id: str) -> None:
    """A parcel has another address: what was booked for the one of before, after it was given up, is of no use."""
    given_up = labels.update(shop_id).where(
        labels.c.parcel_id == parcel_id, labels.c.state.in_(GIVEN_UP), labels.c.void_due.is_not(None)
    )
    connection.execute(given_up.values(void_reason="address_edited", version=labels.c.version + 1))


def overdue(connection: Connection, shop_id: str, now: datetime) -> list[str]:
    """For the sweep: the labels that were given up and are to be looked at by now."""
    due = labels.select(shop_id, labels.c.id).where(labels.c.void_due < now, labels.c.state.in_(GIVEN_UP))
    return [str(row.id) for row in connection.execute(due).all()]


def look_soon(connection: Connection, work: Work, shop_id: str, label_id: str, now: datetime) -> None:
    """For the sweep: look at it now."""
    work.later(connection, Task(LATE, f"late:{label_id}", shop_id, (label_id,)), now)


def _mine(label: Any) -> Any:
    return labels.update(label.shop_id).where(
        labels.c.id == label.id, labels.c.version == label.version, labels.c.state.in_(GIVEN_UP)
    )


def _look_again(connection: Connection, label: Any, now: datetime) -> None:
    """Note when it is looked at next; after the last time nobody does."""
    since = now - label.settled_at
    later = next((label.settled_at + wait for wait in _LOOKS if wait > since), None)
    connection.execute(_mine(label).values(void_due=later))


def _reopen(connection: Connection, label: Any) -> bool:
    """As if its outcome had been unclear all the time."""
    values = {"state": "unknown", "refusal": None, "void_due": None, "version": label.version + 1}
    return bool(connection.execute(_mine(label).values(**values)).rowcount == 1)


def _keep_surplus(connection: Connection, work: Work, label: Any, found: Purchased, now: datetime) -> bool:
    """Book a label that nobody waits for, and ask its money back; it is never live. False if another look did."""
    values = record.booked_as(label, found, now) | {"refusal": None, "version": label.version + 1}
    values |= {"state": "void_requested", "refund": "asked", "void_at": now, "void_due": now}
    values["void_reason"] = label.void_reason or "booked after it was given up"
    if connection.execute(_mine(label).values(**values)).rowcount != 1:
        return False
    parcel = record.parcel_of(connection, label.shop_id, label.parcel_id)
    assert parcel is not None  # noqa: S101 - parcels are never deleted while a label refers to them.
    about = {"order_id": parcel.order_id, "parcel_id": parcel.id, "label_id": label.id}
    price = found.rate.price
    book(connection, label.shop_id, "bought", price, cause=label.id, now=now, **about)
    book_fees(connection, label, parcel.order_id, found.fees, now)
    book(connection, label.shop_id, "refund_due", price, cause=label.id, now=now, **about)
    watch(connection, work, record.to_follow(label, parcel, found, notify_buyer=False), now)
    work.enqueue(connection, Task(VOID, f"void:{label.id}", label.shop_id, (label.id,)))
    audit.record(
        connection,
        now=now,
        actor=_BY_SWEEP,
        action="label.bought_late",
        subject=label.id,
        shop_id=label.shop_id,
        detail={"minor": price.minor, "currency": price.currency},
    )
    return True
