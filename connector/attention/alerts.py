"""Which matters are told to whom, and when: once each, grouped, and not again for what comes and goes.

`plan` turns matters into messages, `claim` gives one out for sending, `ended` notes what came of it. All of it stands
in rows: two processes never send one message twice, and a restart forgets nothing. A message of which nobody knows
whether it arrived is sent once more and then left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import JSON, Boolean, Column, Connection, Index, Integer, String, Table, and_, select, update

from connector.attention.board import HOUSE, matters, need_person, settled
from connector.storage.ids import new_id
from connector.storage.schema import Moment, TenantTable, id_column, metadata
from connector.words.reason import Reason

Channel = Literal["mail", "webhook"]
Outcome = Literal["sent", "not_sent", "unclear"]

NOT_SENT = "alert_not_sent"
AT_ONCE = frozenset(
    {
        "was_down",
        "worker_dead",
        "backup_share_high",
        "carrier_out",
        "wallet_empty",
        "daily_cap_reached",
        "cap_not_comparable",
        "certificate_ending",
        "certificate_bad",
        "disk_full",
        "work_failed",
        "work_parked",
        "moved_clock_in_live",
    }
)
"""Causes that are told at once, and again when they are over. So are those of the check-up (`check_…`)."""

CALM = timedelta(minutes=2)
"""How long something must be over before that is told."""
FLAP = timedelta(minutes=30)
"""What comes back sooner than this after it was told to be over is told only if it stays so long."""
DIGEST_EVERY = timedelta(hours=4)
"""At most so often is told what waits for a person in single orders."""
PATIENCE = timedelta(minutes=5)
"""How long a single order's matter stands open before it is told: whoever is at work settles it meanwhile."""
MOST_OF_A_CODE = 3
"""Messages of one cause to one recipient within FLAP; what comes then waits, and is told together."""
MOST_AT_ONCE = 3
"""Causes that are told one by one; more go into one message."""

_RETRY = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60))
_GIVE_UP = timedelta(hours=24)
_LOST_AFTER = timedelta(minutes=5)

told = TenantTable(
    "alerts_told",
    id_column("matter_id", primary_key=True),
    Column("kind", String(8), primary_key=True),  # open | over
    id_column("message_id", nullable=False),  # Empty: nothing was sent, it came and went.
    Column("code", String(60), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("recipient", String(40), nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "at"),
)
messages = Table(
    "alert_messages",
    metadata,
    id_column(primary_key=True),
    Column("channel", String(8), nullable=False),
    Column("recipient", String(40), nullable=False),  # A shop with an address of its own, or empty: the house.
    Column("about", JSON, nullable=False),
    Column("digest", Boolean, nullable=False),
    Column("state", String(8), nullable=False),  # due | sending | sent | unclear | failed
    Column("tries", Integer, nullable=False),
    Column("doubts", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("claimed_at", Moment),
    Column("ended_at", Moment),
    Column("said", String(200), nullable=False),
    Index(None, "state", "due_at"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One matter in a message: its beginning, or that it is over."""

    matter_id: str
    kind: Literal["open", "over"]
    shop_id: str
    subject: str
    reason: Reason
    opened_at: datetime
    resolved_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "matter_id": self.matter_id,
            "kind": self.kind,
            "shop_id": self.shop_id,
            "subject": self.subject,
            "reason": self.reason.to_json(),
            "opened_at": self.opened_at.isoformat(),
            "resolved_at": None if self.resolved_at is None else self.resolved_at.isoformat(),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Item:
        """From what `to_json` gave."""
        over = body["resolved_at"]
        return cls(
            body["matter_id"],
            body["kind"],
            body["shop_id"],
            body["subject"],
            Reason.from_json(body["reason"]),
            datetime.fromisoformat(body["opened_at"]),
            None if over is None else datetime.fromisoformat(over),
        )


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent once. Its id stays the same when it is repeated, so that the receiver may drop the second."""

    id: str
    channel: Channel
    recipient: str
    items: tuple[Item, ...]
    created_at: datetime


class Routes(Protocol):
    """Who is told of a shop's matters."""

    def recipient(self, shop_id: str) -> str:
        """The shop itself, if it has an address of its own, else HOUSE."""
        ...

    def channels(self, recipient: str) -> Sequence[Channel]:
        """By which ways that recipient is reached; empty if alerts are not set up."""
        ...


def is_at_once(code: str) -> bool:
    """Whether a cause is told at once, rather than with what single orders need."""
    return code in AT_ONCE or code.startswith("check_")


def plan(connection: Connection, routes: Routes, now: datetime) -> int:
    """Make the messages that are due now; how many."""
    by_recipient: dict[str, list[Item]] = defaultdict(list)
    recent = _Recent(connection, now)
    for item in [*_opened(connection, now, recent), *_over(connection, now)]:
        by_recipient[routes.recipient(item.shop_id)].append(item)
    count = 0
    for recipient, items in sorted(by_recipient.items()):
        channels = routes.channels(recipient)
        if not channels:
            continue
        urgent = [item for item in items if is_at_once(item.reason.code)]
        groups = _groups(item for item in urgent if not recent.is_loud(recipient, item))
        if len(groups) > MOST_AT_ONCE:
            groups = [[item for group in groups for item in group]]
        patient = [item for item in items if not is_at_once(item.reason.code)]
        if patient and not recent.had_digest(recipient):
            groups.append(patient)
        for group in groups:
            _put(connection, recipient, channels, group, now)
            count += len(channels)
    return count


def claim(connection: Connection, now: datetime) -> Message | None:
    """The next message to send, now ours alone; None if nothing is due."""
    _take_back_lost(connection, now)
    due = (
        select(messages)
        .where(messages.c.state == "due", messages.c.due_at <= now)
        .order_by(messages.c.due_at, messages.c.id)
        .limit(1)
    )
    row = connection.execute(due.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    _set(connection, row.id, state="sending", claimed_at=now, tries=row.tries + 1)
    return Message(row.id, row.channel, row.recipient, tuple(map(Item.from_json, row.about)), row.created_at)


def ended(connection: Connection, message: Message, outcome: Outcome, said: str, now: datetime) -> None:
    """Note what came of sending it. What certainly did not go out is tried again for a day."""
    row = connection.execute(select(messages).where(messages.c.id == message.id)).one()
    if outcome == "sent":
        _set(connection, row.id, state="sent", ended_at=now, said="")
        settled(connection, HOUSE, message.channel, now, NOT_SENT)
    elif outcome == "unclear":
        _doubt(connection, row, said, now)
    elif now - row.created_at > _GIVE_UP:
        _set(connection, row.id, state="failed", ended_at=now, said=said[:200])
    else:
        wait = _RETRY[min(row.tries, len(_RETRY)) - 1]
        _set(connection, row.id, state="due", due_at=now + wait, said=said[:200])
        need_person(connection, HOUSE, message.channel, Reason("alert_not_sent", {"said": said[:200]}), now)


def forget_old(connection: Connection, before: datetime) -> int:
    """For retention: messages that ended before a moment. What was told of matters stays with the matters."""
    gone = messages.delete().where(messages.c.ended_at < before)
    return connection.execute(gone).rowcount


class _Recent:
    """What was told within FLAP, and digests within DIGEST_EVERY."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        rows = connection.execute(told.across_shops().where(told.c.at > now - FLAP)).all()
        self._over = {(row.shop_id, row.code, row.subject) for row in rows if row.kind == "over" and row.message_id}
        self._sent: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in rows:
            if row.kind == "open" and row.message_id:
                self._sent[row.recipient, row.code].add(row.message_id)
        digests = select(messages.c.recipient).where(messages.c.digest, messages.c.created_at > now - DIGEST_EVERY)
        self._digests = set(connection.execute(digests).scalars())

    def flaps(self, row: Any) -> bool:
        """Whether this was told to be over a short while ago."""
        return (row.shop_id, row.code, row.subject) in self._over

    def is_loud(self, recipient: str, item: Item) -> bool:
        """Whether enough was said of this cause for now."""
        return item.kind == "open" and len(self._sent[recipient, item.reason.code]) >= MOST_OF_A_CODE

    def had_digest(self, recipient: str) -> bool:
        """Whether this recipient heard of single orders a while ago."""
        return recipient in self._digests


def _opened(connection: Connection, now: datetime, recent: _Recent) -> list[Item]:
    """Open matters that nobody was told of."""
    known = select(told.c.matter_id).where(
        told.c.shop_id == matters.c.shop_id, told.c.matter_id == matters.c.id, told.c.kind == "open"
    )
    rows = connection.execute(
        matters.across_shops()
        .where(matters.c.resolved_at.is_(None), ~known.exists(), matters.c.code != NOT_SENT)
        .order_by(matters.c.opened_at, matters.c.id)
    ).all()
    items = []
    for row in rows:
        if not is_at_once(row.code):
            if row.opened_at <= now - PATIENCE:
                items.append(_item(row, "open"))
        elif not (_goes_on(connection, row, now) or recent.flaps(row)):
            items.append(_item(row, "open"))
    return items


def _over(connection: Connection, now: datetime) -> list[Item]:
    """Matters of which people were told, that have been over for a while."""
    both = and_(told.c.shop_id == matters.c.shop_id, told.c.matter_id == matters.c.id)
    began = select(told.c.matter_id).where(both, told.c.kind == "open", told.c.message_id != "")
    over = select(told.c.matter_id).where(both, told.c.kind == "over")
    rows = connection.execute(
        matters.across_shops()
        .where(matters.c.resolved_at <= now - CALM, began.exists(), ~over.exists())
        .order_by(matters.c.resolved_at, matters.c.id)
    ).all()
    return [_item(row, "over") for row in rows if is_at_once(row.code)]


def _goes_on(connection: Connection, row: Any, now: datetime) -> bool:
    """Whether this is a matter that people know of, and that was over too short a while to say so: say nothing."""
    both = and_(told.c.shop_id == matters.c.shop_id, told.c.matter_id == matters.c.id)
    began = select(told.c.message_id).where(both, told.c.kind == "open", told.c.message_id != "")
    over = select(told.c.matter_id).where(both, told.c.kind == "over")
    before = connection.execute(
        matters.select(row.shop_id)
        .where(
            matters.c.code == row.code,
            matters.c.subject == row.subject,
            matters.c.resolved_at > now - CALM,
            began.exists(),
            ~over.exists(),
        )
        .limit(1)
    ).one_or_none()
    if before is None:
        return False
    first = connection.execute(
        told.select(row.shop_id).where(told.c.matter_id == before.id, told.c.kind == "open")
    ).one()
    _mark(connection, _item(before, "over"), "", first.recipient, now)
    _mark(connection, _item(row, "open"), first.message_id, first.recipient, now)
    return True


def _groups(items: Any) -> list[list[Item]]:
    """What is told in one message: the same news of the same cause in the same shop."""
    groups: dict[tuple[str, str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.kind, item.shop_id, item.reason.code].append(item)
    return list(groups.values())


def _put(
    connection: Connection, recipient: str, channels: Sequence[Channel], items: Sequence[Item], now: datetime
) -> None:
    ids = [new_id("msg", now) for _ in channels]
    for channel, message_id in zip(channels, ids, strict=True):
        connection.execute(
            messages.insert().values(
                id=message_id,
                channel=channel,
                recipient=recipient,
                about=[item.to_json() for item in items],
                digest=not all(is_at_once(item.reason.code) for item in items),
                state="due",
                tries=0,
                doubts=0,
                created_at=now,
                due_at=now,
                said="",
            )
        )
    for item in items:
        _mark(connection, item, ids[0], recipient, now)


def _mark(connection: Connection, item: Item, message_id: str, recipient: str, now: datetime) -> None:
    connection.execute(
        told.insert(
            item.shop_id,
            matter_id=item.matter_id,
            kind=item.kind,
            message_id=message_id,
            code=item.reason.code,
            subject=item.subject,
            recipient=recipient,
            at=now,
        )
    )


def _take_back_lost(connection: Connection, now: datetime) -> None:
    """Messages whose sender died: nobody knows whether they went out."""
    lost = select(messages).where(messages.c.state == "sending", messages.c.claimed_at < now - _LOST_AFTER)
    for row in connection.execute(lost.with_for_update(skip_locked=True)).all():
        _doubt(connection, row, "the process ended while it sent", now)


def _doubt(connection: Connection, row: Any, said: str, now: datetime) -> None:
    """Sent once more, and not a third time."""
    if row.doubts:
        _set(connection, row.id, state="unclear", ended_at=now, said=said[:200])
    else:
        _set(connection, row.id, state="due", doubts=1, due_at=now + _RETRY[0], said=said[:200])


def _set(connection: Connection, message_id: str, **values: Any) -> None:
    connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


def _item(row: Any, kind: Literal["open", "over"]) -> Item:
    return Item(row.id, kind, row.shop_id, row.subject, Reason.from_json(row.reason), row.opened_at, row.resolved_at)
