"""Merging labels: 500 PDF and PNG labels to one file of 4x6 pages, in a process of its own, with its greatest memory.

JSON lines: name, value, unit, floor (what it must reach), ratio (1 or more holds), n.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench._label_figures import say
from carriers.address import Address
from carriers.measure import Size, Weight
from carriers.parcel import Parcel, Shipment

SECONDS, MIB = 5.0, 300.0


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    parser.add_argument("--labels", type=int, default=500)
    given = parser.parse_args(arguments)
    context = multiprocessing.get_context("spawn")  # Memory that another measurement needed is not counted here.
    for kind in ("pdf", "png"):
        for sheet in ("4x6", "a4"):
            with context.Pool(1) as one:
                seconds, mib, pages = one.apply(measure, (kind, sheet, given.labels))
            wanted = given.labels if sheet == "4x6" else -(-given.labels // 2)
            if pages != wanted:
                sys.exit(f"{pages} pages, {wanted} were due")
            say(f"merge_{kind}_{sheet}_seconds", seconds, "s", SECONDS, given)
            say(f"merge_{kind}_{sheet}_memory", mib, "MiB", MIB, given)


def measure(kind: str, sheet: str, count: int) -> tuple[float, float, int]:
    """Seconds, the process's greatest memory in MiB, and pages. Each label is a file of its own, as they come."""
    from connector.labels.paper.merge import merge
    from connector.labels.paper.sheets import Leaf

    kinds = {"pdf": "application/pdf", "png": "image/png"}
    drawn = _drawn(kind, 25)
    contents = [bytes(bytearray(drawn[number % len(drawn)])) for number in range(count)]
    leaves = [Leaf(each, kinds[kind], f"#{1000 + number}") for number, each in enumerate(contents)]
    gc.collect()
    began = time.perf_counter()
    merged = merge(leaves, "a4" if sheet == "a4" else "4x6")
    seconds = time.perf_counter() - began
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, merged.pages


def _drawn(kind: str, count: int) -> list[bytes]:
    """Different labels of 4 by 6 inches at 300 dots an inch."""
    from carriers.sandbox.drawing import LabelText, draw

    home = Address(country="US", postal_code="10001", province="NY", city="New York", street1="1 Main St", name="Shop")
    labels = []
    for number in range(count):
        to = Address(country="US", postal_code=f"{90000 + number}", province="CA", city="Los Angeles",
                     street1=f"{number} Ocean Ave", name=f"Buyer {number}")  # fmt: skip
        shipment = Shipment(home, to, Parcel(Weight(500 + number), Size(200, 150, 100)), f"par_{number}", "USD")
        bought = LabelText(shipment, "Ground", f"SBX{number:012d}", datetime(2026, 11, 22, tzinfo=UTC))
        labels.append(draw(bought, kind, 300))
    return labels


if __name__ == "__main__":
    main(sys.argv[1:])
