"""Whether anybody else works with a database: what is moved or replaced must not be written to meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from connector.care.rows import CareError
from connector.storage.database import Database
from connector.work.lease import executors, list_executors

_OURS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"


class InUse(CareError):
    """Another process works with the database."""


def require_alone(database: Database) -> None:
    """Raises InUse, naming who is there, unless this process is the only one. Closes this process's connections."""
    named = database.engine.url.render_as_string()  # Without the password.
    database.run_here(_require_no_worker)
    database.close()
    if database.is_sqlite:
        _require_sole_opener(Path(make_url(database.engine.url).database or ""), named)
    else:
        database.run_here(_require_sole_session, named)


def _require_no_worker(connection: Connection) -> None:
    if not inspect(connection).has_table(executors.name):
        return
    alive = [each for each in list_executors(connection) if each.is_alive]
    if alive:
        first = alive[0]
        raise InUse(
            f"A worker is alive (process {first.pid} on {first.host}): stop Waybill first. One that was killed counts "
            f"as alive for {max(1, round(first.expires_in_s))} more s."
        )


def _require_sole_opener(path: Path, named: str) -> None:
    """SQLite lets only a sole opener leave the write-ahead log."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            raise InUse("Another process has the database open: stop Waybill first.", detail=named) from error


def _require_sole_session(connection: Connection, named: str) -> None:
    others = connection.execute(text(f"{_OURS} AND pid <> pg_backend_pid()")).scalar_one()
    if others:
        raise InUse(
            f"The database has {others} other connection{'s' if others > 1 else ''}: stop Waybill and whoever else "
            "uses it first.",
            detail=named,
        )
