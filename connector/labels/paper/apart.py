"""Prints are made in a process of their own that knows of paper and of nothing else: checkouts are answered meanwhile.

The process is started for one print: it reads what to do from its standard input, writes the result, and its memory
goes with it. It loads no store, no carrier and no database, and is given none of Waybill's settings.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio

from webhooks.errors import WaybillError

T = TypeVar("T")

_HOME = Path(__file__).resolve().parents[3]
_START = "from connector.labels.paper.apart import main; main()"


class PrintFailed(WaybillError):
    """The process that makes prints ended without one; `detail` is the kind of its error, or how it ended."""


async def made_apart(make: Callable[..., T], *args: Any) -> T:
    """`make(*args)` in a process of its own; `make` is a function of a module. Raises PrintFailed.

    Who stops waiting ends the process.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    environ["PYTHONPATH"] = os.pathsep.join(each for each in (str(_HOME), environ.get("PYTHONPATH", "")) if each)
    asked = pickle.dumps((make.__module__, make.__qualname__, args), pickle.HIGHEST_PROTOCOL)
    done = await anyio.run_process([sys.executable, "-P", "-c", _START], input=asked, env=environ, check=False)
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").rstrip().rpartition("\n")[2].partition(":")[0]
        raise PrintFailed("The print could not be made.", detail=said[:80] or f"exit code {done.returncode}")
    result: T = pickle.loads(done.stdout)  # noqa: S301 - our own process wrote it.
    return result


def main() -> None:
    """What the process does."""
    from importlib import import_module

    out = os.dup(1)
    os.dup2(2, 1)  # What a library prints does not get into the result.
    module, name, args = pickle.load(sys.stdin.buffer)  # noqa: S301 - the process that started us wrote it.
    result = getattr(import_module(module), name)(*args)
    with os.fdopen(out, "wb") as stream:
        pickle.dump(result, stream, pickle.HIGHEST_PROTOCOL)
