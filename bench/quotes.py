"""Quotes: processor time and rate beside a bare application, slow and broken carriers, a cold shop, memory.

Everything runs on this machine's loopback: Waybill's web process, the floor, and live carriers that answer slowly, fail
and hang. Ratios are taken within one run, processor time from the kernel's account of the server's threads. JSON lines:
name, value, unit, floor (what it is measured against or must keep), ratio (value / floor), n, machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench._quotes_client import Line, closed_loop, cpu_s, open_loop, rss_mb, share
from bench._quotes_world import (
    ROOT,
    SECRET,
    Shop,
    build,
    carrier_process,
    free_port,
    fresh_cart,
    house_process,
    live_cart,
    process,
    read,
    rehearse,
    signed,
)
from bench.quotes_full import full

_SLOWEST_S = "2.5"
_ROUND_TRIP_S = 0.12
_ROUNDS = 5


class Say:
    """Prints figures as they come."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._machine = f"{platform.machine()} {os.cpu_count()} cores, CPython {platform.python_version()}"

    def __call__(self, name: str, value: float, unit: str, floor: float, n: int) -> None:
        """One figure."""
        ratio = round(value / floor, 3) if floor else None
        if self._as_json:
            line = {"name": name, "value": round(value, 4), "unit": unit, "floor": round(floor, 4), "ratio": ratio}
            print(json.dumps(line | {"n": n, "machine": self._machine}), flush=True)
        else:
            print(f"{name:24} {value:12.4f} {unit:10} floor {floor:10.4f}  ratio {ratio}  (n = {n})", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    names = [each.__name__ for each in _SECTIONS]
    long = " and ".join(each.__name__ for each in _LONG)
    parser.add_argument("--quick", action="store_true", help=f"short runs, without {long} unless named: 2 minutes")
    parser.add_argument("--only", metavar="NAME,...", help=f"some sections of {', '.join(names)}")
    given = parser.parse_args(arguments)
    only = given.only.split(",") if given.only else []
    if unknown := set(only) - set(names):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    say = Say(as_json=given.json)
    for section in _SECTIONS:
        if section.__name__ in only or not (only or (given.quick and section in _LONG)):
            with tempfile.TemporaryDirectory(prefix="waybill-bench-") as folder:
                section(say, Path(folder), given.quick)


def _empty(status: int, body: bytes) -> bool:
    return status == 200 and b'"rates":[]' in body


# --- processor time ---------------------------------------------------------------------------------------------------


def cpu(say: Say, folder: Path, quick: bool) -> None:
    """Repeats and first-time quotes from three tables of four services, beside the floor."""
    count, fresh = (2500, 700) if quick else (4000, 3000)
    (shop,) = build(folder, [{"tables": 3}])
    port, floor_port = free_port(), free_port()
    body = fresh_cart(0)
    with ExitStack() as stack:
        ours = stack.enter_context(house_process(folder, port))
        status, answer = asyncio.run(_once(port, shop.path, body))
        if status != 200 or answer.count(b"service_code") != 12:
            sys.exit(f"The shop does not answer as it should: {status} {answer[:300]!r}")
        (folder / "floor.json").write_bytes(answer)
        floor = stack.enter_context(
            process(
                "-m", "bench._quotes_floor", str(floor_port), SECRET, str(folder / "floor.json"),
                ready=f"http://127.0.0.1:{floor_port}/",
            )
        )  # fmt: skip
        repeats, floors, firsts = [], [], []
        rounds = 3 if quick else _ROUNDS
        for number in range(rounds):
            floors.append(_cpu_each(floor, floor_port, shop.path, count, lambda _number: body))
            repeats.append(_cpu_each(ours, port, shop.path, count, lambda _number: body))
            start = 1 + number * fresh
            firsts.append(_cpu_each(ours, port, shop.path, fresh, lambda n, start=start: fresh_cart(start + n)))
        least = median(floors)
        say("repeat_cpu", median(repeats) * 1e6, "us", least * 1e6, count * rounds)
        say("fresh_cpu", median(firsts) * 1e6, "us", least * 1e6, fresh * rounds)
        bodies = [(cart := fresh_cart(100_000 + number), signed(cart)) for number in range(fresh * 2)]

        async def ask(line: Line, number: int) -> None:
            cart, headers = bodies[number]
            status, _ = await line.post(shop.path, cart, headers)
            if status != 200:
                sys.exit(f"A first-time quote was answered with {status}.")

        times, seconds = asyncio.run(closed_loop(port, 8, len(bodies), ask))
        say("fresh_rate", len(times) / seconds, "1/s", 800, len(times))
        say("fresh_p95", share(times, 0.95) * 1000, "ms", 20, len(times))


async def _once(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    line = Line(port)
    answer = await line.post(path, body, signed(body))
    line.close()
    return answer


def _cpu_each(pid: int, port: int, path: str, count: int, body_of: Callable[[int], bytes]) -> float:
    """Processor seconds of the server for one request, and all that it did behind it."""
    bodies = [(body := body_of(number), signed(body)) for number in range(count)]

    async def ask(line: Line, number: int) -> None:
        body, headers = bodies[number]
        status, _ = await line.post(path, body, headers)
        if status != 200:
            sys.exit(f"A quote was answered with {status}.")

    before = cpu_s(pid)
    asyncio.run(closed_loop(port, 4, count, ask))
    time.sleep(0.5)  # What is written behind the answers counts.
    return (cpu_s(pid) - before) / count


# --- carriers that are slow, broken or hung ---------------------------------------------------------------------------


def coalesced(say: Say, folder: Path, quick: bool) -> None:  # noqa: ARG001  Short as it is.
    """A hundred equal quotes at once, and the same again: how often the carrier was called."""
    port, carrier = free_port(), free_port()
    (shop,) = build(folder, [{"carriers": [carrier]}])
    body = live_cart(random.Random(1))

    async def ask(line: Line, _number: int) -> None:
        await line.post(shop.path, body, signed(body))

    with carrier_process(carrier, 0.6, 0.6), house_process(folder, port):
        asyncio.run(closed_loop(port, 100, 100, ask))
        asyncio.run(closed_loop(port, 20, 100, ask))
        say("coalesced_calls", int(read(f"http://127.0.0.1:{carrier}/calls")), "calls", 1, 200)


def hung(say: Say, folder: Path, quick: bool) -> None:
    """One account hangs for 30 s: the shop's answers keep the hard deadline, with all other carriers' prices."""
    port, well, ill = free_port(), free_port(), free_port()
    (shop,) = build(folder, [{"tables": 1, "carriers": [well, ill]}])
    draw, count = random.Random(5), 60 if quick else 400
    bodies = [(cart := live_cart(draw), signed(cart)) for _ in range(count)]
    lacking = 0

    async def ask(line: Line, number: int) -> None:
        nonlocal lacking
        cart, headers = bodies[number]
        status, answer = await line.post(shop.path, cart, headers)
        lacking += status != 200 or answer.count(b"service_code") < 7  # Four of the table, three of the carrier.

    with carrier_process(well, 0.1, 0.3), carrier_process(ill, 0, 0), house_process(folder, port):
        read(f"http://127.0.0.1:{ill}/hang/1", post=True)
        times = asyncio.run(open_loop(port, 12, count / 12, ask))
    say("hung_p99", share(times, 0.99) * 1000, "ms", float(_SLOWEST_S) * 1000 + 100, len(times))
    say("hung_lacking", lacking, "answers", 0, len(times))


def bystander(say: Say, folder: Path, quick: bool) -> None:
    """200 requests in flight to a hung account of one shop, and the p95 of another shop with tables."""
    port, ill = free_port(), free_port()
    sick, other = build(folder, [{"carriers": [ill], "settings": {"hard_deadline_ms": "9000"}}, {"tables": 3}])
    seconds, draw = 1.5 if quick else 5.0, random.Random(6)
    asked = iter(range(1_000_000))

    async def ask(line: Line, _number: int) -> None:
        cart = fresh_cart(next(asked))
        await line.post(other.path, cart, signed(cart))

    async def hang(line: Line, _number: int) -> None:
        cart = live_cart(draw)
        await line.post(sick.path, cart, signed(cart))

    async def beside() -> list[float]:
        crowd = asyncio.create_task(closed_loop(port, 200, 200, hang))
        await asyncio.sleep(0.7)
        times = await open_loop(port, 100, seconds, ask)
        crowd.cancel()
        await asyncio.gather(crowd, return_exceptions=True)
        return times

    alone, crowded = [], []
    with carrier_process(ill, 0, 0), house_process(folder, port):
        read(f"http://127.0.0.1:{ill}/hang/1", post=True)
        for _ in range(_ROUNDS):
            alone.append(share(asyncio.run(open_loop(port, 100, seconds, ask)), 0.95))
            crowded.append(share(asyncio.run(beside()), 0.95))
    say("bystander_p95", median(crowded) * 1000, "ms", median(alone) * 1000, int(seconds * 100) * _ROUNDS)


def live(say: Say, folder: Path, quick: bool) -> None:
    """Three carriers at 0.6 to 4 s, 30 % of calls failing and 5 % hanging; a shop that has sold for a while."""
    with _live_shop(folder, rehearsed=3000) as (shop, port):
        draw = random.Random(8)
        _live_run(shop, port, draw, 15 if quick else 60)
        times, empty, lacking, _ = _live_run(shop, port, draw, 20 if quick else 600)
    say("live_p95", share(times, 0.95) * 1000, "ms", 500, len(times))
    say("live_p99", share(times, 0.99) * 1000, "ms", 900, len(times))
    say("live_empty", empty, "answers", 0, len(times))
    say("live_backup", lacking, "answers", 0, len(times))


def cold(say: Say, folder: Path, quick: bool) -> None:
    """A shop's first quotes, without and with a rehearsal over 1,000 past orders before them."""
    for name, rehearsed in (("", 0), ("_rehearsed", 1000)):
        own = folder / (name or "new")
        own.mkdir()
        with _live_shop(own, rehearsed=rehearsed) as (shop, port):
            times, _, _, prompt = _live_run(shop, port, random.Random(9), 6 if quick else 20)
        say(f"cold_p95{name}", share(times, 0.95) * 1000, "ms", 500, len(times))
        say(f"cold_share{name}", prompt / len(times), "share", 1, len(times))


class _live_shop(ExitStack):  # noqa: N801  Used as the function that it is.
    """A shop with three live carriers, and the processes around it."""

    def __init__(self, folder: Path, *, rehearsed: int) -> None:
        super().__init__()
        self._folder, self._rehearsed = folder, rehearsed

    def __enter__(self) -> tuple[Shop, int]:  # type: ignore[override]
        port, carriers = free_port(), [free_port() for _ in range(3)]
        (shop,) = build(self._folder, [{"carriers": carriers}])
        if self._rehearsed:
            rehearse(self._folder, shop, self._rehearsed)
        for each in carriers:
            self.enter_context(carrier_process(each, 0.6, 4.0, 0.30, 0.05))
        self.enter_context(house_process(self._folder, port))
        time.sleep(2)  # What was learned is read from the ledger behind the start.
        return shop, port


def _live_run(shop: Shop, port: int, draw: random.Random, seconds: float) -> tuple[list[float], int, int, int]:
    """Fifty quotes a second; seconds each; empty answers, those left to the platform's backup, priced ones in 0.5 s."""
    empty = backup = prompt = 0

    async def ask(line: Line, _number: int) -> None:
        nonlocal empty, backup, prompt
        cart = live_cart(draw)
        began = time.perf_counter()
        status, answer = await line.post(shop.path, cart, signed(cart))
        empty += _empty(status, answer)
        backup += status != 200
        prompt += status == 200 and time.perf_counter() - began + _ROUND_TRIP_S <= 0.5

    times = asyncio.run(open_loop(port, 50, seconds, ask, _ROUND_TRIP_S))
    return times, empty, backup, prompt


# --- memory -----------------------------------------------------------------------------------------------------------


def memory(say: Say, folder: Path, quick: bool) -> None:
    """Resident memory after many distinct carts, beside what it was after half of them."""
    count = 32_000 if quick else 200_000  # What is kept of repeats is full after some 11,000.
    (shop,) = build(folder, [{"tables": 1}])
    port = free_port()

    async def ask(line: Line, number: int) -> None:
        cart = fresh_cart(offset + number)
        await line.post(shop.path, cart, signed(cart))

    with house_process(folder, port) as pid:
        sizes = []
        for half in range(2):
            offset = half * count // 2
            asyncio.run(closed_loop(port, 8, count // 2, ask))
            time.sleep(1)
            sizes.append(rss_mb(pid))
    say("memory_growth", sizes[1] - sizes[0], "MB", sizes[0], count)


def whole(say: Say, folder: Path, quick: bool) -> None:
    """First-time quotes with packing and 50 rules."""
    full(say, folder, _cpu_each, quick=quick)


_SECTIONS = (cpu, whole, coalesced, hung, bystander, cold, live, memory)
_LONG = (live, memory)

if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1:])
