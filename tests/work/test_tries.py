"""How tries in vain are counted, whatever queues the work again meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.attention.board import open_matters
from connector.storage.audit import Actor
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from connector.wiring.jobs import tell_person
from connector.work import failures
from connector.work.due import AT_ONCE
from connector.work.memory import MemoryWork
from connector.work.port import Run, Task, TryLater
from connector.work.runner import MOST_ATTEMPTS, WAITS_S, Hooks
from tests.conftest import FrozenClock
from webhooks.errors import WaybillError

pytestmark = pytest.mark.anyio

NEWS = Task("test.read", "news:shop_1:ord_1", "shop_1", ("ord_1",))


class Office:
    """An engine with one job that fails as long as it is told to, and the list of what needs a person."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database, self.clock = database, clock
        self.work = MemoryWork(database, clock, Hooks(on_failure=tell_person))
        self.work.register("test.read", self._read)
        self.error: Exception | None = WaybillError("The store cannot be read.")
        self.readings = 0

    async def _read(self, _run: Run) -> None:
        self.readings += 1
        if self.error is not None:
            raise self.error

    async def news(self) -> None:
        """A message of the store: the order is to be read at once."""
        self.database.run_here(self.work.later, NEWS, AT_ONCE)
        await self.work.drain()

    async def pass_time(self, **delta: float) -> None:
        self.clock.advance(**delta)
        await self.work.drain()

    def failed(self) -> list[tuple[str, int]]:
        found = self.database.run_here(failures.list_failures, states=("waiting", "failed"))
        return [(each.state, each.task.attempt) for each in found]

    def matters(self) -> list[str]:
        return [each.reason.code for each in self.database.run_here(open_matters, "shop_1")]


@pytest.fixture
def office(tables_url: str, clock: FrozenClock) -> Iterator[Office]:
    database = open_database(tables_url, pool_size=2)
    metadata.create_all(database.engine)
    yield Office(database, clock)
    database.close()


async def test_news_that_keep_coming_do_not_keep_a_reading_that_always_fails_from_a_person(office: Office) -> None:
    """Each of them causes a reading at once, all the same."""
    messages = 0
    while not office.matters():
        messages += 1
        assert messages < 120
        before = office.readings
        await office.news()
        assert office.readings > before
        await office.pass_time(minutes=20)
    assert messages * 20 > sum(WAITS_S) / 60
    assert (office.failed(), office.matters()) == ([("failed", MOST_ATTEMPTS)], ["work_failed"])


async def test_a_flood_of_news_in_a_short_outage_uses_no_tries_up(office: Office) -> None:
    for _ in range(3 * MOST_ATTEMPTS):
        await office.news()
    assert office.failed() == [("waiting", 1)]
    office.error = None
    await office.pass_time(seconds=WAITS_S[0] * 2)
    assert (office.readings, office.failed(), office.matters()) == (3 * MOST_ATTEMPTS + 1, [], [])


async def test_a_job_that_asks_for_a_moment_gets_it_though_the_next_counted_try_is_hours_away(office: Office) -> None:
    await office.news()
    for wait_s in WAITS_S[:8]:
        await office.pass_time(seconds=wait_s * 1.3)
    ((_, tries),) = office.failed()
    office.error = TryLater("In a moment.", retry_after_s=5)
    await office.news()
    before = office.readings
    await office.pass_time(seconds=5)
    assert (office.readings, office.failed()) == (before + 1, [("waiting", tries)])


async def test_news_after_the_last_try_cause_a_reading_and_its_success_settles_the_matter(office: Office) -> None:
    await office.news()
    for wait_s in WAITS_S:
        await office.pass_time(seconds=wait_s * 1.3)
    assert office.matters() == ["work_failed"]
    await office.pass_time(days=2)
    office.error = None
    await office.news()
    assert (office.failed(), office.matters()) == ([], [])


async def test_a_person_s_retry_that_succeeds_settles_the_matter(office: Office) -> None:
    await office.news()
    for wait_s in WAITS_S:
        await office.pass_time(seconds=wait_s * 1.3)
    (failure,) = office.database.run_here(failures.list_failures)
    office.error = None
    by = Actor("command", "test")
    office.database.run_here(failures.retry, office.work, failure.id, by, office.clock.now())
    await office.work.drain()
    assert (office.failed(), office.matters()) == ([], [])
