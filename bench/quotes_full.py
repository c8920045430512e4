"""First-time quotes with packing and 50 rules on, beside the same floor as the plain ones."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench._quotes_client import Line, closed_loop
from bench._quotes_world import SECRET, Shop, _cart, _settings, build, free_port, house_process, process, signed
from connector import shop_settings
from connector.catalogue import keep
from connector.catalogue.keep import OwnRow
from connector.catalogue.product import Values
from connector.storage import settings_versions
from connector.storage.audit import Actor
from connector.wiring import open_house

_VARIANTS = 400
_RULES = 50
_ITEMS = 8
_ROUNDS = 5
_CARTONS = ((210, 160, 110, 90), (310, 220, 160, 150), (410, 310, 210, 300), (610, 410, 410, 700))
CPUEach = Callable[[int, int, str, int, Callable[[int], bytes]], float]
Say = Callable[[str, float, str, float, int], None]


def full(say: Say, folder: Path, cpu_each: CPUEach, *, quick: bool) -> None:
    """First-time quotes of eight items (edges of 3 to 15 cm), four cartons, 50 rules, three tables of four services."""
    count, rounds = (300, 3) if quick else (1500, _ROUNDS)
    (shop,) = build(folder, [{"tables": 3}])
    _furnish(folder, shop)
    port, floor_port = free_port(), free_port()
    with ExitStack() as stack:
        ours = stack.enter_context(house_process(folder, port))
        status, answer = asyncio.run(_once(port, shop.path, full_cart(0)))
        if status != 200 or answer.count(b"service_code") != 12:
            sys.exit(f"The shop does not answer as it should: {status} {answer[:300]!r}")
        (folder / "floor.json").write_bytes(answer)
        floor = stack.enter_context(
            process(
                "-m", "bench._quotes_floor", str(floor_port), SECRET, str(folder / "floor.json"),
                ready=f"http://127.0.0.1:{floor_port}/",
            )
        )  # fmt: skip
        floors, firsts, body = [], [], full_cart(0)
        for number in range(rounds):
            floors.append(cpu_each(floor, floor_port, shop.path, 2500, lambda _number: body))
            start = 1 + number * count
            firsts.append(cpu_each(ours, port, shop.path, count, lambda n, start=start: full_cart(start + n)))
        say("full_cpu", median(firsts) * 1e6, "us", median(floors) * 1e6, count * rounds)
        bodies = [(cart := full_cart(100_000 + number), signed(cart)) for number in range(count * 2)]

        async def ask(line: Line, number: int) -> None:
            cart, headers = bodies[number]
            status, _ = await line.post(shop.path, cart, headers)
            if status != 200:
                sys.exit(f"A full quote was answered with {status}.")

        times, seconds = asyncio.run(closed_loop(port, 8, len(bodies), ask))
        say("full_rate", len(times) / seconds, "1/s", 450, len(times))


def full_cart(number: int) -> bytes:
    """A cart that was never asked for before: eight lines of four of the shop's products, two of each."""
    draw = random.Random(number)
    chosen = draw.sample(range(1, _VARIANTS + 1), _ITEMS // 2) * 2
    return _cart(f"{10000 + number % 900:05}", [(variant, 100 + variant % 400) for variant in chosen])


def _furnish(folder: Path, shop: Shop) -> None:
    """Give the shop its catalogue, cartons and rules."""
    house, draw = open_house(_settings(folder)), random.Random(5)
    rows = []
    for variant in range(1, _VARIANTS + 1):
        length, width, height = (draw.randrange(30, 150) for _ in range(3))
        rows.append(OwnRow(str(variant), "", Values(length_mm=length, width_mm=width, height_mm=height)))
    cartons: list[dict[str, Any]] = [
        {"name": f"box {index}", "length_mm": a, "width_mm": b, "height_mm": c, "tare_g": tare}
        for index, (a, b, c, tare) in enumerate(_CARTONS)
    ]
    rules = [_rule(index) for index in range(_RULES)]
    body = {"packing": {"cartons": cartons}, "rules": {"rules": rules}}
    body = shop_settings.dump(shop_settings.load(body))
    now, actor = house.clock.now(), Actor("command", "bench")
    house.database.run_here(keep.put_own, shop.id, rows)
    house.database.run_here(settings_versions.publish, shop.id, body, actor, now)
    house.close()


def _rule(index: int) -> dict[str, Any]:
    """A rule that looks at the cart, and now and then changes a price."""
    if index % 5 == 0:
        when = [{"kind": "country_in", "countries": ["US"]}]
    else:
        when = [{"kind": "subtotal_at_least", "amount": f"{1000 + index}.00", "currency": "USD"}]
    return {"name": f"Rule {index}", "when": when, "then": [{"kind": "percent_change", "percent": "1"}]}


async def _once(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    line = Line(port)
    answer = await line.post(path, body, signed(body))
    line.close()
    return answer
