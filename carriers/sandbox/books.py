"""The pretend carrier's books: a SQLite file of its own that every process shares.

A change is one transaction that holds the file's write lock, so a label is sold once whatever the number of
processes, and a process that is killed leaves either the whole change or nothing of it.
"""

from __future__ import annotations

import base64
import functools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carriers.sandbox.errors import SaidNo

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS shipments (
    handle        TEXT PRIMARY KEY,
    reference     TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    content       TEXT,
    service       TEXT,
    amount        TEXT,
    tracking_code TEXT UNIQUE,
    tracker       TEXT UNIQUE,
    bought_at     TEXT,
    voided_at     TEXT,
    played        INTEGER NOT NULL DEFAULT 1,
    story         TEXT NOT NULL DEFAULT 'delivered'
) STRICT;
CREATE TABLE IF NOT EXISTS manifested (handle TEXT PRIMARY KEY, manifest TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pickups (handle TEXT PRIMARY KEY, state TEXT NOT NULL DEFAULT 'offered') STRICT;
CREATE INDEX IF NOT EXISTS shipments_reference ON shipments (reference);
"""


class Books:
    """Reads and writes the file; `content` (addresses) is sealed with a key made from the account's secret."""

    def __init__(self, path: Path, secret: str) -> None:
        self._path = path
        self._ready = False
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"sandbox carrier books").derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call `work` in a thread, inside one transaction that is committed when it returns."""
        return await anyio.to_thread.run_sync(functools.partial(self._transact, work))

    def seal(self, content: bytes) -> str:
        """Encrypt what names a person."""
        return self._fernet.encrypt(content).decode()

    def open(self, sealed: str | None) -> bytes:
        """What was sealed. Raises SaidNo if it was forgotten, or sealed with another account's secret."""
        try:
            return self._fernet.decrypt((sealed or "").encode())
        except InvalidToken:
            raise SaidNo("SHIPMENT.NOT_FOUND", "This account has no such shipment.") from None

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._ready:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
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


def code_for(*parts: str, length: int = 20) -> str:
    """Lower-case hexadecimal digits that are always the same for the same parts."""
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:length]


def tracking_code_for(handle: str) -> str:
    """`SBX`, twelve digits, and a check digit (weights 3 and 1, as on EAN codes)."""
    digits = f"{int(code_for('tracking', handle), 16) % 10**12:012d}"
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits))
    return f"SBX{digits}{-total % 10}"
