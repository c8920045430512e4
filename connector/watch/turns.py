"""Who does what is done once in a while: of all processes of the installation, the first that asks when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, select, update

from connector.storage.database import insert_new
from connector.storage.schema import Moment, metadata

turns = Table(
    "watch_turns",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),
)


def take(connection: Connection, name: str, every: timedelta, now: datetime) -> tuple[bool, datetime | None]:
    """Whether it is ours to do now, and when it was done last (None: never)."""
    before = last(connection, name)
    if before is None:
        return insert_new(connection, turns.insert().values(name=name, at=now, next_at=now + every)), None
    mine = update(turns).where(turns.c.name == name, (turns.c.next_at <= now) | (turns.c.at > now))
    return connection.execute(mine.values(at=now, next_at=now + every)).rowcount == 1, before


def last(connection: Connection, name: str) -> datetime | None:
    """When it was done last."""
    return connection.execute(select(turns.c.at).where(turns.c.name == name)).scalar()
