"""The engine of unit tests: work waits in rows, and runs when a test says so, in order, by the given Clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector.storage.database import Database
from connector.work import due
from connector.work.due import DueRun
from connector.work.port import Job, Task
from connector.work.runner import Hooks, Registry, Runner
from webhooks.errors import WaybillError
from webhooks.ports import Clock


class Endless(WaybillError):
    """Work keeps queueing work: the test's jobs do not come to rest."""


class MemoryWork:
    """connector.work.port.Work without processes. The queue is the table of due work, so a rollback takes work back.

    `held` is what jobs see as their lease; a test may set it to False.
    """

    def __init__(self, database: Database, clock: Clock, hooks: Hooks | None = None) -> None:
        self._database = database
        self._clock = clock
        self._registry = Registry()
        self.held = True
        self._runner = Runner(
            database, clock, self._registry, hooks or Hooks(), fence=lambda: self.held, may_write=lambda: True
        )

    def register(self, name: str, job: Job) -> None:
        """Make a job known under a name. Raises DuplicateJob."""
        self._registry.register(name, job)

    def enqueue(self, connection: Connection, task: Task) -> bool:
        """Queue a task in the caller's transaction; False if this key was ever queued this way before."""
        return due.queue(connection, task, self._clock.now())

    def later(self, connection: Connection, task: Task, due_at: datetime) -> None:
        """Queue a task when the Clock reaches `due_at`, instead of what waited under its key."""
        due.put(connection, task, due_at)

    def forget(self, connection: Connection, key: str) -> bool:
        """Take back a `later` that has not come due; False if there is none."""
        return due.forget(connection, key)

    async def drain(self, limit: int = 1000) -> int:
        """Run everything that is due now, and what that queues, until nothing is; how many runs. Raises Endless."""
        count = 0
        while runs := self._take():
            for run in runs:
                count += 1
                if count > limit:
                    raise Endless("Work keeps queueing work.", detail=run.task.name)
                await self._runner.run(run.task, run.run_id)
        return count

    def _take(self) -> list[DueRun]:
        taken: list[DueRun] = []
        self._database.run_here(due.take, self._clock.now(), 1, lambda _connection, run: taken.append(run))
        return taken
