"""Going back to an older backup while the outside went on: no label is bought twice, nothing is told twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.care.rows import what_it_holds
from connector.orders.refresh import REFRESH
from connector.storage.database import open_database
from connector.store import Cart, CartLine, CartTotals
from connector.stores.sandbox import SandboxStore
from connector.wiring import House
from connector.work.port import Task
from tests.e2e.processes import ROOT, own_environment
from tests.kept.kept import Kept, on_postgres, unpack
from tests.postgres import PostgresServer

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Kept, str]]:
    """An installation with work in flight, migrated; and an empty database of the same kind."""
    kept = unpack(tmp_path / "kept")
    empty = f"sqlite:///{kept.folder / 'restored' / 'waybill.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        kept = on_postgres(kept, request.getfixturevalue("postgres_url"))
        empty = server.create_database()
    with kept.here() as shell:
        shell.ok("migrate")
    yield kept, empty
    if request.param == "postgresql":
        server.drop_database(empty)


def order_to(kept: Kept, city: str) -> str:
    """A buyer orders, with a price of ours, and pays; nobody tells us."""

    async def place(house: House) -> str:
        shop = house.directory.shop(kept.tea)
        assert shop is not None
        keeper = cast("SandboxStore", shop.store).shopkeeper
        buyer = Address("AT", "1010", "9", city, "Kept Street 3", name="Kept Buyer", phone="+43 1 55")
        lines = (CartLine(1, Money(2450, "EUR"), Weight(980), "POT-1", "Tea pot", "pot-1"),)
        total, place = Money(2450, "EUR"), Address("AT", "1010", "9", city)
        totals = CartTotals(total, Money.zero("EUR"), total)
        cart = Cart(lines, "EUR", destination=place, totals=totals, location_id="loc_1")
        call = shop.store.read_rate_call(_incoming(keeper.rate_call(cart), shop.id))
        reply, row = await house.quote_desk.answer(shop.quoting, cast("Any", call), 0.0)
        house.ledger.put(row)
        await house.ledger.flush()
        placed = await keeper.place_order([(cart, keeper.offers(reply.body)[0])], to=buyer)
        await keeper.mark_paid(placed.order_id)
        return str(placed.order_id)

    return kept.ask(place)


def _incoming(call: Any, shop_id: str) -> Any:
    from connector.store import Incoming

    return Incoming(headers=call.headers, query={}, raw=call.body, shop=shop_id)


def read_again(kept: Kept, *orders: str) -> None:
    """As the sweep of the next five minutes will."""

    async def queue(house: House) -> None:
        def put(connection: Any) -> None:
            for order in orders:
                house.work.enqueue(connection, Task(REFRESH, f"test:{order}:{house.clock.now()}", kept.tea, (order,)))

        house.here(put)

    kept.ask(queue)


def is_settled(kept: Kept, *orders: str) -> bool:
    """Whether these orders were all read and no purchase is open."""
    names = ", ".join(f"'{order}'" for order in orders)
    read = f"SELECT count(*) FROM orders WHERE shop_id = '{kept.tea}' AND external_id IN ({names})"  # noqa: S608
    open_labels = "SELECT count(*) FROM labels WHERE state IN ('created', 'intent', 'sent', 'unknown')"
    return kept.rows(read) == [(len(orders),)] and kept.rows(open_labels) == [(0,)]


def test_a_backup_that_is_an_hour_old_buys_no_label_twice(there: tuple[Kept, str]) -> None:
    """Backed up while the worker runs. Afterwards labels are bought, and the store is told at once or not at all."""
    kept, empty = there
    tells = empty.startswith("postgresql")
    with kept.here() as shell:
        shell.ok("settings", kept.tea, f"fulfil_when={'label' if tells else 'handed_over'}")
        later = order_to(kept, "Kept Later")
        with kept.running("work"):
            kept.until(lambda: ["bought"] in kept.states(*kept.in_flight).values(), "the worker to work")
            shell.ok("backup", "hour-old.tar.gz")
            read_again(kept, later)
            wanted = {order: ["bought"] for order in (*kept.in_flight, kept.notes["orders"]["unclear"], later)}
            kept.until(lambda: kept.states(*wanted) == wanted, "all labels")
            waits = "SELECT count(*) FROM trackings WHERE fulfil_state IN ('due', 'sent')"
            kept.until(lambda: kept.rows(waits) == [(0,)], "the store to hear of all")
    sold, fulfilled = kept.sold(), kept.fulfilments(*wanted)
    assert fulfilled == [int(tells)] * len(wanted)

    back = kept.on(data_dir="restored", database_url=empty)
    with back.here() as shell:
        assert shell.json("restore", "hour-old.tar.gz")["label_files"] >= 5
    read_again(back, *wanted)
    ended = {later: [] if tells else ["held"]}
    with back.running("work"):
        back.until(lambda: is_settled(back, *wanted), "everything to be looked up")
        back.until(lambda: back.states(later) == ended, "the later order to wait for a person, or to be gone")
    assert back.sold() == sold
    assert back.fulfilments(*wanted) == fulfilled
    with back.here() as shell:
        matters = shell.json("attention", back.tea)["matters"]
        assert ("restored_backup" in {each["why"]["code"] for each in matters}) or tells


def has_worker(kept: Kept) -> bool:
    """Whether a worker's lease holds."""
    return bool(kept.rows(f"SELECT 1 FROM executors WHERE expires_at > {time.time()} AND stopped = 0"))  # noqa: S608


DIE = """
import os, signal, sys
from pathlib import Path
from connector.settings import read_settings

def tell(line):
    if line.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "move":
    from connector.care.moving import move
    from connector.wiring import open_house
    move(open_house(read_settings()), sys.argv[3], tell)
else:
    from connector.care import fill, restore
    restore.restore(read_settings(), Path(sys.argv[3]), tell, force=False)
"""
"""A process that ends by kill -9 when it comes to a line of its progress."""


def die(kept: Kept, what: str, line: str, argument: str) -> None:
    """Run it in the installation's folder."""
    environ = own_environment(kept.environ) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603 - our own script.
        [sys.executable, "-c", DIE, what, line, argument],
        cwd=kept.folder,
        env=environ,
        check=False,
        timeout=300,
        capture_output=True,
    )
    assert done.returncode == -9, done.stderr.decode()[-2000:]


def is_empty(url: str) -> bool:
    database = open_database(url, pool_size=1)
    try:
        with database.engine.connect() as connection:
            return what_it_holds(connection) == {}
    finally:
        database.close()


def test_a_restore_that_is_killed_leaves_the_database_as_it_was(
    backup: Path, tmp_path: Path, postgres_url: str
) -> None:
    kept = Kept(tmp_path, {}, {"DATABASE_URL": postgres_url})
    die(kept, "restore", "Compared", str(backup))
    assert is_empty(postgres_url)
    with kept.here() as shell:
        assert shell.json("restore", str(backup))["jobs"] == 6
        assert len(shell.json("shop", "list")["shops"]) == 2
