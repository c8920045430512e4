"""How many messages of each shop were refused for their signature, by day: the sign of a wrong secret.

Counted in memory and written behind, so that a flood of forgeries costs the database nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import anyio
import structlog
from sqlalchemy import Column, Connection, Integer, String
from sqlalchemy.exc import SQLAlchemyError

from connector.storage.database import Database, insert_new
from connector.storage.schema import Moment, TenantTable
from webhooks.receiver import Endpoint, Reply

log = structlog.get_logger(__name__)

KEEP = timedelta(days=30)
_EVERY_S = 5.0

Kind = Literal["hooks", "rates"]
"""What was refused: messages of the store, or price questions of its checkout."""

refused = TenantTable(
    "refused_signatures",
    Column("kind", String(8), primary_key=True),  # One of Kind.
    Column("day", String(10), primary_key=True),
    Column("messages", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
)


class Receiving:
    """What takes deliveries in, watched: each refusal of a shop's own message for its signature is counted."""

    def __init__(self, inner: Callable[[Endpoint, str, Mapping[str, str], bytes], Reply], book: RefusedBook) -> None:
        self._inner = inner
        self._book = book

    def receive(self, endpoint: Endpoint, method: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """See `webhooks.receiver.Receiver.receive`."""
        reply = self._inner(endpoint, method, headers, raw)
        if reply.status == 401 and endpoint.shop_id and endpoint.key.startswith("store:"):
            self._book.note(endpoint.shop_id, "hooks")
        return reply


class RefusedBook:
    """Counts in memory; `run` writes behind. Safe to use from several threads."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[str, Kind, str]] = Counter()

    def note(self, shop_id: str, kind: Kind) -> None:
        """One more refusal; never waits."""
        with self._lock:
            self._waiting[shop_id, kind, self._now().date().isoformat()] += 1

    async def run(self) -> None:
        """Write until cancelled, then write the rest."""
        try:
            while True:
                await anyio.sleep(_EVERY_S)
                await self.flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write what was counted; while the database is away it waits on."""
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
        if not waiting:
            return
        written = False
        try:
            await self._database.run(_write, waiting, self._now())
            written = True
        except SQLAlchemyError as error:
            log.warning("refused_signatures_wait", cause=type(error).__name__)
        finally:
            if not written:
                with self._lock:
                    self._waiting.update(waiting)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refusals since the last message that was accepted: how many, and on which day they began."""

    count: int
    since: str


def refusals(
    connection: Connection, shop_id: str, kind: Kind, accepted: datetime | None, now: datetime
) -> Refusals | None:
    """What was refused in the last three days, unless one of its kind was `accepted` after it: the secret is right."""
    first = (now - timedelta(days=2)).date().isoformat()
    lately = refused.select(shop_id).where(refused.c.kind == kind, refused.c.day >= first)
    found = connection.execute(lately.order_by(refused.c.day)).all()
    if not found:
        return None
    if accepted is not None and accepted >= max(row.last_at for row in found):
        return None
    return Refusals(sum(row.messages for row in found), found[0].day)


def forget_older(connection: Connection, before: datetime) -> int:
    """Retention: counts of days before that go."""
    old = refused.c.day < before.date().isoformat()
    shops = connection.execute(refused.across_shops(refused.c.shop_id).where(old).distinct()).scalars().all()
    return sum(connection.execute(refused.delete(shop_id).where(old)).rowcount for shop_id in shops)


def _write(connection: Connection, waiting: Mapping[tuple[str, Kind, str], int], now: datetime) -> None:
    for (shop_id, kind, day), count in sorted(waiting.items()):
        if not insert_new(connection, refused.insert(shop_id, kind=kind, day=day, messages=count, last_at=now)):
            change = refused.update(shop_id).where(refused.c.kind == kind, refused.c.day == day)
            connection.execute(change.values(messages=refused.c.messages + count, last_at=now))
