"""Packing: real orders into cartons, containers, a thousand units; each plan through the independent checker.

Times are CPU time of this process (`time.process_time`), the least of three runs an order, because other work may share
the cores. JSON lines: name, value, unit, floor (what it must reach), ratio (how far beyond it: 1 or more holds), n.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Literal, TypeVar

from connector.packing.carton import Carton
from connector.packing.goods import Extents, Goods
from connector.packing.load import Loaded, load
from connector.packing.pack import pack
from connector.packing.result import Left, PackedCarton, Packing
from connector.packing.rules import Rules
from connector.packing.tables import Instance, read_cartons, read_orders, read_thpack
from connector.words.reason import Reason
from tests.packing.checker import faults

_HERE = Path(__file__).resolve().parent.parent
_REFERENCE = Path(os.environ.get("WAYBILL_REFERENCE_DIR", _HERE.parent / "shared" / "reference")) / "packing"
_RUNS = 3
_MILLISECONDS = (("p50", 0.50, 0.5), ("p99", 0.99, 8.0), ("max", 1.0, 60.0))
_FILLS = (("thpack1", 0.88, 0.796), ("thpack3", 0.87, 0.793), ("thpack5", 0.87, 0.787), ("thpack7", 0.86, 0.773))


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    parser.add_argument("--every", type=int, default=1, help="take every n-th order and instance only")
    given = parser.parse_args(arguments)
    if not _REFERENCE.is_dir():
        sys.exit(f"No reference data at {_REFERENCE}; set WAYBILL_REFERENCE_DIR.")
    say = _speaker(as_json=given.json)
    _orders(say, given.every)
    _containers(say, given.every)
    _thousand(say)


T = TypeVar("T")
Say = Callable[[str, float, str, float, bool, int], None]


def _speaker(*, as_json: bool) -> Say:
    machine = f"{platform.machine()} {os.cpu_count()} cores, CPython {platform.python_version()}"

    def say(name: str, value: float, unit: str, floor: float, more: bool, n: int) -> None:
        ratio = (value / floor if more else floor / value if value else 0.0) if floor else 0.0
        if as_json:
            line = {"name": name, "value": round(value, 4), "unit": unit, "floor": floor, "ratio": round(ratio, 3)}
            print(json.dumps(line | {"n": n, "machine": machine}), flush=True)
        else:
            bar = f"{'at least' if more else 'at most'} {floor:g}, ratio {ratio:.2f}" if floor else "no bar"
            print(f"{name:36} {value:12.4f} {unit:8} {bar} (n = {n})", flush=True)

    return say


def _orders(say: Say, every: int) -> None:
    with gzip.open(_REFERENCE / "orders.csv.gz", "rt", encoding="utf-8") as lines:
        orders = dict(list(read_orders(lines).items())[::every])
    with (_REFERENCE / "cartons.csv").open(encoding="utf-8") as lines:
        cartons = read_cartons(lines)
    with (_REFERENCE / "boxpacker-result.csv").open(encoding="utf-8") as lines:
        known = {row[0]: (int(row[1]), float(row[2])) for row in csv.reader(lines) if row[0] in orders}
    objectives: tuple[Literal["count", "billed"], ...] = ("count", "billed")
    for objective in objectives:
        rules = Rules(objective=objective)
        count, billed, wrong, times = 0, 0, 0, []
        for goods in orders.values():
            packing, least = _timed(partial(pack, goods, cartons, rules))
            times.append(least)
            count += len(packing.cartons)
            billed += packing.billed
            wrong += bool(faults(goods, cartons, rules, packing) or packing.left)
        if objective == "count":
            say(
                "orders/count/cartons",
                count,
                "cartons",
                sum(each[0] for each in known.values()) - 1,
                False,
                len(orders),
            )
        else:
            floor = 0.98 * sum(each[1] for each in known.values()) / 1000
            say("orders/billed/weight", billed / 1000, "kg", round(floor, 3), False, len(orders))
        say(f"orders/{objective}/sound", len(orders) - wrong, "orders", len(orders), True, len(orders))
        times.sort()
        for name, share, bar in _MILLISECONDS:
            value = times[min(len(times) - 1, int(len(times) * share))]
            say(f"orders/{objective}/{name}", value, "ms", bar, False, len(orders))


def _containers(say: Say, every: int) -> None:
    for support in (0, 1):
        for name, free, supported in _FILLS:
            with (_REFERENCE / f"{name}.txt").open(encoding="utf-8") as lines:
                instances = read_thpack(lines)[::every]
            fills, times, wrong = [], [], 0
            for instance in instances:
                loaded, least = _timed(partial(load, instance.goods, instance.room, support=support), runs=1)
                fills.append(loaded.fill)
                times.append(least)
                wrong += bool(_faults_of(instance, loaded, support))
            where = f"{name}/support={support}"
            say(f"{where}/fill", mean(fills), "share", supported if support else free, True, len(fills))
            say(f"{where}/median", median(times), "ms", 50, False, len(fills))
            say(f"{where}/sound", len(fills) - wrong, "loads", len(fills), True, len(fills))


def _faults_of(instance: Instance, loaded: Loaded, support: float) -> list[str]:
    carton = Carton("container", instance.room, instance.room)
    inside: dict[str, int] = {}
    for placed in loaded.placed:
        inside[placed.key] = inside.get(placed.key, 0) + placed.units
    left = tuple(
        Left(goods.key, goods.quantity - inside.get(goods.key, 0), Reason("pack_no_carton", {}))
        for goods in instance.goods
        if goods.quantity > inside.get(goods.key, 0)
    )
    parcel = PackedCarton(carton, instance.room, instance.room, 0, 0, 0, loaded.placed, 0)
    packing = Packing((parcel,), left, loaded.steps)
    return faults(instance.goods, [carton], Rules(divisor=None, support=support), packing)


def _thousand(say: Say) -> None:
    """A thousand units of 50, 200 and 1,000 sizes, from the real orders and at random."""
    with gzip.open(_REFERENCE / "orders.csv.gz", "rt", encoding="utf-8") as lines:
        pool = [goods for order in read_orders(lines).values() for goods in order]
    with (_REFERENCE / "cartons.csv").open(encoding="utf-8") as lines:
        cartons = read_cartons(lines)
    for sorts in (50, 200, 1000):
        pick = random.Random(sorts)
        goods = [
            Goods(f"s{number}", 1000 // sorts, each.size, each.weight)
            for number, each in enumerate(pick.sample(pool, min(sorts, 200)))
        ]
        if sorts == 1000:
            goods = [
                Goods(f"s{n}", 1, Extents(*(pick.randint(20, 200) for _ in range(3))), pick.randint(50, 900))
                for n in range(sorts)
            ]
        rules = Rules(objective="billed")
        packing, least = _timed(partial(pack, goods, cartons, rules))
        wrong = faults(goods, cartons, rules, packing)
        say(f"thousand/{sorts} sizes", least, "ms", 100, False, 1000)
        say(f"thousand/{sorts} sizes/sound", float(not wrong), "carts", 1, True, 1)


def _timed(work: Callable[[], T], runs: int = _RUNS) -> tuple[T, float]:
    """The result, and the least CPU time of the runs in ms."""
    least = float("inf")
    for _ in range(runs):
        start = time.process_time()
        result = work()
        least = min(least, (time.process_time() - start) * 1000)
    return result, least


if __name__ == "__main__":
    main(sys.argv[1:])
