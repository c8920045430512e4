"""Secrets and personal data at rest: sealed with the newest key, opened with any, re-sealed when keys change."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Column, Connection, Table, and_, select, update

from connector.storage.schema import Sealed, metadata
from webhooks.errors import WaybillError


class SealError(WaybillError):
    """A sealed value cannot be opened, or a key is not a key."""


def new_key() -> str:
    """A key for `WAYBILL_KEYS`: 32 random bytes in 44 characters of URL-safe base 64."""
    return Fernet.generate_key().decode()


class Keyring:
    """The keys of this installation, newest first: the first seals, every one opens."""

    def __init__(self, fernets: Sequence[Fernet], hash_key: bytes, signing_key: bytes) -> None:
        self._fernets = MultiFernet(fernets)
        self._hash_key = hash_key
        self._signing_key = Ed25519PrivateKey.from_private_bytes(signing_key)

    @classmethod
    def from_keys(cls, keys: Sequence[str]) -> Self:
        """Read the keys as `new_key` writes them. Raises SealError, without showing the key."""
        if not keys:
            raise SealError("No key is set: secrets cannot be kept.")
        try:
            fernets = [Fernet(key.encode()) for key in keys]
            newest = base64.urlsafe_b64decode(keys[0].encode())
        except (ValueError, binascii.Error):
            raise SealError("A key is 32 bytes in URL-safe base 64, as `waybill keys new` prints it.") from None
        hash_key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"waybill keyed hash").derive(newest)
        signing_key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"waybill signing key").derive(newest)
        return cls(fernets, hash_key, signing_key)

    def seal(self, data: bytes) -> str:
        """Encrypt and authenticate with the newest key."""
        return self._fernets.encrypt(data).decode()

    def open(self, token: str) -> bytes:
        """What was sealed, with whichever key. Raises SealError if no key fits or the token was changed."""
        try:
            return self._fernets.decrypt(token.encode())
        except InvalidToken:
            raise SealError("A sealed value does not open with the keys that are set.") from None

    def rotate(self, token: str) -> str:
        """The same content under the newest key. Raises SealError."""
        try:
            return self._fernets.rotate(token.encode()).decode()
        except InvalidToken:
            raise SealError("A sealed value does not open with the keys that are set.") from None

    @property
    def public_key(self) -> bytes:
        """What others need to check a signature of `sign` (Ed25519, 32 bytes); it goes with the newest key."""
        return self._signing_key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """An Ed25519 signature (64 bytes), made with a key that is derived from the newest one."""
        return self._signing_key.sign(data)

    def keyed_hash(self, data: bytes) -> str:
        """A pseudonym: equal for equal data, useless without the key (HMAC-SHA-256, 32 hex digits).

        It depends on the newest key, so pseudonyms of before a rotation do not match those of after it.
        """
        return hmac.digest(self._hash_key, data, "sha256").hex()[:32]


def sealed_columns() -> dict[Table, list[Column[str]]]:
    """Every sealed column of the schema, by table; rooms have to be imported first."""
    found = {
        table: [column for column in table.columns if isinstance(column.type, Sealed)]
        for table in metadata.sorted_tables
    }
    return {table: columns for table, columns in found.items() if columns}


def rotate_all(connection: Connection, keyring: Keyring) -> int:
    """Re-seal every sealed value of the database under the newest key; how many there were.

    A value that changes meanwhile is left to the one who changed it, who has the newest key already. Raises
    SealError, and nothing is changed, if one value opens with none of the keys.
    """
    return sum(_reseal(connection, keyring, table, columns) for table, columns in sealed_columns().items())


def _reseal(connection: Connection, keyring: Keyring, table: Table, columns: Sequence[Column[str]]) -> int:
    """Row by row: only the keys of a table are held in memory."""
    keys = list(table.primary_key.columns)
    count = 0
    for identity in connection.execute(select(*keys)).all():
        this_row = and_(*(key == value for key, value in zip(keys, identity, strict=True)))
        tokens = connection.execute(select(*columns).where(this_row)).one_or_none()
        for column, token in zip(columns, tokens or (), strict=False):
            if token is not None:
                change = update(table).where(this_row, column == token).values({column: keyring.rotate(token)})
                count += connection.execute(change).rowcount
    return count
