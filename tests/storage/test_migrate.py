"""Migrations make exactly the schema that the rooms declare, on both databases, one process at a time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Connection, inspect, text

from connector.storage import migrate as migrations
from connector.storage.database import Database, open_database
from connector.storage.migrate import SchemaMismatch, differences, import_rooms, migrate, require_current, schema_state
from connector.storage.schema import metadata


@pytest.fixture(scope="module", autouse=True)
def rooms() -> list[str]:
    return import_rooms()


def test_the_migrated_schema_is_what_every_room_declares(empty_database: Database, rooms: list[str]) -> None:
    migrate(empty_database)
    assert "connector.storage.shops" in rooms
    assert empty_database.run_here(differences) == []


def test_checks_and_partial_indexes_survive_the_migration(empty_database: Database) -> None:
    """What autogenerate does not compare: names of CHECKs, and the condition of each partial unique index."""
    migrate(empty_database)

    def found(connection: Connection) -> tuple[set[str], set[str]]:
        inspector = inspect(connection)
        checks = set()
        partial = set()
        for table in metadata.tables:
            checks |= {f"{table}.{check['name']}" for check in inspector.get_check_constraints(table)}
            for index in inspector.get_indexes(table):
                options: dict[str, Any] = dict(index.get("dialect_options") or {})
                if any(key.endswith("_where") for key in options):
                    partial.add(f"{table}.{index['name']}")
        return checks, partial

    wanted_checks = {
        f"{table.name}.{constraint.name}"
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    wanted_partial = {
        f"{table.name}.{index.name}"
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert empty_database.run_here(found) == (wanted_checks, wanted_partial)


def test_a_partial_index_has_its_condition_for_both_databases() -> None:
    for table in metadata.tables.values():
        for index in table.indexes:
            conditions = [index.dialect_options[dialect]["where"] for dialect in ("sqlite", "postgresql")]
            assert (conditions[0] is None) == (conditions[1] is None), f"{table.name}.{index.name}"


def test_a_schema_says_where_it_stands(empty_database: Database) -> None:
    assert schema_state(empty_database) == "empty"
    with pytest.raises(SchemaMismatch, match="waybill migrate"):
        require_current(empty_database)
    migrate(empty_database)
    migrate(empty_database)
    assert schema_state(empty_database) == "current"
    require_current(empty_database)
    with empty_database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert schema_state(empty_database) == "too_new"
    with pytest.raises(SchemaMismatch, match="newer"):
        migrate(empty_database)


def test_processes_that_migrate_at_once_take_turns(empty_database: Database) -> None:
    url = empty_database.engine.url.render_as_string(hide_password=False)
    failures: list[BaseException] = []
    made: list[int] = []

    def run() -> None:
        mine = open_database(url)
        try:
            migrate(mine, also=[lambda _database: made.append(1)])
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(made) == 3
    assert schema_state(empty_database) == "current"


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: Database) -> None:
    with empty_database.transaction() as connection:
        connection.execute(text("CREATE TABLE shops (id INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        migrate(empty_database)
    with empty_database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["shops"]
    assert schema_state(empty_database) == "empty"


def test_a_new_revision_holds_what_the_rooms_added(tmp_path: Any) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (folder / name).write_text((migrations.FOLDER / name).read_text())
    path = migrations.new_revision("create the schema", number="0001", folder=folder)
    written = path.read_text()
    for table in metadata.tables:
        assert f"'{table}'" in written
    assert "connector." not in written


def test_who_waits_for_its_turn_does_not_hinder_indexes_that_are_made_concurrently(postgres_url: str) -> None:
    """Such an index waits for every open transaction; DBOS's own migrations make some while others wait."""
    first, second = open_database(postgres_url), open_database(postgres_url)
    turn = threading.Event()
    waiter = threading.Thread(target=lambda: migrate(second, also=[lambda _: turn.set()]))

    def while_another_waits(database: Database) -> None:
        waiter.start()
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            waits = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%advisory_lock%' AND pid <> :mine")
            mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            while connection.execute(waits, {"mine": mine}).scalar_one() < 2:
                turn.wait(0.02)
            connection.exec_driver_sql("SET statement_timeout = '10s'")
            connection.exec_driver_sql("CREATE INDEX CONCURRENTLY test_shops ON shops (domain)")

    migrate(first, also=[while_another_waits])
    waiter.join(20)
    assert turn.is_set()
    first.close()
    second.close()
