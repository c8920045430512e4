"""A house with a mailbox, and the watch that a web process runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert

from connector.attention.post import Mailbox as MailTo
from connector.attention.post import Post
from connector.smtp import MailServer
from connector.storage.schema import database_time
from connector.watch.rounds import Role, Watch
from connector.work.lease import executors
from tests.conftest import FrozenClock
from tests.labels.world import World, a_world
from tests.simulators.mailbox import Mailbox, a_mailbox

URL = "https://ship.example.com"


class Watched:
    """A world whose watch goes round as time passes; the worker lives unless it is told to die."""

    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self.world = world
        self.mailbox = mailbox
        self.watch = self.new_watch()
        self.set_worker(alive=True)

    def new_watch(self, **parts: Any) -> Watch:
        """The watch of a process that has just started."""
        house = self.world.house
        server = MailServer.read(self.mailbox.url)
        post = Post(house.outgoing, URL, MailTo(server, "waybill@example.com", "desk@example.com"))
        usual: dict[str, Any] = {"public_url": "http://127.0.0.1:8080", "folders": (self.world.folder,), "settles_s": 0}
        return Watch(house.database, house.directory, post, house.outgoing, house.clock, **(usual | parts))

    def set_worker(self, *, alive: bool) -> None:
        """A lease that holds for the rest of the test, or none."""
        self.world.act(_put_lease if alive else _drop_leases)

    async def pass_time(self, role: Role = "web", step: timedelta = timedelta(seconds=30), **delta: float) -> list[str]:
        """Let business time go by with a round every step, and work done; the subjects of what was mailed meanwhile."""
        before = len(self.mailbox.arrived)
        clock = self.world.clock
        end = clock.now() + timedelta(**delta)
        while clock.now() < end:
            clock.at = min(end, clock.at + step)
            await self.world.drain()
            await self.watch.round(role)
        return [subject.removeprefix("[Waybill] ") for subject in self.mailbox.subjects[before:]]


def _put_lease(connection: Connection) -> None:
    now = database_time(connection.dialect.name)
    connection.execute(
        insert(executors).values(
            id="ex_test",
            kind="worker",
            host="here",
            pid=1,
            incarnation="",
            started_at=now,
            expires_at=now + 3600,
            fenced=False,
            stopped=False,
        )
    )


def _drop_leases(connection: Connection) -> None:
    connection.execute(delete(executors))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server that keeps what arrives."""
    with a_mailbox() as box:
        yield box


@pytest.fixture
async def watched(tmp_path: Path, clock: FrozenClock, mailbox: Mailbox) -> AsyncIterator[Watched]:
    """On SQLite."""
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock) as world:
        yield Watched(world, mailbox)
        await world.house.outgoing.aclose()
