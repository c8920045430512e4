# A script that ran once, beside its release's code.
# ruff: noqa: ASYNC110, ASYNC221, BLE001, S603, S608, T201
"""Make the kept database of 0.1.0 with that release's own code; README.md beside this file says how to run it.

Two shops of the sandbox platform live through a morning: quotes, orders in every state, labels bought, voided,
refused and unclear, scans, failures. Then the worker is killed with jobs under way and jobs queued, a webhook is taken
in that nobody works on, and everything is packed as it lies.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.cli.accounts import connect_carrier
from connector.cli.settings import change_settings
from connector.cli.shops import connect_shop
from connector.metered import MeteredCarrier
from connector.settings import read_settings
from connector.storage.audit import Actor
from connector.storage.shops import put_credentials
from connector.store import Cart, CartLine, CartTotals
from connector.wiring import CARRIERS, House, open_house
from connector.work import failures
from connector.work.port import Task
from webhooks.outgoing import OutgoingClient

KEY = "a2VwdC10ZXN0LWtleS1vZi1yZWxlYXNlLTAuMS4wLTA="  # 32 bytes of text: a test key, in clear on purpose.
SECRET = "a kept secret of the sandbox platform"
ACTOR = Actor("command", "waybill")
RATE_TABLE = Path("docs/rate-table-example.csv")
PATIENCE_S = 60.0


def address(city: str = "Wien", name: str = "Kept Buyer") -> Address:
    """Where an order goes; the city may be one that plays a fault."""
    return Address("AT", "1010", "9", city, "Kept Street 3", name=name, phone="+43 1 55", email="kept@buyer.example")


def cart(to: Address, currency: str = "EUR", units: int = 2) -> Cart:
    """Some mugs and a tea pot."""
    lines = (
        CartLine(units, Money(1290, currency), Weight(420), "MUG-1", "Mug", "mug-1"),
        CartLine(1, Money(2450, currency), Weight(980), "POT-1", "Tea pot", "pot-1"),
    )
    total = Money(units * 1290 + 2450, currency)
    place = Address(to.country, to.postal_code, to.province, to.city)
    return Cart(
        lines, currency, destination=place, totals=CartTotals(total, Money.zero(currency), total), location_id="loc_1"
    )


class Morning:
    """What happens, on a database that a web process and now and then a worker serve."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.house: House
        self.http = OutgoingClient(allow_private=True)
        self.notes: dict[str, Any] = {}

    # --- processes

    @contextmanager
    def process(self, *command: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run `waybill COMMAND`; who is not killed before is stopped in order."""
        child = subprocess.Popen([sys.executable, "-m", "connector.cli", *command], env={**os.environ, **settings})
        try:
            yield child
        finally:
            child.terminate()
            child.wait(40)

    def rows(self, query: str) -> list[Any]:
        """Look into the database from beside."""
        with closing(sqlite3.connect(self.folder / "data" / "waybill.db", timeout=30)) as connection:
            return connection.execute(query).fetchall()

    async def until(self, look: Callable[[], Any], what: str, every_s: float = 0.05) -> Any:
        """Wait for something to be true."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := look():
                return found
            await asyncio.sleep(every_s)
        raise SystemExit(f"waited in vain for {what}")

    async def ready(self) -> None:
        """Until the web process answers."""

        async def up() -> bool:
            try:
                return (
                    await self.http.request("GET", f"http://127.0.0.1:{self.port}/readyz", deadline_s=2)
                ).status == 200
            except Exception:
                return False

        while not await up():
            await asyncio.sleep(0.1)

    async def post(self, url: str, call: Any) -> bytes:
        """A signed call to our web process."""
        answer = await self.http.request("POST", url, deadline_s=10, content=call.body, headers=call.headers)
        assert answer.status == 200 or (answer.status == 503 and "/rates/" in url), answer.status
        return answer.content

    # --- the story

    async def set_up(self) -> None:
        """Two shops, three accounts (one of them removed), several versions of settings, a rate table."""
        house = self.house = open_house(read_settings())
        house.prepare_database()
        for domain, currency in (("tea.sandbox.example", "EUR"), ("mug.sandbox.example", "USD")):
            given = {
                "path": "sandbox-store.sqlite",
                "secret": SECRET,
                "domain": domain,
                "name": domain.split(".")[0].title(),
            }
            await connect_shop(house, "sandbox", given | {"currency": currency})
        for shop in house.directory.shops():
            books = {"path": f"sandbox-carrier-{shop.record.name.lower()}.sqlite", "secret": SECRET}
            await connect_carrier(house, shop, CARRIERS["sandbox"], books)
        self.tea, self.mug = (shop.id for shop in house.directory.shops())
        await house.directory.refresh()
        for changes in (
            {"default_carton": "300x200x150:180"},
            {"threshold": "60.00"},
            {"markup_percent": "10"},
            {"buy": "on_paid"},
        ):
            await change_settings(house, self.tea, changes)
            await house.directory.refresh()
        await change_settings(house, self.mug, {"default_carton": "300x200x150:180", "markup_percent": "5"})
        table = [sys.executable, "-m", "connector.cli", "table", "import", self.mug, str(self.table)]
        subprocess.run(table, check=True, stdout=subprocess.DEVNULL)
        spare = {"path": "sandbox-carrier-spare.sqlite", "secret": SECRET, "account": "spare"}
        await house.directory.refresh()
        done = await connect_carrier(house, house.directory.shop(self.tea), CARRIERS["sandbox"], spare)
        remove = [sys.executable, "-m", "connector.cli", "carrier", "remove", self.tea, done.record.id]
        subprocess.run(remove, check=True, stdout=subprocess.DEVNULL)
        await house.directory.refresh()

    def keeper(self, shop_id: str) -> Any:
        """The people of a shop."""
        return self.house.directory.shop(shop_id).store.shopkeeper

    def url(self, shop_id: str, what: str) -> str:
        """A callback of a shop."""
        shop = self.house.directory.shop(shop_id)
        token = shop.rates_token if what == "rates" else shop.hooks_token
        return f"http://127.0.0.1:{self.port}/{what}/{shop_id}/{token}"

    async def quote(self, shop_id: str, wanted: Cart) -> Any:
        """Ask for prices as the checkout does; the first offer, if there is one."""
        keeper = self.keeper(shop_id)
        content = await self.post(self.url(shop_id, "rates"), keeper.rate_call(wanted))
        offers = keeper.offers(content) if b'"offers"' in content else ()
        return offers[0] if offers else None

    async def order(self, shop_id: str, to: Address, *, paid: bool = True, tell: bool = True, **more: Any) -> str:
        """A buyer orders; the store tells of it."""
        wanted = cart(to, self.house.directory.shop(shop_id).record.currency, more.pop("units", 2))
        offer = await self.quote(shop_id, wanted) if more.pop("quoted", True) else None
        keeper = self.keeper(shop_id)
        placed = await keeper.place_order([(wanted, offer)], to=to, email=to.email, phone=to.phone, **more)
        news = await keeper.mark_paid(placed.order_id) if paid else placed.delivery
        if tell:
            await self.post(self.url(shop_id, "hooks"), news)
        return str(placed.order_id)

    async def state(self, order: str, *states: str) -> None:
        """Until the order's parcel is in one of these states."""
        query = f"SELECT state FROM parcels WHERE order_external_id = '{order}' AND shop_id = '{self.tea}'"
        await self.until(lambda: any(row[0] in states for row in self.rows(query)), f"{order} to be {states}")

    async def play(self, order: str, steps: int | None) -> None:
        """The carrier scans an order's parcel, and posts it."""
        query = (
            "SELECT l.handle FROM labels l JOIN parcels p ON p.id = l.parcel_id AND p.shop_id = l.shop_id"
            f" WHERE p.order_external_id = '{order}' AND l.shop_id = '{self.tea}'"
        )
        ((handle,),) = self.rows(query)
        for account in self.house.directory.shop(self.tea).accounts.values():
            carrier = account.connection
            carrier = carrier.connection if isinstance(carrier, MeteredCarrier) else carrier
            for news in await carrier.play(handle, steps):
                await self.post(f"http://127.0.0.1:{self.port}/hooks/carrier/{account.record.hook_token}", news)

    async def live(self) -> None:
        """With web and worker: everything that ends well, or ends."""
        tea = self.tea
        for to in (address(), address("Graz"), address("SANDBOX-NOWHERE"), address("SANDBOX-DOWN")):
            await self.quote(tea, cart(to))
            await self.quote(self.mug, cart(to, "USD", 3))
        orders = self.notes["orders"] = {}
        orders["delivered"] = await self.order(tea, address())
        orders["travels"] = await self.order(tea, address("Graz"))
        orders["voided"] = await self.order(tea, address("Linz"))
        orders["bought"] = await self.order(tea, address("Salzburg", "Another Kept Buyer"))
        orders["refused"] = await self.order(tea, address("SANDBOX-REFUSE"))
        orders["risky"] = await self.order(tea, address(), risky=True)
        orders["unpaid"] = await self.order(tea, address("Villach"), paid=False)
        orders["cancelled"] = await self.order(tea, address("Wels"), risky=True)
        orders["by_click"] = await self.order(self.mug, address("Steyr"))
        for name in ("delivered", "travels", "voided", "bought"):
            await self.state(orders[name], "bought")
        await self.state(orders["refused"], "refused")
        for name in ("risky", "cancelled"):
            await self.state(orders[name], "held")
        await self.until(
            lambda: len(self.rows("SELECT 1 FROM trackings WHERE fulfil_state = 'done'")) >= 4, "the store"
        )
        await self.until(lambda: not self.rows("SELECT 1 FROM label_files WHERE sha256 IS NULL"), "the files")
        await self.play(orders["delivered"], None)
        await self.play(orders["travels"], 3)
        await self.post(self.url(tea, "hooks"), await self.keeper(tea).cancel(orders["cancelled"]))
        await self.post(self.url(tea, "hooks"), await self.keeper(tea).cancel(orders["voided"]))
        await self.state(orders["cancelled"], "cancelled")
        await self.state(orders["voided"], "voided", "cancelled")
        await self.until(lambda: self.rows("SELECT 1 FROM trackings WHERE status = 'delivered'"), "the delivery")
        await self.until(lambda: self.rows("SELECT 1 FROM labels WHERE state = 'voided'"), "the void")
        await self.until(lambda: not self.rows("SELECT 1 FROM inbox WHERE state = 'queued'"), "the inbox")

    async def fail(self) -> None:
        """The second shop's platform does not answer for a while: work waits for its next try. Some was given up."""
        shop = self.house.directory.shop(self.mug)
        kept = dict(shop.record.credentials)
        self.house.here(
            put_credentials, self.house.keyring, self.mug, kept | {"fault": "down"}, ACTOR, self.house.clock.now()
        )
        await asyncio.sleep(4)  # Every process reads it again.
        order = await self.order(self.mug, address("Enns"), quoted=False)
        self.notes["orders"]["failing"] = order
        await self.until(lambda: self.rows("SELECT 1 FROM failures WHERE state = 'waiting'"), "a failure")
        self.house.here(put_credentials, self.house.keyring, self.mug, kept, ACTOR, self.house.clock.now())

        def note(connection: Any) -> None:
            for state, order_id in (("failed", "ord_900"), ("parked", "ord_901")):
                task = Task("orders.refresh", f"kept:{state}", self.tea, (order_id,), 11)
                failures.note(connection, task, state, "Kept", "This was kept for a test.", self.house.clock.now())  # type: ignore[arg-type]

        self.house.here(note)

    async def break_off(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill the worker with one outcome unclear, jobs under way and jobs queued."""
        orders = self.notes["orders"]
        orders["unclear"] = await self.order(self.tea, address("SANDBOX-LOST-ANSWER"))
        query = "SELECT 1 FROM labels WHERE state = 'unknown'"
        await self.until(lambda: self.rows(query), "an unclear purchase", 0.005)
        orders["in_flight"] = [await self.order(self.tea, address(f"Kept Town {n}")) for n in range(6)]
        waiting = "SELECT count(*) FROM workflow_status WHERE status = '{}' AND queue_name <> '_dbos_internal_queue'"

        def busy() -> bool:
            return self.rows(waiting.format("ENQUEUED"))[0][0] >= 2 and self.rows(waiting.format("PENDING"))[0][0] >= 1

        await self.until(busy, "jobs in flight", 0.001)
        worker.kill()
        worker.wait(10)
        orders["not_begun"] = await self.order(self.tea, address("Kept Village"))

    def count(self) -> None:
        """What is in it, for the README."""
        tables = [row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type='table'")]
        self.notes["rows"] = {name: self.rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in sorted(tables)}
        for table in ("parcels", "labels"):
            self.notes[table] = dict(self.rows(f"SELECT state, count(*) FROM {table} GROUP BY state"))
        self.notes["jobs"] = dict(self.rows("SELECT status, count(*) FROM workflow_status GROUP BY status"))
        self.notes["unclear"] = [row[0] for row in self.rows("SELECT id FROM labels WHERE state = 'unknown'")]
        self.notes["shops"] = {"tea": self.tea, "mug": self.mug}


async def play(folder: Path, table: Path) -> dict[str, Any]:
    """The whole morning."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    os.environ |= {
        "WAYBILL_DATA_DIR": "data",
        "WAYBILL_KEYS": KEY,
        "WAYBILL_PORT": str(port),
        "WAYBILL_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WAYBILL_LOG_LEVEL": "error",
    }
    morning = Morning(folder, port)
    morning.table = table  # type: ignore[attr-defined]
    await morning.set_up()
    with morning.process("serve"):
        await morning.ready()
        with morning.process("work"):
            await morning.live()
            await morning.fail()
        with morning.process("work", WAYBILL_WORKER_JOBS="1") as worker:
            await morning.break_off(worker)
    morning.count()
    await morning.house.aclose()
    await morning.http.aclose()
    return morning.notes


def pack(folder: Path, out: Path, notes: dict[str, Any]) -> None:
    """Everything in one archive, without times and owners of this machine."""
    staged = folder / "kept"
    (staged / "data").mkdir(parents=True)
    for name in ("data/waybill.db", *(path.name for path in folder.glob("sandbox-*.sqlite"))):
        with closing(sqlite3.connect(folder / name)) as source, closing(sqlite3.connect(staged / name)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
            target.execute("VACUUM")
    shutil.copytree(folder / "data" / "labels", staged / "data" / "labels")
    (staged / "notes.json").write_text(json.dumps(notes, indent=1) + "\n")

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
        return member

    with tarfile.open(out, "w:xz", preset=9) as archive:
        for path in sorted(staged.rglob("*")):
            if path.is_file():
                archive.add(path, str(path.relative_to(staged)), filter=plain)


def main() -> None:
    """`make.py OUT`, run with the first release's code on PYTHONPATH."""
    out = Path(sys.argv[1]).resolve()
    table = Path(sys.argv[2]).resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="waybill-kept-") as scratch:
        os.chdir(scratch)
        notes = asyncio.run(play(Path(scratch), table))
        pack(Path(scratch), out, notes)
    print(json.dumps(notes, indent=1))


if __name__ == "__main__":
    main()
