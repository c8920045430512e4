"""Keep up with other processes through the ledger: what they showed holds here too, what they learned is known here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connector.quotes.answers import AccountAnswer
from connector.quotes.behind import KEEP_LIVE, LiveAnswer, live_since
from connector.quotes.learning.model import LearnedPrices
from connector.quotes.ledger import shown_since
from connector.quotes.shown import HOLD, ShownPrices
from connector.storage.database import Database

log = structlog.get_logger(__name__)

EVERY_S = 1.5
"""With the quarter second of a writer, what one process shows holds in the others within two seconds."""

_MOST = 5_000
_MOST_LIVE = 20_000
_OVERLAP = timedelta(seconds=15)  # Clocks of machines differ, and rows of one moment are written in several batches.
_REMEMBERED = 50_000

ShownRow = tuple[str, datetime, tuple[AccountAnswer, ...]]


class Follower:
    """Reads what others wrote into a process's memory. `is_local`: whether a carrier's prices are computed here."""

    def __init__(
        self,
        database: Database,
        writer: str,
        shown: ShownPrices,
        learned: LearnedPrices,
        now: Callable[[], datetime],
        is_local: Callable[[str], bool] = lambda _carrier: False,
    ) -> None:
        self._database = database
        self._writer = writer
        self._shown = shown
        self._learned = learned
        self._now = now
        self._is_local = is_local
        self._since: datetime | None = None
        self._seen: set[str] = set()
        self._order: deque[str] = deque()

    async def run(self, every_s: float = EVERY_S) -> None:
        """Read until cancelled: everything that still matters at first, then what is new."""
        while True:
            await self.read()
            await anyio.sleep(every_s)

    async def read(self) -> bool:
        """Read once; False while the database is away."""
        now = self._now()
        first = self._since is None
        since_shown = now - HOLD if self._since is None else self._since - _OVERLAP
        since_live = now - KEEP_LIVE if self._since is None else self._since - _OVERLAP
        try:
            rows, live = await self._database.run(
                _read, since_shown, since_live, self._writer, _MOST_LIVE if first else _MOST
            )
        except SQLAlchemyError as error:
            log.warning("follower_waits", cause=type(error).__name__)
            return False
        self._since = now
        for number, (key, at, answers) in enumerate(rows):
            kept = [answer for answer in answers if not self._is_local(answer.carrier)]
            self._shown.keep(key, at, kept)
            await _breathe(number)
        for number, one in enumerate(live):
            if self._is_new(one.id):
                self._learned.learn(one.account_id, one.asked, one.answer, one.at.timestamp())
                await _breathe(number)
        return True

    def _is_new(self, live_id: str) -> bool:
        if live_id in self._seen:
            return False
        self._seen.add(live_id)
        self._order.append(live_id)
        if len(self._order) > _REMEMBERED:
            self._seen.discard(self._order.popleft())
        return True


def _read(
    connection: Connection, since_shown: datetime, since_live: datetime, writer: str, most: int
) -> tuple[Collection[ShownRow], Collection[LiveAnswer]]:
    return shown_since(connection, since_shown, writer, _MOST), live_since(connection, since_live, writer, most)


async def _breathe(number: int) -> None:
    """Let rate requests through: what is read goes in between them."""
    if number % 20 == 19:
        await anyio.lowlevel.checkpoint()
