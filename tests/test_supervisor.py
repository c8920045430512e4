"""`waybill up` keeps its processes running, stops them well, and leaves none behind."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import supervisor
from connector.supervisor import EXIT_MISCONFIGURED, EXIT_NOT_STARTED, Child, Timing, command_line, restart_wait

PATIENCE_S = 20.0
QUICK = Timing(grace_s=10, first_wait_s=0.05, longest_wait_s=0.1, stable_s=60)

# Each script notes its process id in the file that is its first argument.
NOTE = "import os, signal, sys, time\nopen(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\n"
WELL_BEHAVED = (
    "import os, signal, sys, time\n"
    "def leave(*_):\n    open(sys.argv[1], 'a').write('left\\n'); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, leave)\n"
    "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\n"
    "while True: time.sleep(60)\n"
)
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + NOTE + "while True: time.sleep(60)\n"
SHORT_LIVED = NOTE + "sys.exit(3)\n"
HOPELESS = NOTE + f"sys.exit({EXIT_MISCONFIGURED})\n"

Start = Callable[..., subprocess.Popen[bytes]]

pytestmark = pytest.mark.slow


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a supervisor; what still runs is killed at the end of the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*children: Child, timing: Timing = QUICK) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command_line(children, timing), stderr=subprocess.PIPE)  # noqa: S603
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


def child(script: str, notes: Path, name: str = "web") -> Child:
    return Child(name, (sys.executable, "-S", "-c", script, str(notes)))


def noted(notes: Path, lines: int) -> list[str]:
    """The notes, once there are so many."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if notes.exists() and len(found := notes.read_text().splitlines()) >= lines:
            return found
        time.sleep(0.01)
    pytest.fail(f"{notes.name} did not get {lines} lines")


def state(pid: int) -> str:
    """The kernel's letter for a process's state; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def test_a_stop_is_passed_on_and_awaited(start: Start, tmp_path: Path) -> None:
    process = start(child(WELL_BEHAVED, tmp_path / "web"), child(WELL_BEHAVED, tmp_path / "worker", "worker"))
    noted(tmp_path / "web", 1)
    noted(tmp_path / "worker", 1)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert noted(tmp_path / "web", 2)[1] == noted(tmp_path / "worker", 2)[1] == "left"


def test_ctrl_c_stops_children_as_gently(start: Start, tmp_path: Path) -> None:
    process = start(child(WELL_BEHAVED, tmp_path / "web"))
    noted(tmp_path / "web", 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0
    assert noted(tmp_path / "web", 2)[1] == "left"


def test_a_child_that_ends_is_started_again(start: Start, tmp_path: Path) -> None:
    start(child(SHORT_LIVED, tmp_path / "web"), child(WELL_BEHAVED, tmp_path / "worker", "worker"))
    assert len(set(noted(tmp_path / "web", 3))) >= 3
    assert len(noted(tmp_path / "worker", 1)) == 1


def test_a_killed_child_is_started_again_and_leaves_no_zombie(start: Start, tmp_path: Path) -> None:
    start(child(WELL_BEHAVED, tmp_path / "web"))
    first = int(noted(tmp_path / "web", 1)[0])
    os.kill(first, signal.SIGKILL)
    noted(tmp_path / "web", 2)
    assert state(first) == ""


def test_a_deaf_child_is_killed_after_the_grace_time(start: Start, tmp_path: Path) -> None:
    process = start(child(DEAF, tmp_path / "web"), timing=QUICK._replace(grace_s=0.2))
    pid = int(noted(tmp_path / "web", 1)[0])
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert state(pid) == ""


def test_a_second_ctrl_c_kills_at_once(start: Start, tmp_path: Path) -> None:
    process = start(child(DEAF, tmp_path / "web"), timing=QUICK._replace(grace_s=600))
    noted(tmp_path / "web", 1)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while b"stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0


def test_a_child_that_says_it_is_hopeless_ends_everything_with_its_code(start: Start, tmp_path: Path) -> None:
    process = start(child(WELL_BEHAVED, tmp_path / "worker", "worker"), child(HOPELESS, tmp_path / "web"))
    assert process.wait(PATIENCE_S) == EXIT_MISCONFIGURED
    assert len(noted(tmp_path / "web", 1)) == 1
    notes = tmp_path / "worker"
    pids = [int(line) for line in notes.read_text().splitlines() if line.isdigit()] if notes.exists() else []
    assert [state(pid) for pid in pids if state(pid)] == []


def test_a_command_that_cannot_be_run_ends_everything(start: Start, tmp_path: Path) -> None:
    process = start(Child("web", (str(tmp_path / "missing"),)))
    assert process.wait(PATIENCE_S) == EXIT_NOT_STARTED


def test_children_end_when_the_supervisor_is_killed(start: Start, tmp_path: Path) -> None:
    process = start(child(DEAF, tmp_path / "web"), child(WELL_BEHAVED, tmp_path / "worker", "worker"))
    pids = [int(noted(tmp_path / name, 1)[0]) for name in ("web", "worker")]
    process.kill()
    process.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while any(state(pid) not in {"", "Z"} for pid in pids):
        assert time.monotonic() < deadline, "a child outlived its supervisor"
        time.sleep(0.01)


def test_arguments_reach_the_child_as_they_are(start: Start, tmp_path: Path) -> None:
    script = (
        "import os, sys\nopen(sys.argv[1], 'w').write('\\n'.join([*sys.argv[2:], 'end']))\nos.kill(os.getppid(), 15)"
    )
    odd = ("--", "", "two words", "řecky", "--host=0")
    start(Child("web", (sys.executable, "-S", "-c", script, str(tmp_path / "web"), *odd)))
    assert tuple(noted(tmp_path / "web", 6)[:5]) == odd


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the size")
def test_the_supervisor_is_small(start: Start, tmp_path: Path) -> None:
    process = start(child(WELL_BEHAVED, tmp_path / "web"))
    noted(tmp_path / "web", 1)
    (size,) = (line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmRSS" in line)
    assert int(size.split()[1]) < 20_000


def test_the_supervisor_imports_only_a_little_of_the_standard_library() -> None:
    tree = ast.parse(Path(supervisor.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {
        "__future__", "collections.abc", "ctypes", "os", "select", "signal", "sys", "time", "typing",
    }  # fmt: skip


@given(st.integers(1, 1000))
def test_restarts_wait_longer_each_time_up_to_a_limit(short_lives: int) -> None:
    timing = Timing()
    wait = restart_wait(short_lives, timing)
    assert timing.first_wait_s <= wait <= timing.longest_wait_s
    assert wait == timing.longest_wait_s or restart_wait(short_lives + 1, timing) > wait
