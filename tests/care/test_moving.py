"""Moving to another database: every row, every job, exactly once, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.care.rows import digest_of, our_tables
from connector.storage.database import open_database
from tests.care.test_restore import die, has_worker, is_empty
from tests.kept.kept import Kept

pytestmark = pytest.mark.slow


def digests(url: str) -> dict[str, str]:
    """What each table holds."""
    database = open_database(url, pool_size=1)
    try:
        with database.engine.connect() as connection:
            return {table.name: digest_of(connection, table).hex for table in our_tables(connection)}
    finally:
        database.close()


def test_everything_arrives_on_postgresql_and_back_and_the_old_database_stays(kept: Kept, postgres_url: str) -> None:
    before = digests(kept.database_url)
    with kept.here() as shell:
        done = shell.json("migrate-store", "--to", postgres_url)
    assert done["jobs"] == 6
    assert digests(kept.database_url) == before
    arrived = digests(postgres_url)
    assert arrived.pop("due") != before.pop("due")  # With the jobs that were in flight.
    assert arrived == before
    back = f"sqlite:///{kept.folder / 'back' / 'waybill.db'}"
    with kept.on(database_url=postgres_url).here() as shell:
        assert shell.json("migrate-store", "--to", back)["jobs"] == 0
    returned = digests(back)
    assert returned.pop("due") == digests(postgres_url)["due"]
    assert returned == before


def test_work_in_flight_goes_on_in_the_new_database(kept: Kept, postgres_url: str) -> None:
    with kept.here() as shell:
        assert shell.json("migrate-store", "--to", postgres_url)["jobs"] == 6
    moved = kept.on(database_url=postgres_url)
    wanted = {order: ["bought"] for order in (*moved.in_flight, moved.notes["orders"]["unclear"])}
    with moved.running("work"):
        moved.until(lambda: moved.states(*wanted) == wanted, "every order that was on its way to have its label")
    assert {town: n for town, n in moved.sold().items() if town.startswith(("Kept", "SANDBOX"))} == {
        **{f"Kept Town {number}": 1 for number in range(6)},
        "Kept Village": 1,
        "SANDBOX-LOST-ANSWER": 1,
    }
    new_rows = "SELECT count(*) FROM audit WHERE id > (SELECT count(*) FROM audit) + 1000"
    assert moved.rows(new_rows) == [(0,)]  # Counted keys went on behind those that came over.


def test_a_move_that_is_killed_leaves_the_old_usable_and_the_new_empty(kept: Kept, postgres_url: str) -> None:
    before = digests(kept.database_url)
    die(kept, "move", "Compared", postgres_url)
    assert digests(kept.database_url) == before
    assert is_empty(postgres_url)
    with kept.here() as shell:
        assert shell.json("migrate-store", "--to", postgres_url)["rows"]
    assert not is_empty(postgres_url)


def test_a_move_and_a_restore_are_refused_while_waybill_runs(kept: Kept, postgres_url: str, backup: Path) -> None:
    with kept.running("work"), kept.here() as shell:
        kept.until(lambda: has_worker(kept), "the worker")
        assert shell.refused("migrate-store", "--to", postgres_url).startswith("A worker is alive")
        assert shell.refused("restore", str(backup), "--force").startswith("A worker is alive")
    kept.until(lambda: not has_worker(kept), "the worker's end")
    with kept.running("serve", port="0"), kept.here() as shell:
        kept.until(lambda: _is_open(kept), "the web process to open the database")
        assert "has the database open" in shell.refused("migrate-store", "--to", postgres_url)
    assert is_empty(postgres_url)


def _is_open(kept: Kept) -> bool:
    """Whether a process of this machine has the file open."""
    path = str((kept.folder / "data" / "waybill.db").resolve())
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if folder.parent.name != "self" and any(str(link.readlink()) == path for link in folder.iterdir()):
                return True
        except OSError:
            continue
    return False


def test_a_move_is_refused_while_another_has_a_connection_to_postgresql(kept: Kept, postgres_url: str) -> None:
    with kept.here() as shell:
        shell.ok("migrate-store", "--to", postgres_url)
    moved = kept.on(database_url=postgres_url)
    other = open_database(postgres_url, pool_size=1)
    empty = f"sqlite:///{kept.folder / 'empty' / 'waybill.db'}"
    with other.engine.connect() as connection, moved.here() as shell:
        connection.exec_driver_sql("SELECT 1")
        assert "1 other connection" in shell.refused("migrate-store", "--to", empty)
    other.close()


def test_a_move_into_a_database_with_data_or_into_itself_is_refused(kept: Kept, steady: Kept) -> None:
    with kept.here() as shell:
        said = shell.refused("migrate-store", "--to", steady.database_url)
        assert "is not empty" in said
        assert "Name an empty one" in said
        assert "in use already" in shell.refused("migrate-store", "--to", "sqlite:///data/waybill.db")
        assert shell.refused("migrate-store", "--to", "mysql://x/y")
