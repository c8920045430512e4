"""Processes that a test starts, watches, signals by their id, and ends for sure."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
_END_S = 30.0


class Waited(AssertionError):
    """Something did not come in time."""


def until(look: Callable[[], T | None], what: str, timeout_s: float, every_s: float = 0.05) -> T:
    """Look again and again until there is something (neither None nor False). Raises Waited."""
    end = time.monotonic() + timeout_s
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise Waited(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(every_s)


class Child:
    """One process with its log. `prefix` is put before the command, such as `ip netns exec NAME`."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        *,
        prefix: Sequence[str] = (),
        piped: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        self._file = log.open("ab")
        pipe = subprocess.PIPE if piped else None
        self.process = subprocess.Popen(  # noqa: S603 - our own modules
            [*prefix, sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=dict(env),
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or self._file,
            stderr=self._file,
        )

    @property
    def pid(self) -> int:
        """Its id."""
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def send(self, number: int) -> None:
        """Signal it, if it is still there."""
        if self.is_alive:
            self.process.send_signal(number)

    def wait(self, timeout_s: float = _END_S) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        return self.process.wait(timeout_s)

    def end(self) -> None:
        """Ask it to stop, then kill it."""
        self.send(signal.SIGTERM)
        try:
            self.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait(10)
        self._file.close()

    def tail(self, characters: int = 2500) -> str:
        """The end of its log."""
        return f"--- {self.name} ---\n{self.log.read_text(errors='replace')[-characters:]}"


class Talker(Child):
    """A process that writes one JSON object a line, and takes such lines."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, piped=True, **kwargs)
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(json.loads(line))

    def end(self) -> None:
        """The end of its input ends it; then as any other."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        super().end()
        self._reader.join(10)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, timeout_s: float = 0.0) -> dict[str, Any] | None:
        """The next line, or None."""
        try:
            return self._lines.get(timeout=timeout_s) if timeout_s else self._lines.get_nowait()
        except queue.Empty:
            return None


def own_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without its own Waybill settings, with these instead."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("WAYBILL_")}
    kept = {key: os.environ[key] for key in ("WAYBILL_REFERENCE_DIR",) if key in os.environ}
    # As `waybill up` sets it for its children.
    return inherited | kept | {"MALLOC_ARENA_MAX": "2"} | dict(settings)
