"""The ledger: written behind the answers, whole after a stop, patient while the database is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from connector.quotes import ledger
from connector.quotes.ledger import LedgerRow, LedgerWriter, goods_key, match_key, quote_facts, quotes, variant_key
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from tests.quotes.world import NOW, answered, cart, facts, line, plain_store, rate, refused, row_of, settings

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class ShakyDatabase(Database):
    """A database that can be away, and that can be interrupted before it begins."""

    def __init__(self, inner: Database) -> None:
        super().__init__(inner.engine, threads=4)
        self.away = False
        self.writes = 0

    async def run(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        if self.away:
            raise OperationalError("insert", {}, ConnectionError("gone"))
        self.writes += 1
        return await super().run(work, *args, **kwargs)


def row(minor: int = 700, **changes: Any) -> LedgerRow:
    given: dict[str, Any] = {"asked": cart(), "using": facts(), "answers": (answered(rate(minor)),)}
    return row_of(store=plain_store(), **given | changes)


def kept(database: Database, shop_id: str = "shop_1") -> list[str]:
    return [each.id for each in database.run_here(ledger.recent, shop_id, 10_000)]


async def until_kept(database: Database) -> None:
    with anyio.fail_after(10):
        while not kept(database):  # noqa: ASYNC110 - what is waited for happens in the database.
            await anyio.sleep(0.01)


def count_facts(database: Database) -> int:
    chosen = select(quote_facts.c.hash)
    return len(database.run_here(lambda connection: connection.execute(chosen).all()))


@asynccontextmanager
async def running(writer: LedgerWriter) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(writer.run)
        yield
        group.cancel_scope.cancel()


@pytest.fixture
def files(tmp_path: Path) -> Database:
    """SQLite with every table."""
    database = open_database(f"sqlite:///{tmp_path / 'waybill.db'}")
    metadata.create_all(database.engine)
    return database


# --- kept as they were --------------------------------------------------------------------------------------------


async def test_a_row_is_read_again_as_it_was(database: Database) -> None:
    writer = LedgerWriter(database)
    rows = [
        row(),
        row(answers=(refused("timeout", state="late"),), echo={"call": "1"}),
        row(asked=cart(line(None, name="Čaj 茶 \x00 🫖"), destination=None), using=facts(origin=None), answers=()),
        row(using=facts(settings(threshold="5", backup="safety", safety_rates="A:a:1")), at=NOW + timedelta(days=1)),
    ]
    for each in rows:
        writer.put(each)
    assert kept(database) == []
    await writer.flush()
    for each in rows:
        assert database.run_here(ledger.load, "shop_1", each.id) == each


async def test_a_row_belongs_to_its_shop(database: Database) -> None:
    writer = LedgerWriter(database)
    mine, other = row(), row(shop_id="shop_2")
    for each in (mine, other):
        writer.put(each)
    await writer.flush()
    assert database.run_here(ledger.load, "shop_2", mine.id) is None
    assert database.run_here(ledger.shop_of, mine.id) == "shop_1"
    assert database.run_here(ledger.shop_of, "quo_nothing") is None
    assert (kept(database), kept(database, "shop_2")) == ([mine.id], [other.id])


async def test_equal_facts_are_stored_once_for_a_shop(database: Database) -> None:
    writer = LedgerWriter(database)
    for _ in range(3):
        for _ in range(5):
            writer.put(row())
        writer.put(row(using=facts(settings_version=4)))
        writer.put(row(shop_id="shop_2"))
        await writer.flush()
    assert len(kept(database)) == 18
    assert count_facts(database) == 3


# --- written behind -----------------------------------------------------------------------------------------------


async def test_rows_are_written_without_anybody_waiting(files: Database) -> None:
    writer = LedgerWriter(files)
    async with running(writer):
        writer.put(row())
        await until_kept(files)
    files.close()


async def test_a_stop_writes_all_that_waits(files: Database) -> None:
    """More than fits one write, too."""
    writer = LedgerWriter(files)
    one = row()
    async with running(writer):
        await anyio.lowlevel.checkpoint()
        for number in range(600):
            writer.put(_copy(one, number))
    assert len(kept(files)) == 600
    files.close()


async def test_a_write_that_is_called_off_loses_nothing(files: Database) -> None:
    writer = LedgerWriter(files)
    writer.put(row())
    with anyio.CancelScope() as scope:
        scope.cancel()
        await writer.flush()
    assert kept(files) == []
    await writer.flush()
    assert len(kept(files)) == 1
    files.close()


async def test_a_row_that_was_written_already_stops_no_other(database: Database) -> None:
    """A writer may be told to stop between the commit and hearing of it."""
    writer, first, second = LedgerWriter(database), row(), row(900)
    for batch in ((first,), (first, second)):
        for each in batch:
            writer.put(each)
        await writer.flush()
    assert set(kept(database)) == {first.id, second.id}


async def test_while_the_database_is_away_rows_wait_in_their_order(files: Database) -> None:
    shaky = ShakyDatabase(files)
    writer = LedgerWriter(shaky)
    one, rows = row(), []
    shaky.away = True
    for number in range(3):
        rows.append(_copy(one, number, at=NOW + timedelta(seconds=number)))
        writer.put(rows[-1])
        await writer.flush()
    assert kept(files) == []
    shaky.away = False
    await writer.flush()
    assert kept(files) == [each.id for each in reversed(rows)]
    assert (shaky.writes, writer.lost) == (1, 0)
    files.close()


async def test_the_database_may_be_away_for_a_while_and_the_writer_goes_on(files: Database) -> None:
    shaky = ShakyDatabase(files)
    shaky.away = True
    writer = LedgerWriter(shaky)
    async with running(writer):
        writer.put(row())
        await anyio.sleep(0.6)
        shaky.away = False
        await until_kept(files)
    files.close()


async def test_a_stop_ends_although_the_database_is_away(files: Database) -> None:
    shaky = ShakyDatabase(files)
    shaky.away = True
    writer = LedgerWriter(shaky)
    with anyio.fail_after(10):
        async with running(writer):
            writer.put(row())
            await anyio.lowlevel.checkpoint()
    files.close()


async def test_memory_is_bounded_and_what_is_let_go_is_counted(files: Database) -> None:
    writer, one = LedgerWriter(files), row()
    for _ in range(20_005):
        writer.put(one)
    assert writer.lost == 5
    files.close()


# --- found again --------------------------------------------------------------------------------------------------


async def test_answers_for_the_same_goods_and_place_are_found_newest_first(database: Database) -> None:
    writer = LedgerWriter(database)
    rows = [row(at=NOW + timedelta(hours=hour)) for hour in range(4)]
    other = row(asked=cart(line(quantity=2)))
    for each in (*rows, other):
        writer.put(each)
    await writer.flush()
    before = NOW + timedelta(hours=2)
    found = database.run_here(ledger.matching, "shop_1", match_key(cart()), before, timedelta(hours=1))
    assert [each.id for each in found] == [rows[2].id, rows[1].id]
    assert database.run_here(ledger.matching, "shop_2", match_key(cart()), before, timedelta(hours=1)) == []


def test_goods_are_the_same_in_any_order_and_spelling() -> None:
    lines = [line(variant_id="gid://shopify/ProductVariant/7"), line(variant_id="8", quantity=2)]
    key = match_key(cart(*lines))
    assert match_key(cart(*lines[::-1])) == key
    assert match_key(cart(*lines, line(variant_id="9", requires_shipping=False))) == key
    assert match_key(cart(line(variant_id="8"), lines[0], line(variant_id="8"))) == key
    assert goods_key("at", " 10 10", {"7": 1, "8": 2}) == key
    assert match_key(cart(lines[0])) != key
    assert goods_key("AT", "1020", {"7": 1, "8": 2}) != key


def test_a_variant_without_a_number_is_known_by_its_sku() -> None:
    assert variant_key("", "MUG") != variant_key("MUG", "")


# --- retention ----------------------------------------------------------------------------------------------------


async def test_old_answers_go_with_the_facts_that_no_answer_needs(database: Database) -> None:
    writer = LedgerWriter(database)
    old, shared = facts(settings_version=1), facts(settings_version=2)
    rows = [row(using=old), row(using=shared), row(using=shared, at=NOW + timedelta(days=2))]
    elsewhere = row(using=old, shop_id="shop_2", at=NOW + timedelta(days=2))
    for each in (*rows, elsewhere):
        writer.put(each)
    await writer.flush()
    assert database.run_here(ledger.forget_older, NOW + timedelta(days=1)) == 2
    assert kept(database) == [rows[2].id]
    assert database.run_here(ledger.load, "shop_1", rows[2].id) == rows[2]
    assert database.run_here(ledger.load, "shop_2", elsewhere.id) == elsewhere
    assert count_facts(database) == 2
    assert database.run_here(ledger.forget_older, NOW + timedelta(days=1)) == 0


def _copy(one: LedgerRow, number: int, **changes: Any) -> LedgerRow:
    return replace(one, id=f"quo_{number:026}", **changes)


def test_the_ledger_s_tables_hold_no_column_for_a_person() -> None:
    columns = {column.name for table in (quotes, quote_facts) for column in table.c}
    assert not columns & {"name", "email", "phone", "street", "company", "address", "customer_id"}
