"""What every database does for us alike: transactions, moments, tenancy, unique keys."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select
from sqlalchemy.exc import DBAPIError, StatementError

from connector.storage import config_version, persons
from connector.storage.database import Database, DatabaseURLError, insert_new, open_database
from connector.storage.ids import new_id, new_token
from connector.storage.schema import Moment
from connector.storage.secrets import Keyring, new_key
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

_scratch = MetaData()
_moments = Table(
    "test_moments", _scratch, Column("id", String(40), primary_key=True), Column("at", Moment, nullable=True)
)


@pytest.fixture
def scratch(empty_database: Database) -> Database:
    _scratch.create_all(empty_database.engine)
    return empty_database


async def test_a_transaction_is_kept_when_its_function_returns(scratch: Database) -> None:
    await scratch.run(lambda connection: connection.execute(insert(_moments).values(id="a")))
    with scratch.transaction() as connection:
        assert connection.execute(select(_moments.c.id)).scalars().all() == ["a"]


async def test_nothing_is_kept_when_its_function_raises(scratch: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(insert(_moments).values(id="a"))
        raise KeyError("x")

    with pytest.raises(KeyError):
        await scratch.run(fail)
    with scratch.transaction() as connection:
        assert connection.execute(select(_moments.c.id)).all() == []


async def test_a_look_waits_for_no_writer_and_may_not_write(scratch: Database) -> None:
    """A page that looks every few seconds keeps no worker from its work, whichever process that is in."""
    url = scratch.engine.url.render_as_string(hide_password=False)
    beside = open_database(url)
    try:
        with beside.transaction() as writing:
            writing.execute(insert(_moments).values(id="a"))
            seen = await scratch.look(lambda connection: connection.execute(select(_moments.c.id)).all())
        assert seen == []

        def write(connection: Connection) -> None:
            connection.execute(insert(_moments).values(id="b"))

        with pytest.raises(DBAPIError):
            await scratch.look(write)
    finally:
        beside.close()
    await scratch.run(write)
    found = await scratch.look(lambda connection: connection.execute(select(_moments.c.id)).scalars().all())
    assert sorted(found) == ["a", "b"]


async def test_a_moment_comes_back_in_utc(scratch: Database) -> None:
    at = datetime(2026, 11, 23, 10, 30, 15, 123456, tzinfo=timezone(timedelta(hours=1)))
    with scratch.transaction() as connection:
        connection.execute(insert(_moments).values(id="a", at=at))
        connection.execute(insert(_moments).values(id="b", at=None))
        found = connection.execute(select(_moments.c.at).order_by(_moments.c.id)).scalars().all()
    assert found == [at, None]
    assert found[0].tzinfo is UTC


async def test_a_moment_without_a_zone_is_refused(scratch: Database) -> None:
    with scratch.transaction() as connection, pytest.raises(StatementError, match="time zone"):
        connection.execute(insert(_moments).values(id="a", at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_a_taken_key_is_told_apart_from_a_new_row(scratch: Database) -> None:
    with scratch.transaction() as connection:
        assert insert_new(connection, insert(_moments).values(id="a")) is True
        assert insert_new(connection, insert(_moments).values(id="a")) is False


async def test_what_was_read_still_holds_when_the_answer_is_written(database: Database) -> None:
    """Two processes' read-then-write on one row: neither change is lost, neither transaction fails."""
    other = open_database(database.engine.url.render_as_string(hide_password=False))

    def bump_often(mine: Database) -> None:
        for _ in range(20):
            mine.run_here(config_version.bump)

    threads = [threading.Thread(target=bump_often, args=(each,)) for each in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert database.run_here(config_version.read) == 40


async def test_rows_of_one_shop_are_not_seen_or_touched_by_another(database: Database, clock: FrozenClock) -> None:
    keyring = Keyring.from_keys([new_key()])
    later = clock.now() + timedelta(days=1)
    person = database.run_here(persons.put, keyring, "shop_a", "ship_to", {"name": "N"}, clock.now(), later)
    assert database.run_here(persons.get, keyring, "shop_b", person) is None
    assert database.run_here(persons.replace, keyring, "shop_b", person, {"name": "M"}) is False
    assert database.run_here(persons.forget, "shop_b", person) is False
    assert database.run_here(persons.get, keyring, "shop_a", person) == {"name": "N"}


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(DatabaseURLError):
        open_database(url)


def test_ids_sort_by_time_and_tokens_do_not_repeat(clock: FrozenClock) -> None:
    first = new_id("par", clock.now())
    clock.advance(milliseconds=1)
    second = new_id("par", clock.now())
    assert first < second
    assert first.startswith("par_")
    assert len({new_token() for _ in range(100)}) == 100
