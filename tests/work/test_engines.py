"""What every engine promises: queued with its transaction, once per key, tried again, put off, shown when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Connection

from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import open_database
from connector.storage.schema import metadata
from connector.work import due
from connector.work.failures import Failure, NoSuchFailure, list_failures, retry
from connector.work.port import DuplicateJob, Run, Task
from connector.work.runner import MOST_ATTEMPTS, WAITS_S
from tests.conftest import FrozenClock
from tests.postgres import PostgresServer
from tests.work import jobs
from tests.work.harness import ANCHOR, Harness, MemoryHarness, durable_harness

pytestmark = pytest.mark.anyio

PERSON = Actor("person", "anna")
_numbers = count(1)


@pytest.fixture(
    scope="module",
    params=[
        "memory-sqlite",
        "memory-postgresql",
        pytest.param("durable-sqlite", marks=pytest.mark.slow),
        pytest.param("durable-postgresql", marks=pytest.mark.slow),
    ],
)
def harness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One engine with one worker for all tests here; each test uses keys of its own. Time runs 50,000 times as fast."""
    folder = tmp_path_factory.mktemp("engine")
    engine, kind = request.param.split("-")
    url = f"sqlite:///{folder / 'waybill.sqlite'}"
    server: PostgresServer | None = None
    if kind == "postgresql":
        server = request.getfixturevalue("postgres_server")
        assert server is not None
        url = server.create_database()
    if engine == "durable":
        with durable_harness(url, folder / "log", speed=50_000) as durable:
            durable.start_worker()
            yield durable
    else:
        database = open_database(url)
        metadata.create_all(database.engine)
        jobs.tables.create_all(database.engine)
        yield MemoryHarness(database, FrozenClock(ANCHOR))
        database.close()
    if server is not None:
        server.drop_database(url)


@pytest.fixture
def key() -> str:
    return f"key-{next(_numbers)}"


def _enqueue(harness: Harness, *tasks: Task) -> list[bool]:
    with harness.database.transaction() as connection:
        return [harness.work.enqueue(connection, task) for task in tasks]


def _states(connection: Connection, key: str) -> list[tuple[str, int]]:
    states = list_failures(connection, states=("waiting", "failed", "parked", "retried"))
    return [(failure.state, failure.task.attempt) for failure in states if failure.task.key == key]


def _failure_of(harness: Harness, key: str) -> Failure:
    found = [each for each in harness.database.run_here(list_failures, "shop_a") if each.task.key == key]
    assert len(found) == 1
    return found[0]


async def test_queued_work_runs_with_its_arguments(harness: Harness, key: str) -> None:
    assert _enqueue(harness, Task("test.effect", key, "shop_a", ("a", "b"))) == [True]
    await harness.until(jobs.effects, key, expect=["ran a b"])


async def test_work_of_no_shop_runs(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("test.effect", key, ""))
    await harness.until(jobs.effects, key, expect=["ran"])


async def test_a_key_runs_once_however_often_it_is_queued(harness: Harness, key: str) -> None:
    task = Task("test.effect", key, "shop_a")
    assert _enqueue(harness, task, task) == [True, False]
    await harness.until(jobs.effects, key, expect=["ran"])
    assert _enqueue(harness, task) == [False]
    after = Task("test.effect", f"{key}/after", "shop_a")
    _enqueue(harness, after)
    await harness.until(jobs.effects, after.key, expect=["ran"])
    assert harness.database.run_here(jobs.effects, key) == ["ran"]


async def test_work_queued_in_a_transaction_that_is_rolled_back_never_runs(harness: Harness, key: str) -> None:
    task = Task("test.effect", key, "shop_a")

    def fail(connection: Connection) -> None:
        harness.work.enqueue(connection, task)
        harness.work.later(connection, Task("test.effect", f"{key}/later", "shop_a"), harness.clock.now())
        raise KeyError("x")

    with pytest.raises(KeyError):
        harness.database.run_here(fail)
    after = Task("test.effect", f"{key}/after", "shop_a")
    _enqueue(harness, after)
    await harness.until(jobs.effects, after.key, expect=["ran"])
    assert harness.database.run_here(jobs.effects, key) == []
    assert harness.database.run_here(jobs.effects, f"{key}/later") == []
    assert _enqueue(harness, task) == [True]
    await harness.until(jobs.effects, key, expect=["ran"])


async def test_a_job_queues_other_work_in_its_own_transaction(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("hooks.chain", key, "shop_a"))
    await harness.until(jobs.effects, f"{key}/next", expect=["ran"])
    assert harness.database.run_here(jobs.effects, key) == ["queued"]


async def test_work_that_asks_for_later_is_tried_again_and_counted(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("test.flaky", key, "shop_a", ("3",)))
    await harness.until(jobs.effects, key, expect=["ran at 3"])
    assert harness.database.run_here(_states, key) == []


async def test_work_for_later_waits_for_the_clock(harness: Harness, key: str) -> None:
    hour = harness.clock.now() + timedelta(hours=1)
    with harness.database.transaction() as connection:
        harness.work.later(connection, Task("test.effect", key, "shop_a"), hour)
    assert harness.database.run_here(jobs.effects, key) == []
    await harness.until(jobs.effects, key, expect=["ran"])
    assert harness.clock.now() >= hour
    assert harness.database.run_here(due.waiting, key) is None


async def test_work_for_later_is_replaced_by_its_key_and_can_be_taken_back(harness: Harness, key: str) -> None:
    far = harness.clock.now() + timedelta(days=3000)
    other = f"{key}/other"
    with harness.database.transaction() as connection:
        harness.work.later(connection, Task("test.effect", key, "shop_a", ("first",)), far)
        harness.work.later(connection, Task("test.effect", key, "shop_a", ("second",)), harness.clock.now())
        harness.work.later(connection, Task("test.effect", other, "shop_a"), far)
        assert harness.work.forget(connection, other) is True
        assert harness.work.forget(connection, other) is False
    await harness.until(jobs.effects, key, expect=["ran second"])
    assert harness.database.run_here(jobs.effects, other) == []


async def test_work_may_put_itself_off_under_its_own_key(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("test.again", key, "shop_a"))
    await harness.until(jobs.effects, key, expect=["ran", "ran", "ran"])


async def test_work_that_keeps_failing_is_tried_often_then_shown_until_a_person_retries(
    harness: Harness, key: str
) -> None:
    _enqueue(harness, Task("test.broken", key, "shop_a", ("own",)))
    await harness.until(_states, key, expect=[("failed", MOST_ATTEMPTS)])
    assert len(harness.database.run_here(jobs.effects, key)) == MOST_ATTEMPTS
    failure = _failure_of(harness, key)
    assert (failure.code, failure.message) == ("OutOfPaper", "The printer has no paper.")

    harness.database.run_here(jobs.raise_flag, key)
    harness.database.run_here(retry, harness.work, failure.id, PERSON, harness.clock.now())
    assert [entry.action for entry in harness.database.run_here(audit.entries, "shop_a", subject=failure.id)] == [
        "work.retry"
    ]
    await harness.until(_states, key, expect=[])
    assert harness.database.run_here(jobs.effects, key)[-1] == "ran"


async def test_what_an_unexpected_error_says_is_not_kept(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("test.broken", key, "shop_a"))
    await harness.until(_states, key, expect=[("failed", MOST_ATTEMPTS)])
    failure = _failure_of(harness, key)
    assert failure.code == "KeyError"
    assert "secret" not in failure.message
    with pytest.raises(NoSuchFailure):
        harness.database.run_here(retry, harness.work, "fail_none", PERSON, harness.clock.now())


async def test_work_that_no_process_knows_waits_for_one_that_does(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("test.of_another_release", key, "shop_a"))
    await harness.until(_states, key, expect=[("failed", MOST_ATTEMPTS)])
    assert _failure_of(harness, key).code == "UnknownJob"


async def test_steps_are_done_in_order_and_once(harness: Harness, key: str) -> None:
    _enqueue(harness, Task("labels.steps", key, "shop_a"))
    await harness.until(jobs.effects, key, expect=["finished"])
    counts = harness.database.run_here(jobs.outside_counts)
    assert (counts[f"{key} buy"], counts[f"{key} push"]) == (1, 1)


async def test_two_jobs_of_one_name_are_refused(harness: Harness) -> None:
    async def job(_run: Run) -> None:
        return

    with pytest.raises(DuplicateJob):
        harness.work.register("test.effect", job)


@pytest.mark.parametrize("bad", ["", "x" * 201])
def test_a_key_that_does_not_fit_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="1 to 200"):
        Task("test.effect", bad, "shop_a")


def test_the_waits_between_tries_grow() -> None:
    assert list(WAITS_S) == sorted(WAITS_S)
    assert sum(WAITS_S) > 12 * 3600
