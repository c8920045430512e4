"""The watch's rounds, in every web and worker process: look, plan alerts, send them, give a sign of life.

Each round is done once in the installation, by whichever process comes first, so that a dead worker is noticed by a
web process, and a web process that hangs by a worker. Business time counts, so that a test may move it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connector.attention import alerts
from connector.attention.letter import Place
from connector.attention.post import Addresses, Post
from connector.directory import Directory, ShopEntry
from connector.storage.database import Database
from connector.watch import outage, premises, shops, signs, turns
from connector.watch.signs import Look
from connector.work.lease import worker_runs
from webhooks.errors import OutgoingError
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock

log = structlog.get_logger(__name__)

Role = Literal["web", "worker"]

EVERY = timedelta(minutes=1)
_PLAN_EVERY = timedelta(seconds=15)
_CERTIFICATE_EVERY = timedelta(hours=12)
_ASK_S = 5.0
_HEARTBEAT_S = 10.0
_MOST_AT_A_TIME = 20


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches everything that this installation has.

    `settles_s`: seconds of real time after the start in which a missing worker means nothing.
    """

    database: Database
    directory: Directory
    post: Post
    outgoing: Outgoing
    clock: Clock
    public_url: str
    folders: Sequence[Path]
    heartbeat_url: str = ""
    certificate_ends: Callable[[str, int], datetime] = premises.certificate_ends
    settles_s: float = 60.0
    started: float = field(default_factory=time.monotonic)

    async def run(self, role: Role) -> None:
        """Go round until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.round(role)
            except SQLAlchemyError as error:
                log.warning("watch_waits", cause=type(error).__name__)
            await anyio.sleep(_ASK_S)

    async def round(self, role: Role) -> None:
        """Everything that is due now."""
        looked = await self.database.run(self._look)
        if looked:
            await self._look_at_certificate()
        if self.post.mailbox is not None or self.post.hook is not None:
            await self.database.run(self._plan)
            await self.send_due()
        if role == "web" and self.heartbeat_url:
            await self._heartbeat()

    async def send_due(self) -> int:
        """Send what is due; how many messages were tried."""
        for count in range(_MOST_AT_A_TIME):
            message = await self.database.run(alerts.claim, self.clock.now())
            if message is None:
                return count
            handed = await self.post.send(message, self._addresses())
            if handed.outcome != "sent":
                log.warning("alert_not_sent", message=message.id, channel=message.channel, said=handed.said)
            now = self.clock.now()
            await self.database.run(alerts.ended, message, handed.outcome, handed.said, now)
        return _MOST_AT_A_TIME

    def _look(self, connection: Connection) -> bool:
        now = self.clock.now()
        mine, before = turns.take(connection, "look", EVERY, now)
        if not mine:
            return False
        entries = self.directory.shops()
        if not outage.notice(connection, before, now):
            outage.make_up(connection, [entry.id for entry in entries], now)
        looks = premises.look_at_disks(self.folders)
        if time.monotonic() - self.started >= self.settles_s:  # A worker takes its time to start, as this process did.
            looks.append(premises.look_at_workers(connection))
        for entry in entries:
            titles = {account.id: account.kind.title for account in entry.accounts.values()}
            looks.append(shops.look_at_share(connection, entry.id, now))
            looks += shops.look_at_accounts(connection, entry.id, titles, now)
            signs.forget_of(connection, entry.id, "carrier_out", titles, now)
        signs.heed(connection, looks, now)
        return True

    async def _look_at_certificate(self) -> None:
        now = self.clock.now()
        mine, _ = await self.database.run(turns.take, "certificate", _CERTIFICATE_EVERY, now)
        if mine:
            try:
                looks: list[Look] = await anyio.to_thread.run_sync(
                    premises.look_at_certificate, self.public_url, now, self.certificate_ends
                )
            except (ssl.SSLError, ValueError) as error:
                log.warning("certificate_not_seen", cause=type(error).__name__)
                return
            await self.database.run(signs.heed, looks, now)

    def _plan(self, connection: Connection) -> None:
        now = self.clock.now()
        mine, _ = turns.take(connection, "alerts", _PLAN_EVERY, now)
        if mine:
            alerts.plan(connection, self.post.routes(self._addresses()), now)

    def _addresses(self) -> Addresses:
        entries = self.directory.shops()
        own = {entry.id: entry.settings.alert_mail for entry in entries if entry.settings.alert_mail}
        return Addresses(own, {entry.id: _place(entry) for entry in entries})

    async def _heartbeat(self) -> None:
        """Tell an outside watchdog that all of ours lives; where a worker is missing it hears nothing."""
        if not await self.database.run(self._may_beat):
            return
        try:
            await self.outgoing.request("GET", self.heartbeat_url, deadline_s=_HEARTBEAT_S, max_bytes=64 * 1024)
        except OutgoingError as error:
            log.warning("heartbeat_not_heard", cause=type(error).__name__)

    def _may_beat(self, connection: Connection) -> bool:
        mine, _ = turns.take(connection, "heartbeat", EVERY, self.clock.now())
        return mine and worker_runs(connection)


def _place(entry: ShopEntry) -> Place:
    return Place(entry.record.name, entry.domain, entry.record.timezone)
