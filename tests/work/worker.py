"""A worker process for tests: `python -m tests.work.worker '{"url": …}'` until SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime

import anyio

from connector.clock import MovedClock
from connector.logs import set_up_logs
from connector.storage.database import open_database
from connector.work.durable import QUEUES, DurableWork, Queue, WorkSettings
from connector.work.port import Boundary, Task
from connector.work.runner import Hooks
from tests.work import jobs


async def main() -> None:
    options = json.loads(sys.argv[1])
    set_up_logs("text", "info")
    database = open_database(options["url"])
    clock = MovedClock(0, options.get("speed", 1), datetime(2026, 11, 1, tzinfo=UTC))
    left = options.get("kill_after", 0)

    def observe(_boundary: Boundary, _task: Task, _step: str) -> None:
        nonlocal left
        if left:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    queues = tuple(Queue(queue.name, queue.per_shop, options.get("poll_s", 0.1)) for queue in QUEUES)
    settings = WorkSettings(**{"due_every_s": 0.1, "queues": queues, **options.get("settings", {})})
    work = DurableWork(database, clock, settings, Hooks(observe=observe))
    jobs.register(work, database, clock)
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async with work:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            async for _ in signals:
                break
    database.close()


anyio.run(main)
