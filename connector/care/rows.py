"""Rows as they travel between databases: JSON values in a fixed order, the same from SQLite and from PostgreSQL.

Tables are read as the database has them, not as this release declares them, so that rows of an older schema can be
carried too. JSON columns travel as the text they are, untouched; moments as UTC.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, Text, cast, func, insert, inspect, select, text, types
from sqlalchemy.sql.elements import KeyedColumnElement

from connector.storage.migrate import import_rooms
from connector.storage.schema import metadata
from webhooks.errors import WaybillError

Value = str | int | float | bool | None
Row = list[Value]

BATCH = 500
"""Rows that are held in memory at once."""

LEFT_BEHIND = frozenset({"executors", "run_deaths", "run_places"})
"""Who ran here and what was held against runs: of no meaning where other processes and other runs follow."""

_ENGINE_ROWS = frozenset({"config_version", "due", "failures", "queued_keys", "sweeps"})
"""What a service without any shop writes by itself; a database with nothing else counts as empty."""


class CareError(WaybillError):
    """A backup, a restore or a move that cannot be made; the message says what to do."""


@dataclass
class Digest:
    """What a table's rows are, whatever their order: their number, and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def add(self, row: Sequence[Value]) -> None:
        """Count a row in."""
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(line.encode()).digest())) % (1 << 256)

    @property
    def hex(self) -> str:
        """The sum, as text."""
        return f"{self.total:064x}"


def our_tables(connection: Connection) -> list[Table]:
    """The tables that travel, as this database has them, parents before children."""
    import_rooms()
    there = set(inspect(connection).get_table_names())
    found = MetaData()
    names = sorted((metadata.tables.keys() - LEFT_BEHIND) & there)
    if names:
        found.reflect(connection, only=names)
    return [table for table in found.sorted_tables if table.name in names]


def what_it_holds(connection: Connection) -> dict[str, int]:
    """Tables of merchants' data that have rows, with how many; empty for a database that was only prepared."""
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in our_tables(connection)
        if table.name not in _ENGINE_ROWS
    }
    return {name: count for name, count in counts.items() if count}


def column_names(table: Table) -> list[str]:
    """The order in which a row's values travel."""
    return sorted(column.name for column in table.columns)


def read_rows(connection: Connection, table: Table) -> Iterator[Row]:
    """Every row, a batch at a time."""
    columns = [table.c[name] for name in column_names(table)]
    write = [_writer(column) for column in columns]
    query = select(*(_as_kept(column) for column in columns))
    for row in connection.execute(query, execution_options={"yield_per": BATCH}):
        yield [each(value) for each, value in zip(write, row, strict=True)]


def write_rows(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows that were read from a table of this name. Raises CareError if the columns do not fit."""
    unknown = set(names) - {column.name for column in table.columns}
    if unknown:
        raise CareError("The table has other columns.", detail=f"{table.name}: {', '.join(sorted(unknown))}")
    read = [_reader(table.c[name], sqlite=connection.dialect.name == "sqlite") for name in names]
    statement = insert(table).values({name: _to_keep(table.c[name], connection.dialect.name) for name in names})
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append({f"new_{name}": each(value) for name, each, value in zip(names, read, row, strict=True)})
        if len(batch) == BATCH:
            connection.execute(statement, batch)
            batch = []
    if batch:
        connection.execute(statement, batch)


def set_sequences(connection: Connection, tables: Iterable[Table]) -> None:
    """On PostgreSQL, let counted keys go on behind the highest that is there; SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    for table in tables:
        for column in table.primary_key.columns:
            if not isinstance(column.type, types.Integer):
                continue
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
            ).scalar()
            highest = connection.execute(select(func.max(column))).scalar()
            if sequence and highest:
                where = {"sequence": sequence, "highest": highest}
                connection.execute(text("SELECT setval(:sequence, :highest)"), where)


def digest_of(connection: Connection, table: Table, each: Callable[[int], object] | None = None) -> Digest:
    """Read a table through."""
    digest = Digest()
    for row in read_rows(connection, table):
        digest.add(row)
        if each is not None:
            each(digest.rows)
    return digest


# --- one value ------------------------------------------------------------------------------------------------------


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, types.JSON)


def _as_kept(column: Column[Any]) -> Any:
    """What is selected: JSON as its text, so that not a byte of it changes."""
    if not _is_json(column):
        return column
    return cast(column, Text).label(column.name)


def _to_keep(column: Column[Any], dialect: str) -> KeyedColumnElement[Any]:
    """What is inserted: text into a JSON column."""
    from sqlalchemy import bindparam

    name = f"new_{column.name}"
    if not _is_json(column):
        return bindparam(name, type_=column.type)
    plain = bindparam(name, type_=Text())
    return plain if dialect == "sqlite" else cast(plain, types.JSON)  # type: ignore[return-value]


def _writer(column: Column[Any]) -> Callable[[Any], Value]:
    match column.type:
        case types.DateTime():
            return _moment
        case types.Date() | types.Time():
            return lambda value: None if value is None else value.isoformat()
        case types.LargeBinary():
            return lambda value: None if value is None else base64.b64encode(value).decode()
        case types.JSON() | types.Boolean() | types.Integer() | types.String() | types.Float():
            return _plain
        case types.Numeric():
            return lambda value: None if value is None else str(value)
        case _:
            raise CareError("A column has a type that cannot travel.", detail=f"{column.table.name}.{column.name}")


def _reader(column: Column[Any], *, sqlite: bool) -> Callable[[Value], Any]:
    match column.type:
        case types.DateTime():
            read: Callable[[str], Any] = _local_moment if sqlite else datetime.fromisoformat
        case types.Date():
            read = date.fromisoformat
        case types.Time():
            read = time.fromisoformat
        case types.LargeBinary():
            read = base64.b64decode
        case types.JSON() | types.Boolean() | types.Integer() | types.String() | types.Float():
            return _plain
        case _:
            read = Decimal
    return lambda value: None if value is None else read(str(value))


def _plain(value: Any) -> Any:
    return value


def _moment(value: datetime | None) -> str | None:
    """UTC; SQLite keeps no zone, and everything in it is UTC."""
    if value is None:
        return None
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.isoformat(timespec="microseconds")


def _local_moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
