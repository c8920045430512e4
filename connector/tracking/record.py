"""Begin to follow a label, take carrier updates in, and decide what the store is to be told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, or_

from carriers.tracking import TrackingEvent, TrackingStatus, TrackingUpdate
from connector.attention.board import need_person, settled
from connector.storage.database import insert_new
from connector.storage.ids import new_id
from connector.tracking.fold import PROGRESS, ParcelState, fold
from connector.tracking.tables import store_events, strays, tracking_events, trackings
from connector.words.reason import Reason
from connector.work.port import Task, Work

PUSH = "tracking.push"
_UPDATE = TypeAdapter(TrackingUpdate)
_SHOWN = frozenset(TrackingStatus) - {TrackingStatus.UNKNOWN, TrackingStatus.LABEL_MADE, TrackingStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Followed:
    """What must be known of a bought label to follow it and to tell the store."""

    shop_id: str
    label_id: str
    parcel_id: str
    order_id: str
    order_external_id: str
    group_id: str
    lines: tuple[tuple[str, int], ...]
    store_location_id: str
    account_id: str
    carrier: str
    tracking_code: str
    tracker: str
    url: str
    notify_buyer: bool


def begin(connection: Connection, work: Work, followed: Followed, *, fulfil_now: bool, now: datetime) -> None:
    """Follow a label, in the transaction that records its purchase. Updates that came before are taken in."""
    _follow(connection, followed, "due" if fulfil_now else "waits", now)
    if fulfil_now:
        push_soon(connection, work, followed.shop_id, followed.label_id)
    _adopt(connection, work, followed.shop_id, followed.account_id, followed.tracking_code, now)


def watch(connection: Connection, work: Work, followed: Followed, now: datetime) -> None:
    """Follow a label that nobody shall use, so that its scan comes before a person; the store hears nothing of it."""
    _follow(connection, followed, "cancelled", now)
    _adopt(connection, work, followed.shop_id, followed.account_id, followed.tracking_code, now)


def _follow(connection: Connection, followed: Followed, fulfil_state: str, now: datetime) -> None:
    insert_new(
        connection,
        trackings.insert(
            followed.shop_id,
            label_id=followed.label_id,
            parcel_id=followed.parcel_id,
            order_id=followed.order_id,
            order_external_id=followed.order_external_id,
            group_id=followed.group_id,
            lines=[list(line) for line in followed.lines],
            store_location_id=followed.store_location_id,
            account_id=followed.account_id,
            carrier=followed.carrier,
            tracking_code=followed.tracking_code,
            tracker=followed.tracker,
            url=followed.url[:500],
            began_at=now,
            status=TrackingStatus.LABEL_MADE,
            status_at=now,
            fulfil_state=fulfil_state,
            notify_buyer=followed.notify_buyer,
        ),
    )


def adopt_strays(connection: Connection, work: Work, shop_id: str, now: datetime) -> int:
    """Take in updates that came while their label was being recorded, and so passed for a stranger's; how many."""
    ours = trackings.c.shop_id == strays.c.shop_id
    same = ours & (trackings.c.account_id == strays.c.account_id)
    found = connection.execute(
        strays.select(shop_id, strays.c.account_id, strays.c.tracking_code)
        .where(
            trackings.select(shop_id, trackings.c.label_id)
            .where(same, trackings.c.tracking_code == strays.c.tracking_code)
            .exists()
        )
        .distinct()
    ).all()
    return sum(_adopt(connection, work, shop_id, account_id, code, now) for account_id, code in found)


def _adopt(connection: Connection, work: Work, shop_id: str, account_id: str, tracking_code: str, now: datetime) -> int:
    chosen = strays.select(shop_id).where(strays.c.account_id == account_id, strays.c.tracking_code == tracking_code)
    waiting = connection.execute(chosen).all()
    for stray in waiting:
        take_in(connection, work, shop_id, account_id, _UPDATE.validate_python(stray.update), now)
        connection.execute(strays.delete(shop_id).where(strays.c.id == stray.id))
    return len(waiting)


def take_in(
    connection: Connection, work: Work, shop_id: str, account_id: str, update: TrackingUpdate, now: datetime
) -> str | None:
    """Add a carrier's update to what is known. Returns the label's id, or None for a parcel that is not ours (yet)."""
    row = connection.execute(
        trackings.select(shop_id)
        .where(
            trackings.c.account_id == account_id,
            or_(
                trackings.c.tracking_code == update.tracking_code,
                (trackings.c.tracker == update.tracker) & (trackings.c.tracker != ""),
            ),
        )
        .order_by(trackings.c.began_at.desc())
        .with_for_update()
    ).first()
    if row is None:
        connection.execute(
            strays.insert(
                shop_id,
                id=new_id("str", now),
                account_id=account_id,
                tracking_code=update.tracking_code,
                tracker=update.tracker,
                update=_UPDATE.dump_python(update, mode="json"),
                received_at=now,
            )
        )
        return None
    news = [_add(connection, shop_id, row.label_id, event, now) for event in update.events]
    changes: dict[str, Any] = {"heard_at": now}
    if update.estimated_delivery:
        changes["estimated_delivery"] = update.estimated_delivery
    if any(news):
        state = fold(events_of(connection, shop_id, row.label_id))
        if state.milestones:
            changes |= {"status": state.status, "status_at": state.at}
        changes |= {"handed_over_at": state.handed_over_at, "delivered_at": state.delivered_at}
        due = _tell_store(connection, shop_id, row.label_id, state)
        if state.handed_over_at and row.fulfil_state in {"withdrawn", "cancelled"}:
            need_person(connection, shop_id, row.label_id, Reason("voided_scanned", {"number": row.tracking_code}), now)
        if state.handed_over_at and row.fulfil_state == "waits":
            changes["fulfil_state"] = "due"
            due = True
        if due:
            push_soon(connection, work, shop_id, row.label_id)
    connection.execute(trackings.update(shop_id).where(trackings.c.label_id == row.label_id).values(**changes))
    return str(row.label_id)


def events_of(connection: Connection, shop_id: str, label_id: str) -> list[TrackingEvent]:
    """Every event of a label, oldest first."""
    found = connection.execute(
        tracking_events.select(shop_id).where(tracking_events.c.label_id == label_id).order_by(tracking_events.c.at)
    )
    return [
        TrackingEvent(
            TrackingStatus(row.status),
            row.at,
            row.detail,
            row.message,
            row.city,
            row.province,
            row.postal_code,
            row.country,
        )
        for row in found.all()
    ]


def push_soon(connection: Connection, work: Work, shop_id: str, label_id: str) -> None:
    """Have the store told what is due for this label."""
    connection.execute(
        trackings.update(shop_id).where(trackings.c.label_id == label_id).values(turn=trackings.c.turn + 1)
    )
    turn = connection.execute(
        trackings.select(shop_id, trackings.c.turn).where(trackings.c.label_id == label_id)
    ).scalar_one()
    work.enqueue(connection, Task(PUSH, f"push:{label_id}:{turn}", shop_id, (label_id,)))


def withdraw(connection: Connection, work: Work, shop_id: str, label_id: str) -> None:
    """Have the store take the fulfilment of this label back, if it was told of one."""
    row = connection.execute(
        trackings.select(shop_id).where(trackings.c.label_id == label_id).with_for_update()
    ).first()
    if row is None or row.fulfil_state in {"withdrawn", "cancelled"}:
        return
    told = row.fulfil_state in {"sent", "done"}
    connection.execute(
        trackings.update(shop_id)
        .where(trackings.c.label_id == label_id)
        .values(fulfil_state="withdrawn" if told else "cancelled")
    )
    if told:
        push_soon(connection, work, shop_id, label_id)


def correct_number(
    connection: Connection, work: Work, shop_id: str, label_id: str, carrier: str, number: str, url: str, now: datetime
) -> bool:
    """Follow a label under another carrier, number and address, and have the store told so.

    What the store refused before is tried again. False if there is nothing to tell.
    """
    row = connection.execute(
        trackings.select(shop_id).where(trackings.c.label_id == label_id).with_for_update()
    ).first()
    if row is None or row.fulfil_state in {"withdrawn", "cancelled"}:
        return False
    before, present = [row.carrier, row.tracking_code, row.url], [carrier, number, url[:500]]
    refused = row.fulfil_state == "refused"
    if before == present and not refused and (row.told_stale or row.told in (None, present)):
        return False
    values: dict[str, Any] = {"carrier": carrier, "tracking_code": number, "url": url[:500]}
    if refused:
        values |= {"fulfil_state": "due", "told": None, "told_stale": None}
    elif row.fulfil_state in {"sent", "done"}:
        values |= {"told": row.told or before, "told_stale": True}
    connection.execute(trackings.update(shop_id).where(trackings.c.label_id == label_id).values(**values))
    settled(connection, shop_id, label_id, now, "store_refused_fulfilment", "store_refused_correction")
    push_soon(connection, work, shop_id, label_id)
    return True


def forget_strays(connection: Connection, before: datetime) -> int:
    """Retention: updates for parcels that never became ours."""
    old = connection.execute(strays.across_shops(strays.c.shop_id, strays.c.id).where(strays.c.received_at < before))
    rows = old.all()
    for shop_id, stray_id in rows:
        connection.execute(strays.delete(shop_id).where(strays.c.id == stray_id))
    return len(rows)


def _add(connection: Connection, shop_id: str, label_id: str, event: TrackingEvent, now: datetime) -> bool:
    return insert_new(
        connection,
        tracking_events.insert(
            shop_id,
            label_id=label_id,
            key=hashlib.sha256(event.key.encode()).hexdigest(),
            status=event.status,
            at=event.at,
            detail=event.detail[:80],
            message=event.message[:300],
            city=event.city[:80],
            province=event.province[:40],
            postal_code=event.postal_code[:20],
            country=event.country[:2],
            received_at=now,
        ),
    )


def _tell_store(connection: Connection, shop_id: str, label_id: str, state: ParcelState) -> bool:
    """Queue the milestones that are newer than all that the store was told; older ones are marked as superseded."""
    told: Sequence[Any] = connection.execute(
        store_events.select(shop_id).where(store_events.c.label_id == label_id)
    ).all()
    shown = [row for row in told if row.state != "superseded"]
    newest = max(((row.at, PROGRESS[TrackingStatus(row.status)]) for row in shown), default=None)
    delivered = any(row.status == TrackingStatus.DELIVERED for row in shown)
    known = {(row.status, row.at) for row in told}
    due = False
    for event in state.milestones:
        if event.status not in _SHOWN or (event.status, event.at) in known:
            continue
        fresh = newest is None or (event.at, PROGRESS[event.status]) > newest
        if event.status is TrackingStatus.DELIVERED:
            fresh = not delivered
        due = due or fresh
        connection.execute(
            store_events.insert(
                shop_id,
                label_id=label_id,
                status=event.status,
                at=event.at,
                state="due" if fresh else "superseded",
                message=event.message[:300],
                city=event.city[:80],
                province=event.province[:40],
                postal_code=event.postal_code[:20],
                country=event.country[:2],
            )
        )
    return due
