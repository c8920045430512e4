"""Run one task: its steps, its lease, and what follows when it cannot go on. The same for every engine.

Steps are not checkpoints. A job that is run again starts from its top and reads from its own rows how far it got;
that is what makes "one live label for a parcel" a matter of the database, whichever engine runs the job.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from zlib import crc32

import anyio
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.storage.database import Database
from connector.work import due, failures, suspects
from connector.work.failures import OnFailure
from connector.work.port import Boundary, DuplicateJob, Job, Observe, OnOutcome, Task, TryLater
from webhooks.errors import WaybillError
from webhooks.ports import Clock, Fence

T = TypeVar("T")
Outcome = Literal["done", "later", "failed"]
log = structlog.get_logger(__name__)

WAITS_S = (5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 21600)
"""Seconds until the next try, by the number of tries so far; after one more than these, a person must look.

All together about 14 hours. Up to a fifth is added, by the key, so that what failed together does not come back
together. A TryLater that names its own wait gets that instead.
"""

MOST_ATTEMPTS = len(WAITS_S) + 1


class UnknownJob(WaybillError):
    """Work for a job that this process does not know: another release queued it."""


class _Lost(BaseException):
    """The lease went while a job ran; its outcome is not ours to write."""


class Registry:
    """Jobs by name."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def register(self, name: str, job: Job) -> None:
        """Make a job known. Raises DuplicateJob."""
        if name in self._jobs:
            raise DuplicateJob("Two jobs have one name.", detail=name)
        self._jobs[name] = job

    def get(self, name: str) -> Job:
        """The job of this name. Raises UnknownJob."""
        if name not in self._jobs:
            raise UnknownJob("This process does not know such work; another release may.", detail=name)
        return self._jobs[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, for documentation and checks."""
        return tuple(sorted(self._jobs))


def _ignore(*_given: object, **_named: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a runner tells others. Each has a default that does nothing."""

    observe: Observe = _ignore
    on_outcome: OnOutcome = _ignore
    on_failure: OnFailure = _ignore


class StepRun:
    """What a running job is given: see connector.work.port.Run."""

    def __init__(self, task: Task, fence: Fence, cross: Callable[[Boundary, str], Awaitable[None]]) -> None:
        self._task = task
        self._fence = fence
        self._cross = cross

    @property
    def task(self) -> Task:
        """Which work this is."""
        return self._task

    async def step(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Do one named step."""
        await self._cross("before", name)
        result = await call()
        await self._cross("after", name)
        return result

    def fence(self) -> bool:
        """True while this process may act on the outside world."""
        return self._fence()


class Runner:
    """Runs tasks and writes what became of them.

    `fence` is what jobs ask before they act; `may_write` says whether the outcome is still ours to write.
    """

    def __init__(
        self, database: Database, clock: Clock, registry: Registry, hooks: Hooks, *, fence: Fence, may_write: Fence
    ) -> None:
        self._database = database
        self._clock = clock
        self._registry = registry
        self._hooks = hooks
        self._fence = fence
        self._may_write = may_write

    async def run(self, task: Task, run_id: str) -> None:
        """Run a task once, to an outcome that is kept: done, put off, or failed. Raises only what ends the process."""
        started = time.monotonic()
        try:
            # Read once: only work that ended a worker before pays for noting how far it gets, and only work that
            # failed before for taking that back.
            suspect, failed = await self._until_written(_history, task, run_id)
            if suspect:
                await self._until_written(suspects.reach, run_id, suspects.BEGAN)
            error = await self._attempt(task, run_id, suspect=suspect)
            outcome = await self._write(task, run_id, error, suspect=suspect, failed=failed)
        except _Lost:
            await anyio.sleep_forever()  # The lease's watch ends this process; nothing may be written until then.
        self._hooks.on_outcome(task.name, outcome, time.monotonic() - started)

    async def _attempt(self, task: Task, run_id: str, *, suspect: bool) -> Exception | None:
        async def cross(boundary: Boundary, step: str) -> None:
            if suspect:
                await self._database.run(suspects.reach, run_id, f"{boundary} {step}")
            self._hooks.observe(boundary, task, step)

        try:
            await self._registry.get(task.name)(StepRun(task, self._fence, cross))
        except Exception as error:  # noqa: BLE001 - the boundary of all work: kept, shown and tried again
            return error
        return None

    async def _write(self, task: Task, run_id: str, error: Exception | None, *, suspect: bool, failed: bool) -> Outcome:
        now = self._clock.now()
        if error is None:
            if suspect or failed or task.attempt > 1:
                await self._until_written(self._write_done, task, run_id, now)
            return "done"
        _log(task, error)
        return await self._until_written(self._write_vain, task, run_id, error, now)

    def _write_done(self, connection: Connection, task: Task, run_id: str, now: datetime) -> None:
        failure = failures.settle(connection, task)
        if failure is not None:
            self._hooks.on_failure(connection, replace(failure, state="retried"), now)
        suspects.clear(connection, run_id)

    def _write_vain(
        self, connection: Connection, task: Task, run_id: str, error: Exception, now: datetime
    ) -> Literal["later", "failed"]:
        """A try in vain is counted, though later news may have put the work at once and as if for the first time.

        What was tried before its wait was over is not counted, so that a flood of news does not use the tries up.
        """
        suspects.clear(connection, run_id)
        last = failures.last_try(connection, task)
        if last is not None and task.attempt <= last[0]:
            tries, failed_at = last
            due_at = failed_at + timedelta(seconds=wait_s(replace(task, attempt=tries), None))
            if now < due_at:
                if isinstance(error, TryLater):
                    due_at = min(due_at, now + timedelta(seconds=wait_s(task, error)))
                _put_off(connection, replace(task, attempt=tries), due_at, now)
                return "later"
            task = replace(task, attempt=tries + 1)
        if task.attempt >= MOST_ATTEMPTS:
            failure = failures.note(connection, task, "failed", _code(error), _message(error), now)
            self._hooks.on_failure(connection, failure, now)
            return "failed"
        again = replace(task, attempt=task.attempt + 1)
        _put_off(connection, again, now + timedelta(seconds=wait_s(task, error)), now)
        if not isinstance(error, TryLater):
            failures.note(connection, task, "waiting", _code(error), _message(error), now)
        return "later"

    async def _until_written(self, work: Callable[..., T], *args: object) -> T:
        """One transaction, again and again while the database does not answer: an outcome is never dropped."""
        wait_s = 0.2
        while True:
            if not self._may_write():
                raise _Lost
            try:
                return await self._database.run(work, *args)
            except (DBAPIError, PoolTimeout) as error:
                log.warning("outcome_not_written", error=type(error).__name__, retry_in_s=wait_s)
            await anyio.sleep(wait_s)
            wait_s = min(wait_s * 2, 5)


def wait_s(task: Task, error: Exception | None) -> float:
    """Seconds from a try that failed to the next."""
    if isinstance(error, TryLater) and error.retry_after_s is not None:
        return max(error.retry_after_s, 0.0)
    wait = WAITS_S[min(task.attempt, len(WAITS_S)) - 1]
    return wait * (1 + crc32(f"{task.key} {task.attempt}".encode()) % 200 / 1000)


def _put_off(connection: Connection, task: Task, due_at: datetime, now: datetime) -> None:
    """Keep the next try, unless something was queued under its key meanwhile and is due: that need not wait."""
    meanwhile = due.waiting(connection, task.key)
    if meanwhile is None or meanwhile > now:
        due.put(connection, task, due_at)


def _history(connection: Connection, task: Task, run_id: str) -> tuple[bool, bool]:
    """Whether a worker died with this run under way, and whether this work failed before."""
    return suspects.is_suspect(connection, run_id), failures.is_kept(connection, task)


def _code(error: Exception) -> str:
    return type(error).__name__


def _message(error: Exception) -> str:
    """Only our own errors say what a merchant may read; others may quote data."""
    return error.message if isinstance(error, WaybillError) else "Something unexpected happened inside Waybill."


def _log(task: Task, error: Exception) -> None:
    fields = {"job": task.name, "key": task.key, "shop_id": task.shop_id, "attempt": task.attempt}
    if isinstance(error, TryLater):
        log.info("job_put_off", reason=error.message, **fields)
    elif isinstance(error, WaybillError):
        log.warning("job_failed", error=_code(error), reason=str(error), request_id=error.request_id, **fields)
    else:
        log.error("job_failed", exc_info=error, **fields)
