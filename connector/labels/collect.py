"""End of day: one list of the day's parcels for each carrier (a manifest), and drivers who come for them.

A label is on one list only, which an index holds. A list or a booking whose answer never came is looked up before it is
asked for again. Booking a driver may cost money: what, who and for how much is written down before it leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection

from carriers.collection import BookedPickup, Collector, Manifest, NotBooked, PickupOffer, PickupRequest, collector_of
from carriers.errors import CarrierError
from carriers.label import Rejected, Unknown
from carriers.money import Money
from connector.directory import Directory, ShopEntry
from connector.labels import collect_rows
from connector.labels.desk_tables import manifest_labels, manifests, pickups
from connector.labels.documents import Document, read_document
from connector.labels.files import LabelShelf
from connector.labels.uncollected import MOST, ready, waiting_at
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database, insert_new
from connector.storage.ids import new_id
from connector.words.reason import Reason
from connector.work.port import Run, Task, TryLater, Work
from webhooks.errors import WaybillError

MANIFEST_JOB, PICKUP_JOB = "labels.manifest", "labels.pickup"
_AGAIN_S, _SOON = 20.0, 5
_NOT_ASKED = frozenset({"fenced", "not_sent", "overloaded"})
"""Codes of a refusal that did not come from the carrier's decision: the same is asked again."""


class NothingToCollect(WaybillError):
    """No parcel with a fresh label waits for this, or the account cannot do it."""


class NoCollection(WaybillError):
    """There is no such list or pick-up, or it cannot be changed any more."""


def ask_manifests(connection: Connection, work: Work, shop: ShopEntry, actor: Actor, now: datetime) -> list[str]:
    """Have a list made for each carrier and location; their ids. Raises NothingToCollect."""
    able = {account.id for account in shop.accounts.values() if account.connection.capabilities.manifest}
    made = []
    for each in ready(connection, shop.id, now):
        if each.account_id not in able:
            continue
        manifest_id = new_id("man", now)
        taken = [
            label
            for label in each.labels[:MOST]
            if insert_new(connection, manifest_labels.insert(shop.id, label_id=label[0], manifest_id=manifest_id))
        ]
        if not taken:
            continue
        row: dict[str, Any] = {"account_id": each.account_id, "carrier": each.carrier, "state": "asked"}
        row |= {"location_id": each.location_id, "labels": [list(label) for label in taken], "made_at": now}
        row |= {"actor_kind": actor.kind, "actor_name": actor.name, "changed_at": now}
        connection.execute(manifests.insert(shop.id, id=manifest_id, **row))
        work.enqueue(connection, Task(MANIFEST_JOB, f"manifest:{manifest_id}", shop.id, (manifest_id,)))
        _tell(connection, shop.id, "manifest.ask", manifest_id, actor, now, labels=len(taken))
        made.append(manifest_id)
    if not made:
        raise NothingToCollect(
            "No parcel waits for a list: each is on one, or its carrier takes none."
            if able else "No connected carrier account takes lists."
        )  # fmt: skip
    return made


def plan_pickup(
    connection: Connection,
    work: Work,
    shop: ShopEntry,
    account_id: str,
    location_id: str,
    earliest: datetime,
    latest: datetime,
    instructions: str,
    actor: Actor,
    now: datetime,
) -> str:
    """Ask a carrier who would come, and for how much; the pick-up's id. Raises NothingToCollect."""
    account = shop.accounts.get(account_id)
    if account is None or not account.connection.capabilities.pickup:
        raise NothingToCollect("This carrier account sends no drivers.", detail="account")
    if not now < latest or not earliest < latest:
        raise NothingToCollect("The driver needs a time that begins before it ends, and is not over.", detail="latest")
    if not any(each.id == location_id for each in shop.locations):
        raise NothingToCollect("There is no such location.", detail="location")
    places = waiting_at(connection, shop.id, account_id, location_id, now)
    if not places:
        raise NothingToCollect("No parcel of this account waits at this location.", detail="account")
    pickup_id = new_id("pick", now)
    row: dict[str, Any] = {"account_id": account_id, "location_id": location_id, "state": "planned", "offers": []}
    row |= {"labels": [list(label) for label in places], "earliest": earliest, "latest": latest, "made_at": now}
    row |= {"instructions": instructions[:300], "actor_kind": actor.kind, "actor_name": actor.name, "changed_at": now}
    connection.execute(pickups.insert(shop.id, id=pickup_id, **row))
    _queue(connection, work, shop.id, pickup_id, 0)
    _tell(connection, shop.id, "pickup.plan", pickup_id, actor, now, labels=len(places))
    return pickup_id


def book_pickup(
    connection: Connection, work: Work, shop_id: str, pickup_id: str, number: int, actor: Actor, now: datetime
) -> None:
    """Have the driver of the offer of this number (from 1) come. Raises NoCollection."""
    row = _pickup(connection, shop_id, pickup_id)
    if row.state != "offered" or not 1 <= number <= len(row.offers):
        raise NoCollection("This pick-up has no such offer that could be booked.", detail=pickup_id)
    if (other := collect_rows.other_driver(connection, row)) is not None:
        raise NoCollection("A driver comes to this place at that time already: cancel that one first.", detail=other.id)
    offer = row.offers[number - 1]
    values = {"state": "intent", "chosen": offer, "minor": offer["minor"], "currency": offer["currency"], "why": None}
    values |= {"actor_kind": actor.kind, "actor_name": actor.name}
    _change(connection, row, now, **values)
    _queue(connection, work, shop_id, pickup_id, row.version + 1)
    _tell(connection, shop_id, "pickup.book", pickup_id, actor, now, minor=offer["minor"], currency=offer["currency"])


def cancel_pickup(
    connection: Connection, work: Work, shop_id: str, pickup_id: str, actor: Actor, now: datetime
) -> None:
    """Send the driver home, or let go of an offer. Raises NoCollection."""
    row = _pickup(connection, shop_id, pickup_id)
    if row.state in {"planned", "offered", "refused"}:
        _change(connection, row, now, state="cancelled")
    elif row.state == "booked":
        _change(connection, row, now, state="cancelling")
        _queue(connection, work, shop_id, pickup_id, row.version + 1)
    else:
        raise NoCollection("This pick-up cannot be cancelled now.", detail=pickup_id)
    _tell(connection, shop_id, "pickup.cancel", pickup_id, actor, now)


def _change(connection: Connection, row: Any, now: datetime, **values: Any) -> None:
    """Raises NoCollection where somebody was faster: what was shown is not how it stands."""
    if not collect_rows.change(connection, row, now, **values):
        raise NoCollection("Somebody changed this pick-up meanwhile: look at it again.", detail=row.id)


def recent_manifests(connection: Connection, shop_id: str, most: int = 30) -> list[Any]:
    """The newest lists."""
    chosen = manifests.select(shop_id).order_by(manifests.c.made_at.desc(), manifests.c.id.desc()).limit(most)
    return list(connection.execute(chosen).all())


def recent_pickups(connection: Connection, shop_id: str, most: int = 30) -> list[Any]:
    """The newest pick-ups."""
    chosen = pickups.select(shop_id).order_by(pickups.c.made_at.desc(), pickups.c.id.desc()).limit(most)
    return list(connection.execute(chosen).all())


@dataclass(frozen=True, slots=True)
class Collections:
    """The jobs `labels.manifest` (list) and `labels.pickup` (pick-up)."""

    database: Database
    directory: Directory
    shelf: LabelShelf
    now: Callable[[], datetime]

    async def manifest(self, run: Run) -> None:
        """Take a list from where it stands to its paper, or to a refusal; its labels are free again then."""
        shop_id, (manifest_id,) = run.task.shop_id, run.task.args
        row: Any = await self.database.run(_manifest, shop_id, manifest_id)
        collector = self._collector(shop_id, row)
        if row is None or collector is None or (row.state in {"made", "refused"} and (row.sha256 or not row.url)):
            return
        handles = [handle for _, handle, _ in row.labels]
        found: Manifest | Rejected | Unknown | None = None
        try:
            if row.handle:
                found = await run.step("manifest.look_up", lambda: collector.manifest_state(row.handle))
            elif row.state == "unclear" or run.task.attempt > 1:
                found = await run.step("manifest.look_up", lambda: collector.find_manifest(handles))
            if found is None:
                row = await self.database.run(collect_rows.leaves, row, self.now())
                handles = [handle for _, handle, _ in row.labels]
                if not handles:
                    said = "Every label of it was voided meanwhile."
                    await self.database.run(collect_rows.refuse_manifest, row, said, self.now(), tell=False)
                    return
                found = await run.step("manifest.make", lambda: collector.make_manifest(handles, run.fence))
                if isinstance(found, Rejected) and found.code not in _NOT_ASKED:
                    found = await self._made_before(run, collector, row) or found
        except CarrierError as error:
            raise TryLater(
                "The carrier does not say how the list stands.", retry_after_s=error.retry_after_s
            ) from error
        await self._manifest_done(run, shop_id, row, found)

    async def _manifest_done(self, run: Run, shop_id: str, row: Any, found: Manifest | Rejected | Unknown) -> None:
        match found:
            case Unknown():
                raise TryLater("Nobody knows whether the list was made.", retry_after_s=_again_s(run))
            case Rejected() if found.code in _NOT_ASKED:
                if run.fence():  # Nobody else is at it: the carrier has it no more than before.
                    await self.database.run(collect_rows.move_manifest, row, self.now(), state=row.state)
                raise TryLater(found.message, retry_after_s=_again_s(run, found.retry_after_s))
            case Rejected():
                await self.database.run(collect_rows.refuse_manifest, row, found.message, self.now())
            case Manifest(state="failed"):
                await self.database.run(collect_rows.refuse_manifest, row, found.message, self.now())
            case Manifest():
                url = found.file.url if found.file is not None else ""
                state = "made" if found.state == "made" else "pending"
                await self.database.run(
                    collect_rows.move_manifest, row, self.now(), state=state, handle=found.handle, url=url[:1000]
                )  # fmt: skip
                if state == "pending":
                    raise TryLater("The carrier is still at the list.", retry_after_s=_again_s(run))
                if url:
                    await self._keep_paper(run, shop_id, row, url)

    async def _made_before(self, run: Run, collector: Collector, row: Any) -> Manifest | None:
        """Our list, where an earlier request took effect after we had looked: a parcel is on one list only."""
        there = await run.step("manifest.look_up", lambda: collector.find_manifest([each for _, each, _ in row.labels]))
        if there is None or not {code for _, _, code in row.labels} <= set(there.tracking_codes):
            return None
        return there

    async def _keep_paper(self, run: Run, shop_id: str, row: Any, url: str) -> None:
        account = self.directory.account(shop_id, row.account_id)
        if account is None:
            return
        _, content = await run.step("manifest.fetch", lambda: account.connection.fetch_file(url))
        read = await anyio.to_thread.run_sync(read_document, content)
        if not isinstance(read, Document):
            raise TryLater(
                "The paper of the list is not what it says; it is fetched again.", retry_after_s=_again_s(run)
            )
        digest = await anyio.to_thread.run_sync(self.shelf.put, content)
        await self.database.run(
            collect_rows.move_manifest, row, self.now(), sha256=digest, media_type=read.media_type
        )  # fmt: skip

    async def pickup(self, run: Run) -> None:
        """Take a pick-up one step on: ask for offers, book, look a booking up, cancel."""
        shop_id, (pickup_id,) = run.task.shop_id, run.task.args[:1]
        row = await self.database.run(_pickup, shop_id, pickup_id)
        collector = self._collector(shop_id, row)
        shop = self.directory.shop(shop_id)
        if collector is None or shop is None:
            return
        try:
            match row.state:
                case "planned":
                    await self._offer(run, shop, collector, row)
                case "intent":
                    await self._book(run, collector, row)
                case "sent" | "unclear":
                    await self._look_up(run, collector, row)
                case "cancelling":
                    await self._cancel(run, collector, row)
        except CarrierError as error:
            if error.code in {"rate_refused", "credentials"} and row.state == "planned":
                await self.database.run(collect_rows.refuse_pickup, row, error.message, self.now())
                return
            raise TryLater(
                "The carrier does not answer about the pick-up.", retry_after_s=error.retry_after_s
            ) from error

    async def _offer(self, run: Run, shop: ShopEntry, collector: Collector, row: Any) -> None:
        address = next(each.address for each in shop.locations if each.id == row.location_id)
        handles = tuple(handle for _, handle, _ in row.labels)
        asked = PickupRequest(handles, address, row.earliest, row.latest, row.id, row.instructions)
        found = await run.step("pickup.offer", lambda: collector.offer_pickup(asked))
        if not found.offers:
            said = found.message or "The carrier offers no driver for this time."
            await self.database.run(collect_rows.refuse_pickup, row, said, self.now())
            return
        offers = [
            {"carrier": each.carrier, "service": each.service, "minor": each.price.minor,
             "currency": each.price.currency}
            for each in found.offers
        ]  # fmt: skip
        await self.database.run(
            collect_rows.change, row, self.now(), state="offered", handle=found.handle, offers=offers
        )

    async def _book(self, run: Run, collector: Collector, row: Any) -> None:
        sent = await self.database.run(collect_rows.change, row, self.now(), state="sent", sent_at=self.now())
        if not sent:
            return
        chosen = row.chosen
        offer = PickupOffer(chosen["carrier"], chosen["service"], Money(chosen["minor"], chosen["currency"]))
        found = await run.step("pickup.book", lambda: collector.book_pickup(row.handle, offer, run.fence))
        if isinstance(found, Rejected) and found.code not in _NOT_ASKED:
            # An earlier request may have booked the driver after it was given up.
            there = await run.step("pickup.look_up", lambda: collector.look_up_pickup(row.handle))
            found = there if isinstance(there, BookedPickup) else found
        now_row = await self.database.run(_pickup, row.shop_id, row.id)
        match found:
            case BookedPickup():
                await self.database.run(collect_rows.booked, now_row, found, self.now())
            case Rejected() if found.code in _NOT_ASKED:
                await self.database.run(collect_rows.change, now_row, self.now(), state="intent")
                raise TryLater(found.message, retry_after_s=_again_s(run, found.retry_after_s))
            case Rejected():
                await self.database.run(collect_rows.refuse_pickup, now_row, found.message, self.now())
            case Unknown():
                await self.database.run(collect_rows.change, now_row, self.now(), state="unclear")
                raise TryLater("Nobody knows whether a driver comes.", retry_after_s=_AGAIN_S)

    async def _look_up(self, run: Run, collector: Collector, row: Any) -> None:
        found = await run.step("pickup.look_up", lambda: collector.look_up_pickup(row.handle))
        if isinstance(found, BookedPickup):
            await self.database.run(collect_rows.booked, row, found, self.now())
            return
        account = self.directory.account(row.shop_id, row.account_id)
        ceiling = account.connection.capabilities.look_up_ceiling_s if account else 100
        if self.now() - row.sent_at < timedelta(seconds=ceiling):
            raise TryLater("Nobody knows yet whether a driver comes.", retry_after_s=_AGAIN_S)
        # It did not happen: a person may book again, and sees why that is asked.
        await self.database.run(
            collect_rows.change, row, self.now(), state="offered", why=Reason("pickup_not_booked").to_json()
        )  # fmt: skip

    async def _cancel(self, run: Run, collector: Collector, row: Any) -> None:
        found = await run.step("pickup.cancel", lambda: collector.cancel_pickup(row.handle, run.fence))
        if isinstance(found, Rejected) and found.code not in _NOT_ASKED:
            # Who stays at home already cannot be sent there again: an earlier request of ours may have done it.
            there = await run.step("pickup.look_up", lambda: collector.look_up_pickup(row.handle))
            found = there if isinstance(there, NotBooked) and there.cancelled else found
        match found:
            case NotBooked():
                await self.database.run(collect_rows.sent_home, row, self.now())
            case Unknown():
                raise TryLater("The carrier did not say whether the driver stays at home.", retry_after_s=_again_s(run))
            case Rejected() if found.code in _NOT_ASKED:
                raise TryLater("The carrier was not asked to keep the driver at home.", retry_after_s=_again_s(run))
            case Rejected():
                why = Reason("pickup_refused", {"said": found.message}).to_json()
                await self.database.run(collect_rows.change, row, self.now(), state="booked", why=why)

    def _collector(self, shop_id: str, row: Any | None) -> Collector | None:
        account = None if row is None else self.directory.account(shop_id, row.account_id)
        return None if account is None else collector_of(account.connection)


def _again_s(run: Run, asked: float | None = None) -> float | None:
    """Seconds to the next try with a carrier that takes long; after a few the waits of every job take over."""
    return (asked or _AGAIN_S) if run.task.attempt <= _SOON else None


def _manifest(connection: Connection, shop_id: str, manifest_id: str) -> Any | None:
    return connection.execute(manifests.select(shop_id).where(manifests.c.id == manifest_id)).one_or_none()


def _pickup(connection: Connection, shop_id: str, pickup_id: str) -> Any:
    row = connection.execute(pickups.select(shop_id).where(pickups.c.id == pickup_id)).one_or_none()
    if row is None:
        raise NoCollection("There is no such pick-up.", detail=pickup_id)
    return row


def _queue(connection: Connection, work: Work, shop_id: str, pickup_id: str, version: int) -> None:
    work.enqueue(connection, Task(PICKUP_JOB, f"pickup:{pickup_id}:{version}", shop_id, (pickup_id,)))


def _tell(
    connection: Connection, shop_id: str, action: str, subject: str, actor: Actor, now: datetime, **detail: Any
) -> None:
    audit.record(connection, now=now, actor=actor, action=action, subject=subject, shop_id=shop_id, detail=detail)
