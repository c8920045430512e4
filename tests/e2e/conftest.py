"""Houses for the tests of this folder; what belongs to one module only stands there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest

from tests.postgres import PostgresServer

Kind = Literal["sqlite", "postgresql"]


@contextmanager
def empty_database_of(request: pytest.FixtureRequest, kind: Kind, folder: Path) -> Iterator[str]:
    """The URL of an empty database, for fixtures that live longer than a test."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'waybill.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    try:
        yield url
    finally:
        server.drop_database(url)
