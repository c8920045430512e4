"""10,000 purchases with faults on each database: time-outs, crashes, duplicates, kill -9; nothing is charged twice."""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import anyio
import structlog

from bench._label_kills import kill_purchases
from bench._label_storm import storm

Kind = Literal["sqlite", "postgres"]
SHARDS = 2
"""Processes that share what is without a kill, one for each core of the machine that it was measured on."""


def part_storm(kind: Kind, purchases: int, seed: int, minutes: float) -> dict[str, Any]:
    """Faults in this process."""
    began = time.monotonic()
    memory = Path("/dev/shm")
    folder = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    result = anyio.run(storm, kind, purchases, seed, folder, minutes)
    return {
        "part": "storm",
        "database": kind,
        "seconds": round(time.monotonic() - began),
        "purchases": result.purchases,
        "charged": result.charged,
        "ends": dict(result.ends),
        "faults": dict(result.faults),
        "violations": result.violations,
    }


def storms(kind: Kind, purchases: int, seed: int, minutes: float) -> dict[str, Any]:
    """The same, shared out among processes."""
    began = time.monotonic()
    found = _side_by_side(
        [
            _part("storm", kind, "--purchases", share, "--seed", seed + number, "--storm-minutes", minutes)
            for number, share in enumerate(_shares(purchases))
        ]
    )
    return {
        "part": "storm",
        "database": kind,
        "seconds": round(time.monotonic() - began),
        "purchases": sum(each.get("purchases", 0) for each in found),
        "charged": sum(each.get("charged", 0) for each in found),
        "ends": dict(sum((Counter(each.get("ends")) for each in found), Counter())),
        "faults": dict(sum((Counter(each.get("faults")) for each in found), Counter())),
        "violations": [line for each in found for line in each["violations"]],
    }


def answers(count: int, seed: int) -> dict[str, Any]:
    """Shuffled answers, shared out in the same way."""
    began = time.monotonic()
    rates = [sys.executable, "-m", "bench._label_rates"]
    found = _side_by_side(
        [[*rates, "--answers", str(share), "--seed", str(seed + number)] for number, share in enumerate(_shares(count))]
    )
    counted = ("answers", "equal_names_at_other_prices", "bought_as_intended")
    return {
        "part": "answers",
        "seconds": round(time.monotonic() - began),
        **{name: sum(each.get(name, 0) for each in found) for name in counted},
        "violations": [line for each in found for line in each["violations"]],
    }


def _shares(count: int) -> list[int]:
    """So many, shared out among the processes."""
    each = -(-count // SHARDS)
    return [share for number in range(SHARDS) if (share := min(each, count - each * number)) > 0]


def _part(part: str, kind: Kind, *options: object) -> list[str]:
    """The command for a part of this run."""
    return [sys.executable, "-m", "bench.faults_labels", "--part", part, "--database", kind, *map(str, options)]


def _side_by_side(commands: list[list[str]]) -> list[dict[str, Any]]:
    """What each of these parts found; they run at the same time. One that says nothing is a violation."""
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    found: list[dict[str, Any]] = []
    for process in running:
        out, _ = process.communicate()
        lines = out.strip().splitlines()
        try:
            found.append(json.loads(lines[-1]))
        except (IndexError, ValueError):
            found.append({"violations": [f"{process.args} ended with {process.returncode}: {out[-2000:]}"]})
    return found


def show(figures: dict[str, Any]) -> None:
    """A table for people."""
    print(f"\n{figures.get('part', '?')} {figures.get('database', '')}: {figures.get('seconds', '?')} s")
    for name, value in figures.items():
        if name in {"part", "database", "seconds", "violations"}:
            continue
        if isinstance(value, dict):
            for key, count in sorted(value.items()):
                print(f"  {name} {key:<40} {count}")
        else:
            print(f"  {name.replace('_', ' '):<46} {value}")
    for violation in figures["violations"][:40] or ["none"]:
        print(f"  violation: {violation}")


def main() -> int:
    """Run it; 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purchases", type=int, default=10_000, help="on each database, those with a kill among them")
    parser.add_argument(
        "--kills", type=int, default=400, help="purchases under way at a real kill -9, on each database"
    )
    parser.add_argument("--deaths", type=int, default=200, help="kill -9 on each database: each hits several purchases")
    parser.add_argument("--answers", type=int, default=5_000, help="shuffled answers with equal service names")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--part", choices=["all", "storm", "kills", "answers"], default="all")
    parser.add_argument("--minutes", type=float, default=20, help="the most for the kills, on all databases at once")
    parser.add_argument("--storm-minutes", type=float, default=19, help="the most for the rest on each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="300 purchases, 15 of them killed, 500 answers")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if given.quick:
        given.purchases, given.kills, given.deaths, given.answers = 300, 15, 5, 500
    kinds: list[Kind] = ["sqlite", "postgres"] if given.database == "both" else [given.database]
    if given.part in {"storm", "kills"} and len(kinds) == 1:
        if given.part == "storm":
            figures = part_storm(kinds[0], given.purchases, given.seed, given.storm_minutes)
        else:
            figures = kill_purchases(kinds[0], given.kills, given.deaths, given.minutes, given.seed)
        print(json.dumps(figures))
        return int(bool(figures["violations"]))
    found: list[dict[str, Any]] = []
    if given.part in {"all", "answers"}:
        found.append(answers(given.answers, given.seed))
    if given.part in {"all", "kills"}:
        wanted = ("--kills", given.kills, "--deaths", given.deaths, "--minutes", given.minutes, "--seed", given.seed)
        found += _side_by_side([_part("kills", kind, *wanted) for kind in kinds])
    for kind in kinds if given.part in {"all", "storm"} else ():
        found.append(storms(kind, given.purchases - given.kills, given.seed, given.storm_minutes))
    for figures in found:
        show(figures)
    print(json.dumps(found))
    return int(any(figures["violations"] for figures in found))


if __name__ == "__main__":
    sys.exit(main())
