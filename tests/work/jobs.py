"""Jobs for tests of the engines; what they do is rows, so that every process sees it."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any

import anyio
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, insert, select, update

from connector.storage.database import Database, insert_new
from connector.work.port import Run, Task, TryLater, Work
from webhooks.errors import WaybillError
from webhooks.ports import Clock

tables = MetaData()
_effects = Table(
    "test_effects",
    tables,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, index=True),
    Column("what", String(80), nullable=False),
    Column("pid", Integer, nullable=False),
    sqlite_autoincrement=True,
)
_outside = Table(
    "test_outside",
    tables,
    Column("reference", String(200), primary_key=True),
    Column("total", Integer, nullable=False),
)
_flags = Table("test_flags", tables, Column("name", String(80), primary_key=True))


class OutOfPaper(WaybillError):
    """A test's own error."""


def add_effect(connection: Connection, key: str, what: str) -> None:
    connection.execute(insert(_effects).values(key=key, what=what, pid=os.getpid()))


def effects(connection: Connection, key: str) -> list[str]:
    query = select(_effects.c.what).where(_effects.c.key == key).order_by(_effects.c.id)
    return list(connection.execute(query).scalars())


def pids(connection: Connection, key: str) -> list[int]:
    query = select(_effects.c.pid).where(_effects.c.key == key).order_by(_effects.c.id)
    return list(connection.execute(query).scalars())


def count_finished(connection: Connection, prefix: str) -> int:
    query = select(func.count(_effects.c.key.distinct())).where(
        _effects.c.key.startswith(prefix), _effects.c.what == "finished"
    )
    return connection.execute(query).scalar() or 0


def outside_counts(connection: Connection) -> dict[str, int]:
    """What the world outside counted, by reference."""
    return {row.reference: row.total for row in connection.execute(select(_outside))}


def raise_flag(connection: Connection, name: str) -> None:
    insert_new(connection, insert(_flags).values(name=name))


def has_flag(connection: Connection, name: str) -> bool:
    return connection.execute(select(_flags).where(_flags.c.name == name)).first() is not None


def _buy(connection: Connection, reference: str) -> None:
    """The world outside: it counts each call, without asking whether it was called before."""
    if not insert_new(connection, insert(_outside).values(reference=reference, total=1)):
        connection.execute(update(_outside).where(_outside.c.reference == reference).values(total=_outside.c.total + 1))


def register(work: Work, database: Database, clock: Clock) -> None:  # noqa: C901, PLR0915 - one job after the other
    """Make the jobs known to an engine."""

    async def effect(run: Run) -> None:
        await database.run(add_effect, run.task.key, " ".join(("ran", *run.task.args)))

    async def chain(run: Run) -> None:
        def both(connection: Connection) -> None:
            add_effect(connection, run.task.key, "queued")
            work.enqueue(connection, Task("test.effect", f"{run.task.key}/next", run.task.shop_id))

        await database.run(both)

    async def flaky(run: Run) -> None:
        if run.task.attempt < int(run.task.args[0]):
            raise TryLater("Not yet.", retry_after_s=0.1)
        await database.run(add_effect, run.task.key, f"ran at {run.task.attempt}")

    async def broken(run: Run) -> None:
        if not await database.run(has_flag, run.task.key):
            await database.run(add_effect, run.task.key, f"failed at {run.task.attempt}")
            if run.task.args == ("own",):
                raise OutOfPaper("The printer has no paper.", detail="tray 2")
            raise KeyError("a secret that must not be kept")
        await database.run(add_effect, run.task.key, "ran")

    async def again(run: Run) -> None:
        """Puts itself off under its own key until it has run three times."""
        await database.run(add_effect, run.task.key, "ran")
        if len(await database.run(effects, run.task.key)) < 3:
            await database.run(work.later, run.task, clock.now() + timedelta(seconds=1))

    async def steps(run: Run) -> None:
        """Two effects outside, each looked up before it is repeated; then the end."""
        for step in ("buy", "push"):
            reference = f"{run.task.key} {step}"

            async def look_up(reference: str = reference) -> bool:
                return reference in await database.run(outside_counts)

            async def act(reference: str = reference) -> None:
                await database.run(_buy, reference)

            if not await run.step(f"look up {step}", look_up):
                await run.step(step, act)
        await database.run(add_effect, run.task.key, "finished")

    async def poison(run: Run) -> None:
        await database.run(add_effect, run.task.key, "started")

        async def die() -> None:
            os.kill(os.getpid(), signal.SIGKILL)
            await anyio.sleep_forever()

        await run.step("die", die)

    async def hold(run: Run) -> None:
        """Runs until a flag is raised."""
        await database.run(add_effect, run.task.key, "started")
        while not await database.run(has_flag, "release"):  # noqa: ASYNC110 - another process raises it
            await anyio.sleep(0.05)
        await database.run(add_effect, run.task.key, "finished")

    async def spend(run: Run) -> None:
        """Writes what its fence says to the file that it is given, the whole time."""
        path = run.task.args[0]
        await database.run(add_effect, run.task.key, "started")
        while True:
            line = f"{os.getpid()} {run.fence()}\n"
            async with await anyio.open_file(path, "a") as file:
                await file.write(line)
            await anyio.sleep(0.02)

    jobs: dict[str, Any] = {
        "test.effect": effect,
        "hooks.chain": chain,
        "test.flaky": flaky,
        "test.broken": broken,
        "test.again": again,
        "labels.steps": steps,
        "test.poison": poison,
        "test.hold": hold,
        "test.spend": spend,
    }
    for name, job in jobs.items():
        work.register(name, job)
