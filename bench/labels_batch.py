"""A batch of labels on a real worker against a carrier of 0.9 s purchases and 5 % failures; again with two kills.

Store and carrier are the sandbox's; its purchases are made slow, and one address of twenty is refused. The second run
kills the worker (SIGKILL) twice; both print one file in the batch's order. JSON lines: name, value, unit, floor (what
it must reach), ratio (1 or more holds), n.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

from pypdf import PdfReader

from carriers.money import Money
from connector.orders import batches
from connector.orders.listing import OrderFilter
from connector.orders.print_set import What, plan_print, read_print
from connector.orders.refresh import REFRESH
from connector.settings import Settings
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.store import Offer, RateCall
from connector.stores.sandbox import SandboxStore
from connector.wiring import House, open_house
from connector.work.port import Task
from tests.cli.worlds import make_shop
from tests.http.desk.counter import BUYER, POT, a_cart

SECONDS, BUY_S, FAILURES = 90.0, 0.9, 0.05
_ANNA = Actor("person", "anna")
_PATIENCE_S = 900.0


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    parser.add_argument("--labels", type=int, default=500)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        plain = _run(Path(scratch) / "plain", given.labels, kills=0)
        killed = _run(Path(scratch) / "killed", given.labels, kills=2)
    _say("batch_seconds", plain["seconds"], "s", SECONDS, given)
    _say("batch_killed_seconds", killed["seconds"], "s", SECONDS + 2 * 20 + 30, given)
    _say("batch_print_seconds", plain["print_s"], "s", 15.0, given)
    if plain["outcomes"] != killed["outcomes"]:
        sys.exit("the run that was killed ended otherwise")
    for each in (plain, killed):
        if each["pages"] != each["outcomes"]["bought"] or each["sold"] != each["pages"]:
            sys.exit(f"{each['pages']} pages and {each['sold']} sales for {each['outcomes']}")
    print(json.dumps({"outcomes": plain["outcomes"]}) if given.json else f"outcomes: {plain['outcomes']}", flush=True)


def _run(folder: Path, count: int, kills: int) -> dict[str, Any]:
    """One batch, from the click to the print."""
    data = make_shop(_made(folder)).folder
    faults = {"purchase_s": BUY_S}
    house = open_house(Settings(data_dir=data))
    try:
        return asyncio.run(_play(house, data, count, kills, faults))
    finally:
        house.close()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def _play(house: House, data: Path, count: int, kills: int, faults: dict[str, float]) -> dict[str, Any]:
    await house.directory.refresh()
    (shop,) = house.directory.shops()
    body = {"buy": "manual"}
    house.here(settings_versions.publish, shop.id, body, _ANNA, house.clock.now())
    await house.directory.refresh()
    (shop,) = house.directory.shops()
    worker = _worker(data, faults)
    try:
        await _place(house, shop, count)
        batch_id = house.here(batches.make, shop.id, _waiting(house, shop.id), _ANNA, house.clock.now())
        began = time.monotonic()
        house.here(batches.buy, house.work, shop.id, batch_id, _ANNA, house.clock.now())
        while True:
            batch = house.here(batches.load, shop.id, batch_id)
            done = len(batch.items) - batch.open
            if kills and done >= count * (3 - kills) // 4:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
                worker, kills = _worker(data, faults), kills - 1
            if not batch.open:
                break
            if time.monotonic() - began > _PATIENCE_S:
                sys.exit(f"after {_PATIENCE_S:.0f} s {batch.open} orders are still open")
            await asyncio.sleep(0.5)
        seconds = time.monotonic() - began
        began = time.monotonic()
        plan = house.here(plan_print, house.keyring, shop, batch.parcels, What(slips=False), "4x6", house_zone())
        plan, printed = await read_print(house.shelf, plan, house.settings.fonts)
        print_s = time.monotonic() - began
        texts = [page.extract_text() for page in PdfReader(io.BytesIO(printed.pdf)).pages]
        names = [each.order for each in plan.parcels]
        if wrong := [(name, text) for name, text in zip(names, texts, strict=True) if name not in text]:
            sys.exit(f"the pages are not in the batch's order: {wrong[0]}")
        outcomes = {"bought": batch.count("bought"), "refused": batch.count("stopped")}
        carrier = cast("Any", next(iter(shop.accounts.values())).connection)
        sold = await getattr(carrier, "connection", carrier).purchases()
        return {"seconds": seconds, "print_s": print_s, "outcomes": outcomes,
                "pages": printed.pages, "sold": sold}  # fmt: skip
    finally:
        worker.terminate()
        worker.wait()


def house_zone() -> Any:
    """UTC: nothing in a print of labels depends on it."""
    from datetime import UTC

    return UTC


def _waiting(house: House, shop_id: str) -> list[str]:
    found = house.here(batches.matching, shop_id, OrderFilter(not_bought=True))
    return cast("list[str]", found)


async def _place(house: House, shop: Any, count: int) -> None:
    """Buyers ask once and pay; one of twenty has an address that the carrier refuses at the purchase."""
    from dataclasses import replace

    random = Random(7)
    bad = set(random.sample(range(count), round(count * FAILURES)))
    _, row = await house.quote_desk.answer(shop.quoting, RateCall(a_cart((POT,))))
    await house.ledger.flush()
    chosen = row.decision.offers[0]
    offer = Offer(chosen.code, chosen.name, Money(chosen.minor, chosen.currency))
    keeper = cast("SandboxStore", shop.store).shopkeeper
    for number in range(count):
        to = replace(BUYER, city="SANDBOX-REFUSE") if number in bad else BUYER
        placed = await keeper.place_order([(a_cart((POT,)), offer)], to=to, email=f"buyer{number}@example.com")
        await keeper.mark_paid(placed.order_id)
        task = Task(REFRESH, f"bench:{placed.order_id}", shop.id, (placed.order_id,))
        await house.database.run(house.work.enqueue, task)
    end = time.monotonic() + _PATIENCE_S
    while len(_waiting(house, shop.id)) < count:
        if time.monotonic() > end:
            sys.exit("the worker did not read the orders")
        await asyncio.sleep(1)


def _worker(data: Path, faults: dict[str, float]) -> subprocess.Popen[bytes]:
    environment = dict(os.environ) | {"WAYBILL_DATA_DIR": str(data), "WAYBILL_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "bench._labels_worker", str(faults["purchase_s"])]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _say(name: str, value: float, unit: str, bar: float, given: argparse.Namespace) -> None:
    machine = f"{platform.machine()} {os.cpu_count()} cores, CPython {platform.python_version()}"
    if given.json:
        line = {"name": name, "value": round(value, 3), "unit": unit, "floor": bar, "ratio": round(bar / value, 3)}
        print(json.dumps(line | {"n": given.labels, "machine": machine}), flush=True)
    else:
        print(f"{name:28} {value:9.2f} {unit:4} at most {bar:g}, ratio {bar / value:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
