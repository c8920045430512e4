"""Work that waits: rows, one per key, which a worker turns into runs when the Clock reaches them.

Work that is queued to run at once waits here too, for a fraction of a second: so a process that only queues needs
no engine, and a rollback takes its work back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, Connection, Integer, Row, String, Table, UniqueConstraint, delete, select, types
from sqlalchemy.dialects import postgresql, sqlite

from connector.storage.database import insert_new
from connector.storage.schema import Moment, id_column, metadata
from connector.work.port import KEY_LENGTH, Task

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""The due time of work that need not wait, whatever the clocks of machines say."""

_due = Table(
    "due",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("slot", String(KEY_LENGTH + 8), nullable=False),
    Column("key", String(KEY_LENGTH), nullable=False),
    Column("name", String(80), nullable=False),
    id_column("shop_id", nullable=False),
    Column("args", types.JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due_at", Moment, nullable=False, index=True),
    UniqueConstraint("slot"),
    sqlite_autoincrement=True,  # A number is never given twice: it is part of a run's id.
)

_queued_keys = Table(
    "queued_keys",
    metadata,
    Column("key", String(KEY_LENGTH), primary_key=True),
    Column("queued_at", Moment, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class DueRun:
    """A task whose time has come, and the id of the run that it becomes."""

    run_id: str
    task: Task


def queue(connection: Connection, task: Task, now: datetime) -> bool:
    """Keep a task to run at once; False if its key was ever queued this way before."""
    if not insert_new(connection, _queued_keys.insert().values(key=task.key, queued_at=now)):
        return False
    _put(connection, task, AT_ONCE, f"now {task.key}")
    return True


def carry_over(connection: Connection, run: DueRun) -> None:
    """Keep what was in flight on another database, to run at once on this one; each run once."""
    _put(connection, run.task, AT_ONCE, f"over {sha256(run.run_id.encode()).hexdigest()[:40]}")


def put(connection: Connection, task: Task, due_at: datetime) -> None:
    """Keep a task until `due_at`, instead of what waited under its key."""
    _put(connection, task, due_at, task.key)


def _put(connection: Connection, task: Task, due_at: datetime, slot: str) -> None:
    flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {
        "key": task.key,
        "name": task.name,
        "shop_id": task.shop_id,
        "args": list(task.args),
        "attempt": task.attempt,
        "due_at": due_at,
    }
    statement: Any = flavour.insert(_due).values(slot=slot, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[_due.c.slot], set_=values))


def forget(connection: Connection, key: str) -> bool:
    """Drop what waits under this key; False if nothing does."""
    return connection.execute(delete(_due).where(_due.c.slot == key)).rowcount > 0


def waiting(connection: Connection, key: str) -> datetime | None:
    """When what waits under this key comes due; None if nothing waits."""
    return connection.execute(select(_due.c.due_at).where(_due.c.slot == key)).scalar()


def any_due(connection: Connection, now: datetime) -> bool:
    """Whether something has come due; a plain read."""
    return connection.execute(select(_due.c.seq).where(_due.c.due_at <= now).limit(1)).first() is not None


def any_of(connection: Connection, name: str, now: datetime) -> bool:
    """Whether work of this name has come due and was not begun."""
    mine = select(_due.c.seq).where(_due.c.name == name, _due.c.due_at <= now).limit(1)
    return connection.execute(mine).first() is not None


def take(connection: Connection, now: datetime, limit: int, start: Callable[[Connection, DueRun], object]) -> int:
    """Turn up to `limit` tasks that have come due into runs, in this one transaction; how many.

    Several processes may do this at once: on PostgreSQL they skip each other's rows.
    """
    query = select(_due).where(_due.c.due_at <= now).order_by(_due.c.due_at, _due.c.seq).limit(limit)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        connection.execute(delete(_due).where(_due.c.seq == row.seq))
        start(connection, _due_run(row))
    return len(rows)


def sweep_keys(connection: Connection, before: datetime) -> int:
    """Forget keys that were queued before a moment, long after anything could queue them again."""
    return connection.execute(delete(_queued_keys).where(_queued_keys.c.queued_at < before)).rowcount


def _due_run(row: Row[Any]) -> DueRun:
    task = Task(row.name, row.key, row.shop_id, tuple(row.args), row.attempt)
    return DueRun(f"{row.key}~{row.seq}", task)
