"""Both engines behind one face, so that one suite asks the same of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import anyio

from connector.clock import MovedClock
from connector.storage.database import Database, open_database
from connector.storage.schema import metadata
from connector.work.durable import DurableWork, make_tables
from connector.work.memory import MemoryWork
from connector.work.port import Work
from tests.conftest import FrozenClock
from tests.work import jobs
from webhooks.ports import Clock

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
ANCHOR = datetime(2026, 11, 1, tzinfo=UTC)


class Harness(Protocol):
    """An engine with the test jobs, and a database to see what they did."""

    database: Database

    @property
    def work(self) -> Work: ...

    @property
    def clock(self) -> Clock: ...

    async def until(self, read: Callable[..., object], *args: object, expect: object) -> None:
        """Let work go on until the database says what is expected; fails after a while."""
        ...


class MemoryHarness:
    """The in-memory engine; its clock moves on when nothing is due."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database = database
        self.clock = clock
        self.work = MemoryWork(database, clock)
        jobs.register(self.work, database, clock)

    async def until(self, read: Callable[..., object], *args: object, expect: object) -> None:
        found: object = None
        for _ in range(60):
            await self.work.drain()
            found = self.database.run_here(read, *args)
            if found == expect:
                return
            self.clock.at += timedelta(minutes=30)
        assert found == expect


class WorkerProcess:
    """A worker in a process of its own."""

    def __init__(self, url: str, log: Path, prefix: Sequence[str] = (), **options: Any) -> None:
        self._log = log.open("ab")
        self.log_path = log
        self.process = subprocess.Popen(  # noqa: S603
            [*prefix, sys.executable, "-m", "tests.work.worker", json.dumps({"url": url, **options})],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n", self.log_path.read_text()[-3000:]

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def wait_end(self, timeout_s: float = PATIENCE_S) -> int:
        return self.process.wait(timeout=timeout_s)

    def stop(self) -> None:
        """End it for sure, also when it is frozen."""
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()


class DurableHarness:
    """DBOS in worker processes; this process only queues."""

    def __init__(self, url: str, log: Path, speed: float = 1) -> None:
        self.url = url
        self.clock: Clock = MovedClock(0, speed, ANCHOR)
        self._speed = speed
        self.database = open_database(url, pool_size=4)
        make_tables(self.database)
        metadata.create_all(self.database.engine)
        jobs.tables.create_all(self.database.engine)
        self.work = DurableWork(self.database, self.clock)
        jobs.register(self.work, self.database, self.clock)
        self._log = log
        self.workers: list[WorkerProcess] = []

    def start_worker(self, *, wait: bool = True, url: str | None = None, **options: Any) -> WorkerProcess:
        worker = WorkerProcess(url or self.url, self._log, speed=self._speed, **options)
        self.workers.append(worker)
        if wait:
            worker.wait_ready()
        return worker

    async def until(self, read: Callable[..., object], *args: object, expect: object) -> None:
        deadline = time.monotonic() + PATIENCE_S
        found: object = None
        while time.monotonic() < deadline:
            found = self.database.run_here(read, *args)
            if found == expect:
                return
            await anyio.sleep(0.05)
        assert found == expect, self.log_path_tail()

    def log_path_tail(self) -> str:
        return self._log.read_text()[-3000:]

    def close(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.database.close()


@contextlib.contextmanager
def durable_harness(url: str, log: Path, speed: float = 1) -> Iterator[DurableHarness]:
    """Tables made, no worker yet."""
    harness = DurableHarness(url, log, speed)
    try:
        yield harness
    finally:
        harness.close()
