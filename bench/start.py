"""Time from the start of `waybill up` to its first quote, and the memory of all its processes at rest."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from tests.e2e.processes import ROOT, own_environment, until
from tests.e2e.world import RATE_CALL, free_port, world

LIMITS = {"first_quote": 5.0, "idle_rss": 220.0}
REST_S = 10.0

FLOOR = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def answer(request):
    return JSONResponse({"rates": [], "length": len(await request.body())})
app = Starlette(routes=[Route("/", answer, methods=["POST"])])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", access_log=False)
"""
"""A bare Starlette application under uvicorn: what any web process of this kind costs."""


def rss_mb(pid: int) -> float:
    """Resident memory of a process and all that it started, in MB (2**20 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(rss_mb(int(child)) for child in children)


def answers(url: str) -> bool:
    """Whether a rate call gets its prices."""
    try:
        with httpx2.Client(trust_env=False, verify=False, timeout=10) as client:
            answer = client.post(url, json=RATE_CALL)
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200 and b"rates" in answer.content


def start(command: list[str], env: dict[str, str], url: str) -> tuple[float, float]:
    """Start it once: seconds to the first answer, and MB at rest."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(url), f"an answer of {command[2:4]}", 60, 0.02)
        took = time.monotonic() - began
        time.sleep(REST_S)
        return took, rss_mb(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def measure(rounds: int) -> list[dict[str, object]]:
    """Both figures, each the worst of the rounds, beside the median of the bare application's."""
    with tempfile.TemporaryDirectory(prefix="waybill-start-") as place:
        folder = Path(place)
        with world(folder, f"sqlite:///{folder / 'waybill.db'}") as house:
            house.set_up()
            port = free_port()
            bare = [sys.executable, "-c", FLOOR, str(port)]
            up = [sys.executable, "-m", "connector.cli", "up"]
            floors = [start(bare, own_environment({}), f"http://127.0.0.1:{port}/") for _ in range(rounds)]
            found = [start(up, house.env, house.rate_url) for _ in range(rounds)]
    lines: list[dict[str, object]] = []
    for index, (name, unit) in enumerate((("first_quote", "s"), ("idle_rss", "MB"))):
        value = max(each[index] for each in found)
        floor = statistics.median(each[index] for each in floors)
        figures = {"value": round(value, 2), "unit": unit, "floor": round(floor, 2), "ratio": round(value / floor, 2)}
        lines.append({"name": name, **figures, "n": rounds, "machine": machine()})
    return lines


def machine() -> str:
    """What it ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> int:
    """Print the figures; 1 if one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    good = True
    for line in measure(given.rounds):
        limit = LIMITS[str(line["name"])]
        good = good and float(str(line["value"])) <= limit
        text = f"{line['name']}: {line['value']} {line['unit']} (limit {limit:g}; bare application {line['floor']})"
        print(json.dumps(line) if given.json else text, flush=True)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
