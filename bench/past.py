"""Past quotes: 10,000 mixed ones, replayed byte for byte after a restart, and answered again under other settings."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.start import machine
from connector.cli.settings import change_settings
from connector.settings import Settings
from connector.store import Incoming, RateCall
from connector.wiring import House, open_house
from tests.e2e.processes import ROOT

DOMAIN = "past.sandbox.example"
DIFF_LIMIT_S = 10.0
PLACES = (
    {"country": "SK", "postal_code": "811 01", "city": "Bratislava"},
    {"country": "AT", "postal_code": "1010", "city": "Wien"},
    {"country": "US", "province": "NY", "postal_code": "10001", "city": "New York"},
    {"country": "GB", "postal_code": "SW1A 1AA", "city": "London"},
    {"country": "SK", "postal_code": "040 01", "city": "SANDBOX-NOWHERE"},
    {"country": "SK", "postal_code": "040 01", "city": "SANDBOX-DOWN"},
    {},
)
VERSIONS: tuple[dict[str, str], ...] = (
    {"threshold": "60", "markup_percent": "5"},
    {"default_carton": "300x200x150:180:20000", "default_item_weight_g": "350"},
    {"backup": "safety", "safety_rates": "Standard:standard:6.90,Express:express:14.90"},
    {"markup_fixed": "0.50", "price_basis": "list", "exchange_rates": "USD/EUR:0.92"},
)


def request(chance: random.Random) -> bytes:
    """One checkout's rate request: any goods, places, and gaps."""
    items: list[dict[str, Any]] = []
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        number = chance.randrange(400)
        item: dict[str, Any] = {
            "quantity": chance.choice((1, 1, 1, 2, 5, 40)),
            "price": f"{chance.randrange(100, 9000) / 100:.2f}",
            "sku": f"SKU-{number}",
            "name": f"Thing {number} ☕",
            "variant_id": f"variant-{number}",
        }
        if chance.random() < 0.95:
            item["grams"] = chance.randrange(20, 4000)
        items.append(item)
    body = {"currency": "USD" if chance.random() < 0.1 else "EUR", "items": items}
    place = chance.choice(PLACES)
    return json.dumps(body | ({"destination": place} if place else {})).encode()


async def fill(folder: Path, count: int, seed: int) -> None:
    """Answer `count` rate calls, under settings that change on the way."""
    chance, house = random.Random(seed), open_house(Settings(data_dir=folder))
    try:
        await house.directory.refresh()
        for part in range(len(VERSIONS) + 1):
            if part:
                await change_settings(house, _shop(house).id, VERSIONS[part - 1])
                await house.directory.refresh()
            for _ in range(count // (len(VERSIONS) + 1)):
                await _answer(house, request(chance))
            await house.ledger.flush()
        for _ in range(count % (len(VERSIONS) + 1)):
            await _answer(house, request(chance))
        await house.ledger.flush()
    finally:
        await house.aclose()


def _shop(house: House) -> Any:
    return next(each for each in house.directory.shops() if each.domain == DOMAIN)


async def _answer(house: House, raw: bytes) -> None:
    shop = _shop(house)
    call = shop.store.read_rate_call(Incoming({}, {}, raw, DOMAIN))
    if not isinstance(call, RateCall):
        raise TypeError(call)
    await house.quote_desk.answer(shop.quoting, call, time.monotonic())


def waybill(data: Path, *arguments: str) -> dict[str, Any]:
    """The JSON answer of a command in a process of its own."""
    command = [sys.executable, "-m", "connector.cli", *arguments, "--json"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    done = subprocess.run(
        command, cwd=ROOT, env=env | {"WAYBILL_DATA_DIR": str(data)}, capture_output=True, timeout=300, check=False
    )
    if not done.stdout:
        raise RuntimeError(done.stderr.decode())
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(folder: Path, quotes: int, compared: int, seed: int) -> list[dict[str, object]]:
    """Make them in this process; replay and compare in new ones, as after a restart."""
    data = folder / "data"
    waybill(data, "shop", "add", "sandbox", "--domain", DOMAIN)
    waybill(data, "carrier", "add", DOMAIN, "sandbox")
    asyncio.run(fill(data, quotes, seed))
    replayed = waybill(data, "quote", "replay", "--all")
    wanted = folder / "other.txt"
    wanted.write_text("threshold = 40\nmarkup_percent = 8\n")
    floor = _seconds(lambda: waybill(data, "quote", "diff", DOMAIN, "--with", str(wanted), "--last", "1"))
    found: dict[str, Any] = {}
    took = _seconds(
        lambda: found.update(waybill(data, "quote", "diff", DOMAIN, "--with", str(wanted), "--last", str(compared)))
    )
    usual = {"floor": None, "ratio": None, "machine": machine()}
    return [
        {"name": "replayed", "value": replayed["answers"], "unit": "quotes", "n": quotes, **usual},
        {"name": "replayed_not_same", "value": replayed["not_same"], "unit": "quotes", "n": quotes, **usual},
        {
            "name": "diff_time",
            "value": round(took, 2),
            "unit": "s",
            "n": found["answers"],
            "floor": round(floor, 2),
            "ratio": round(took / floor, 2),
            "machine": machine(),
        },
        {"name": "diff_changed", "value": found["changed"], "unit": "quotes", "n": found["answers"], **usual},
    ]


def _seconds(act: Any) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if one quote is not the same any more, or the comparison is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--quotes", type=int, default=10_000)
    parser.add_argument("--compared", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waybill-past-") as place:
        lines = measure(Path(place), given.quotes, given.compared, given.seed)
    for line in lines:
        print(json.dumps(line) if given.json else f"{line['name']}: {line['value']} {line['unit']} of {line['n']}")
    by_name = {str(line["name"]): float(str(line["value"])) for line in lines}
    good = by_name["replayed"] == given.quotes and by_name["replayed_not_same"] == 0
    return int(not (good and by_name["diff_time"] <= DIFF_LIMIT_S))


if __name__ == "__main__":
    sys.exit(main())
