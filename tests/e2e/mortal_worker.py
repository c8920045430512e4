"""Worker processes that die where a test says: `python -m tests.e2e.mortal_worker`, one life for each line it is told.

This process only imports the product, which takes most of a worker's start, and forks. Each life is a process of its
own that runs the real worker with the real settings, until it kills itself with SIGKILL at a boundary between two
steps (or freezes itself, or is killed by the test). What happens is written as JSON, one object a line:
`started` with the process id, `reached` a place (with the monotonic time, which all processes of a machine share),
`ended` with the exit code.

A line that is told is `{"die_at": [["before", "label.mark"], …], "nth": 1, "after_s": 0, "freeze": false,
"watch": false, "spare": [], "anyhow": [], "alone_after": 2}`: die when such a boundary was crossed for the `nth` time,
`after_s` seconds later, while the step is under way. Tasks whose keys are spared do not count, except at the steps of
`anyhow`. With `watch` every boundary is reported. Work that took `alone_after` workers along runs alone.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import json
import os
import select
import signal
import sys
import threading
import time
import traceback
from dataclasses import replace
from typing import Any

import anyio

from connector.logs import set_up_logs
from connector.settings import read_settings
from connector.supervisor import DeathSignal
from connector.work import engine_log
from connector.work.durable import WorkSettings
from connector.work.port import Boundary, Task
from connector.working import work


def say(event: str, **details: Any) -> None:
    """One line, written at once and whole, from whichever process."""
    os.write(1, json.dumps({"event": event, **details}).encode() + b"\n")


class Fate:
    """Sees the boundaries of one life, and ends it."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._places = {(boundary, step) for boundary, step in told.get("die_at", [])}
        self._left = int(told.get("nth", 1))
        self._after_s = float(told.get("after_s", 0))
        self._signal = signal.SIGSTOP if told.get("freeze") else signal.SIGKILL
        self._watch = bool(told.get("watch"))
        self._spared = frozenset(told.get("spare", []))
        self._anyhow = frozenset(told.get("anyhow", []))

    def __call__(self, boundary: Boundary, task: Task, step: str) -> None:
        """See connector.work.port.Observe."""
        if self._watch:
            self._say("crossed", boundary, task, step)
        spared = task.key in self._spared and step not in self._anyhow
        if (boundary, step) not in self._places or self._left == 0 or spared:
            return
        self._left -= 1
        if self._left:
            return
        self._say("reached", boundary, task, step)
        if self._after_s:
            asyncio.get_running_loop().call_later(self._after_s, os.kill, os.getpid(), self._signal)
        else:
            os.kill(os.getpid(), self._signal)

    def _say(self, event: str, boundary: str, task: Task, step: str) -> None:
        say(event, boundary=boundary, step=step, job=task.name, key=task.key, pid=os.getpid(), at=time.monotonic())


def live(told: dict[str, Any]) -> int:
    """One life, in a process of its own, which does not outlive its parent."""
    DeathSignal()(signal.SIGKILL)
    faulthandler.enable()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    settings = read_settings()
    set_up_logs(settings.log_format, settings.log_level)
    # The test kills from outside: no job is to blame for it, however often it was under way.
    usual = WorkSettings(jobs=settings.worker_jobs, ttl_s=settings.lease_s, grace_s=settings.grace_s)
    alone_after = int(told.get("alone_after", usual.alone_after))
    return anyio.run(work, settings, Fate(told), replace(usual, poison_after=1000, alone_after=alone_after))


def wait_for(pid: int) -> int:
    """The exit code of a life. If the test goes away first, the life ends with it."""
    handle = os.pidfd_open(pid)
    readable, _, _ = select.select([handle, 0], [], [])
    if handle not in readable:
        os.kill(pid, signal.SIGKILL)
    os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def read_line() -> bytes:
    """What the test tells, read byte by byte: nothing may stay in a buffer that a life would inherit."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        line += byte
    return line


def main() -> None:
    """One life after the other, until standard input ends."""
    warm_up()
    while line := read_line():
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = live(json.loads(line))
            except BaseException:  # noqa: BLE001 - the end of a process: its trace goes to the log.
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        say("started", pid=pid)
        say("ended", pid=pid, code=wait_for(pid), at=time.monotonic())


def warm_up() -> None:
    """Import what every life needs. Nothing is opened and no thread started, so that a fork is safe."""
    engine_log.quiet()
    for name in ("dbos", "psycopg", "shopify", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"):
        importlib.import_module(name)
    if threading.active_count() != 1:
        raise RuntimeError("An import has started a thread; lives cannot be forked.")


if __name__ == "__main__":
    main()
