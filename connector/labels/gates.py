"""Where buying stops for a whole account or shop: one matter for a person, one line of waiting parcels, one probe.

A gate is shut by the carrier's "not enough money" (its subject is the account) or by the daily cap (subject `cap`).
While it is shut no work of it is asked at the carrier: parcels wait in rows, and a probe lets one of them try on a
schedule. When a try is paid for, the gate opens by itself and everything in the line is queued again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Index, Integer, String

from carriers.money import Money
from connector.attention.board import need_person, settled
from connector.labels import record
from connector.labels.tables import parcels
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.storage.schema import Moment, TenantTable, id_column
from connector.words.reason import Reason
from connector.work.port import Task, Work

CAP = "cap"
"""The subject of the gate that the daily cap shuts; other gates have an account's id."""

PROBE = "labels.probe"
OVER_CAP = "over_cap"
"""What a person's purchase is marked with that may pass the cap."""

_PROBE_AFTER = (timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10))
_BETWEEN_CLICKS = timedelta(minutes=1)
CAP_PROBE = timedelta(minutes=10)
"""How often it is looked whether the cap lets buying go on: a new day, a new cap, a voided label."""

gates = TenantTable(
    "buying_gates",
    Column("subject", String(40), primary_key=True),
    Column("shut_at", Moment),  # Empty: it is open.
    Column("reason", JSON),
    Column("needed_minor", BigInteger),  # What the label that shut it would have cost.
    Column("needed_currency", String(3)),
    Column("refused_at", Moment),
    Column("probe_at", Moment),
    Column("probes", Integer, nullable=False, default=0),
    id_column("probe_parcel_id", nullable=True),
    Column("opened", Integer, nullable=False, default=0),
)
waits = TenantTable(
    "buying_waits",
    id_column("parcel_id", primary_key=True),
    Column("subject", String(40), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("over_cap", Boolean, nullable=False),
    Column("since", Moment, nullable=False),
    Index(None, "shop_id", "subject", "since"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for a purchase, and whether that person said that it may pass the cap."""

    actor: Actor
    over_cap: bool = False

    @classmethod
    def read(cls, kind: str, name: str, *marks: str) -> Asked:
        """From a task's arguments behind the parcel's id."""
        return cls(Actor(kind, name), OVER_CAP in marks)  # type: ignore[arg-type]  # It was an Actor's when queued.

    def args(self, parcel_id: str) -> tuple[str, ...]:
        """A task's arguments."""
        return (parcel_id, self.actor.kind, self.actor.name, *((OVER_CAP,) if self.over_cap else ()))


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that is shut: since when, why, how many parcels wait at it, and when the next one tries."""

    subject: str
    shut_at: datetime
    reason: Reason
    waiting: int
    probe_at: datetime | None
    needed: Money | None


def shut_gates(connection: Connection, shop_id: str) -> list[Gate]:
    """Where buying stands still in a shop, for the desk and the list of what needs a person."""
    found = connection.execute(gates.select(shop_id).where(gates.c.shut_at.is_not(None)).order_by(gates.c.shut_at))
    return [_gate(connection, row) for row in found.all()]


def cap_reached(connection: Connection, shop_id: str) -> Reason | None:
    """Why a click needs a person's word to pass the cap; None while the cap's gate is open."""
    row = connection.execute(
        gates.select(shop_id, gates.c.reason).where(gates.c.subject == CAP, gates.c.shut_at.is_not(None))
    ).one_or_none()
    return None if row is None else Reason.from_json(row.reason)


def may_go(
    connection: Connection,
    parcel: Any,
    label: Any | None,
    account_id: str,
    asked: Asked,
    now: datetime,
    *,
    at_cap: bool,
) -> bool:
    """Whether this purchase may go on; otherwise the parcel is put in the line, and nothing of it holds a slot.

    The probe goes on, and so does a person's click, once a minute for an account: it is how a person who has paid in
    tries it out. `at_cap`: the cap's gate counts too, unless the person may pass it.
    """
    shop_id = parcel.shop_id
    subjects = (account_id, CAP) if at_cap and not asked.over_cap else (account_id,)
    for subject in subjects:
        row = _shut(connection, shop_id, subject)
        if row is None or row.probe_parcel_id == parcel.id:
            continue
        if asked.actor.kind != "rule" and _claim(connection, row, parcel.id, now):
            continue
        wait(connection, parcel, label, subject, Reason.from_json(row.reason), asked, now)
        return False
    connection.execute(waits.delete(shop_id).where(waits.c.parcel_id == parcel.id))
    return True


def wait(
    connection: Connection, parcel: Any, label: Any | None, subject: str, why: Reason, asked: Asked, now: datetime
) -> None:
    """Put a parcel in the line; the shipment that was created for it, and not bought, is let go."""
    if label is None:
        if record.live_label(connection, parcel.shop_id, parcel.id) is not None:
            return  # Another run is at it.
    elif label.state in {"created", "intent"} and not record.drop(connection, label, now):
        return
    if record.set_parcel(connection, parcel.shop_id, parcel.id, "planned", now, why, unless=("cancelled", "bought")):
        insert_new(
            connection,
            waits.insert(
                parcel.shop_id,
                parcel_id=parcel.id,
                subject=subject,
                actor_kind=asked.actor.kind,
                actor_name=asked.actor.name,
                over_cap=asked.over_cap,
                since=now,
            ),
        )


def shut(
    connection: Connection,
    work: Work,
    shop_id: str,
    subject: str,
    why: Reason,
    now: datetime,
    *,
    needed: Money | None = None,
) -> None:
    """Shut a gate, or note that it has to stay shut; the first time it is put before a person, once."""
    row = lock(connection, shop_id, subject)
    probes = 0 if row.shut_at is None else row.probes
    probe_at = now + _PROBE_AFTER[min(probes, len(_PROBE_AFTER) - 1)]
    connection.execute(
        gates.update(shop_id)
        .where(gates.c.subject == subject)
        .values(
            shut_at=row.shut_at or now,
            reason=why.to_json(),
            needed_minor=None if needed is None else needed.minor,
            needed_currency=None if needed is None else needed.currency,
            refused_at=now,
            probe_parcel_id=None,
            probe_at=probe_at,
        )
    )
    need_person(connection, shop_id, matter_subject(shop_id, subject), why, now)
    _probe_later(connection, work, shop_id, subject, probe_at)


def open_gate(connection: Connection, work: Work, shop_id: str, subject: str, now: datetime) -> int:
    """Let everything in the line go on, and close the matter; how many parcels waited."""
    row = lock(connection, shop_id, subject)
    if row.shut_at is None:
        return 0
    connection.execute(
        gates.update(shop_id)
        .where(gates.c.subject == subject)
        .values(shut_at=None, probe_at=None, probe_parcel_id=None, probes=0, opened=row.opened + 1)
    )
    settled(connection, shop_id, matter_subject(shop_id, subject), now, Reason.from_json(row.reason).code)
    work.forget(connection, _probe_key(shop_id, subject))
    line = connection.execute(
        waits.select(shop_id).where(waits.c.subject == subject).order_by(waits.c.since, waits.c.parcel_id)
    ).all()
    for each in line:
        key = f"gate:{subject}:{row.opened}:{each.parcel_id}"
        work.enqueue(connection, Task(record.BUY, key, shop_id, _asked(each).args(each.parcel_id)))
    connection.execute(waits.delete(shop_id).where(waits.c.subject == subject))
    return len(line)


def hold_shut(connection: Connection, shop_id: str, subject: str) -> datetime | None:
    """When the account of a gate that is shut was last refused, the gate held until this transaction ends."""
    row = _shut(connection, shop_id, subject)
    return None if row is None else row.refused_at


def probe(connection: Connection, work: Work, shop_id: str, subject: str, now: datetime) -> None:
    """Let the parcel that waits longest try; where nothing waits any more, the gate opens.

    What tries in vain goes to the end of the line: a label that costs more than is left keeps no cheaper one waiting.
    """
    row = lock(connection, shop_id, subject)
    if row.shut_at is None:
        return
    still = parcels.select(shop_id, parcels.c.id).where(parcels.c.state == "planned")
    connection.execute(waits.delete(shop_id).where(waits.c.subject == subject, waits.c.parcel_id.not_in(still)))
    first = connection.execute(
        waits.select(shop_id).where(waits.c.subject == subject).order_by(waits.c.since, waits.c.parcel_id).limit(1)
    ).one_or_none()
    if first is None:
        open_gate(connection, work, shop_id, subject, now)
        return
    probe_at = now + _PROBE_AFTER[min(row.probes + 1, len(_PROBE_AFTER) - 1)]
    connection.execute(
        gates.update(shop_id)
        .where(gates.c.subject == subject)
        .values(probe_parcel_id=first.parcel_id, probes=row.probes + 1, probe_at=probe_at)
    )
    key = f"probe:{subject}:{row.opened}:{row.probes}:{first.parcel_id}"
    work.enqueue(connection, Task(record.BUY, key, shop_id, _asked(first).args(first.parcel_id)))
    _probe_later(connection, work, shop_id, subject, probe_at)


def ask_again(connection: Connection, work: Work, shop_id: str, subject: str, at: datetime) -> None:
    """Have the probe run at that time."""
    connection.execute(gates.update(shop_id).where(gates.c.subject == subject).values(probe_at=at))
    _probe_later(connection, work, shop_id, subject, at)


def wake_forgotten(connection: Connection, work: Work, shop_id: str, now: datetime, late: timedelta) -> None:
    """For the sweep: a gate whose probe is overdue gets another one, and nothing waits at a gate that is open."""
    overdue = gates.select(shop_id).where(gates.c.shut_at.is_not(None), gates.c.probe_at < now - late)
    for row in connection.execute(overdue).all():
        _probe_later(connection, work, shop_id, row.subject, now)
    shut = {each.subject for each in shut_gates(connection, shop_id)}
    for row in connection.execute(waits.select(shop_id).where(waits.c.since < now - late)).all():
        if row.subject not in shut:
            key = f"woken:{row.parcel_id}:{row.since.isoformat()}"
            work.enqueue(connection, Task(record.BUY, key, shop_id, _asked(row).args(row.parcel_id)))


def lock(connection: Connection, shop_id: str, subject: str) -> Any:
    """The gate's row, held until this transaction ends; made on first use. Nobody takes another lock behind it."""
    insert_new(connection, gates.insert(shop_id, subject=subject))
    return connection.execute(gates.select(shop_id).where(gates.c.subject == subject).with_for_update()).one()


def matter_subject(shop_id: str, subject: str) -> str:
    """What the matter is about: the account, or the shop."""
    return shop_id if subject == CAP else subject


def _shut(connection: Connection, shop_id: str, subject: str) -> Any | None:
    """The gate's row, held, if it is shut; one that is open is only read."""
    mine = gates.select(shop_id).where(gates.c.subject == subject, gates.c.shut_at.is_not(None))
    if connection.execute(mine).first() is None:
        return None
    return connection.execute(mine.with_for_update()).one_or_none()


def _asked(row: Any) -> Asked:
    return Asked(Actor(row.actor_kind, row.actor_name), row.over_cap)


def _claim(connection: Connection, row: Any, parcel_id: str, now: datetime) -> bool:
    """Whether a person's click is the one of this minute that tries."""
    if row.subject == CAP or row.refused_at > now - _BETWEEN_CLICKS:
        return False
    mine = gates.update(row.shop_id).where(
        gates.c.subject == row.subject, gates.c.refused_at == row.refused_at, gates.c.shut_at.is_not(None)
    )
    return connection.execute(mine.values(refused_at=now, probe_parcel_id=parcel_id)).rowcount == 1


def _probe_later(connection: Connection, work: Work, shop_id: str, subject: str, at: datetime) -> None:
    work.later(connection, Task(PROBE, _probe_key(shop_id, subject), shop_id, (subject,)), at)


def _probe_key(shop_id: str, subject: str) -> str:
    return f"probe:{shop_id}:{subject}"


def _gate(connection: Connection, row: Any) -> Gate:
    line = connection.execute(waits.select(row.shop_id, waits.c.parcel_id).where(waits.c.subject == row.subject)).all()
    needed = None if row.needed_minor is None else Money(row.needed_minor, row.needed_currency)
    return Gate(row.subject, row.shut_at, Reason.from_json(row.reason), len(line), row.probe_at, needed)
