"""Workers that are killed, frozen, poisoned, stopped or cut off: work ends, once, and zombies do nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection

from connector.work.failures import list_failures
from connector.work.lease import EXIT_LEASE_LOST, list_executors
from connector.work.port import Task
from tests.cable import Cable, NoNetwork, cable
from tests.postgres import PostgresServer, discard, launch_server
from tests.work import jobs
from tests.work.harness import ROOT, DurableHarness, durable_harness

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

LONG_LEASE = {"ttl_s": 300}
"""A lease that does not end within a test: what is taken over was noticed by the sign of life."""


@pytest.fixture
def harness(database_url: str, tmp_path: Path) -> Iterator[DurableHarness]:
    with durable_harness(database_url, tmp_path / "log") as made:
        yield made


def _enqueue(harness: DurableHarness, *tasks: Task) -> None:
    with harness.database.transaction() as connection:
        for task in tasks:
            harness.work.enqueue(connection, task)


def _parked(connection: Connection) -> list[str]:
    return [failure.task.key for failure in list_failures(connection, states=["parked"])]


async def test_every_job_ends_once_though_its_worker_is_killed_at_boundary_after_boundary(
    harness: DurableHarness,
) -> None:
    """Ten kills, each at another boundary of some step; then one worker that lives.

    The killer is outside the jobs, so none may be parked, however often it is unlucky.
    """
    patient = {"poison_after": 100, **LONG_LEASE}
    keys = [f"steps-{number}" for number in range(8)]
    _enqueue(harness, *(Task("labels.steps", key, f"shop_{key[-1]}") for key in keys))
    for kill, kill_after in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 3, 5)):
        if harness.database.run_here(jobs.count_finished, "steps-") == len(keys):
            more = [f"steps-{kill}-{number}" for number in range(2)]
            _enqueue(harness, *(Task("labels.steps", key, "shop_a") for key in more))
            keys += more
        worker = harness.start_worker(kill_after=kill_after, settings=patient)
        assert await anyio.to_thread.run_sync(worker.wait_end) == -signal.SIGKILL
    harness.start_worker(settings=patient)
    await harness.until(jobs.count_finished, "steps-", expect=len(keys))
    counts = harness.database.run_here(jobs.outside_counts)
    assert counts == {f"{key} {step}": 1 for key in keys for step in ("buy", "push")}
    assert harness.database.run_here(_parked) == []


async def test_another_worker_takes_over_long_before_the_lease_of_a_killed_one_ends(harness: DurableHarness) -> None:
    first = harness.start_worker(settings=LONG_LEASE)
    _enqueue(harness, Task("test.hold", "held", "shop_a"))
    await harness.until(jobs.effects, "held", expect=["started"])
    second = harness.start_worker(settings=LONG_LEASE)
    first.send(signal.SIGKILL)
    await harness.until(jobs.effects, "held", expect=["started", "started"])
    assert harness.database.run_here(jobs.pids, "held") == [first.pid, second.pid]
    harness.database.run_here(jobs.raise_flag, "release")
    await harness.until(jobs.effects, "held", expect=["started", "started", "finished"])


async def test_a_worker_that_was_frozen_past_its_lease_spends_nothing_once_thawed(
    harness: DurableHarness, tmp_path: Path
) -> None:
    spent = tmp_path / "spent"
    frozen = harness.start_worker(settings={"ttl_s": 3})
    _enqueue(harness, Task("test.spend", "spend", "shop_a", (str(spent),)))
    await harness.until(jobs.pids, "spend", expect=[frozen.pid])
    if harness.database.is_sqlite:  # Frozen with the lock of the file, it holds everyone up; only its fence counts.
        frozen.send(signal.SIGSTOP)
        await anyio.sleep(4)
    else:
        other = harness.start_worker(settings={"ttl_s": 3})
        frozen.send(signal.SIGSTOP)
        await harness.until(jobs.pids, "spend", expect=[frozen.pid, other.pid])
    before = spent.stat().st_size
    frozen.send(signal.SIGCONT)
    assert await anyio.to_thread.run_sync(frozen.wait_end) == EXIT_LEASE_LOST
    with spent.open() as file:
        file.seek(before)
        after = [line.split() for line in file if line.startswith(f"{frozen.pid} ")]
    assert all(held == "False" for _pid, held in after)


async def test_a_job_that_ends_its_workers_is_parked_and_the_rest_goes_on(harness: DurableHarness) -> None:
    _enqueue(harness, Task("test.poison", "poison", "shop_a", ("par_1",)))
    for _ in range(3):
        assert harness.start_worker(wait=False, settings=LONG_LEASE).wait_end() == -signal.SIGKILL
    survivor = harness.start_worker(settings=LONG_LEASE)
    await harness.until(_parked, expect=["poison"])
    _enqueue(harness, Task("test.effect", "after", "shop_a"))
    await harness.until(jobs.effects, "after", expect=["ran"])
    assert harness.database.run_here(jobs.effects, "poison") == ["started"] * 3
    (failure,) = harness.database.run_here(list_failures, "shop_a")
    assert failure.task == Task("test.poison", "poison", "shop_a", ("par_1",))
    assert survivor.process.poll() is None


async def test_a_stop_waits_for_running_jobs_and_claims_no_more(harness: DurableHarness) -> None:
    worker = harness.start_worker()
    _enqueue(harness, Task("test.hold", "held", "shop_a"))
    await harness.until(jobs.effects, "held", expect=["started"])
    worker.send(signal.SIGTERM)
    await harness.until(lambda connection: len(list_executors(connection)), expect=1)
    _enqueue(harness, Task("test.effect", "too late", "shop_a"))
    harness.database.run_here(jobs.raise_flag, "release")
    assert await anyio.to_thread.run_sync(worker.wait_end) == 0
    assert harness.database.run_here(jobs.effects, "held") == ["started", "finished"]
    harness.start_worker()
    await harness.until(jobs.effects, "too late", expect=["ran"])


async def test_a_job_that_outlasts_the_patience_of_a_stop_is_given_to_another_worker(harness: DurableHarness) -> None:
    worker = harness.start_worker(settings={"grace_s": 1, **LONG_LEASE})
    _enqueue(harness, Task("test.hold", "held", "shop_a"))
    await harness.until(jobs.effects, "held", expect=["started"])
    worker.send(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(worker.wait_end) == 0
    harness.start_worker(settings=LONG_LEASE)
    await harness.until(jobs.effects, "held", expect=["started", "started"])
    harness.database.run_here(jobs.raise_flag, "release")
    await harness.until(jobs.effects, "held", expect=["started", "started", "finished"])


async def test_finished_runs_are_swept_and_their_keys_stay(harness: DurableHarness) -> None:
    harness.start_worker()
    task = Task("test.effect", "once", "shop_a")
    _enqueue(harness, task)
    await harness.until(jobs.effects, "once", expect=["ran"])
    soon = datetime.now(UTC) + timedelta(days=1)
    program = (
        "import sys\nfrom datetime import datetime\nfrom connector.clock import SystemClock\n"
        "from connector.storage.database import open_database\nfrom connector.work.durable import DurableWork\n"
        "work = DurableWork(open_database(sys.argv[1]), SystemClock())\n"
        "print(*(work.sweep_finished(datetime.fromisoformat(at)) for at in sys.argv[2:]))\n"
    )
    late = soon + timedelta(days=30)
    await anyio.sleep(0.5)  # The engine notes the end of the run just after the job's own effect.
    command = [sys.executable, "-c", program, harness.url, soon.isoformat(), late.isoformat()]
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    )
    assert done.stdout.split() == ["0", "1"]
    with harness.database.transaction() as connection:
        assert harness.work.enqueue(connection, task) is False


async def test_a_process_that_only_queues_does_not_load_the_engine(harness: DurableHarness) -> None:
    program = (
        "import sys\nfrom connector.clock import SystemClock\nfrom connector.storage.database import open_database\n"
        "from connector.storage.migrate import schema_state\nfrom connector.work.durable import DurableWork\n"
        "from connector.work.port import Task\n"
        "database = open_database(sys.argv[1])\nschema_state(database)\n"
        "work = DurableWork(database, SystemClock())\n"
        "database.run_here(work.enqueue, Task('test.effect', 'light', 'shop_a'))\n"
        "print(*sorted({'dbos', 'alembic'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program, harness.url]
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    )
    assert done.stdout.split() == []


async def test_a_worker_whose_database_restarts_ends_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """The new server knows no locks, which proves nothing: work moves only once the old lease has ended."""
    server = launch_server()
    try:
        with durable_harness(server.create_database(), tmp_path / "log") as harness:
            worker = harness.start_worker(settings={"ttl_s": 3})
            _enqueue(harness, Task("test.hold", "held", "shop_a"))
            await harness.until(jobs.effects, "held", expect=["started"])
            harness.database.close()
            server.stop(signal.SIGINT)
            assert await anyio.to_thread.run_sync(worker.wait_end) == EXIT_LEASE_LOST
            server.start()
            harness.start_worker(settings={"ttl_s": 3})
            await harness.until(jobs.effects, "held", expect=["started", "started"])
            harness.database.run_here(jobs.raise_flag, "release")
            await harness.until(jobs.effects, "held", expect=["started", "started", "finished"])
    finally:
        discard(server)


# --- a cut cable --------------------------------------------------------------------------------------------------


@pytest.fixture
def line() -> Iterator[Cable]:
    """A network of its own for a worker, on a cable to ours."""
    try:
        with cable() as made:
            yield made
    except NoNetwork as reason:
        pytest.skip(str(reason))


@pytest.fixture
def served(line: Cable) -> Iterator[PostgresServer]:
    """A server that listens on our end of the cable."""
    server = launch_server(address=line.here)
    yield server
    discard(server)


async def test_a_worker_whose_cable_is_cut_stops_and_another_takes_over(
    line: Cable, served: PostgresServer, tmp_path: Path
) -> None:
    spent = tmp_path / "spent"
    with durable_harness(served.create_database(), tmp_path / "log") as harness:
        far = harness.start_worker(prefix=list(line.prefix))
        _enqueue(harness, Task("test.spend", "spend", "shop_a", (str(spent),)))
        await harness.until(jobs.pids, "spend", expect=[far.pid])
        near = harness.start_worker()
        line.cut()
        await harness.until(jobs.pids, "spend", expect=[far.pid, near.pid])
        first_of_near = spent.read_text().splitlines().index(f"{near.pid} True")
        assert await anyio.to_thread.run_sync(far.wait_end) == EXIT_LEASE_LOST
        late = [line for line in spent.read_text().splitlines()[first_of_near:] if line == f"{far.pid} True"]
        assert late == []
