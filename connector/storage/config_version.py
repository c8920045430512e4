"""One number that grows with every change to what processes hold in memory; they ask for it each second or two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Connection, Integer, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.storage.schema import metadata

_config_version = Table(
    "config_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)


def bump(connection: Connection) -> None:
    """Tell every process to read again, once this transaction commits. Writers take turns on the row."""
    flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = flavour.insert(_config_version).values(id=1, version=1)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_config_version.c.id], set_={"version": _config_version.c.version + 1}
        )
    )


def read(connection: Connection) -> int:
    """The number as it is now; 0 on a fresh database."""
    return connection.execute(select(_config_version.c.version)).scalar() or 0
