"""Work that did not succeed: what waits for another try, what gave up, what was parked; and how it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from sqlalchemy import CheckConstraint, Column, Connection, Index, Integer, Row, String, UniqueConstraint, types

from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.ids import new_id
from connector.storage.schema import Moment, TenantTable, id_column
from connector.work.port import KEY_LENGTH, Task, Work
from webhooks.errors import WaybillError

FailureState = Literal["waiting", "failed", "parked", "retried"]

OPEN_STATES: tuple[FailureState, ...] = ("failed", "parked")


class NoSuchFailure(WaybillError):
    """There is no failed work with this id."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One task that does not succeed; the row goes when it does.

    `state`: waiting for the next try by itself; failed after the last one; parked because it ended its workers;
    retried by a person, with the outcome still open. `code` is the error's class, `message` safe for a merchant.
    """

    id: str
    task: Task
    state: FailureState
    code: str
    message: str
    at: datetime


class OnFailure(Protocol):
    """Told in the same transaction when work has given up, so that someone hears of it, and when it is made up for."""

    def __call__(self, connection: Connection, failure: Failure, now: datetime, /) -> None:
        """`failure.state` is failed or parked; retried where the work succeeded after all."""
        ...


_failures = TenantTable(
    "failures",
    id_column(primary_key=True),
    Column("key", String(KEY_LENGTH), nullable=False),
    Column("name", String(80), nullable=False),
    Column("args", types.JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("code", String(80), nullable=False),
    Column("message", String(500), nullable=False),
    Column("at", Moment, nullable=False),
    CheckConstraint("state IN ('waiting', 'failed', 'parked', 'retried')", name="state"),
    UniqueConstraint("shop_id", "key"),
    Index("ix_failures_state_at", "state", "at"),
)


def note(connection: Connection, task: Task, state: FailureState, code: str, message: str, now: datetime) -> Failure:
    """Keep that a task did not succeed, instead of what was kept for its key before."""
    values = {
        "name": task.name,
        "args": list(task.args),
        "attempts": task.attempt,
        "state": state,
        "code": code[:80],
        "message": message[:500],
        "at": now,
    }
    mine = _failures.c.key == task.key
    failure_id = connection.execute(_failures.select(task.shop_id, _failures.c.id).where(mine)).scalar()
    if failure_id is None:
        failure_id = new_id("fail", now)
        connection.execute(_failures.insert(task.shop_id, id=failure_id, key=task.key, **values))
    else:
        connection.execute(_failures.update(task.shop_id).where(mine).values(**values))
    return Failure(failure_id, task, state, code[:80], message[:500], now)


def is_kept(connection: Connection, task: Task) -> bool:
    """Whether something is kept for the task's key."""
    mine = _failures.select(task.shop_id, _failures.c.id).where(_failures.c.key == task.key)
    return connection.execute(mine).first() is not None


def last_try(connection: Connection, task: Task) -> tuple[int, datetime] | None:
    """Of work that waits for its next try: how many tries were counted, and when the last one failed."""
    chosen = _failures.select(task.shop_id, _failures.c.attempts, _failures.c.at)
    row = connection.execute(chosen.where(_failures.c.key == task.key, _failures.c.state == "waiting")).one_or_none()
    return None if row is None else (row.attempts, row.at)


def settle(connection: Connection, task: Task) -> Failure | None:
    """The task succeeded: nothing is to be shown any more. Returns what was kept."""
    mine = _failures.c.key == task.key
    row = connection.execute(_failures.select(task.shop_id).where(mine)).one_or_none()
    connection.execute(_failures.delete(task.shop_id).where(mine))
    return None if row is None else _failure(row)


def list_failures(
    connection: Connection,
    shop_id: str | None = None,
    *,
    states: Sequence[FailureState] = OPEN_STATES,
    limit: int = 200,
) -> list[Failure]:
    """Newest first, of one shop or of all; by default what waits for a person."""
    query = _failures.across_shops() if shop_id is None else _failures.select(shop_id)
    query = query.where(_failures.c.state.in_(states)).order_by(_failures.c.at.desc(), _failures.c.id.desc())
    return [_failure(row) for row in connection.execute(query.limit(limit))]


def get_failure(connection: Connection, failure_id: str) -> Failure:
    """One of them. Raises NoSuchFailure."""
    row = connection.execute(_failures.across_shops().where(_failures.c.id == failure_id)).one_or_none()
    if row is None:
        raise NoSuchFailure("There is no failed work with this id.", detail=failure_id)
    return _failure(row)


def retry(connection: Connection, work: Work, failure_id: str, actor: Actor, now: datetime) -> Failure:
    """Try failed or parked work again now, as if for the first time; as it stands afterwards. Raises NoSuchFailure."""
    failure = get_failure(connection, failure_id)
    fresh = replace(failure.task, attempt=1)
    work.later(connection, fresh, now)
    connection.execute(
        _failures.update(fresh.shop_id).where(_failures.c.id == failure_id).values(state="retried", at=now)
    )
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="work.retry",
        subject=failure_id,
        shop_id=fresh.shop_id or None,
        detail={"job": fresh.name, "key": fresh.key},
    )
    return replace(failure, task=fresh, state="retried", at=now)


def _failure(row: Row[Any]) -> Failure:
    return Failure(
        id=row.id,
        task=Task(row.name, row.key, row.shop_id, tuple(row.args), row.attempts),
        state=row.state,
        code=row.code,
        message=row.message,
        at=row.at,
    )
