"""Catalogues in the database and in memory: sources merged on writing, versions, sweeps that converge, what goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from carriers.measure import Weight
from connector.catalogue import keep
from connector.catalogue.edit import accept, export_sheet, import_sheet
from connector.catalogue.fields import read_names
from connector.catalogue.memory import Products
from connector.catalogue.product import Values
from connector.catalogue.refresh import READ, SWEEP, CatalogueReader
from connector.catalogue.sheet import read_sheet
from connector.catalogue.tables import to_read
from connector.storage.audit import Actor
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from connector.store import ProductFacts, ProductPage, Store, StoreCapabilities, StoreRetryable
from connector.work.port import Run, Task, Work

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHOP = "shop_1"
ME = Actor("command", "test")
NAMES = read_names("length=custom.l,width=custom.w,height=custom.h")
MUG = ProductFacts("gid://shopify/ProductVariant/1", "MUG", "Mug", Weight(400), product_id="p1")
POT = ProductFacts("gid://shopify/ProductVariant/2", "POT", "Pot", Weight(900), product_id="p2")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def put_own(connection: Connection, text: str) -> int:
    return import_sheet(connection, SHOP, read_sheet(text), ME, NOW)


def known(database: Database) -> dict[str, keep.Entry]:
    return {each.key: each for each in database.run_here(keep.entries, SHOP)}


def test_the_own_table_comes_before_fields_and_those_before_the_store(database: Database) -> None:
    fields = {"custom.l": "30", "custom.w": "20", "custom.h": "10"}
    database.run_here(keep.put_facts, SHOP, [ProductFacts("1", "MUG", weight=Weight(400), fields=fields)], NAMES, 1)
    database.run_here(put_own, "variant_id,weight_g\n1,450\n")
    product = known(database)["1"].product
    assert (product.weight_g, product.source("weight_g")) == (450, "own")
    assert (product.size, product.source("length_mm")) == ((30, 20, 10), "field")


def test_what_is_said_of_an_sku_holds_for_its_variants_before_and_after_they_are_known(database: Database) -> None:
    database.run_here(put_own, "sku,length_mm,width_mm,height_mm\nMUG,30,20,10\n")
    database.run_here(keep.put_facts, SHOP, [MUG], (), 1)
    assert known(database)["1"].product.size == (30, 20, 10)
    database.run_here(put_own, "sku,length_mm,width_mm,height_mm\nMUG,31,20,10\n")
    assert known(database)["1"].product.size == (31, 20, 10)
    database.run_here(put_own, "sku,length_mm,width_mm,height_mm\nMUG,,,\n")
    assert set(known(database)) == {"1"}
    assert known(database)["1"].product.size is None


def test_the_version_moves_only_when_something_changed(database: Database) -> None:
    assert database.run_here(keep.put_facts, SHOP, [MUG, POT], (), 1) == 2
    first = database.run_here(keep.versions, [SHOP])[SHOP]
    assert database.run_here(keep.put_facts, SHOP, [MUG, POT], (), 2) == 0
    assert database.run_here(keep.versions, [SHOP])[SHOP] == first
    database.run_here(put_own, "sku,weight_g\nNEW,5\n")
    _, whole, changed = database.run_here(keep.merged_since, SHOP, first)
    assert (whole, set(changed)) == (False, {"sku:NEW"})


def test_the_exported_table_can_be_imported_again_without_a_change(database: Database) -> None:
    database.run_here(keep.put_facts, SHOP, [MUG, POT], (), 1)
    database.run_here(put_own, "variant_id,sku,units,weight_g\n1,MUG,1,450\n1,MUG,6,2800\n,TEA,1,100\n")
    before = known(database)
    for everything in (False, True):
        text = database.run_here(export_sheet, SHOP, everything=everything)
        assert database.run_here(put_own, text) == 0
    assert known(database) == before


def test_an_accepted_measurement_is_marked_until_a_file_says_otherwise(database: Database) -> None:
    database.run_here(keep.put_facts, SHOP, [MUG], (), 1)
    database.run_here(accept, SHOP, "1", weight_g=470, actor=ME, now=NOW)
    assert known(database)["1"].product.source("weight_g") == "measured"
    database.run_here(put_own, "variant_id,weight_g\n1,480\n")
    assert known(database)["1"].product.source("weight_g") == "own"


# --- reading the store --------------------------------------------------------------------------------------------


@dataclass
class Shelf:
    """A store that shows its products two a page."""

    products_there: list[ProductFacts] = field(default_factory=lambda: [MUG, POT])
    fail_at: str | None = None
    asked: list[Any] = field(default_factory=list)
    capabilities: StoreCapabilities = field(default_factory=lambda: StoreCapabilities(10.0, 0, 60, products=True))

    async def products(self, after: str = "", fields: tuple[str, ...] = ()) -> ProductPage:
        self.asked.append(after)
        if after == self.fail_at:
            self.fail_at = None
            raise StoreRetryable("Throttled.")
        start = int(after or 0)
        end = start + 2
        return ProductPage(tuple(self.products_there[start:end]), str(end) if end < len(self.products_there) else "")

    async def variants_of(self, product_ids: list[str], fields: tuple[str, ...] = ()) -> list[ProductFacts]:
        self.asked.append(tuple(product_ids))
        return [each for each in self.products_there if each.product_id in product_ids]


@dataclass
class Desk:
    """Work that only notes what is put off."""

    put_off: list[Task] = field(default_factory=list)

    def later(self, _connection: Connection, task: Task, _due_at: datetime) -> None:
        self.put_off.append(task)


@dataclass
class Once:
    """A run of a job, at once."""

    task: Task

    async def step(self, _name: str, call: Any) -> Any:
        return await call()

    def fence(self) -> bool:
        return True


def reader(database: Database, shelf: Shelf, desk: Desk | None = None, at: datetime = NOW) -> CatalogueReader:
    return CatalogueReader(database, cast("Work", desk or Desk()), lambda _: (cast("Store", shelf), NAMES), lambda: at)


def once(name: str) -> Run:
    return cast("Run", Once(Task(name, "k", SHOP)))


def many(count: int) -> list[ProductFacts]:
    return [ProductFacts(str(n), f"S{n}", weight=Weight(n + 1), product_id=f"p{n}") for n in range(count)]


async def test_a_sweep_reads_every_page_and_lets_go_of_what_is_gone(database: Database) -> None:
    shelf = Shelf(many(5))
    await reader(database, shelf).sweep(once(SWEEP))
    assert len(known(database)) == 5
    database.run_here(put_own, "variant_id,weight_g\n1,77\n")
    shelf.products_there = many(5)[2:]
    await reader(database, shelf).sweep(once(SWEEP))
    left = known(database)
    assert set(left) == {"1", "2", "3", "4"}
    assert (left["1"].variant_id, left["1"].product.weight_g) == ("", 77)


async def test_a_sweep_that_was_interrupted_goes_on_where_it_stopped(database: Database) -> None:
    shelf = Shelf(many(5), fail_at="4")
    with pytest.raises(StoreRetryable):
        await reader(database, shelf).sweep(once(SWEEP))
    assert len(known(database)) == 4
    await reader(database, shelf).sweep(once(SWEEP))
    assert shelf.asked == ["", "2", "4", "4"]
    assert len(known(database)) == 5


async def test_many_changes_are_read_together_once(database: Database) -> None:
    shelf, desk = Shelf(), Desk()
    jobs = reader(database, shelf, desk)
    for _ in range(3):
        database.run_here(jobs.changed, SHOP, ["p1", "p2"])
    await jobs.read(once(READ))
    assert shelf.asked == [("p1", "p2")]
    assert {task.key for task in desk.put_off} == {f"{READ}:{SHOP}"}
    assert set(known(database)) == {"1", "2"}
    assert database.run_here(lambda connection: connection.execute(to_read.select(SHOP)).all()) == []


async def test_more_changes_than_can_be_read_one_by_one_become_a_sweep(database: Database) -> None:
    shelf, desk = Shelf(), Desk()
    jobs = reader(database, shelf, desk)
    database.run_here(jobs.changed, SHOP, [f"p{n}" for n in range(1001)])
    await jobs.read(once(READ))
    assert shelf.asked == []
    assert desk.put_off[-1].name == SWEEP


async def test_a_removed_product_goes_with_its_webhook(database: Database) -> None:
    shelf = Shelf()
    jobs = reader(database, shelf)
    await jobs.sweep(once(SWEEP))
    shelf.products_there = [POT]
    database.run_here(jobs.changed, SHOP, ["p1"])
    await jobs.read(once(READ))
    assert set(known(database)) == {"2"}


# --- in memory ----------------------------------------------------------------------------------------------------


async def test_memory_loads_a_shop_when_it_is_asked_for_and_follows_its_versions(database: Database) -> None:
    database.run_here(keep.put_facts, SHOP, [MUG, POT], (), 1)
    memory = Products(database)
    assert memory.of(SHOP).find("1", "MUG") is None
    first = await memory.load(SHOP)
    found = first.find("gid://shopify/ProductVariant/1", "MUG")
    assert found is not None
    assert found.weight_g == 400
    await memory.refresh()
    assert memory.of(SHOP) is first
    database.run_here(put_own, "variant_id,weight_g\n1,450\n")
    await memory.refresh()
    changed = memory.of(SHOP).find("1", "MUG")
    assert changed is not None
    assert (changed.weight_g, len(memory.of(SHOP))) == (450, 2)
    database.run_here(keep.forget_missing, SHOP, None, ["p2"])
    await memory.refresh()
    assert memory.of(SHOP).find("2", "POT") is None
    await memory.aclose()


async def test_a_variant_that_is_not_known_by_its_id_is_found_by_its_sku(database: Database) -> None:
    database.run_here(put_own, "sku,weight_g\nTEA,120\n")
    memory = Products(database)
    found = (await memory.load(SHOP)).find("gid://shopify/ProductVariant/9", "TEA")
    assert found is not None
    assert found.weight_g == 120


async def test_a_shop_without_a_catalogue_and_a_silent_database_cost_nothing(tmp_path: Path) -> None:
    gone = open_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    memory = Products(gone)
    assert (await memory.load(SHOP)).find("1", "A") is None  # There are not even tables.
    gone.close()


def test_twenty_thousand_variants_fit_and_change_one_by_one(database: Database) -> None:
    for start in range(0, 20_000, 5000):
        facts: Sequence[ProductFacts] = [
            ProductFacts(str(n), f"S{n}", weight=Weight(n + 1), product_id=f"p{n}") for n in range(start, start + 5000)
        ]
        database.run_here(keep.put_facts, SHOP, facts, (), 1)
    version, whole, raw = database.run_here(keep.merged_since, SHOP, 0)
    assert len(raw) == 20_000
    assert sum(map(len, raw.values())) < 8_000_000
    database.run_here(put_own, "variant_id,weight_g\n7,9\n")
    _, whole, raw = database.run_here(keep.merged_since, SHOP, version)
    assert (whole, list(raw)) == (False, ["7"])
    assert json.loads(raw["7"])["weight_g"] == 9


def test_values_that_say_nothing_are_not_kept() -> None:
    assert Values().model_dump(mode="json") == {}


async def test_only_the_first_call_waits_for_a_database_that_hangs(database: Database) -> None:
    hung = Hung(database.engine, threads=1)
    memory = Products(hung, patience_s=0.05)
    assert len(await memory.load(SHOP)) == 0
    assert memory._slow == {SHOP}
    assert len(await memory.load(SHOP)) == 0
    await memory.aclose()
    assert memory._slow == set()


class Hung(Database):
    """Never answers."""

    async def run(self, *_args: Any, **_kwargs: Any) -> Any:
        await asyncio.Event().wait()
