"""What this package needs from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection


class Clock(Protocol):
    """Where business time comes from."""

    def now(self) -> datetime:
        """The present, as an aware datetime in UTC."""
        ...


class Enqueue(Protocol):
    """Queues durable work inside the caller's transaction."""

    def __call__(self, connection: Connection, key: str) -> None:
        """Queue the processing of the delivery with this inbox key; it runs after the transaction commits."""
        ...


class Fence(Protocol):
    """Says whether this process may still act on the outside world."""

    def __call__(self) -> bool:
        """True while the lease of this process holds; asked just before the first byte of a write leaves."""
        ...


class Seal(Protocol):
    """Encrypts what is kept at rest."""

    def seal(self, data: bytes) -> str:
        """Encrypt and authenticate."""
        ...

    def open(self, token: str) -> bytes:
        """What was sealed. Raises a WaybillError if it cannot be opened."""
        ...


def lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers with lower-case names, as every receiver here expects them."""
    return {name.lower(): value for name, value in headers.items()}
