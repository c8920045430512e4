"""Keeps the processes of `waybill up` running; standard library only, and little of it, to stay small.

It is a process of its own, run by file name: `command_line` gives the command, `main` is its start. Nothing of
Waybill is imported here.

Children run in process groups of their own, without standard input, so that Ctrl-C reaches only the supervisor. It
passes every request to stop on as SIGTERM, waits, then kills. A child that ends by itself is started again, later
each time it lasts short; a child that ends with an exit code of `ENDING` ends everything with that code. When the
supervisor itself is killed, the kernel kills the children (Linux; elsewhere they stay).
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

EXIT_MISCONFIGURED = 78
"""A child's exit code for "starting me again changes nothing: a person must act" (EX_CONFIG of sysexits.h)."""

EXIT_NOT_STARTED = 127
"""A child's command could not be run at all."""

ENDING = frozenset({EXIT_MISCONFIGURED, EXIT_NOT_STARTED})

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Child(NamedTuple):
    """A process to keep running: a short name for the log, and its command."""

    name: str
    command: tuple[str, ...]


class Timing(NamedTuple):
    """How long to be patient, in seconds.

    `grace_s`: for a stop. `first_wait_s`: before a restart, doubled each time up to `longest_wait_s`. `stable_s`: a
    child that lived so long starts afresh at `first_wait_s`.
    """

    grace_s: float = 20
    first_wait_s: float = 0.5
    longest_wait_s: float = 30
    stable_s: float = 60


def command_line(children: Sequence[Child], timing: Timing = Timing()) -> list[str]:  # noqa: B008 (it is immutable)
    """The command that runs the supervisor as a small process; for `os.execv` or a subprocess."""
    command = [sys.executable, "-I", "-S", os.path.abspath(__file__), *(repr(float(part)) for part in timing)]  # noqa: PTH100
    for child in children:
        command += ["--", child.name, str(len(child.command)), *child.command]
    return command


def main(arguments: list[str]) -> int:
    """Run what `command_line` wrote; returns the exit code."""
    timing = Timing(*(float(part) for part in arguments[: len(Timing._fields)]))
    rest = arguments[len(Timing._fields) :]
    children = []
    while rest:
        size = int(rest[2])
        children.append(Child(rest[1], tuple(rest[3 : 3 + size])))
        rest = rest[3 + size :]
    return Supervisor(children, timing).run()


def restart_wait(short_lives: int, timing: Timing) -> float:
    """Seconds to wait before a child is started again that lived shortly `short_lives` times in a row (from 1)."""
    return float(min(timing.longest_wait_s, timing.first_wait_s * 2 ** min(short_lives - 1, 30)))


class _Place:
    """Where a child stands: its process id (0: none), when it started, when it is due to start again."""

    def __init__(self, child: Child, due: float) -> None:
        self.child = child
        self.pid = 0
        self.started = 0.0
        self.due = due
        self.short_lives = 0
        self.killed = False


class Supervisor:
    """Runs the children until it is told to stop, or one of them says that it makes no sense to go on."""

    def __init__(self, children: Sequence[Child], timing: Timing) -> None:
        self._timing = timing
        self._places = [_Place(child, 0.0) for child in children]
        self._stop_at: float | None = None
        self._code = 0
        self._set_death_signal = DeathSignal()

    def run(self) -> int:
        """Supervise; returns 0 after a stop, or the ending code of a child. Only in a process of its own."""
        wake, ring = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(ring, False)
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, _noted)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        while True:
            self._reap()
            if self._stop_at is not None and not any(place.pid for place in self._places):
                return self._code
            self._start_due()
            select.select([wake], [], [], self._patience())
            self._heed(_read(wake))

    def _heed(self, numbers: bytes) -> None:
        if self._stop_at is None:
            if any(number in STOP_SIGNALS for number in numbers):
                self._stop("told to stop")
        elif signal.SIGINT in numbers:
            self._stop_at = 0.0  # An impatient second Ctrl-C.
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            for place in self._places:
                if place.pid and not place.killed:
                    place.killed = True
                    _say(f"{place.child.name}: killed, it did not stop in time")
                    _send(place.pid, signal.SIGKILL)

    def _patience(self) -> float | None:
        """Seconds until something has to be done without a signal; None for never."""
        now = time.monotonic()
        if self._stop_at is not None:
            return max(0.05, self._stop_at - now)
        dues = [place.due for place in self._places if not place.pid]
        return max(0.0, min(dues) - now) if dues else None

    def _start_due(self) -> None:
        now = time.monotonic()
        for place in self._places:
            if self._stop_at is None and not place.pid and place.due <= now:
                place.pid = self._fork(place.child.command)
                place.started = time.monotonic()
                _say(f"{place.child.name}: started as process {place.pid}")

    def _fork(self, command: Sequence[str]) -> int:
        """Start a command and return its process id. A stop that comes meanwhile waits until the child can take it."""
        parent = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            return pid
        try:
            os.setpgid(0, 0)
            self._set_death_signal(signal.SIGKILL)
            if os.getppid() != parent:  # The parent was gone before the kernel knew our wish.
                os._exit(EXIT_NOT_STARTED)
            signal.set_wakeup_fd(-1)
            for number in (*STOP_SIGNALS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.execvp(command[0], list(command))  # noqa: S606
        except OSError as exc:
            _say(f"{command[0]}: cannot be run: {exc.strerror}")
        finally:
            os._exit(EXIT_NOT_STARTED)

    def _reap(self) -> None:
        """Take note of every process that ended, orphans that fell to us included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for place in self._places:
                if place.pid == pid:
                    self._ended(place, os.waitstatus_to_exitcode(status))

    def _ended(self, place: _Place, code: int) -> None:
        place.pid = 0
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        if self._stop_at is not None:
            _say(f"{place.child.name}: ended with {how}")
        elif code in ENDING:
            self._code = code
            self._stop(f"{place.child.name} ended with {how} and is not started again")
        else:
            now = time.monotonic()
            place.short_lives = 1 if now - place.started >= self._timing.stable_s else place.short_lives + 1
            wait = restart_wait(place.short_lives, self._timing)
            place.due = now + wait
            _say(f"{place.child.name}: ended with {how}; starts again in {wait:g} s")

    def _stop(self, why: str) -> None:
        _say(f"stopping: {why}")
        self._stop_at = time.monotonic() + self._timing.grace_s
        for place in self._places:
            if place.pid:
                _send(place.pid, signal.SIGTERM)


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the wake-up pipe has the signal's number."""


def _read(wake: int) -> bytes:
    try:
        return os.read(wake, 4096)
    except BlockingIOError:
        return b""


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _say(text: str) -> None:
    try:
        os.write(2, f"waybill up: {text}\n".encode())
    except OSError:
        return  # A closed standard error must not end the supervisor.


class DeathSignal:
    """Asks Linux to signal this process when its parent ends; does nothing elsewhere."""

    def __init__(self) -> None:
        self._prctl = None
        if sys.platform == "linux":
            import ctypes

            self._prctl = ctypes.CDLL(None).prctl

    def __call__(self, number: int) -> None:
        """Ask for this signal."""
        if self._prctl is not None:
            self._prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
