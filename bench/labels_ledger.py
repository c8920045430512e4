"""The ledger of a random year: buys, voids, refunds, invoices, claims, typed numbers; every amount has to tie."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench._label_year import live_a_year
from connector.insight.ledger_check import check
from connector.storage.database import open_database
from connector.storage.schema import metadata


def main(arguments: Sequence[str]) -> int:
    """Live it, check it, and say so; 1 where something does not tie. Options of other measurements are let be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given, _ = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waybill-year-") as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'waybill.db'}")
        metadata.create_all(database.engine)
        began = time.monotonic()
        year = live_a_year(database, given.parcels, given.seed)
        lived = time.monotonic()
        found = database.run_here(check, year.shop_id)
        checked = time.monotonic()
        database.close()
    wrong = [gap.say() for gap in found.gaps] + year.compare(found)
    figures = {
        "parcels": given.parcels,
        "acts": dict(sorted(year.acts.items())),
        "entries": found.entries,
        "labels": found.labels,
        "balances": {f"{account} {currency}": minor for (account, currency), minor in sorted(found.balances.items())},
        "lived_s": round(lived - began, 1),
        "checked_s": round(checked - lived, 2),
        "wrong": wrong,
    }
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:<12} {value}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
