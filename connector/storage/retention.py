"""What goes after its time: each room adds its sweep at wiring, one job runs them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connector.storage import persons


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of row that does not stay. `run(connection, now)` removes what is due and says how many."""

    name: str
    run: Callable[[Connection, datetime], int]


PERSONS = Sweep("persons", persons.forget_due)
"""Personal data past its keep_until."""


def sweep(connection: Connection, sweeps: Iterable[Sweep], now: datetime) -> dict[str, int]:
    """Run the sweeps in this transaction; how many rows each removed, by name. The audit has none: it stays."""
    return {each.name: each.run(connection, now) for each in sweeps}
