"""Signs that something is wrong, and since when: only what lasts becomes a matter, and only what is gone settles it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, String

from connector.attention.board import need_person, settled
from connector.storage.schema import Moment, TenantTable
from connector.words.reason import Reason

_GAP = timedelta(minutes=5)
"""Where nobody looked for so long, nothing is known to have lasted."""

signs = TenantTable(
    "watch_signs",
    Column("code", String(60), primary_key=True),
    Column("subject", String(80), primary_key=True),
    Column("reason", JSON, nullable=False),
    Column("bad_since", Moment, nullable=False),
    Column("good_since", Moment),
    Column("seen_at", Moment, nullable=False),
    Column("opened", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a cause lasts before it is a matter, and how long it must be gone before that is settled."""

    opens: timedelta = timedelta(0)
    closes: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one cause: a reason if it is there, None if it is not. What could not be looked at has no Look."""

    shop_id: str
    code: str
    subject: str
    reason: Reason | None
    patience: Patience = Patience()


def heed(connection: Connection, looks: Iterable[Look], now: datetime) -> None:
    """Take looks in: open and settle the matters that follow."""
    for look in looks:
        row = connection.execute(
            signs.select(look.shop_id).where(signs.c.code == look.code, signs.c.subject == look.subject)
        ).one_or_none()
        if look.reason is not None:
            _bad(connection, look, look.reason, row, now)
        elif row is not None:
            _good(connection, look, row, now)


def forget_of(connection: Connection, shop_id: str, code: str, subjects: Iterable[str], now: datetime) -> None:
    """Settle what is about things that are not there any more; `subjects` are those that are."""
    rows = connection.execute(
        signs.select(shop_id).where(signs.c.code == code, signs.c.subject.not_in(list(subjects)))
    ).all()
    for row in rows:
        _settle(connection, row, now)


def _bad(connection: Connection, look: Look, reason: Reason, row: Any | None, now: datetime) -> None:
    since = now if row is None or (now - row.seen_at > _GAP and not row.opened) else row.bad_since
    opens = now - since >= look.patience.opens
    values = {
        "reason": reason.to_json(),
        "bad_since": since,
        "good_since": None,
        "seen_at": now,
        "opened": opens or (row is not None and row.opened),
    }
    if row is None:
        connection.execute(signs.insert(look.shop_id, code=look.code, subject=look.subject, **values))
    else:
        connection.execute(_of(look.shop_id, look.code, look.subject).values(**values))
    if opens:
        need_person(connection, look.shop_id, look.subject, reason, now)


def _good(connection: Connection, look: Look, row: Any, now: datetime) -> None:
    since = row.good_since or now
    if now - since >= look.patience.closes:
        _settle(connection, row, now)
    else:
        connection.execute(_of(look.shop_id, look.code, look.subject).values(good_since=since, seen_at=now))


def _settle(connection: Connection, row: Any, now: datetime) -> None:
    mine = signs.delete(row.shop_id).where(signs.c.code == row.code, signs.c.subject == row.subject)
    connection.execute(mine)
    settled(connection, row.shop_id, row.subject, now, Reason.from_json(row.reason).code)


def _of(shop_id: str, code: str, subject: str) -> Any:
    return signs.update(shop_id).where(signs.c.code == code, signs.c.subject == subject)
