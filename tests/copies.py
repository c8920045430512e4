"""Databases that are made once a session and copied for each test: with every table, or with what a data folder holds.

PostgreSQL copies a template in a fraction of the time that its tables take to be made, so that what runs on SQLite can
run there too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from tests.postgres import PostgresServer


class Copies:
    """Fresh databases of a PostgreSQL server, from templates."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._templates: dict[str, str] = {}
        self._made: list[str] = []

    def with_tables(self) -> str:
        """The URL of a new database with every table of the rooms that were imported, and no row."""
        return self._copy(f"tables {len(metadata.tables)}", lambda database: metadata.create_all(database.engine))

    def of_folder(self, folder: Path) -> str:
        """The URL of a new database with all that the SQLite file of a data folder holds."""
        file = folder / "waybill.db"
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return self._copy(digest, lambda database: _fill(database, file))

    def _copy(self, key: str, fill: Callable[[Database], None]) -> str:
        if key not in self._templates:
            self._templates[key] = self._server.create_database()
            database = open_database(self._templates[key], pool_size=1)
            try:
                fill(database)
            finally:
                database.close()
        self._made.append(self._server.create_database(like=self._templates[key]))
        return self._made[-1]

    def drop(self) -> None:
        """Drop the copies that were made since the last time."""
        while self._made:
            self._server.drop_database(self._made.pop())


def _fill(database: Database, file: Path) -> None:
    source = open_database(f"sqlite:///{file}", pool_size=1)
    try:
        metadata.create_all(database.engine)
        with source.engine.connect() as old, database.engine.begin() as new:
            for table in metadata.sorted_tables:
                rows = [dict(row) for row in old.execute(select(table)).mappings()]
                if rows:
                    new.execute(insert(table), rows)
            revision = old.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            new.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
            new.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
            _count_on(new)
    finally:
        source.close()


def _count_on(connection: Connection) -> None:
    """Counted keys go on behind those that came over."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) == 1 and keys[0].type.python_type is int:
            asked = {"table": table.name, "key": keys[0].name}
            counter = connection.execute(text("SELECT pg_get_serial_sequence(:table, :key)"), asked).scalar()
            last = connection.execute(select(keys[0]).order_by(keys[0].desc()).limit(1)).scalar()
            if counter and last:
                connection.execute(text("SELECT setval(:counter, :last)"), {"counter": counter, "last": last})


@pytest.fixture(scope="session")
def copies_of_session(postgres_server: PostgresServer) -> Copies:
    """The templates of this session."""
    return Copies(postgres_server)


@pytest.fixture
def copies(copies_of_session: Copies) -> Iterator[Copies]:
    """The same, for one test: what it made goes with it."""
    yield copies_of_session
    copies_of_session.drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def house_settings(request: pytest.FixtureRequest) -> Callable[[Path], dict[str, Any]]:
    """Settings by which the house of a data folder runs on each kind of database in turn."""
    if request.param == "sqlite":
        return lambda _: {}
    made: Copies = request.getfixturevalue("copies")
    return lambda folder: {"database_url": made.of_folder(folder)}


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind in turn, whose tables are made where that costs much."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'waybill.db'}"
    made: Copies = request.getfixturevalue("copies")
    return made.with_tables()
