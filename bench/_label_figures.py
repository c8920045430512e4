"""How the benches of labels tell a figure: as text, or as a line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform


def say(name: str, value: float, unit: str, bar: float, given: argparse.Namespace) -> None:
    """A figure beside what it may be at most. `given` holds `json`, and how many `labels` it is about."""
    machine = f"{platform.machine()} {os.cpu_count()} cores, CPython {platform.python_version()}"
    if given.json:
        line = {"name": name, "value": round(value, 3), "unit": unit, "floor": bar, "ratio": round(bar / value, 3)}
        print(json.dumps(line | {"n": given.labels, "machine": machine}), flush=True)
    else:
        print(f"{name:28} {value:9.2f} {unit:4} at most {bar:g}, ratio {bar / value:.2f}", flush=True)
