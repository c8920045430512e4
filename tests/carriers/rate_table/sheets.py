"""Small tables for tests, written as lines with named cells."""

from __future__ import annotations

import csv
import io

from carriers.rate_table.csv_format import COLUMNS

Row = dict[str, str]


def line(kind: str, **cells: str) -> Row:
    """One line; `from_` is the column `from`."""
    return {"row": kind} | {name.rstrip("_"): value for name, value in cells.items()}


def price(**cells: str) -> Row:
    """A price line of the one service and zone."""
    return line("price", **({"service": "Post", "zone": "Home", "price": "5.00"} | cells))


def sheet(*rows: Row, delimiter: str = ",", newline: str = "\n") -> bytes:
    """A file of these lines: line 1 has the names, the first row is line 2."""
    used = [name for name in COLUMNS if any(name in row for row in rows)]
    out = io.StringIO()
    writer = csv.DictWriter(out, used, delimiter=delimiter, lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


TABLE = line("table", name="Test", currency="EUR")
SERVICE = line("service", service="Post")
ZONE = line("zone", zone="Home", country="SK")
HEAD = (TABLE, SERVICE, ZONE)
