"""Taking over: who is dead, what becomes of their runs, and which run is to blame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Connection, insert, update

from connector.storage.database import Database
from connector.storage.schema import database_time
from connector.work import suspects
from connector.work.failures import Failure, list_failures
from connector.work.lease import Lease, executors, list_executors
from connector.work.port import Task
from connector.work.reaper import Orphan, Reaper
from tests.conftest import FrozenClock

RUN = "labels.buy:par_1"


class FakeEngine:
    """Runs under way, and what the reaper asked for."""

    def __init__(self) -> None:
        self.runs: dict[str, Orphan] = {}
        self.again: list[str] = []
        self.alone: list[str] = []
        self.cancelled: list[str] = []

    def start(self, executor_id: str, run_id: str = RUN) -> None:
        self.runs[run_id] = Orphan(run_id, executor_id, "labels")

    def under_way(self) -> Sequence[Orphan]:
        return list(self.runs.values())

    def task_of(self, run_id: str) -> Task | None:
        return Task("labels.buy", run_id, "shop_a", ("par_1",))

    def queue_again(self, run_ids: Sequence[str], queue: str) -> None:
        assert queue == "labels"
        self.again += [self.runs.pop(run_id).run_id for run_id in run_ids]

    def queue_alone(self, run_ids: Sequence[str]) -> None:
        self.alone += [self.runs.pop(run_id).run_id for run_id in run_ids]

    def cancel(self, run_id: str) -> None:
        self.cancelled.append(self.runs.pop(run_id).run_id)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def lease(database: Database) -> Iterator[Lease]:
    """The lease of the process that reaps."""
    mine = Lease(database, ttl_s=60, on_lost=pytest.fail)
    mine.take()
    yield mine
    mine.release()


@pytest.fixture
def told() -> list[Failure]:
    return []


@pytest.fixture
def reaper(database: Database, clock: FrozenClock, engine: FakeEngine, lease: Lease, told: list[Failure]) -> Reaper:
    return Reaper(
        database,
        clock,
        engine,
        lease.id,
        on_failure=lambda _connection, failure, _now: told.append(failure),
        on_outcome=lambda _job, _outcome, _seconds: None,
    )


def _add_dead(database: Database, executor_id: str, **changes: object) -> None:
    """A process that ended without a word, its lease long over."""

    def add(connection: Connection) -> None:
        then = database_time(connection.dialect.name) - 100.0
        row = {"kind": "worker", "host": "h", "pid": 1, "incarnation": "", "fenced": False, "stopped": False}
        connection.execute(
            insert(executors).values(id=executor_id, started_at=then, expires_at=then + 60.0, **{**row, **changes})
        )

    database.run_here(add)


def test_runs_of_a_process_whose_lease_ended_are_queued_again(
    database: Database, engine: FakeEngine, reaper: Reaper
) -> None:
    _add_dead(database, "ex_dead")
    engine.start("ex_dead")
    assert reaper.reap() == 1
    assert engine.again == [RUN]
    assert [each.fenced for each in database.run_here(list_executors) if each.id == "ex_dead"] == [True]


def test_runs_of_living_processes_are_left_alone(
    database: Database, engine: FakeEngine, reaper: Reaper, lease: Lease
) -> None:
    other = Lease(database, ttl_s=60, on_lost=pytest.fail)
    other.take()
    engine.start(other.id)
    engine.start(lease.id, "mine")
    for _ in range(3):
        assert reaper.reap() == 0
    other.release()
    assert reaper.reap() == 1
    assert engine.again == [RUN]
    assert "mine" in engine.runs


def test_runs_of_a_process_that_nobody_knows_are_queued_again(engine: FakeEngine, reaper: Reaper) -> None:
    engine.start("ex_unknown")
    assert reaper.reap() == 1
    assert engine.again == [RUN]


def test_a_fenced_process_that_claims_once_more_loses_that_too(
    database: Database, engine: FakeEngine, reaper: Reaper
) -> None:
    """A thawed process may claim work in the instant before it ends."""
    _add_dead(database, "ex_dead")
    assert reaper.reap() == 0
    database.run_here(
        lambda connection: connection.execute(
            update(executors)
            .where(executors.c.id == "ex_dead")
            .values(expires_at=database_time(connection.dialect.name))
        )
    )
    engine.start("ex_dead", "late")
    assert reaper.reap() == 1
    assert engine.again == ["late"]


def test_a_free_sign_of_life_of_another_server_start_proves_nothing(
    database: Database, engine: FakeEngine, reaper: Reaper
) -> None:
    """After a failover no lock is held; only the end of the lease counts then."""
    _add_dead(database, "ex_cut_off", incarnation="another start")
    database.run_here(
        lambda connection: connection.execute(
            update(executors)
            .where(executors.c.id == "ex_cut_off")
            .values(expires_at=database_time(connection.dialect.name) + 100.0)
        )
    )
    engine.start("ex_cut_off")
    assert reaper.reap() == 0
    assert engine.again == []


def test_a_run_taken_along_twice_runs_alone_and_is_parked_after_the_third_death(
    database: Database, engine: FakeEngine, reaper: Reaper, told: list[Failure]
) -> None:
    for number in range(3):
        _add_dead(database, f"ex_{number}")
        engine.start(f"ex_{number}")
        if number:
            database.run_here(suspects.reach, RUN, suspects.BEGAN)
        reaper.reap()
    assert (engine.again, engine.alone, engine.cancelled) == ([RUN], [RUN], [RUN])
    (failure,) = database.run_here(list_failures, "shop_a")
    assert (failure.state, failure.task.key) == ("parked", RUN)
    assert told == [failure]


def test_a_run_that_gets_further_each_time_is_not_parked(
    database: Database, engine: FakeEngine, reaper: Reaper
) -> None:
    for number in range(6):
        _add_dead(database, f"ex_{number}")
        engine.start(f"ex_{number}")
        if number:
            database.run_here(suspects.reach, RUN, f"before step {number}")
        reaper.reap()
    assert engine.cancelled == []


def test_a_run_whose_workers_die_before_it_begins_is_not_parked_for_it(
    database: Database, engine: FakeEngine, reaper: Reaper
) -> None:
    for number in range(6):
        _add_dead(database, f"ex_{number}")
        engine.start(f"ex_{number}")
        if number == 3:
            database.run_here(suspects.reach, RUN, "before the first step")
        reaper.reap()
    assert engine.cancelled == []


def test_a_run_that_ends_worker_after_worker_is_parked_wherever_it_stood(
    database: Database, engine: FakeEngine, reaper: Reaper
) -> None:
    for number in range(3 * suspects.PATIENCE):
        _add_dead(database, f"ex_{number}")
        engine.start(f"ex_{number}")
        database.run_here(suspects.reach, RUN, f"before step {number}")
        reaper.reap()
    assert engine.cancelled == [RUN]


def test_a_stop_in_order_is_not_held_against_the_runs(database: Database, engine: FakeEngine, reaper: Reaper) -> None:
    for number in range(5):
        _add_dead(database, f"ex_{number}", stopped=True)
        engine.start(f"ex_{number}")
        assert reaper.reap() == 1
    assert engine.again == [RUN] * 5
    assert database.run_here(suspects.deaths, RUN) == 0


def test_rows_of_processes_that_ended_long_ago_go(database: Database, engine: FakeEngine, reaper: Reaper) -> None:
    _add_dead(database, "ex_old", fenced=True)
    database.run_here(
        lambda connection: connection.execute(
            update(executors).where(executors.c.id == "ex_old").values(expires_at=executors.c.expires_at - 10_000.0)
        )
    )
    reaper.reap()
    assert "ex_old" not in {each.id for each in database.run_here(list_executors)}
