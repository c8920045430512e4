"""The inbox keeps a delivery once, sealed, and forgets it in two steps: first the body, much later the key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData, Table, create_engine, select

from connector.storage.database import Database
from connector.storage.ids import new_id
from connector.storage.schema import Moment
from connector.storage.secrets import Keyring, new_key
from tests.conftest import FrozenClock
from webhooks.inbox import Delivery, Inbox, inbox_table


@pytest.fixture
def table() -> Table:
    return inbox_table(MetaData(), Moment())


@pytest.fixture
def inbox(table: Table, clock: FrozenClock) -> Inbox:
    return Inbox(table, Keyring.from_keys([new_key()]), clock, lambda now: new_id("dlv", now))


@pytest.fixture
def connection(empty_database: Database, table: Table) -> Iterator[Connection]:
    """On SQLite and on PostgreSQL."""
    table.create(empty_database.engine)
    with empty_database.transaction() as begun:
        yield begun


def test_a_delivery_is_loaded_as_it_came(connection: Connection, inbox: Inbox, clock: FrozenClock) -> None:
    stored = inbox.store(connection, "hooks", "k1", "orders/paid", b'{"a":\xff}', "shp_1")
    assert stored is not None
    assert inbox.load(connection, stored) == Delivery(
        stored, "hooks", "orders/paid", "shp_1", clock.now(), "queued", b'{"a":\xff}'
    )
    assert inbox.load(connection, "dlv_none") is None


def test_a_repeat_is_kept_once_and_another_endpoint_is_another_delivery(connection: Connection, inbox: Inbox) -> None:
    assert inbox.store(connection, "hooks", "k1", "t", b"1", None)
    assert inbox.store(connection, "hooks", "k1", "t", b"2", None) is None
    assert inbox.store(connection, "other", "k1", "t", b"3", None)
    assert inbox.store(connection, "hooks", "k2", "t", b"4", None)


def test_the_body_is_sealed_at_rest_and_gone_once_processed(connection: Connection, inbox: Inbox, table: Table) -> None:
    stored = inbox.store(connection, "hooks", "k", "t", b"canary-name", None)
    assert stored is not None
    assert "canary" not in repr(connection.execute(select(table)).all())
    inbox.done(connection, stored)
    inbox.done(connection, stored)
    loaded = inbox.load(connection, stored)
    assert loaded is not None
    assert (loaded.state, loaded.raw) == ("done", None)
    assert inbox.store(connection, "hooks", "k", "t", b"canary-name", None) is None, "the key is still known"


def test_odd_keys_are_kept_by_every_database(connection: Connection, inbox: Inbox) -> None:
    """PostgreSQL refuses a NUL in text, and a key from outside may hold one."""
    for odd in ("\x00", "\ud800", "k" * 5000, ""):
        assert inbox.store(connection, "hooks", odd, odd, b"", None)
        assert inbox.store(connection, "hooks", odd, odd, b"", None) is None


def test_a_failed_delivery_keeps_its_body_until_it_is_dropped(
    connection: Connection, inbox: Inbox, clock: FrozenClock
) -> None:
    stored = inbox.store(connection, "hooks", "k", "t", b"body", None)
    assert stored is not None
    inbox.failed(connection, stored, "garbled")
    loaded = inbox.load(connection, stored)
    assert loaded is not None
    assert (loaded.state, loaded.raw, loaded.error) == ("failed", b"body", "garbled")
    clock.advance(days=8)
    assert inbox.drop_bodies(connection, clock.now() - timedelta(days=7)) == 1
    loaded = inbox.load(connection, stored)
    assert loaded is not None
    assert (loaded.state, loaded.raw) == ("failed", None)


def test_keys_stay_for_thirty_days_and_waiting_deliveries_for_ever(
    connection: Connection, inbox: Inbox, clock: FrozenClock
) -> None:
    done = inbox.store(connection, "hooks", "done", "t", b"", None)
    waiting = inbox.store(connection, "hooks", "waiting", "t", b"", None)
    assert done is not None
    assert waiting is not None
    inbox.done(connection, done)
    clock.advance(days=29)
    assert inbox.sweep(connection, clock.now()) == 0
    clock.advance(days=2)
    assert inbox.sweep(connection, clock.now() - timedelta(days=60)) == 0
    assert inbox.sweep(connection, clock.now()) == 1
    assert inbox.load(connection, done) is None
    assert inbox.load(connection, waiting) is not None


keys = st.text(st.characters(), max_size=300)


@given(st.lists(keys, max_size=5), keys)
def test_any_key_and_topic_can_be_stored_and_tells_repeats(found: list[str], topic: str) -> None:
    """Also a NUL or half a surrogate pair, which PostgreSQL or UTF-8 would refuse, and a key of any length."""
    fresh = inbox_table(MetaData(), Moment())
    clock = FrozenClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    inbox = Inbox(fresh, Keyring.from_keys([new_key()]), clock, lambda now: new_id("dlv", now))
    engine = create_engine("sqlite://")
    fresh.create(engine)
    with engine.begin() as connection:
        new = [key for key in found if inbox.store(connection, "hooks", key, topic, b"", None)]
        for value in connection.execute(select(fresh.c.delivery_key, fresh.c.topic)).all():
            assert all("\x00" not in text and text.encode() is not None for text in value)
    engine.dispose()
    assert len(new) == len(set(found))
