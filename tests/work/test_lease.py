"""The lease, seen from inside one process: when it holds, and what makes it fall."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update

from connector.storage.database import Database
from connector.storage.schema import database_time
from connector.work.lease import Lease, executors, list_executors

MakeLease = Callable[..., Lease]


@pytest.fixture
def fallen() -> list[str]:
    return []


@pytest.fixture
def make(database: Database, fallen: list[str]) -> Iterator[MakeLease]:
    made: list[Lease] = []

    def make_lease(**options: Any) -> Lease:
        made.append(Lease(database, on_lost=fallen.append, **options))
        return made[-1]

    yield make_lease
    for lease in made:
        lease.release()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_lease_holds_from_its_taking_to_its_release(make: MakeLease, database: Database) -> None:
    lease = make(ttl_s=3)
    assert lease.held() is False
    lease.take()
    assert lease.held() is True
    (record,) = database.run_here(list_executors)
    assert (record.id, record.kind, record.is_alive) == (lease.id, "worker", True)
    lease.release()
    assert lease.held() is False
    (record,) = database.run_here(list_executors)
    assert (record.stopped, record.fenced, record.is_alive) == (True, False, False)


def test_a_lease_is_renewed_while_the_process_lives(make: MakeLease, database: Database, fallen: list[str]) -> None:
    lease = make(ttl_s=1.5)
    lease.take()
    first = database.run_here(list_executors)[0]
    _wait_for(lambda: database.run_here(list_executors)[0].age_s > first.age_s + 2.5)
    assert lease.held()
    assert database.run_here(list_executors)[0].is_alive
    assert fallen == []


def test_a_process_that_others_took_for_dead_is_told(make: MakeLease, database: Database, fallen: list[str]) -> None:
    lease = make(ttl_s=3)
    lease.take()
    database.run_here(lambda connection: connection.execute(update(executors).values(fenced=True)))
    _wait_for(lambda: bool(fallen))
    assert lease.held() is False


def test_a_lease_that_cannot_be_renewed_falls_before_it_ends(
    make: MakeLease, database: Database, fallen: list[str]
) -> None:
    lease = make(ttl_s=3)
    lease.take()
    database.run_here(lambda connection: connection.execute(text("ALTER TABLE executors RENAME TO executors_gone")))
    _wait_for(lambda: bool(fallen))
    assert lease.held() is False
    query = text("SELECT expires_at FROM executors_gone")
    with database.engine.connect() as connection:
        now = connection.execute(select(database_time(database.engine.dialect.name))).scalar_one()
        assert now < connection.execute(query).scalar_one()
    database.run_here(lambda connection: connection.execute(text("ALTER TABLE executors_gone RENAME TO executors")))


def test_a_session_that_the_server_ended_fells_the_lease_at_once(
    make: MakeLease, database: Database, fallen: list[str]
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no sessions.")
    lease = make(ttl_s=60)
    lease.take()
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    _wait_for(lambda: not lease.held())
    _wait_for(lambda: bool(fallen))


def test_a_process_whose_loop_hangs_is_not_renewed(make: MakeLease, fallen: list[str]) -> None:
    lease = make(ttl_s=3, stall_s=0.5)
    lease.take()
    lease.turn()
    _wait_for(lambda: bool(fallen))
    assert lease.held() is False
