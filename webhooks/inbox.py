"""The inbox: a delivery is stored once, sealed, in the transaction that queues its work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from webhooks.ports import Clock, Seal

State = Literal["queued", "done", "failed"]

KEEP_KEYS = timedelta(days=30)
"""A repeat is known as one for at least so long; Shopify repeats for 4 hours, EasyPost for a day."""

_KEY_LENGTH = 200
_TOPIC_LENGTH = 100


def inbox_table(metadata: MetaData, moment: TypeEngine[datetime], sealed: TypeEngine[str] | None = None) -> Table:
    """The table, on the caller's MetaData. `moment` is its type for aware datetimes, `sealed` for sealed text."""
    return Table(
        "inbox",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("endpoint", String(100), nullable=False),
        Column("delivery_key", String(_KEY_LENGTH), nullable=False),
        Column("shop_id", String(40), nullable=True),
        Column("topic", String(_TOPIC_LENGTH), nullable=False),
        Column("received_at", moment, nullable=False),
        Column("body", sealed or Text(), nullable=True),
        Column("state", String(10), nullable=False),
        Column("processed_at", moment, nullable=True),
        Column("error", String(100), nullable=False),
        UniqueConstraint("endpoint", "delivery_key"),
        Index(None, "state", "received_at"),
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored delivery. `raw` is None once it was processed: the body goes, the key stays."""

    id: str
    endpoint: str
    topic: str
    shop_id: str | None
    received_at: datetime
    state: State
    raw: bytes | None
    error: str = ""


class Inbox:
    """Reads and writes the inbox table. Every method works in the caller's transaction and calls nobody outside."""

    def __init__(self, table: Table, seal: Seal, clock: Clock, new_id: Callable[[datetime], str]) -> None:
        self.table = table
        self._seal = seal
        self._clock = clock
        self._new_id = new_id

    def store(
        self, connection: Connection, endpoint: str, delivery_key: str, topic: str, raw: bytes, shop_id: str | None
    ) -> str | None:
        """Keep a delivery; its new id, or None if one with this key came to this endpoint before.

        Two transactions that store the same key at once agree: the second waits for the first and gets None.
        """
        now = self._clock.now()
        delivery_id = self._new_id(now)
        flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = flavour.insert(self.table).values(
            id=delivery_id,
            endpoint=endpoint,
            delivery_key=_storable(delivery_key, _KEY_LENGTH),
            shop_id=shop_id,
            topic=_storable(topic, _TOPIC_LENGTH),
            received_at=now,
            body=self._seal.seal(raw),
            state="queued",
            error="",
        )
        quiet = statement.on_conflict_do_nothing(index_elements=["endpoint", "delivery_key"])
        kept = connection.execute(quiet, execution_options={"preserve_rowcount": True})  # psycopg drops it otherwise.
        return delivery_id if kept.rowcount == 1 else None

    def load(self, connection: Connection, delivery_id: str) -> Delivery | None:
        """The delivery with its body opened; None if there is none (any more)."""
        c = self.table.c
        row = connection.execute(select(self.table).where(c.id == delivery_id)).mappings().one_or_none()
        if row is None:
            return None
        return Delivery(
            id=row["id"],
            endpoint=row["endpoint"],
            topic=row["topic"],
            shop_id=row["shop_id"],
            received_at=row["received_at"],
            state=row["state"],
            raw=None if row["body"] is None else self._seal.open(row["body"]),
            error=row["error"],
        )

    def done(self, connection: Connection, delivery_id: str) -> None:
        """The delivery had its effect: drop the body. Safe to repeat."""
        self._settle(connection, delivery_id, state="done", error="", body=None)

    def failed(self, connection: Connection, delivery_id: str, error: str) -> None:
        """The delivery cannot be processed: keep the body for a later try. `error` is a code, never a message."""
        self._settle(connection, delivery_id, state="failed", error=error[:100])

    def sweep(self, connection: Connection, older_than: datetime) -> int:
        """Forget settled deliveries received before `older_than` (at least 30 days ago); how many went.

        Deliveries that still wait for their work stay.
        """
        c = self.table.c
        before = min(older_than, self._clock.now() - KEEP_KEYS)
        return connection.execute(delete(self.table).where(c.state != "queued", c.received_at < before)).rowcount

    def drop_bodies(self, connection: Connection, older_than: datetime) -> int:
        """Drop the bodies of failed deliveries received before `older_than`: nobody will try them again."""
        c = self.table.c
        due = (c.state == "failed", c.received_at < older_than, c.body.is_not(None))
        return connection.execute(update(self.table).where(*due).values(body=None)).rowcount

    def forget_bodies(self, connection: Connection, shop_id: str) -> int:
        """Drop what is left of bodies that came about a shop, of failed deliveries that is; how many there were."""
        c = self.table.c
        left = (c.shop_id == shop_id, c.state == "failed", c.body.is_not(None))
        return connection.execute(update(self.table).where(*left).values(body=None)).rowcount

    def _settle(self, connection: Connection, delivery_id: str, **values: Any) -> None:
        change = update(self.table).where(self.table.c.id == delivery_id)
        connection.execute(change.values(processed_at=self._clock.now(), **values))


def _storable(text: str, length: int) -> str:
    """The text, or its hash where a database could not keep it: too long, a NUL, half a surrogate pair."""
    if len(text) <= length and text.isprintable():
        return text
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
