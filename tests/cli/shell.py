"""A command line on a data folder of its own, and processes that run beside it for a while."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner, Result

from connector.cli.root import waybill

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
STOP_S = 45.0


@dataclass(frozen=True)
class Shell:
    """Runs commands in this process; `environ` is what they find besides the machine's own variables."""

    environ: Mapping[str, str]

    def run(self, *args: str, stdin: str | None = None, **more: str) -> Result:
        """A command's result; `more` are variables without their prefix (`api_key=...`)."""
        hidden: dict[str, str | None] = {name: None for name in os.environ if name.startswith("WAYBILL_")}
        given = {f"WAYBILL_{name.upper()}": value for name, value in more.items()}
        return CliRunner().invoke(waybill, args, input=stdin, env={**hidden, **self.environ, **given})

    def ok(self, *args: str, **more: str) -> str:
        """The text of a command that must succeed."""
        result = self.run(*args, **more)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *args: str, code: int = 0, stdin: str | None = None, **more: str) -> dict[str, Any]:
        """The JSON answer of a command that must end with this code."""
        result = self.run(*args, "--json", stdin=stdin, **more)
        assert result.exit_code == code, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def refused(self, *args: str, code: int = 1, stdin: str | None = None, **more: str) -> str:
        """The one line that a refused command says; nothing else is said."""
        result = self.run(*args, stdin=stdin, **more)
        assert result.exit_code == code, result.output
        assert not result.stdout, result.stdout
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("Error: "), lines[0]
        return lines[0].removeprefix("Error: ")


def shell_in(folder: Path, **more: str) -> Shell:
    """A command line on this data folder."""
    given = {f"WAYBILL_{name.upper()}": value for name, value in more.items()}
    return Shell({"WAYBILL_DATA_DIR": str(folder), **given})


@dataclass
class Process:
    """A command that runs in a process of its own; what it wrote is kept."""

    child: subprocess.Popen[str]
    lines: queue.Queue[str] = field(default_factory=queue.Queue)
    log: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The next line of its standard output; fails after a while."""
        try:
            return self.lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            pytest.fail(f"It said nothing in time. Its log: {self.log[-20:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            return self.child.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(timeout=STOP_S)
            pytest.fail(f"It did not stop in time. Its log: {self.log[-20:]}")


@contextlib.contextmanager
def started(shell: Shell, *args: str) -> Iterator[Process]:
    """Run a command beside the test; it is stopped at the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    command = [sys.executable, "-m", "connector.cli", *args]
    child = subprocess.Popen(  # noqa: S603 - our own command.
        command,
        env={**environ, **shell.environ, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process = Process(child)
    assert child.stdout is not None
    assert child.stderr is not None
    readers = [
        threading.Thread(target=_read, args=(child.stdout, process.lines.put), daemon=True),
        threading.Thread(target=_read, args=(child.stderr, process.log.append), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        yield process
    finally:
        process.stop()
        for reader in readers:
            reader.join(STOP_S)
        child.stdout.close()
        child.stderr.close()


def _read(stream: IO[str], take: Callable[[str], object]) -> None:
    for line in stream:
        take(line.rstrip("\n"))


def until(look: Callable[[], object], what: str) -> None:
    """Look again and again; fails after a while."""
    end = time.monotonic() + PATIENCE_S
    while not look():
        if time.monotonic() > end:
            pytest.fail(f"Waited in vain for {what}.")
        select.select([], [], [], 0.1)


def run_in_shell(script: str, shell: Shell, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of a document as a reader would, with `waybill` on the path."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', '')}"
    return subprocess.run(  # noqa: S603 - a block of our own document.
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**environ, **shell.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
