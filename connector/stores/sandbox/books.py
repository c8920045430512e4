"""The pretend platform's books: a SQLite file of its own that every process shares.

Each order is one sealed document. A change is one transaction that holds the file's write lock.
"""

from __future__ import annotations

import base64
import functools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.stores.sandbox.errors import SaidNo

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    domain     TEXT NOT NULL,
    number     INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    document   TEXT NOT NULL,
    PRIMARY KEY (domain, number)
) STRICT;
CREATE INDEX IF NOT EXISTS orders_updated_at ON orders (domain, updated_at);
CREATE TABLE IF NOT EXISTS facts (
    domain   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (domain, kind, id)
) STRICT;
"""


class Books:
    """Reads and writes the file, as far as it concerns one shop; documents are sealed with the shop's secret."""

    def __init__(self, path: Path, domain: str, secret: str) -> None:
        self._path = path
        self.domain = domain
        self._ready = False
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sandbox store books").derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call `work` in a thread, inside one transaction that is committed when it returns."""
        return await anyio.to_thread.run_sync(functools.partial(self._transact, work))

    def seal(self, content: bytes) -> str:
        """Encrypt a document."""
        return self._fernet.encrypt(content).decode()

    def open(self, sealed: str) -> bytes:
        """What was sealed. Raises SaidNo if it was sealed with another secret."""
        try:
            return self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            raise SaidNo(
                "access_denied", "A sandbox shop of this name has another secret; give this one another name."
            ) from None

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._ready:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            if not self._ready:
                connection.executescript(_SCHEMA)
                self._ready = True
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result


def stamp(at: datetime) -> str:
    """A moment as text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
