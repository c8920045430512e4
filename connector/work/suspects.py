"""Runs that were under way when their worker died: how often, where, and whether the run itself is the killer.

A worker dies for many reasons, and most runs that it took along are innocent. So a run that was taken along once goes
on as before; from the second time on it runs alone among its like, and notes each boundary that it crosses. Only a
run whose workers keep dying at the same place is parked; one that gets further each time is not.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Integer, String, Table, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.storage.database import insert_new
from connector.storage.schema import id_column, metadata
from connector.work.port import KEY_LENGTH

RUN_ID_LENGTH = KEY_LENGTH + 24

PATIENCE = 8
"""A run that ends workers at ever new places is parked after so many times the usual number of deaths."""

BEGAN = "began"
"""The place of a suspect that has begun and crossed no boundary yet."""

_deaths = Table(
    "run_deaths",
    metadata,
    Column("run_id", String(RUN_ID_LENGTH), primary_key=True),
    id_column("executor_id", primary_key=True),
    Column("number", Integer, nullable=False),
    Column("place", String(200), nullable=False),
)

_places = Table(
    "run_places",
    metadata,
    Column("run_id", String(RUN_ID_LENGTH), primary_key=True),
    Column("place", String(200), nullable=False),
)


def is_suspect(connection: Connection, run_id: str) -> bool:
    """Whether a worker died with this run under way."""
    return connection.execute(select(_deaths.c.number).where(_deaths.c.run_id == run_id).limit(1)).first() is not None


def reach(connection: Connection, run_id: str, place: str) -> None:
    """A suspect crossed a boundary."""
    flavour: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: Any = flavour.insert(_places).values(run_id=run_id, place=place[:200])
    connection.execute(statement.on_conflict_do_update(index_elements=[_places.c.run_id], set_={"place": place[:200]}))


def died(connection: Connection, run_id: str, executor_id: str) -> None:
    """Count that this worker died with the run under way; counting it again changes nothing."""
    place = connection.execute(select(_places.c.place).where(_places.c.run_id == run_id)).scalar() or ""
    number = connection.execute(select(func.count()).where(_deaths.c.run_id == run_id)).scalar() or 0
    row = insert(_deaths).values(run_id=run_id, executor_id=executor_id, number=number + 1, place=place)
    if insert_new(connection, row):
        connection.execute(delete(_places).where(_places.c.run_id == run_id))


def deaths(connection: Connection, run_id: str) -> int:
    """How many workers died with this run under way."""
    return connection.execute(select(func.count()).where(_deaths.c.run_id == run_id)).scalar() or 0


def is_killer(connection: Connection, run_id: str, limit: int) -> bool:
    """Whether the last `limit` workers died with this run at one place.

    Where the first one died nobody noted, so that fits any place. A later one that died before the run had begun says
    nothing about it: claimed and begun are not the same moment, and others may have ended that worker.
    """
    query = select(_deaths.c.number, _deaths.c.place).where(_deaths.c.run_id == run_id)
    deaths = connection.execute(query.order_by(_deaths.c.number.desc())).all()
    if len(deaths) >= limit * PATIENCE:
        return True
    last = [row for row in deaths if row.number == 1 or row.place][:limit]
    return len(last) == limit and len({row.place for row in last if row.number > 1}) <= 1


def clear(connection: Connection, run_id: str) -> None:
    """The run ended: forget what was held against it."""
    connection.execute(delete(_deaths).where(_deaths.c.run_id == run_id))
    connection.execute(delete(_places).where(_places.c.run_id == run_id))
