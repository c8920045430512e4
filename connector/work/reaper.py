"""Take over what dead processes left: fence them, then queue their runs again, or park a run that keeps killing.

Every worker does this each second, one of them at a time. Whoever finds a process dead writes so first, in one
statement that the process's own renewal cannot pass; only then its runs are given to others.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog
from sqlalchemy import Connection, delete, or_, select, text, update

from connector.storage.database import Database
from connector.storage.schema import database_time
from connector.work import failures, suspects
from connector.work.failures import OnFailure
from connector.work.lease import executors, sign_folder
from connector.work.liveness import is_free
from connector.work.port import OnOutcome, Task
from webhooks.ports import Clock

log = structlog.get_logger(__name__)

Verdict = Literal["again", "alone", "park"]

POISON_AFTER = 3
"""A run is parked when so many workers have died with it at the same place."""

ALONE_AFTER = 2
"""A run is run alone when so many workers have died with it, wherever it was."""

_TURN = 0x57425250  # "WBRP": the advisory lock of the process whose turn it is.
_KEEP_ROWS_S = 3600.0
_ORPHANS_EVERY = 15


@dataclass(frozen=True, slots=True)
class Orphan:
    """A run that some process had under way."""

    run_id: str
    executor_id: str
    queue: str


class Engine(Protocol):
    """What the reaper needs of the engine."""

    def under_way(self) -> Sequence[Orphan]:
        """Every run that is marked as under way, whoever has it."""
        ...

    def task_of(self, run_id: str) -> Task | None:
        """What a run is of; None if it is gone."""
        ...

    def queue_again(self, run_ids: Sequence[str], queue: str) -> None:
        """Let any worker start these runs from their top."""
        ...

    def queue_alone(self, run_ids: Sequence[str]) -> None:
        """The same, one at a time over all workers."""
        ...

    def cancel(self, run_id: str) -> None:
        """Never start this run again."""
        ...


class Reaper:
    """One worker's part in taking over."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        engine: Engine,
        executor_id: str,
        *,
        on_failure: OnFailure,
        on_outcome: OnOutcome,
        poison_after: int = POISON_AFTER,
        alone_after: int = ALONE_AFTER,
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._me = executor_id
        self._on_failure = on_failure
        self._on_outcome = on_outcome
        self._poison_after = poison_after
        self._alone_after = alone_after
        self._folder = sign_folder(database)
        self._passes = 0

    def reap(self) -> int:
        """One pass, in a thread; how many runs were taken over. Nothing, while another process has its turn."""
        with self._turn() as mine:
            if not mine:
                return 0
            died = self._fence_the_dead()
            self._passes += 1
            unsettled = self._database.run_here(_ended)
            if not died and not unsettled and self._passes % _ORPHANS_EVERY != 1:
                return 0
            return self._take_over()

    def _fence_the_dead(self) -> int:
        """Write down who died; from then on their renewals fail."""
        count = 0
        for executor_id, incarnation in self._database.run_here(_living):
            if executor_id == self._me:
                continue
            if self._database.run_here(self._fence_if_dead, executor_id, incarnation):
                log.warning("executor_died", executor=executor_id)
                count += 1
        return count

    def _fence_if_dead(self, connection: Connection, executor_id: str, incarnation: str) -> bool:
        alive = update(executors).where(executors.c.id == executor_id, ~executors.c.fenced, ~executors.c.stopped)
        if not is_free(connection, self._folder, executor_id, incarnation):
            alive = alive.where(executors.c.expires_at < database_time(connection.dialect.name))
        return connection.execute(alive.values(fenced=True)).rowcount == 1

    def _take_over(self) -> int:
        living = {executor_id for executor_id, _ in self._database.run_here(_living)}
        orphans = [orphan for orphan in self._engine.under_way() if orphan.executor_id not in living]
        stopped = self._database.run_here(_stopped)
        again: dict[str, list[str]] = {}
        alone: list[str] = []
        for orphan in orphans:
            match self._database.run_here(self._judge, orphan, counts=orphan.executor_id not in stopped):
                case "again":
                    again.setdefault(orphan.queue, []).append(orphan.run_id)
                case "alone":
                    alone.append(orphan.run_id)
                case "park":
                    self._park(orphan)
        for queue, run_ids in again.items():
            self._engine.queue_again(run_ids, queue)
        if alone:
            self._engine.queue_alone(alone)
        if orphans:
            log.warning("work_taken_over", runs=len(orphans), alone=len(alone))
        self._database.run_here(_drop_rows, {orphan.executor_id for orphan in orphans})
        return len(orphans)

    def _judge(self, connection: Connection, orphan: Orphan, *, counts: bool) -> Verdict:
        if counts:
            suspects.died(connection, orphan.run_id, orphan.executor_id)
        if suspects.is_killer(connection, orphan.run_id, self._poison_after):
            return "park"
        return "alone" if suspects.deaths(connection, orphan.run_id) >= self._alone_after else "again"

    def _park(self, orphan: Orphan) -> None:
        """Show it first, then cancel it: between the two it is only shown too early."""
        task = self._engine.task_of(orphan.run_id)
        if task is not None:
            now = self._clock.now()

            def show(connection: Connection) -> None:
                message = f"This work ended {self._poison_after} workers that ran it, and is not tried again by itself."
                failure = failures.note(connection, task, "parked", "Poison", message, now)
                self._on_failure(connection, failure, now)

            self._database.run_here(show)
            log.error("job_parked", job=task.name, key=task.key, shop_id=task.shop_id)
            self._on_outcome(task.name, "parked", 0.0)
        self._engine.cancel(orphan.run_id)
        self._database.run_here(suspects.clear, orphan.run_id)

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """One process at a time: a transaction's advisory lock, or a locked file beside the SQLite database."""
        if self._database.is_sqlite:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder / "reaper.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                yield _try_lock(handle)
            finally:
                os.close(handle)
            return
        with self._database.engine.begin() as connection:
            yield bool(connection.execute(text(f"SELECT pg_try_advisory_xact_lock({_TURN})")).scalar())


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _living(connection: Connection) -> list[tuple[str, str]]:
    query = select(executors.c.id, executors.c.incarnation).where(~executors.c.fenced, ~executors.c.stopped)
    return [(row.id, row.incarnation) for row in connection.execute(query)]


def _stopped(connection: Connection) -> set[str]:
    return set(connection.execute(select(executors.c.id).where(executors.c.stopped)).scalars())


def _ended(connection: Connection) -> bool:
    """Whether a process ended lately: it may still have left runs, or have claimed some after it was fenced."""
    recent = database_time(connection.dialect.name) - 60.0
    ended = or_(executors.c.fenced, executors.c.stopped)
    query = select(executors.c.id).where(ended, executors.c.expires_at > recent).limit(1)
    return connection.execute(query).first() is not None


def _drop_rows(connection: Connection, still_used: set[str]) -> None:
    old = database_time(connection.dialect.name) - _KEEP_ROWS_S
    ended = or_(executors.c.fenced, executors.c.stopped)
    connection.execute(delete(executors).where(ended, executors.c.expires_at < old, executors.c.id.not_in(still_used)))
