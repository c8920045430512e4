"""How one process sees at once that another has died: a lock that the operating system or the server lets go of.

The lock is a hint for speed only. A lease that is taken over early rests on it just where it is proof: on SQLite
(one machine, a lock of the kernel), and on PostgreSQL while it is the same server that granted the lock.
"""

from __future__ import annotations

import fcntl
import os
import select
from pathlib import Path
from typing import Protocol
from zlib import crc32

from sqlalchemy import Connection, text

from connector.storage.database import Database
from webhooks.errors import WaybillError

_CLASS = 0x5742
"""Marks our advisory locks on executors, "WB"."""

_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class NotAlone(WaybillError):
    """The sign of life of a new process is taken, which cannot be."""


class LifeSign(Protocol):
    """What a living process holds."""

    @property
    def incarnation(self) -> str:
        """Who granted it; equal values can be compared."""
        ...

    def is_held(self) -> bool:
        """False once it is known to be lost; cheap, and never waits."""
        ...

    def release(self) -> None:
        """Let go."""
        ...


class FileSign:
    """A locked file beside the SQLite database. The kernel unlocks it when the process ends, however it ends."""

    incarnation = "file"

    def __init__(self, folder: Path, executor_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{executor_id}.lock"
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_held(self) -> bool:
        """Always: nobody can take it away."""
        return True

    def release(self) -> None:
        """Remove and unlock the file."""
        self._path.unlink(missing_ok=True)
        os.close(self._handle)


class SessionSign:
    """An advisory lock of a PostgreSQL session of its own; the server frees it when it sees the connection end.

    Not through a pooler in transaction mode. The server looks after a silent connection only later than the lease
    ends, so that a cut-off process has stopped acting when its lock is freed.
    """

    def __init__(self, database: Database, executor_id: str, ttl_s: float) -> None:
        import psycopg

        self.connection = psycopg.connect(
            database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=5,
            keepalives_idle=5,
            keepalives_interval=3,
            keepalives_count=3,
            tcp_user_timeout=int(ttl_s * 1000),
        )
        for setting, value in (("idle", int(ttl_s) + 5), ("interval", 3), ("count", 3)):
            self.connection.execute(f"SET tcp_keepalives_{setting} = {value}".encode())
        row = self.connection.execute(
            "SELECT pg_try_advisory_lock(%s, %s), pg_postmaster_start_time()::text", (_CLASS, _number(executor_id))
        ).fetchone()
        if row is None or row[0] is not True:
            self.connection.close()
            raise NotAlone("Another process holds this process's sign of life.", detail=executor_id)
        self.incarnation = str(row[1])
        # A copy, so that the number cannot come to mean another connection.
        self._socket = os.dup(self.connection.fileno())

    def is_held(self) -> bool:
        """False as soon as the server has closed the connection, also when this process slept through it.

        Asked by the event loop and by the lease's threads at once, and a poll object refuses that: each has its own.
        """
        poll = select.poll()
        poll.register(self._socket, _HANG_UP)
        return not poll.poll(0)

    def release(self) -> None:
        """End the session."""
        self.connection.close()
        os.close(self._socket)


def is_free(connection: Connection, folder: Path, executor_id: str, incarnation: str) -> bool:
    """Whether the sign of a process is let go of, and this proves that the process is gone."""
    if connection.dialect.name == "sqlite":
        return _file_is_free(folder / f"{executor_id}.lock")
    same, free = connection.execute(
        text(
            "SELECT pg_postmaster_start_time()::text = :incarnation,"
            " CASE WHEN pg_postmaster_start_time()::text = :incarnation"
            " THEN pg_try_advisory_xact_lock(:class, :number) ELSE false END"
        ),
        {"incarnation": incarnation, "class": _CLASS, "number": _number(executor_id)},
    ).one()
    return bool(same and free)


def _file_is_free(path: Path) -> bool:
    """A file that is missing proves nothing: then only the lease's end counts."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _number(executor_id: str) -> int:
    return crc32(executor_id.encode()) - 2**31
