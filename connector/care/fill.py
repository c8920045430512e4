"""Fill a database with rows from elsewhere, in one transaction: it is whole, or it is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Table, inspect, text

from connector.care.rows import CareError, Digest, Row, digest_of, our_tables, set_sequences, what_it_holds, write_rows
from connector.storage.database import Database
from connector.storage.migrate import building, import_rooms
from connector.storage.schema import metadata
from connector.work import due
from connector.work.due import DueRun
from connector.work.durable import ENGINE_SCHEMA


class NotEmpty(CareError):
    """The database that is to be filled holds something."""


def require_empty(database: Database, how_to: str) -> None:
    """Raises NotEmpty, naming the database and what it holds."""
    with database.engine.connect() as connection:
        held = what_it_holds(connection)
    if held:
        most = sorted(held.items(), key=lambda each: -each[1])[:4]
        what = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in most)
        named = database.engine.url.render_as_string()
        raise NotEmpty(f"The database {named} is not empty ({what}). {how_to}")


class Filling:
    """A new database that is being filled."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.tables: dict[str, Table] = {table.name: table for table in our_tables(connection)}

    def put_rows(self, table: str, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert rows. Raises CareError for a table or a column that this schema does not have."""
        if table not in self.tables:
            raise CareError("This schema has no such table.", detail=table)
        write_rows(self.connection, self.tables[table], names, rows)

    def put_runs(self, runs: Iterable[DueRun]) -> int:
        """Queue what was in flight; how many. Counted keys go on behind the rows that were put."""
        set_sequences(self.connection, self.tables.values())
        count = 0
        for run in runs:
            due.carry_over(self.connection, run)
            count += 1
        return count

    def require_same(self, wanted: Mapping[str, Digest], tell: Callable[[str], None]) -> None:
        """Read every table back; raises CareError, and the transaction ends, where one is not what it should be."""
        for name, table in self.tables.items():
            found, digest = digest_of(self.connection, table), wanted.get(name, Digest())
            if (found.rows, found.total) != (digest.rows, digest.total):
                raise CareError(f"The table {name} did not arrive as it was: {found.rows} of {digest.rows} rows.")
        tell(f"Compared {len(self.tables)} tables: each row is there.")


@contextmanager
def filling(database: Database, schema_number: str) -> Iterator[tuple[Filling, Callable[[], None]]]:
    """Replace what there is by an empty schema of that number; the second value brings it to this release's.

    Everything up to the end of the block is one transaction.
    """
    with building(database) as made:
        _drop_all(made.connection)
        made.upgrade(schema_number)
        _empty(made.connection)
        yield Filling(made.connection), made.upgrade


def _empty(connection: Connection) -> None:
    """Rows that migrations themselves put in come with the rows that are carried over."""
    for table in reversed(our_tables(connection)):
        connection.execute(table.delete())


def _drop_all(connection: Connection) -> None:
    """Our tables and the engine's; on PostgreSQL nothing else that may be in the same database."""
    import_rooms()
    there = set(inspect(connection).get_table_names())
    if connection.dialect.name == "sqlite":
        for name in sorted(there):
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
        return
    for name in sorted(there & {*metadata.tables, "alembic_version"}):
        connection.execute(text(f'DROP TABLE "{name}" CASCADE'))
    connection.execute(text(f'DROP SCHEMA IF EXISTS "{ENGINE_SCHEMA}" CASCADE'))
