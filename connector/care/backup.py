"""Back up everything that Waybill keeps, in one file, while it works.

The rows are those of one moment: a reading transaction on a connection of its own, which hinders nobody. Label files
are written once and never changed, and before their rows, so taking them afterwards misses none. Of the engine of
durable work only what is in flight is taken, as tasks: see `DurableWork.in_flight`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from connector.care.archive import FORMAT, KEY, RUNS, Head, Manifest, Writer, verify
from connector.care.rows import CareError, column_names, our_tables, read_rows
from connector.labels.files import LabelShelf
from connector.labels.retention import referred_to
from connector.settings import read_keys
from connector.storage.database import Database, open_database
from connector.storage.migrate import require_current, revision_of
from connector.wiring import House
from connector.work.due import DueRun

KEY_CHECK = b"waybill backup"
"""What a backup's `key_check` opens to."""

_MARGIN = timedelta(seconds=30)  # Clocks of the machines that queue work.

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written."""

    made_at: datetime
    schema: str
    manifest: Manifest
    with_key: bool

    @property
    def rows(self) -> int:
        """How many rows, of all tables."""
        return sum(each.rows for each in self.manifest.tables.values())


def back_up_to(house: House, path: Path, tell: Tell, *, with_key: bool) -> Backup:
    """Write a backup to a file that does not exist yet, readable by its owner only, and read it again to check it.

    Raises CareError, and leaves no file, if that cannot be done.
    """
    if path.exists():
        raise CareError("The file exists already; a backup is not written over another.", detail=str(path))
    draft = path.with_name(f"{path.name}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            done = back_up(house, file, tell, with_key=with_key)
            file.flush()
            os.fsync(file.fileno())
        tell("Reading it again.")
        verify(draft)
        os.link(draft, path)  # Fails if somebody made the file meanwhile.
    except FileExistsError as error:
        raise CareError("The file exists already; a backup is not written over another.", detail=str(path)) from error
    finally:
        draft.unlink(missing_ok=True)
    return done


def back_up(house: House, out: IO[bytes], tell: Tell, *, with_key: bool) -> Backup:
    """Write a backup to a stream. Needs memory for a part of a table and for the list of work in flight."""
    require_current(house.database)
    made_at = datetime.now(UTC)
    before = house.work.in_flight()
    with _snapshot(house) as connection:
        head = Head(
            format=FORMAT,
            version=version("waybill"),
            schema_number=revision_of(connection),
            made_at=made_at.isoformat(),
            database=connection.dialect.name,
            key_check=house.keyring.seal(KEY_CHECK),
            with_key=with_key,
        )
        with _writing(out, head, made_at) as writer:
            for table in our_tables(connection):
                digest = writer.add_rows(table.name, column_names(table), read_rows(connection, table))
                tell(f"{table.name}: {digest.rows} rows")
            _add_runs(writer, {run.run_id: run for run in (*before, *house.work.in_flight(made_at - _MARGIN))})
            _add_labels(house.shelf, referred_to(connection), writer, tell)
            if with_key:
                writer.add(KEY, "\n".join(read_keys(house.settings)).encode() + b"\n")
            return Backup(made_at, head.schema_number, writer.finish(), with_key)


@contextmanager
def _writing(out: IO[bytes], head: Head, made_at: datetime) -> Iterator[Writer]:
    writer = Writer(out, head, made_at.timestamp())
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise


@contextmanager
def _snapshot(house: House) -> Iterator[Connection]:
    """A transaction that sees the database as it is now, whatever is written meanwhile."""
    database = open_database(house.settings.database_url, pool_size=1)
    try:
        with snapshot(database) as connection:
            yield connection
    finally:
        database.close()


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """The same on a database that is open; on SQLite this takes its only connection."""
    with database.engine.connect() as plain:
        level = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        connection = plain.execution_options(**level)
        with connection.begin():
            if database.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            revision_of(connection)  # The first reading fixes the moment.
            yield connection


def _add_runs(writer: Writer, runs: dict[str, DueRun]) -> None:
    lines = [
        json.dumps([run.run_id, run.task.name, run.task.key, run.task.shop_id, list(run.task.args), run.task.attempt])
        for run in runs.values()
    ]
    writer.counts.runs = len(lines)
    writer.add(RUNS, "\n".join(lines).encode())


def _add_labels(shelf: LabelShelf, wanted: set[str], writer: Writer, tell: Tell) -> None:
    """Every file of the shelf; and how many that rows speak of are not there."""
    found = set()
    for digest, sealed in shelf.sealed():
        writer.add_label(digest, sealed)
        found.add(digest)
    missing = writer.counts.labels_missing = len(wanted - found)
    tell(f"label files: {len(found)}" + (f"; {missing} more are not there" if missing else ""))
