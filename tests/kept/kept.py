"""A kept database, unpacked and ready: its folder, its key, what became of its orders, and processes on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from connector.care.fill import filling
from connector.care.rows import column_names, our_tables, read_rows
from connector.settings import Settings
from connector.storage.database import open_database
from connector.stores.sandbox import SandboxStore
from connector.wiring import House, open_house
from connector.work.durable import make_tables
from tests.cli.shell import Shell
from tests.e2e.processes import ROOT, own_environment, until

T = TypeVar("T")

FIRST = ROOT / "tests" / "kept" / "0.1.0" / "data.tar.xz"
KEY = "a2VwdC10ZXN0LWtleS1vZi1yZWxlYXNlLTAuMS4wLTA="
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Kept:
    """An installation on disk. The pretend store and carriers keep their books in `folder`, found from there."""

    folder: Path
    notes: Mapping[str, Any]
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of its processes."""
        usual = {"DATA_DIR": "data", "KEYS": KEY, "PUBLIC_URL": "http://127.0.0.1:8080", "LOG_LEVEL": "warning"}
        return {f"WAYBILL_{name}": value for name, value in (usual | dict(self.more)).items()}

    @property
    def tea(self) -> str:
        """The shop that most happens in."""
        return str(self.notes["shops"]["tea"])

    @property
    def in_flight(self) -> list[str]:
        """Orders of that shop whose jobs had been queued, begun, or not even that."""
        orders = self.notes["orders"]
        return [*orders["in_flight"], orders["not_begun"]]

    @property
    def database_url(self) -> str:
        """Where its rows are."""
        return self.more.get("DATABASE_URL", f"sqlite:///{self.folder / 'data' / 'waybill.db'}")

    def on(self, **more: str) -> Kept:
        """The same folder with other settings."""
        return Kept(self.folder, self.notes, {**self.more, **{name.upper(): value for name, value in more.items()}})

    @contextmanager
    def here(self) -> Iterator[Shell]:
        """A command line in its folder."""
        with contextlib.chdir(self.folder):
            yield Shell(self.environ)

    def ask(self, act: Callable[[House], Awaitable[T]]) -> T:
        """Do something in its rooms, in this process, with the shops in memory."""

        async def do() -> T:
            house = open_house(self.settings)
            try:
                await house.directory.refresh()
                return await act(house)
            finally:
                await house.aclose()

        with contextlib.chdir(self.folder):
            return asyncio.run(do())

    @property
    def settings(self) -> Settings:
        """The settings of this process for it."""
        folder = self.folder / self.more.get("DATA_DIR", "data")
        return Settings(data_dir=folder, keys=(KEY,), database_url=self.database_url)

    @contextmanager
    def running(self, *command: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """`waybill COMMAND` in a process of its own, stopped at the end; its log is the file of its name."""
        environ = own_environment(self.environ | {f"WAYBILL_{name.upper()}": value for name, value in more.items()})
        line = [sys.executable, "-m", "connector.cli", *command]
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own command.
                line, cwd=self.folder, env=environ | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
            )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(60)
            child.kill()
            child.wait(10)

    # --- what is so now

    def rows(self, query: str) -> list[Any]:
        """Look into the database."""
        database = open_database(self.database_url, pool_size=1)
        try:
            with database.engine.connect() as connection:
                return [tuple(row) for row in connection.exec_driver_sql(query)]
        finally:
            database.close()

    def until(self, look: Any, what: str, timeout_s: float = PATIENCE_S) -> Any:
        """Wait for something to be true; shows the logs if it does not come."""
        try:
            return until(look, what, timeout_s, 0.1)
        except AssertionError as waited:
            logs = "\n".join(path.read_text(errors="replace")[-3000:] for path in self.folder.glob("*.log"))
            raise AssertionError(f"{waited}\n{logs}") from None

    def states(self, *orders: str) -> dict[str, list[str]]:
        """The states of these orders' parcels."""
        names = ", ".join(f"'{order}'" for order in orders)
        query = f"SELECT order_external_id, state FROM parcels WHERE shop_id = '{self.tea}'"  # noqa: S608 - our names.
        found: dict[str, list[str]] = {order: [] for order in orders}
        for order, state in self.rows(f"{query} AND order_external_id IN ({names})"):
            found[order].append(state)
        return found

    def sold(self) -> dict[str, int]:
        """How many labels the carrier sold for each town: every order of a story goes to a town of its own."""
        from carriers.sandbox.mapping import read_shipment

        books = _carrier_books(self.folder / "sandbox-carrier-tea.sqlite")
        count: dict[str, int] = {}
        for content in books:
            city = read_shipment(content).destination.city
            count[city] = count.get(city, 0) + 1
        return count

    def fulfilments(self, *orders: str) -> list[int]:
        """How often the store was told that each of these orders left."""

        async def count(house: House) -> list[int]:
            shop = house.directory.shop(self.tea)
            assert shop is not None
            keeper = cast("SandboxStore", shop.store).shopkeeper
            return [len(await keeper.fulfilments(order)) for order in orders]

        return self.ask(count)


def _carrier_books(path: Path) -> list[bytes]:
    """The shipments that were sold."""
    from carriers.sandbox.books import Books

    books = Books(path, "a kept secret of the sandbox platform")
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT content FROM shipments WHERE bought_at IS NOT NULL AND content IS NOT NULL"
        return [books.open(content) for (content,) in connection.execute(query)]


def unpack(folder: Path, archive: Path = FIRST) -> Kept:
    """A fresh copy of what a release left behind, on SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return Kept(folder, json.loads((folder / "notes.json").read_text()))


def on_postgres(kept: Kept, url: str) -> Kept:
    """The same on PostgreSQL, as that release would have had it there: its schema, its rows, its jobs queued."""
    source, target = open_database(kept.database_url), open_database(url, pool_size=2)
    moved = kept.on(database_url=url)
    old, new = open_house(kept.settings), open_house(moved.settings)
    try:
        runs = old.work.in_flight()
        with source.engine.connect() as connection, filling(target, "0001") as (made, _upgrade):
            for table in our_tables(connection):
                made.put_rows(table.name, column_names(table), read_rows(connection, table))
            made.put_runs([])
        make_tables(target)
        with new.database.transaction() as connection:
            for run in runs:
                new.work._start_run(connection, run)
    finally:
        for each in (source, target, old, new):
            each.close()
    return moved
