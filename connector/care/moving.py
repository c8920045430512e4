"""Move everything to another database, SQLite or PostgreSQL, with work in flight; the old one stays as it is.

All rows travel in one transaction of the new database, so that it is filled or empty, whatever dies meanwhile. While
they do, nobody can write to the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from connector.care.alone import require_alone
from connector.care.fill import filling, require_empty
from connector.care.rows import BATCH, CareError, Digest, Row, column_names, our_tables, read_rows
from connector.storage.database import Database, open_database
from connector.storage.migrate import require_current, revision_of
from connector.wiring import House
from connector.work.durable import make_tables

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was carried over: rows by table, and the tasks that were in flight."""

    source: str
    target: str
    tables: dict[str, int]
    runs: int

    @property
    def rows(self) -> int:
        """How many rows, of all tables."""
        return sum(self.tables.values())


def move(house: House, url: str, tell: Tell) -> Moved:
    """Carry everything from the house's database to the empty one at `url`.

    Raises CareError, and the new database is empty, if Waybill runs, the new database holds something, or a row does
    not arrive as it was.
    """
    source, target = house.database, open_database(url, pool_size=2)
    try:
        names = (source.engine.url.render_as_string(), target.engine.url.render_as_string())
        if source.engine.url == target.engine.url:
            raise CareError("This is the database that is in use already.", detail=names[1])
        require_current(source)
        require_empty(target, "Name an empty one.")
        runs = house.work.in_flight()
        require_alone(source)
        with _still(source) as connection, filling(target, revision_of(connection)) as (made, upgrade):
            digests = {}
            for table in our_tables(connection):
                digest = digests[table.name] = Digest()
                rows = _counted(read_rows(connection, table), digest, table.name, tell)
                made.put_rows(table.name, column_names(table), rows)
            made.require_same(digests, tell)
            count = made.put_runs(runs)
            upgrade()
        make_tables(target)
        return Moved(*names, {name: each.rows for name, each in digests.items()}, count)
    finally:
        target.close()


@contextmanager
def _still(database: Database) -> Iterator[Connection]:
    """A transaction in which the database cannot be written by others, and is not written by us."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            names = ", ".join(f'"{table.name}"' for table in our_tables(connection))
            connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        try:
            yield connection
        finally:
            connection.rollback()


def _counted(rows: Iterator[Row], digest: Digest, name: str, tell: Tell) -> Iterator[Row]:
    for row in rows:
        digest.add(row)
        yield row
        if digest.rows % (20 * BATCH) == 0:
            tell(f"{name}: {digest.rows} rows …")
    tell(f"{name}: {digest.rows} rows")
