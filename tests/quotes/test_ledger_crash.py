"""A process that is killed loses the last second of its answers at most; one that is told to stop, none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connector.quotes import ledger
from connector.storage.database import open_database
from connector.storage.schema import metadata

WRITER = """
import signal, sys, time
import anyio
from connector.quotes.ledger import LedgerWriter
from connector.storage.database import open_database
from tests.quotes.test_ledger import ShakyDatabase, row

class Telling(ShakyDatabase):
    async def run(self, work, /, *args, **kwargs):
        began = time.time()
        result = await super().run(work, *args, **kwargs)
        print("written", began, flush=True)
        return result

async def main():
    writer = LedgerWriter(Telling(open_database(sys.argv[1])))
    async with anyio.create_task_group() as group:
        group.start_soon(writer.run)
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            group.start_soon(write, writer)
            async for _ in signals:
                break
        group.cancel_scope.cancel()

async def write(writer):
    while True:
        one = row()
        print(time.time(), one.id, flush=True)
        writer.put(one)
        await anyio.sleep(0.01)

anyio.run(main)
"""
_WRITES = 4


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with every table."""
    found = f"sqlite:///{tmp_path / 'waybill.db'}"
    database = open_database(found)
    metadata.create_all(database.engine)
    database.close()
    return found


def put_and_kept(url: str, number: int) -> tuple[list[tuple[float, str]], list[float], set[str]]:
    """The rows that a process took in until it got that signal, when it began to write, and what is in the ledger."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:  # noqa: S603
        assert child.stdout is not None
        lines: list[str] = []
        until = time.monotonic() + 60
        while sum(line.startswith("written") for line in lines) < _WRITES and time.monotonic() < until:
            lines.append(child.stdout.readline())
        os.kill(child.pid, number)
        lines += child.stdout.read().splitlines()
    parts = [line.split() for line in lines]
    rows = [(float(each[0]), each[1]) for each in parts if len(each) == 2 and each[0] != "written"]
    writes = [float(each[1]) for each in parts if len(each) == 2 and each[0] == "written"]
    database = open_database(url)
    kept = {row.id for row in database.run_here(ledger.recent, "shop_1", 10_000)}
    database.close()
    return rows, writes, kept


def test_kill_9_loses_only_what_came_since_the_last_write_began(url: str) -> None:
    """Which is at most a second, as it writes every quarter; a machine that stands still delays both alike."""
    rows, writes, kept = put_and_kept(url, signal.SIGKILL)
    assert len(writes) >= _WRITES
    assert [quote for at, quote in rows if at < writes[-1] and quote not in kept] == []
    assert ledger.FLUSH_S <= 0.5


def test_a_clean_stop_loses_nothing(url: str) -> None:
    rows, _, kept = put_and_kept(url, signal.SIGTERM)
    assert len(rows) >= _WRITES
    assert {quote for _, quote in rows} <= kept
