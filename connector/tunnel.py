"""A public https address for one run: a tunnel program is kept running, and its address given to web and worker.

For trying with a real store from a machine that has no public address. `waybill up --tunnel` runs three children under
its supervisor: this module as `keep` (the tunnel program, whose output it reads for the address), and web and worker
each behind this module as `under`, which waits for the address, sets WAYBILL_PUBLIC_URL and becomes the command. A
program that ends is started again by the supervisor, later each time; when it comes back with another address, web and
worker are told to stop, and start again with that one. Standard library only, as the supervisor.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from connector.supervisor import Child, DeathSignal

VARIABLE = "WAYBILL_PUBLIC_URL"

_ADDRESS = "address"
_ANY = re.compile(r"https://[a-z0-9.-]+(?::\d+)?", re.IGNORECASE)
_LONGEST_LINE = 500
_STOP_S = 5.0


class Program(NamedTuple):
    """A tunnel program: its command, and where its address stands in what it prints (group 1, or all)."""

    name: str
    command: tuple[str, ...]
    address: re.Pattern[str]


_KNOWN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "cloudflared",
        ("tunnel", "--no-autoupdate", "--url", "http://127.0.0.1:{port}"),
        r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com",
    ),
    ("ngrok", ("http", "{port}", "--log", "stdout", "--log-format", "logfmt"), r"\burl=(https://[^\s\"]+)"),
    ("tailscale", ("funnel", "{port}"), r"https://[a-z0-9.-]+\.ts\.net"),
)
"""What is looked for on the PATH, in this order. Of their documents: cloudflared's quick tunnels, ngrok agent 3,
tailscale funnel, all as of November 2026."""


def find_program(port: int, own: str | None, which: Callable[[str], str | None] = shutil.which) -> Program | None:
    """The merchant's own command (`{port}` stands for the port), or the first known program that is installed."""
    if own:
        words = [word.replace("{port}", str(port)) for word in shlex.split(own)]
        return Program(Path(words[0]).name, tuple(words), _ANY) if words else None
    for name, arguments, address in _KNOWN:
        path = which(name)
        if path:
            words = [word.replace("{port}", str(port)) for word in arguments]
            return Program(name, (path, *words), re.compile(address))
    return None


def known_programs() -> list[str]:
    """The names of the programs that are looked for."""
    return [name for name, _, _ in _KNOWN]


def children(program: Program, folder: Path, others: Sequence[Child]) -> list[Child]:
    """The supervisor's children with a tunnel: the program, and the others behind its address."""
    shutil.rmtree(folder, ignore_errors=True)  # The address of an earlier run is not this one's.
    folder.mkdir(parents=True, mode=0o700)
    here = (sys.executable, "-m", "connector.tunnel")
    keep = (*here, "keep", str(folder), program.address.pattern, str(program.address.flags), "--", *program.command)
    return [
        Child("tunnel", keep),
        *(Child(each.name, (*here, "under", str(folder), each.name, "--", *each.command)) for each in others),
    ]


def main(arguments: list[str]) -> int:
    """Run what `children` wrote."""
    what, folder = arguments[0], Path(arguments[1])
    cut = arguments.index("--")
    command = arguments[cut + 1 :]
    if what == "keep":
        return Keeper(folder, re.compile(arguments[2], int(arguments[3])), command).run()
    return _under(folder, arguments[2], command)


def _under(folder: Path, name: str, command: list[str]) -> int:
    """Wait for the address, then become the command."""
    said = False
    while not (folder / _ADDRESS).exists():
        if not said:
            _say(f"{name} waits for the tunnel's address")
            said = True
        time.sleep(0.1)
    _write(folder / f"{name}.pid", str(os.getpid()))
    os.environ[VARIABLE] = (folder / _ADDRESS).read_text(encoding="ascii")
    os.execv(command[0], command)  # noqa: S606 - our own command, as the supervisor was given it.


class Keeper:
    """Runs the tunnel program once, and tells of its address."""

    def __init__(self, folder: Path, address: re.Pattern[str], command: Sequence[str]) -> None:
        self._folder = folder
        self._address = address
        self._command = command
        self._stopping = False

    def run(self) -> int:
        """Until the program ends: 0 if that was asked for, else 1, so that it is started again."""
        die_with_us = DeathSignal()
        program = subprocess.Popen(  # noqa: S603 - the merchant's own program, found on the PATH or named by him.
            list(self._command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=lambda: die_with_us(signal.SIGTERM),  # noqa: PLW1509 - one thread, and the only way.
        )

        def stop(_number: int, _frame: object) -> None:
            self._stopping = True
            program.terminate()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        assert program.stdout is not None  # noqa: S101 - it was asked for.
        with program.stdout as lines:
            for line in lines:
                self._read(line.strip())
        try:
            code = program.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            program.kill()
            code = program.wait()
        if self._stopping:
            return 0
        _say(f"{self._command[0]} ended with exit code {code}")
        return 1

    def _read(self, line: str) -> None:
        _say(line[:_LONGEST_LINE])
        found = self._address.search(line)
        if found is None:
            return
        address = (found[1] if self._address.groups else found[0]).rstrip("/.")
        file = self._folder / _ADDRESS
        before = file.read_text(encoding="ascii") if file.exists() else ""
        if address == before:
            return
        _write(file, address)
        _say(f"the public address of this run is {address}")
        if before:
            self._restart_others()

    def _restart_others(self) -> None:
        """They run with the old address: the supervisor starts them again with the new one."""
        for file in self._folder.glob("*.pid"):
            pid = int(file.read_text(encoding="ascii"))
            if _parent_of(pid) == os.getppid():
                _say(f"{file.stem} starts again with the new address")
                os.kill(pid, signal.SIGTERM)


def _parent_of(pid: int) -> int:
    """Whose child a process is; 0 if it is gone."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return 0
        return int(stat.rpartition(")")[2].split()[1])
    line = ["ps", "-o", "ppid=", "-p", str(pid)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603 - a number of our own.
    return int(done.stdout.strip() or 0)


def _write(file: Path, text: str) -> None:
    """All at once, so that nobody reads half of it."""
    draft = file.with_suffix(".new")
    draft.write_text(text, encoding="ascii")
    draft.replace(file)


def _say(text: str) -> None:
    sys.stderr.write(f"waybill tunnel: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
