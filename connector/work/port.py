"""What rooms know of durable work: a job by name, queued in a transaction, run at least once.

A job reads where it stands from its own rows and goes on from there, so it may be run again from its start at any
time; a step that touches the outside looks up before it repeats. Arguments are ids and codes, never personal data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from webhooks.errors import WaybillError

T = TypeVar("T")


class DuplicateJob(WaybillError):
    """Two jobs were registered under one name."""


class TryLater(WaybillError):
    """A job that cannot go on now: it is run again after `retry_after_s` (or the usual wait), and counts as a try."""


@dataclass(frozen=True, slots=True)
class Task:
    """One queued run of a job. `key` is unique for ever: queueing it again does nothing. `attempt` counts from 1."""

    name: str
    key: str
    shop_id: str
    args: tuple[str, ...] = ()
    attempt: int = 1


class Run(Protocol):
    """What a running job is given."""

    @property
    def task(self) -> Task:
        """Which work this is."""
        ...

    async def step(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Do one named step. Its boundaries are seen by logs, metrics and fault tests; its result is not kept."""
        ...

    def fence(self) -> bool:
        """True while this process may act on the outside world (its lease holds)."""
        ...


Job = Callable[[Run], Awaitable[None]]


class Work(Protocol):
    """The engine. Jobs are registered before it starts; queueing works in every process."""

    def register(self, name: str, job: Job) -> None:
        """Make a job known under a name. Raises DuplicateJob."""
        ...

    def enqueue(self, connection: Connection, task: Task) -> bool:
        """Queue a task in the caller's transaction; False if its key was queued before."""
        ...

    def later(self, connection: Connection, task: Task, due_at: datetime) -> None:
        """Queue a task when the Clock reaches `due_at`: a row in the caller's transaction, replaced by the same key."""
        ...

    def forget(self, connection: Connection, key: str) -> bool:
        """Take back a `later` that has not come due; False if there is none."""
        ...
