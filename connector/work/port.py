"""What rooms know of durable work: a job by name, queued in a transaction, run at least once.

A job reads where it stands from its own rows and goes on from there, so it may be run again from its start at any
time; a step that touches the outside looks up before it repeats. Arguments are ids and codes, never personal data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from sqlalchemy import Connection

from webhooks.errors import WaybillError

T = TypeVar("T")
KEY_LENGTH = 200


class DuplicateJob(WaybillError):
    """Two jobs were registered under one name."""


class TryLater(WaybillError):
    """A job that cannot go on now: it is run again after `retry_after_s` (or the usual wait), and counts as a try."""


@dataclass(frozen=True, slots=True)
class Task:
    """One queued run of a job. `attempt` counts from 1, and is counted by the engine.

    The part of `name` before the first dot may choose a queue (`labels.buy`); the key is how the work is known:
    `enqueue` accepts each key once for ever, `later` holds one task of a key at a time. Raises ValueError for a key
    that is empty or longer than KEY_LENGTH.
    """

    name: str
    key: str
    shop_id: str
    args: tuple[str, ...] = ()
    attempt: int = 1

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= KEY_LENGTH:
            raise ValueError(f"A key has 1 to {KEY_LENGTH} characters.")


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

Boundary = Literal["before", "after"]


class Observe(Protocol):
    """Sees the boundaries of steps; fault tests end the process there."""

    def __call__(self, boundary: Boundary, task: Task, step: str, /) -> None:
        """Called in the event loop just before a step starts and just after it returned."""
        ...


class OnOutcome(Protocol):
    """Counts what became of runs, for metrics."""

    def __call__(self, job: str, outcome: Literal["done", "later", "failed", "parked"], seconds: float, /) -> None:
        """Called once per run that ended in this process."""
        ...


class Work(Protocol):
    """The engine. Jobs are registered before it starts; queueing works in every process."""

    def register(self, name: str, job: Job) -> None:
        """Make a job known under a name. Raises DuplicateJob."""
        ...

    def enqueue(self, connection: Connection, task: Task) -> bool:
        """Queue a task in the caller's transaction; False if this key was ever queued this way before."""
        ...

    def later(self, connection: Connection, task: Task, due_at: datetime) -> None:
        """Queue a task when the Clock reaches `due_at`: a row in the caller's transaction, replaced by the same key.

        Once due it runs, whether or not its key ran before: a job may put itself off under its own key.
        """
        ...

    def forget(self, connection: Connection, key: str) -> bool:
        """Take back a `later` that has not come due; False if there is none."""
        ...
