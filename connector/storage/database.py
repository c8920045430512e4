"""Open the database: one Engine per process, the same schema on SQLite and PostgreSQL."""

from __future__ import annotations

import functools
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import Connection, Engine, Insert, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from webhooks.errors import WaybillError

T = TypeVar("T")

_BUSY_S = 30  # How long a connection waits for SQLite's lock.
_ASK_AGAIN_S = 0.02
_PART = 500


class DatabaseURLError(WaybillError):
    """The database URL is not one that Waybill works with."""


class Database:
    """The process's Engine and its bounded pool of threads.

    `run` is how async code reaches it: one transaction in a thread, committed when the function returns. Nothing
    outside the database may be called from within.
    """

    def __init__(self, engine: Engine, threads: int) -> None:
        self.engine = engine
        self._threads = threads
        self._limiter: anyio.CapacityLimiter | None = None

    @property
    def is_sqlite(self) -> bool:
        """True on SQLite."""
        return self.engine.dialect.name == "sqlite"

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call `work(connection, *args, **kwargs)` in one transaction in a thread."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._threads)
        return await anyio.to_thread.run_sync(
            functools.partial(self.run_here, work, *args, **kwargs), limiter=self._limiter
        )

    async def look(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """The same for what only reads: on SQLite no other process waits for it. A write in it is an error."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._threads)
        return await anyio.to_thread.run_sync(
            functools.partial(self.look_here, work, *args, **kwargs), limiter=self._limiter
        )

    def look_here(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """The same in this thread."""
        with self.engine.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
                return work(connection, *args, **kwargs)
            connection.exec_driver_sql("PRAGMA query_only=ON")
            try:
                connection.exec_driver_sql("BEGIN")  # Deferred: one state of the database, and no lock.
                return work(connection, *args, **kwargs)
            finally:
                connection.exec_driver_sql("PRAGMA query_only=OFF")

    def run_here(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """The same in this thread: for the command line, start-up and threads of our own."""
        with self.transaction() as connection:
            return work(connection, *args, **kwargs)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction in this thread: committed at the end, rolled back by an exception.

        On SQLite it takes the write lock first, so that what was read still holds when the answer is written.
        """
        with self.engine.begin() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(url: str, *, pool_size: int = 8) -> Database:
    """Open `sqlite:///path` or `postgresql://…`.

    SQLite: WAL, BEGIN IMMEDIATE, synchronous FULL, one connection (SQLAlchemy's FIFO pool is then the queue, instead
    of SQLite's unfair busy wait). PostgreSQL: psycopg 3, a bounded pool that checks a connection before its use.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseURLError(
                "Name a file: several processes share the database.", detail=parsed.render_as_string()
            )
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_size=1, max_overflow=0, pool_timeout=60)
        event.listen(engine, "connect", _prepare_sqlite)
        return Database(engine, threads=4)
    if backend == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=True,
            pool_timeout=30,
            connect_args={
                "connect_timeout": 5,
                "keepalives_idle": 5,
                "keepalives_interval": 3,
                "keepalives_count": 3,
                "tcp_user_timeout": 15000,
            },
        )
        return Database(engine, threads=pool_size)
    raise DatabaseURLError("The database is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.", detail=backend)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
    _switch_to_wal(connection)
    for pragma in ("foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """Ask until it is so: the switch does not wait as `busy_timeout` says, it fails at once beside another opener."""
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_ASK_AGAIN_S)
        else:
            return


def in_parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """A few hundred at a time, in order: a statement takes only so many parameters."""
    return (items[start : start + _PART] for start in range(0, len(items), _PART))


def insert_all_new(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an insert for each row whose unique keys are free; the others are left as they are."""
    if rows:
        flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(flavour.insert(statement.table).on_conflict_do_nothing(), rows)


def insert_new(connection: Connection, statement: Insert) -> bool:
    """Run an insert unless one of the table's unique keys is taken; True if the row is new."""
    flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = _values_of(statement)
    quiet = flavour.insert(statement.table).values(values).on_conflict_do_nothing()
    # psycopg's count of an insert is dropped unless asked for.
    return bool(connection.execute(quiet, execution_options={"preserve_rowcount": True}).rowcount == 1)


def _values_of(statement: Any) -> dict[str, Any]:
    """What an insert was given by name; columns that it does not name get their defaults from the insert that is run.

    Compiling it would tell the same, but takes several times as long as running the insert does.
    """
    given = (statement._values or {}).items()  # noqa: SLF001
    return {str(getattr(name, "key", name)): getattr(value, "value", value) for name, value in given}
