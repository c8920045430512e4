"""A network of its own for a process, on a cable that can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


class NoNetwork(Exception):
    """This machine does not let us make a network; the message says why."""


@dataclass(frozen=True)
class Cable:
    """`space` is the network's name; `prefix` runs a command in it. Our end has the address `here`."""

    space: str
    here: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What is put before a command that shall run at the far end."""
        return ("ip", "netns", "exec", self.space)

    def cut(self) -> float:
        """Take our end down: nothing goes through any more, and nobody is told. The moment, in monotonic seconds."""
        at = time.monotonic()
        _ip("link", "set", _end(self.space), "down")
        return at

    def mend(self) -> None:
        """Take it up again."""
        _ip("link", "set", _end(self.space), "up")


@contextmanager
def cable() -> Iterator[Cable]:
    """Make one; leaving removes it. Raises NoNetwork."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NoNetwork("A network of its own needs root and the program ip.")
    space = f"wc{os.getpid()}"
    # Of this process alone, as other tests may run beside it.
    here, there = (f"10.203.{os.getpid() % 250}.{end}" for end in (1, 2))
    with ExitStack() as stack:
        try:
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "del", space)
            _ip("link", "add", _end(space), "type", "veth", "peer", "name", "wcpeer", "netns", space)
        except subprocess.CalledProcessError as error:
            raise NoNetwork(f"This machine does not let us make a network: {error.stderr.decode().strip()}") from error
        _ip("address", "add", f"{here}/30", "dev", _end(space))
        _ip("link", "set", _end(space), "up")
        _ip("-n", space, "address", "add", f"{there}/30", "dev", "wcpeer")
        _ip("-n", space, "link", "set", "wcpeer", "up")
        _ip("-n", space, "link", "set", "lo", "up")
        yield Cable(space, here)


def _end(space: str) -> str:
    return f"{space}a"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)  # noqa: S603, S607
