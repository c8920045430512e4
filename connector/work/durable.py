"""Durable work on DBOS; the only module that knows it, and it is imported only when it is used.

What is DBOS's: the queues, who claims which run, at most one owner of a run. What is ours: keys, due times, tries,
failures, leases, take-over. Steps are not DBOS checkpoints: a job is run again from its top and reads its own rows
(see connector.work.runner), so nothing but ids stands in DBOS's tables, and an upgrade cannot strand a run half-way.

DBOS's defaults that are changed, and why: the application version is constant (its hash of the code would strand
what another release queued), the serializer is JSON (pickle from a database is code), it shares our Engine (its own
on SQLite has no WAL), it logs through us, and it never makes its schema outside of `migrate`.

A process that only queues (the web, a command) uses the same object, never starts it, and so never imports DBOS: it
writes rows of `due`, and a worker moves them to DBOS in one transaction. That saves such a process 20 MB and most of a
second of its start, and costs a run a quarter of a second on average.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import anyio
import anyio.to_thread
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.storage.database import Database
from connector.work import due
from connector.work.due import DueRun
from connector.work.engine_log import quiet
from connector.work.lease import Lease
from connector.work.port import Job, Task
from connector.work.reaper import ALONE_AFTER, POISON_AFTER, Orphan, Reaper
from connector.work.runner import Hooks, Registry, Runner
from webhooks.ports import Clock

if TYPE_CHECKING:
    from dbos import DBOSClient

log = structlog.get_logger(__name__)

ENGINE_SCHEMA = "dbos"
"""Where the engine's own tables are on PostgreSQL; on SQLite they lie beside ours."""

_APPLICATION = "waybill"
_VERSION = "1"
_WORKFLOW = "waybill.run"
_ALONE = "alone"
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Queue:
    """Runs of one kind. `per_shop` at once for one shop over all workers; asked for every `poll_s` seconds."""

    name: str
    per_shop: int
    poll_s: float = 0.3


QUEUES = (Queue("hooks", 8), Queue("labels", 16), Queue("default", 8, poll_s=0.5))
"""A task's queue is the one that its name begins with (`labels.buy`), otherwise `default`."""


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """How a worker works.

    `jobs` run at once from each queue; the lease lasts `ttl_s` seconds; `threads` serve the engine; a stop waits
    `grace_s` seconds for running jobs.
    """

    jobs: int = 16
    ttl_s: float = 15
    threads: int = 8
    queues: tuple[Queue, ...] = QUEUES
    poison_after: int = POISON_AFTER
    alone_after: int = ALONE_AFTER
    due_every_s: float = 0.25
    reap_every_s: float = 1.0
    grace_s: float = 20
    keep_finished: timedelta = timedelta(days=7)


def make_tables(database: Database) -> None:
    """Make or upgrade the engine's own tables; for `connector.storage.migrate.migrate(also=…)`."""
    quiet()
    from dbos import DBOS

    DBOS.migrate(database.engine.url.set(drivername=_plain(database)).render_as_string(hide_password=False))


class DurableWork:
    """connector.work.port.Work on DBOS. In a worker: `async with work: …` runs jobs until the block ends."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: WorkSettings | None = None,
        hooks: Hooks | None = None,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings or WorkSettings()
        self._hooks = hooks or Hooks()
        self._queues = {queue.name: queue for queue in self._settings.queues}
        self._registry = Registry()
        self.lease = lease or Lease(database, ttl_s=self._settings.ttl_s)
        self._runner = Runner(
            database, clock, self._registry, self._hooks, fence=self.lease.held, may_write=self.lease.held
        )
        self._running = 0
        self._tasks: list[asyncio.Task[None]] = []

    # --- in every process -----------------------------------------------------------------------------------------

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

    @property
    def jobs(self) -> tuple[str, ...]:
        """Names of the jobs that are known."""
        return self._registry.names

    # --- in a worker ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    @property
    def running(self) -> int:
        """Jobs under way in this process."""
        return self._running

    async def start(self) -> None:
        """Take the lease, then work. Raises what the database raises, and DBOS's error for a schema that is too old."""
        await anyio.to_thread.run_sync(self.lease.take)
        quiet()
        from dbos import DBOS

        DBOS(
            config={
                "name": _APPLICATION,
                "system_database_engine": self._database.engine,
                "executor_id": self.lease.id,
                "application_version": _VERSION,
                "serializer": _json(),
                "use_listen_notify": False,
                "run_migrations": False,
                "enable_otlp": False,
                "max_executor_threads": self._settings.threads,
                "notification_listener_polling_interval_sec": 0.5,
                "log_level": "WARNING",
                "scheduler_polling_interval_sec": 3600,
            }
        )

        @DBOS.workflow(name=_WORKFLOW)
        async def run(name: str, key: str, shop_id: str, args: list[str], attempt: int) -> None:
            await self._run(Task(name, key, shop_id, tuple(args), attempt), DBOS.workflow_id or key)

        await anyio.to_thread.run_sync(self._register_queues)
        DBOS.launch()
        reaper = Reaper(
            self._database,
            self._clock,
            _DBOSEngine(self._client),
            self.lease.id,
            on_failure=self._hooks.on_failure,
            on_outcome=self._hooks.on_outcome,
            poison_after=self._settings.poison_after,
            alone_after=self._settings.alone_after,
        )
        self._tasks = [
            asyncio.create_task(self._every(self._settings.reap_every_s, reaper.reap)),
            asyncio.create_task(self._every(self._settings.due_every_s, self._start_due)),
            asyncio.create_task(self._turn()),
        ]

    async def stop(self, grace_s: float | None = None) -> None:
        """Claim nothing more, wait up to `grace_s` for running jobs, let others have the rest; then end the process.

        A job that still runs afterwards may not act any more: its fence is down.
        """
        from dbos import DBOS

        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        grace_s = self._settings.grace_s if grace_s is None else grace_s
        patience = max(1, int(grace_s)) if self._running else 0
        await anyio.to_thread.run_sync(lambda: DBOS.destroy(workflow_completion_timeout_sec=patience))
        await anyio.to_thread.run_sync(self.lease.release)

    def sweep_finished(self, now: datetime) -> int:
        """Drop what the engine keeps of runs that ended before `keep_finished`; a batch at a time. Keys stay."""
        before = (now - self._settings.keep_finished).isoformat()
        finished = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        count = 0
        while True:
            found = self._client.list_workflows(
                status=finished, end_time=before, limit=_BATCH, load_input=False, load_output=False
            )
            if not found:
                return count
            self._client.delete_workflows([each.workflow_id for each in found])
            count += len(found)

    def in_flight(self, since: datetime | None = None) -> list[DueRun]:
        """What the engine has queued or under way; with `since` also every run that it was given from then on.

        For who carries work to another database: there it is queued as what is due, for a job may run again from its
        start at any time. Asked before and after a snapshot (`since` the first asking), the two together miss nothing.
        """
        asked: list[dict[str, Any]] = [{"status": ["ENQUEUED", "PENDING", "DELAYED"]}]
        if since is not None:
            asked.append({"start_time": since.isoformat()})
        found = {}
        for which in asked:
            for each in self._client.list_workflows(**which, load_output=False):
                if each.name == _WORKFLOW and each.input is not None:
                    name, key, shop_id, args, attempt = each.input["args"]
                    found[each.workflow_id] = DueRun(each.workflow_id, Task(name, key, shop_id, tuple(args), attempt))
        return list(found.values())

    def _start_run(self, connection: Connection, run: DueRun) -> None:
        task = run.task
        self._client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": _WORKFLOW,
                "queue_name": self._queue_of(task),
                "workflow_id": run.run_id,
                "app_version": _VERSION,
                "queue_partition_key": task.shop_id or "-",
            },
            task.name,
            task.key,
            task.shop_id,
            list(task.args),
            task.attempt,
        )

    def _queue_of(self, task: Task) -> str:
        room = task.name.split(".", 1)[0]
        return room if room in self._queues else "default"

    @cached_property
    def _client(self) -> DBOSClient:
        quiet()
        from dbos import DBOSClient

        return DBOSClient(
            system_database_engine=self._database.engine,
            serializer=_json(),
            application_name=_APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def _register_queues(self) -> None:
        """Before the launch, so that the first look finds them."""
        for queue in self._settings.queues:
            self._client.register_queue(
                queue.name,
                partition_concurrency=queue.per_shop,
                worker_concurrency=self._settings.jobs,
                polling_interval_sec=queue.poll_s,
                on_conflict="always_update",
                application_name=_APPLICATION,
            )
        self._client.register_queue(
            _ALONE,
            global_concurrency=1,
            polling_interval_sec=1,
            on_conflict="always_update",
            application_name=_APPLICATION,
        )

    async def _run(self, task: Task, run_id: str) -> None:
        self._running += 1
        try:
            await self._runner.run(task, run_id)
        finally:
            self._running -= 1

    def _start_due(self) -> None:
        """One batch after the other of what has come due; a plain look first, so that idling takes no lock."""
        while True:
            now = self._clock.now()
            with self._database.engine.connect() as connection:
                if not due.any_due(connection, now):
                    return
            self._database.run_here(due.take, now, _BATCH, self._start_run)

    async def _every(self, seconds: float, work: Callable[[], object]) -> None:
        """Again and again, whatever happens: without these loops work would stand still and nobody would know."""
        while True:
            try:
                await anyio.to_thread.run_sync(work)
            except (DBAPIError, PoolTimeout) as error:
                log.warning("database_does_not_answer", error=type(error).__name__)
            except Exception:
                log.exception("loop_failed")
            await anyio.sleep(seconds)

    async def _turn(self) -> None:
        while True:
            self.lease.turn()
            await anyio.sleep(0.5)


class _DBOSEngine:
    """connector.work.reaper.Engine over DBOS's public client."""

    def __init__(self, client: DBOSClient) -> None:
        self._client = client

    def under_way(self) -> Sequence[Orphan]:
        found = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return [Orphan(each.workflow_id, each.executor_id or "", each.queue_name or "default") for each in found]

    def task_of(self, run_id: str) -> Task | None:
        found = self._client.list_workflows(workflow_ids=[run_id], load_output=False)
        if not found or found[0].input is None:
            return None
        name, key, shop_id, args, attempt = found[0].input["args"]
        return Task(name, key, shop_id, tuple(args), attempt)

    def queue_again(self, run_ids: Sequence[str], queue: str) -> None:
        self._client.resume_workflows(list(run_ids), queue_name=queue)

    def queue_alone(self, run_ids: Sequence[str]) -> None:
        self._client.resume_workflows(list(run_ids), queue_name=_ALONE)

    def cancel(self, run_id: str) -> None:
        self._client.cancel_workflow(run_id)


def _plain(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


def _json() -> Any:
    """DBOS's way of writing arguments, as JSON: ours are names, ids and numbers only."""
    from dbos import Serializer

    class PlainJSON(Serializer):
        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=_describe)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

        def name(self) -> str:
            return "waybill_json"

    return PlainJSON()


def _describe(value: object) -> str:
    """Errors by their class: their text may quote data."""
    return type(value).__name__
