"""A label's states until it is bought or given up, each change a single transaction that checks what it changes.

created -> intent -> sent -> bought | refused | unknown;  created | intent -> dropped | refused
unknown -> bought | refused | intent (the same shipment again)

What comes after is elsewhere: bought -> void_requested -> voided | void_refused in connector.labels.voids; what was
refused or dropped and booked all the same in connector.labels.late; typed numbers in connector.labels.by_hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from carriers.label import Created, Purchased
from carriers.money import Money
from carriers.rate import Rate
from connector.attention.board import need_person, settled
from connector.labels.amounts import book
from connector.labels.awaited import ended
from connector.labels.fees import book_fees, kept_fees
from connector.labels.tables import LIVE, label_files, labels, parcels
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.storage.ids import new_id
from connector.tracking.record import Followed, begin
from connector.words.reason import Reason
from connector.work.port import Task, Work

BUY, SETTLE, FILES = "labels.buy", "labels.settle", "labels.files"
"""The jobs of a purchase: buy a parcel's label, find out how that ended, fetch the files of what was bought."""

BESIDE = ("insurance_by_hand",)
"""What a person still has to do for a parcel that has its label."""

ORDER_OF_PAPERS = {"label": 0, "return": 1, "customs": 2}
"""The order in which the documents of a parcel are printed; others come behind."""

_UNANSWERED = ("account_gone", "cannot_look_up")
"""Matters of a label whose outcome could not be looked up."""

LATE_LOOK = timedelta(minutes=10)
"""When a purchase that left and was given up is first looked up again: see connector.labels.late."""

_RATE = TypeAdapter(Rate)
_RATES = TypeAdapter(tuple[Rate, ...])


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A document of a label: where the carrier keeps it, and our copy's digest once there is one."""

    kind: str
    media_type: str
    url: str
    sha256: str | None = None
    size: int | None = None


def parcel_of(connection: Connection, shop_id: str, parcel_id: str) -> Any | None:
    """A parcel's row."""
    return connection.execute(parcels.select(shop_id).where(parcels.c.id == parcel_id)).one_or_none()


def lock_parcel(connection: Connection, shop_id: str, parcel_id: str) -> None:
    """Let nobody else change the parcel until this transaction ends; parcels are locked before their labels."""
    connection.execute(parcels.select(shop_id, parcels.c.id).where(parcels.c.id == parcel_id).with_for_update())


def label_of(connection: Connection, shop_id: str, label_id: str) -> Any | None:
    """A label's row."""
    return connection.execute(labels.select(shop_id).where(labels.c.id == label_id)).one_or_none()


def live_label(connection: Connection, shop_id: str, parcel_id: str) -> Any | None:
    """The one label of a parcel that is, or may become, paid for."""
    return connection.execute(
        labels.select(shop_id).where(labels.c.parcel_id == parcel_id, labels.c.state.in_(LIVE))
    ).one_or_none()


def parcel_and_label(connection: Connection, shop_id: str, parcel_id: str) -> tuple[Any | None, Any | None]:
    """Both, as they are now."""
    return parcel_of(connection, shop_id, parcel_id), live_label(connection, shop_id, parcel_id)


def set_parcel(
    connection: Connection,
    shop_id: str,
    parcel_id: str,
    state: str,
    now: datetime,
    why: Reason | None = None,
    *,
    unless: tuple[str, ...] = ("cancelled",),
) -> bool:
    """Note where a parcel stands, and why; False if it stands at one of `unless` meanwhile, and stays there."""
    change = parcels.update(shop_id).where(parcels.c.id == parcel_id, parcels.c.state.not_in(unless))
    values = {"state": state, "why": None if why is None else why.to_json(), "changed_at": now}
    return connection.execute(change.values(**values)).rowcount == 1


def let_pass(connection: Connection, parcel: Any, code: str) -> None:
    """A person saw this hold: it does not come back by itself."""
    codes = sorted({*(parcel.released or ()), code})
    connection.execute(parcels.update(parcel.shop_id).where(parcels.c.id == parcel.id).values(released=codes))


def hold(connection: Connection, shop_id: str, parcel_id: str, why: Reason, now: datetime) -> None:
    """Stop before money is spent, and put the parcel before a person; one that got its label meanwhile keeps it."""
    if set_parcel(connection, shop_id, parcel_id, "held", now, why, unless=("cancelled", "bought", "unknown")):
        need_person(connection, shop_id, parcel_id, why, now)


def open_label(
    connection: Connection, parcel: Any, account_id: str, carrier: str, created: Created, actor: Actor, now: datetime
) -> Any | None:
    """Keep the shipment that was just created; None if it is an orphan that nobody buys.

    That is so if another run was first, or if the parcel was cancelled while the carrier was asked.
    """
    over = ("cancelled", "bought", "voided", "unknown")
    if not set_parcel(connection, parcel.shop_id, parcel.id, "buying", now, unless=over):
        return None
    label_id = new_id("lab", now)
    new = insert_new(
        connection,
        labels.insert(
            parcel.shop_id,
            id=label_id,
            parcel_id=parcel.id,
            account_id=account_id,
            carrier=carrier,
            state="created",
            handle=created.handle,
            rates=_RATES.dump_python(created.rates, mode="json"),
            actor_kind=actor.kind,
            actor_name=actor.name,
            why={},
            created_at=now,
            test_mode=created.test_mode,
        ),
    )
    return label_of(connection, parcel.shop_id, label_id) if new else None


def write_intent(
    connection: Connection, label: Any, rate: Rate, why: Reason, actor: Actor, now: datetime
) -> Any | None:
    """Say what is to be bought, for how much, and who asked; None if the label was moved meanwhile."""
    values = {
        "state": "intent",
        "rate": _RATE.dump_python(rate, mode="json"),
        "minor": rate.price.minor,
        "currency": rate.price.currency,
        "why": why.to_json(),
        "actor_kind": actor.kind,
        "actor_name": actor.name,
        "intent_at": now,
    }
    if not _move(connection, label, ("created",), values):
        return None
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="label.intent",
        subject=label.id,
        shop_id=label.shop_id,
        detail={"minor": rate.price.minor, "currency": rate.price.currency, "service": rate.service},
    )
    return label_of(connection, label.shop_id, label.id)


def mark_sent(connection: Connection, label: Any, now: datetime) -> Any | None:
    """The purchase is about to leave: from here on its outcome must be looked up. None if another run did this."""
    if not _move(connection, label, ("intent",), {"state": "sent", "sent_at": now, "tries": label.tries + 1}):
        return None
    return label_of(connection, label.shop_id, label.id)


def not_sent(connection: Connection, label: Any) -> None:
    """The purchase did not leave after all."""
    _move(connection, label, ("sent",), {"state": "intent"})


def again(connection: Connection, work: Work, label: Any, person: Actor | None, now: datetime) -> None:
    """The last try did not happen: intend the same purchase of the same shipment once more, and queue it."""
    actor = person or Actor(label.actor_kind, label.actor_name)
    values = {"state": "intent", "intent_at": now, "actor_kind": actor.kind, "actor_name": actor.name}
    if _move(connection, label, ("sent", "unknown"), values):
        settled(connection, label.shop_id, label.id, now, *_UNANSWERED)
        set_parcel(connection, label.shop_id, label.parcel_id, "buying", now)
        args = (label.parcel_id, actor.kind, actor.name)
        work.enqueue(connection, Task(BUY, f"again:{label.id}:{label.version}", label.shop_id, args))


def stays_unclear(connection: Connection, label: Any, now: datetime) -> None:
    """Waybill does not buy it again by itself: a person must look."""
    why = Reason("outcome_unclear", {"carrier": label.carrier})
    if set_parcel(connection, label.shop_id, label.parcel_id, "unknown", now, why):
        need_person(connection, label.shop_id, label.parcel_id, why, now)


def unclear(connection: Connection, work: Work, label: Any, due_at: datetime, now: datetime) -> None:
    """Nobody knows the outcome: look it up at `due_at`."""
    if _move(connection, label, ("sent", "unknown"), {"state": "unknown", "looks": label.looks + 1}):
        set_parcel(connection, label.shop_id, label.parcel_id, "unknown", now, Reason("purchase_unclear"))
        settle_at(connection, work, label, due_at)


def settle_at(connection: Connection, work: Work, label: Any, due_at: datetime, person: Actor | None = None) -> None:
    """Look the outcome up at that time. `person` asks to have it bought again should nothing have been bought."""
    args = (label.id,) if person is None else (label.id, person.kind, person.name)
    work.later(connection, Task(SETTLE, f"settle:{label.id}", label.shop_id, args), due_at)


def refused(connection: Connection, work: Work, label: Any, why: Reason, now: datetime) -> None:
    """The carrier said no, and nothing was bought."""
    if _move(
        connection,
        label,
        ("created", "intent", "sent", "unknown"),
        {"state": "refused", "refusal": why.to_json(), **_given_up(label, now)},
    ):
        settled(connection, label.shop_id, label.id, now, *_UNANSWERED)
        set_parcel(connection, label.shop_id, label.parcel_id, "refused", now, why)
        need_person(connection, label.shop_id, label.parcel_id, why, now)
        ended(connection, work, parcel_of(connection, label.shop_id, label.parcel_id), now)


def unpaid(connection: Connection, label: Any, why: Reason, now: datetime) -> bool:
    """The carrier did not sell it for want of money: nothing was bought, and the parcel waits for its turn."""
    values = {"state": "refused", "refusal": why.to_json(), **_given_up(label, now)}
    settled(connection, label.shop_id, label.id, now, *_UNANSWERED)
    return _move(connection, label, ("sent", "unknown"), values)


def drop(connection: Connection, label: Any, now: datetime) -> bool:
    """Let go of a shipment that was created and never bought."""
    return _move(connection, label, ("created", "intent"), {"state": "dropped", **_given_up(label, now)})


def _given_up(label: Any, now: datetime) -> dict[str, Any]:
    """It ends without a label; where a purchase had left, the carrier is asked about it later all the same."""
    return {"settled_at": now, "void_due": None if label.sent_at is None else now + LATE_LOOK}


def bought(
    connection: Connection,
    work: Work,
    label: Any,
    outcome: Purchased,
    files: list[KeptFile],
    *,
    fulfil_now: bool,
    notify_buyer: bool,
    now: datetime,
) -> bool:
    """Record a label with all that follows from it, in one transaction; False if it was recorded before."""
    price = outcome.rate.price
    values = {"state": "bought", **booked_as(label, outcome, now)}
    if not _move(connection, label, ("intent", "sent", "unknown"), values, any_version=True):
        return False
    parcel = parcel_of(connection, label.shop_id, label.parcel_id)
    assert parcel is not None  # noqa: S101 - parcels are never deleted while a label refers to them.
    set_parcel(connection, label.shop_id, label.parcel_id, "bought", now, unless=())
    settled(connection, label.shop_id, label.parcel_id, now, but=BESIDE)
    settled(connection, label.shop_id, label.id, now, *_UNANSWERED)
    about = {"order_id": parcel.order_id, "parcel_id": parcel.id, "label_id": label.id}
    book(connection, label.shop_id, "bought", price, cause=label.id, now=now, **about)
    book_fees(connection, label, parcel.order_id, outcome.fees, now)
    intended = rate_of(label)
    if intended is not None and (intended.key != outcome.rate.key or intended.price != price):
        params = {"intended": f"{intended.carrier} {intended.service} {intended.price}"}
        params["bought"] = f"{outcome.rate.carrier} {outcome.rate.service} {price}"
        need_person(connection, label.shop_id, label.id, Reason("bought_differs", params), now)
    for file in files:
        _keep_file(connection, label, file, now)
    if any(file.sha256 is None for file in files):
        work.enqueue(connection, Task(FILES, f"files:{label.id}", label.shop_id, (label.id,)))
    followed = to_follow(label, parcel, outcome, notify_buyer=notify_buyer)
    begin(connection, work, followed, fulfil_now=fulfil_now, now=now)
    ended(connection, work, parcel, now)
    actor = Actor(label.actor_kind, label.actor_name)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="label.bought",
        subject=label.id,
        shop_id=label.shop_id,
        detail={"minor": price.minor, "currency": price.currency},
    )
    return True


def to_follow(label: Any, parcel: Any, outcome: Purchased, *, notify_buyer: bool) -> Followed:
    """What is followed of a label that the carrier sold."""
    return Followed(
        shop_id=label.shop_id,
        label_id=label.id,
        parcel_id=parcel.id,
        order_id=parcel.order_id,
        order_external_id=parcel.order_external_id,
        group_id=parcel.group_id,
        lines=tuple((line, units) for line, units in parcel.contents),
        store_location_id=parcel.store_location_id,
        account_id=label.account_id,
        carrier=outcome.rate.carrier,
        tracking_code=outcome.tracking_code,
        tracker=outcome.tracker,
        url=outcome.tracking_url,
        notify_buyer=notify_buyer,
    )


def booked_as(label: Any, outcome: Purchased, now: datetime) -> dict[str, Any]:
    """The columns of a label as the carrier booked it."""
    return {
        "settled_at": now,
        "booked_handle": outcome.handle,
        "tracking_code": outcome.tracking_code,
        "tracker": outcome.tracker,
        "tracking_url": outcome.tracking_url[:500],
        "booked_rate": _RATE.dump_python(outcome.rate, mode="json") | kept_fees(outcome.fees),
        "booked_minor": outcome.rate.price.minor,
        "booked_currency": outcome.rate.price.currency,
        "test_mode": label.test_mode if outcome.test_mode is None else outcome.test_mode,
    }


def rate_of(label: Any) -> Rate | None:
    """The rate of the intent."""
    return None if label.rate is None else _RATE.validate_python(label.rate)


def rates_of(label: Any) -> tuple[Rate, ...]:
    """The rates of the created shipment."""
    return _RATES.validate_python(label.rates)


def quoted(parcel: Any) -> Money | None:
    """The carrier's price that the offer was made from."""
    as_bought: Mapping[str, Any] | None = parcel.bought_as
    return None if as_bought is None else Money(as_bought["minor"], as_bought["currency"])


def files_of(connection: Connection, shop_id: str, label_id: str) -> list[Any]:
    """The documents of a label, in the order in which they are printed."""
    rows = connection.execute(label_files.select(shop_id).where(label_files.c.label_id == label_id)).all()
    return sorted(rows, key=lambda row: (ORDER_OF_PAPERS.get(row.kind, len(ORDER_OF_PAPERS)), row.id))


def file_fetched(connection: Connection, row: Any, media_type: str, digest: str, size: int, now: datetime) -> None:
    """Our copy of a document is on the shelf."""
    connection.execute(
        label_files.update(row.shop_id)
        .where(label_files.c.id == row.id)
        .values(media_type=media_type, sha256=digest, bytes=size, fetched_at=now)
    )


def _keep_file(connection: Connection, label: Any, file: KeptFile, now: datetime) -> None:
    values = asdict(file) | {"bytes": file.size, "fetched_at": now if file.sha256 else None}
    del values["size"]
    values["url"] = file.url[:1000]
    connection.execute(label_files.insert(label.shop_id, id=new_id("fil", now), label_id=label.id, **values))


def _move(
    connection: Connection, label: Any, states: tuple[str, ...], values: Mapping[str, Any], *, any_version: bool = False
) -> bool:
    """Change a label that is in one of these states and as it was read; False if it was moved meanwhile."""
    change = labels.update(label.shop_id).where(labels.c.id == label.id, labels.c.state.in_(states))
    if not any_version:
        change = change.where(labels.c.version == label.version)
    return connection.execute(change.values(version=labels.c.version + 1, **values)).rowcount == 1
