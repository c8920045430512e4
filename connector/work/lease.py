"""The lease of a process that does durable work: a row renewed each second, and a fence that falls before it ends.

The row's times are the database's, the fence's are this machine's boot clock, which also runs while the process or
the machine sleeps. The fence falls a margin before the row can expire, and stays down: a process that was frozen or
cut off must not act, whatever it was about to do, and ends at once so that a supervisor starts a fresh one.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn
from uuid import uuid4

import structlog
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Double,
    Integer,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.storage.database import Database
from connector.storage.schema import database_time, id_column, metadata
from connector.work.liveness import FileSign, LifeSign, SessionSign

log = structlog.get_logger(__name__)

EXIT_LEASE_LOST = 70
"""The exit code of a process that lost its lease (EX_SOFTWARE of sysexits.h): start it again."""

STALL_S = 60
"""A process whose event loop has not turned for so long is not renewed any more."""

executors = Table(
    "executors",
    metadata,
    id_column(primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("incarnation", String(64), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("fenced", Boolean, nullable=False),
    Column("stopped", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ExecutorRecord:
    """A process that does, or did, durable work. Ages are seconds of the database's clock."""

    id: str
    kind: str
    host: str
    pid: int
    age_s: float
    expires_in_s: float
    fenced: bool
    stopped: bool

    @property
    def is_alive(self) -> bool:
        """Whether its lease holds."""
        return not self.fenced and not self.stopped and self.expires_in_s > 0


def list_executors(connection: Connection) -> list[ExecutorRecord]:
    """Every process that is known, the newest first; for health pages and for the reaper."""
    now = database_time(connection.dialect.name)
    query = select(executors, now.label("now")).order_by(executors.c.started_at.desc())
    return [
        ExecutorRecord(
            id=row.id,
            kind=row.kind,
            host=row.host,
            pid=row.pid,
            age_s=row.now - row.started_at,
            expires_in_s=row.expires_at - row.now,
            fenced=row.fenced,
            stopped=row.stopped,
        )
        for row in connection.execute(query)
    ]


def live_workers(connection: Connection) -> list[ExecutorRecord]:
    """The workers that hold their lease, the newest first. One that was killed counts until its lease ends."""
    return [each for each in list_executors(connection) if each.kind == "worker" and each.is_alive]


def worker_runs(connection: Connection) -> bool:
    """Whether anybody does the work that is queued."""
    return bool(live_workers(connection))


def sign_folder(database: Database) -> Path:
    """Where the lock files of processes lie: beside the SQLite database; unused on PostgreSQL."""
    return Path(database.engine.url.database or ".").resolve().parent / "executors"


def end_process(reason: str) -> NoReturn:
    """End at once, without clean-up that could still act."""
    log.critical("lease_lost", reason=reason)
    sys.stderr.flush()
    os._exit(EXIT_LEASE_LOST)


class Lease:
    """The lease of this process. Take it before work starts; ask `held` before each act on the outside."""

    def __init__(
        self,
        database: Database,
        *,
        kind: Literal["web", "worker"] = "worker",
        ttl_s: float = 15,
        stall_s: float = STALL_S,
        on_lost: Callable[[str], object] = end_process,
    ) -> None:
        self.id = f"ex_{uuid4().hex}"
        self._database = database
        self._kind = kind
        self._ttl_s = ttl_s
        self._stall_s = stall_s
        self._usable_s = ttl_s - max(0.5, ttl_s / 5)
        self._every_s = min(1.0, ttl_s / 10)
        self._on_lost = on_lost
        self._sign: LifeSign | None = None
        self._renewed_at = 0.0
        self._loop_turned_at = 0.0
        self._lost = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def take(self) -> None:
        """Show the sign of life, write the row, keep it up from threads of its own. Raises what the database raises."""
        self._loop_turned_at = now = _boot_clock()
        self._sign = (
            FileSign(sign_folder(self._database), self.id)
            if self._database.is_sqlite
            else SessionSign(self._database, self.id, self._ttl_s)
        )
        self._database.run_here(self._write_row)
        self._renewed_at = now
        self._threads = [
            threading.Thread(target=run, name=f"lease-{run.__name__}", daemon=True)
            for run in (self._renew, self._watch)
        ]
        for thread in self._threads:
            thread.start()

    def held(self) -> bool:
        """True while this process may act. Exact at the moment of the call, also just after a long freeze."""
        if self._lost.is_set() or self._sign is None:
            return False
        if _boot_clock() >= self._renewed_at + self._usable_s or not self._sign.is_held():
            self._lost.set()
            return False
        return True

    def turn(self) -> None:
        """The event loop turns: called often by it, so that a process that hangs does not pass for alive."""
        self._loop_turned_at = _boot_clock()

    def release(self) -> None:
        """Stop in order: others may take what is left, and it does not count as a death."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=self._ttl_s)
        held = self.held()
        self._lost.set()
        if held:
            change = update(executors).where(executors.c.id == self.id).values(stopped=True)
            self._database.run_here(lambda connection: connection.execute(change))
        if self._sign is not None:
            self._sign.release()
            self._sign = None

    def _write_row(self, connection: Connection) -> None:
        now = database_time(connection.dialect.name)
        sign = self._sign
        connection.execute(
            insert(executors).values(
                id=self.id,
                kind=self._kind,
                host=socket.gethostname()[:255],
                pid=os.getpid(),
                incarnation=sign.incarnation if sign else "",
                started_at=now,
                expires_at=now + self._ttl_s,
                fenced=False,
                stopped=False,
            )
        )

    def _renew(self) -> None:
        """Thread: renew the row each second. Errors are borne until the watch ends the process."""
        errors = _errors_of(self._sign)
        while not self._stopping.wait(self._every_s):
            asked_at = _boot_clock()
            if asked_at - self._loop_turned_at > self._stall_s:
                self._fall("the event loop hangs")
                return
            try:
                renewed = self._renew_row()
            except errors as error:
                log.warning("lease_not_renewed", error=type(error).__name__)
                continue
            if not renewed:
                self._fall("another process took this one for dead")
                return
            self._renewed_at = asked_at

    def _renew_row(self) -> bool:
        """On PostgreSQL over the session that holds the sign of life: both live and die together."""
        if isinstance(self._sign, SessionSign):
            done = self._sign.connection.execute(
                "UPDATE executors SET expires_at = extract(epoch from clock_timestamp())::float8 + %s"
                " WHERE id = %s AND NOT fenced",
                (self._ttl_s, self.id),
            )
            return done.rowcount == 1
        expires_at = database_time("sqlite") + self._ttl_s
        change = update(executors).where(executors.c.id == self.id, ~executors.c.fenced).values(expires_at=expires_at)
        return bool(self._database.run_here(lambda connection: connection.execute(change).rowcount) == 1)

    def _watch(self) -> None:
        """Thread: end the process when the fence has fallen, also while a renewal hangs in the network."""
        while not self._stopping.wait(min(0.2, self._every_s)):
            if not self.held():
                self._fall("the lease was not renewed in time, or its connection is gone")
                return

    def _fall(self, reason: str) -> None:
        self._lost.set()
        if not self._stopping.is_set():
            self._on_lost(reason)


def _errors_of(sign: LifeSign | None) -> tuple[type[Exception], ...]:
    """What a renewal raises when the database does not answer."""
    if not isinstance(sign, SessionSign):
        return (DBAPIError, PoolTimeout)
    import psycopg

    return (psycopg.Error,)


def _boot_clock() -> float:
    """Seconds that never jump; on Linux they also count sleep of the machine."""
    boot: Any = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
