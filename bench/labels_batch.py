"""A batch of labels on a real worker against a carrier of 0.9 s purchases and 5 % failures; again with two kills.

The carrier is the simulator of EasyPost in a process of its own, the store is the sandbox's; one address of twenty is
refused at the purchase. The second run kills the worker (SIGKILL) twice, loses some purchases and the answers of some
others, and must end with the same outcomes; what is unclear is settled in its time. Both print one file in the batch's
order. JSON lines: name, value, unit, floor (what it must reach), ratio (1 or more holds), n.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, cast

from pypdf import PdfReader

from bench._label_figures import say
from bench._label_unclear import Unclear
from carriers.money import Money
from connector.orders import batches
from connector.orders.listing import OrderFilter
from connector.orders.print_set import What, plan_print, read_print
from connector.orders.refresh import REFRESH
from connector.settings import Settings
from connector.storage.audit import Actor
from connector.store import Offer, RateCall
from connector.stores.sandbox import SandboxStore
from connector.wiring import House, open_house
from connector.work.port import Task
from tests.cli.shell import shell_in
from tests.e2e.processes import own_environment
from tests.http.desk.counter import BUYER, POT, a_cart
from tests.simulators.easypost_control import EasyPostControl
from tests.simulators.easypost_world import UNDELIVERABLE
from tests.simulators.server import serve_in_child

SECONDS, BUY_S, FAILURES = 90.0, 0.9, 0.05
CEILING_S = 100.0
"""Within which EasyPost may still take a purchase that was not answered."""
LOST = ("dropped_after_effect", "dropped_after_effect", "dropped")
"""What happens to one purchase of twenty in the second run, in turn: sold, sold, not sold, and never answered."""
_ANNA = Actor("person", "anna")
_BUYER = replace(BUYER, phone="+43 1 9990000")
_PATIENCE_S = 900.0


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    parser.add_argument("--labels", type=int, default=500)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch, serve_in_child("tests.simulators.easypost") as url:
        plain = _run(Path(scratch) / "plain", url, given.labels, kills=0)
        killed = _run(Path(scratch) / "killed", url, given.labels, kills=2)
    say("batch_seconds", plain["seconds"], "s", SECONDS, given)
    say("batch_killed_seconds", killed["seconds"], "s", SECONDS + CEILING_S + 30, given)
    say("batch_print_seconds", plain["print_s"], "s", 15.0, given)
    unclear = killed["unclear"]
    if not unclear:
        sys.exit("no purchase was unclear")
    say("batch_unclear_seconds", max(unclear), "s", CEILING_S + 30, given)
    if plain["outcomes"] != killed["outcomes"]:
        sys.exit("the run that was killed ended otherwise")
    bought = sum(outcome == "bought" for outcome in plain["outcomes"])
    for each in (plain, killed):
        if (each["pages"], each["sold"]) != (bought, bought):
            sys.exit(f"{each['pages']} pages and {each['sold']} sales for {bought} labels")
    counts = {outcome: plain["outcomes"].count(outcome) for outcome in sorted(set(plain["outcomes"]))}
    print(json.dumps({"outcomes": counts}) if given.json else f"outcomes of both: {counts}", flush=True)
    told = {"unclear": len(unclear), "median_s": round(median(unclear), 1), "largest_s": round(max(unclear), 1)}
    print(json.dumps(told) if given.json else f"unclear in the second run: {told}", flush=True)


def _run(folder: Path, carrier_url: str, count: int, kills: int) -> dict[str, Any]:
    """One batch, from the click to the print."""
    carrier = EasyPostControl(carrier_url)
    carrier.reset()
    if kills:
        _lose_some(carrier, count)
    carrier.fault("buy", "slow", times=100_000, seconds=BUY_S)
    shell = shell_in(folder / "data", allow_private_addresses="true")
    shell.json("shop", "add", "sandbox", "--domain", "batch.sandbox.example")
    named = ("--api-key", "EZTK-bench", "--webhook-secret", "bench-secret", "--api-base", carrier_url)
    shell.json("carrier", "add", "batch.sandbox.example", "easypost", *named)
    shell.json("settings", "batch.sandbox.example", "buy=manual", "exchange_rates=USD/EUR:0.92")
    house = open_house(Settings(data_dir=folder / "data", allow_private_addresses=True))
    worker = _Worker(folder)
    try:
        return asyncio.run(_play(house, worker, count, kills)) | {"sold": len(carrier.state()["purchases"])}
    finally:
        worker.end()
        house.close()


def _lose_some(carrier: EasyPostControl, count: int) -> None:
    """One purchase of twenty goes as LOST says."""
    for number in range(count // 20):
        carrier.fault("buy", "slow", times=19, seconds=BUY_S)
        carrier.fault("buy", LOST[number % len(LOST)])


class _Worker:
    """The product's own worker, as `waybill work` runs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        given = {"WAYBILL_DATA_DIR": str(self._folder / "data"), "WAYBILL_ALLOW_PRIVATE_ADDRESSES": "true"}
        with (self._folder / "worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "connector.cli", "work"], env=own_environment(given), stdout=log, stderr=log
            )

    def kill(self, meanwhile: Callable[[], object]) -> None:
        """SIGKILL, and the next one at once, as the supervisor would."""
        self._child.kill()
        self._child.wait()
        meanwhile()
        self._child = self._start()

    def end(self) -> None:
        self._child.terminate()
        self._child.wait()


async def _play(house: House, worker: _Worker, count: int, kills: int) -> dict[str, Any]:
    await house.directory.refresh()
    (shop,) = house.directory.shops()
    await _place(house, shop, count)
    batch_id = house.here(batches.make, shop.id, _waiting(house, shop.id), _ANNA, house.clock.now())
    unclear, losing = Unclear(house.database, shop.id), kills > 0
    began = time.monotonic()
    house.here(batches.buy, house.work, shop.id, batch_id, _ANNA, house.clock.now())
    while True:
        batch = house.database.look_here(batches.load, shop.id, batch_id)
        if kills and len(batch.items) - batch.open >= count * (3 - kills) // 4:
            worker.kill(lambda: unclear.look(dead=True))
            kills -= 1
        if not batch.open:
            break
        if time.monotonic() - began > _PATIENCE_S:
            sys.exit(f"after {_PATIENCE_S:.0f} s {batch.open} orders are still open")
        if losing:
            unclear.look()
        await asyncio.sleep(0.5)
    seconds = time.monotonic() - began
    began = time.monotonic()
    plan = house.here(plan_print, house.keyring, shop, batch.parcels, What(slips=False), "4x6", UTC)
    plan, printed = await read_print(house.shelf, plan, house.settings.fonts)
    print_s = time.monotonic() - began
    texts = [page.extract_text() for page in PdfReader(io.BytesIO(printed.pdf)).pages]
    names = [each.order for each in plan.parcels]
    if wrong := [(name, text) for name, text in zip(names, texts, strict=True) if name not in text]:
        sys.exit(f"the pages are not in the batch's order: {wrong[0]}")
    outcomes = [item.outcome for item in batch.items]
    figures = {"seconds": seconds, "print_s": print_s, "outcomes": outcomes, "pages": printed.pages}
    return figures | {"unclear": unclear.took()}


def _waiting(house: House, shop_id: str) -> list[str]:
    found = house.here(batches.matching, shop_id, OrderFilter(not_bought=True))
    return cast("list[str]", found)


async def _place(house: House, shop: Any, count: int) -> None:
    """Buyers ask once and pay; one of twenty has an address to which the carrier sells no label."""
    random = Random(7)
    bad = set(random.sample(range(count), round(count * FAILURES)))
    _, row = await house.quote_desk.answer(shop.quoting, RateCall(a_cart((POT,))))
    await house.ledger.flush()
    chosen = row.decision.offers[0]
    offer = Offer(chosen.code, chosen.name, Money(chosen.minor, chosen.currency))
    keeper = cast("SandboxStore", shop.store).shopkeeper
    for number in range(count):
        to = replace(_BUYER, street1=UNDELIVERABLE) if number in bad else _BUYER
        placed = await keeper.place_order([(a_cart((POT,)), offer)], to=to, email=f"buyer{number}@example.com")
        await keeper.mark_paid(placed.order_id)
        task = Task(REFRESH, f"bench:{placed.order_id}", shop.id, (placed.order_id,))
        await house.database.run(house.work.enqueue, task)
    end = time.monotonic() + _PATIENCE_S
    while len(_waiting(house, shop.id)) < count:
        if time.monotonic() > end:
            sys.exit("the worker did not read the orders")
        await asyncio.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1:])
