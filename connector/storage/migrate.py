"""Bring a database's schema to this release, one process at a time, and say where a schema stands."""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, inspect, text, types
from sqlalchemy.schema import SchemaItem

import connector
from connector.storage.database import Database, open_database
from connector.storage.schema import Moment, Sealed, metadata
from webhooks.errors import WaybillError

if TYPE_CHECKING:
    from alembic.config import Config

SchemaState = Literal["current", "too_old", "too_new", "empty"]

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x57415942  # "WAYB": the advisory lock that migrating processes take turns on.
_ASK_AGAIN_S = 0.1


class SchemaMismatch(WaybillError):
    """The database's schema is not the one that this release works with."""


def migrate(database: Database, *, also: Sequence[Callable[[Database], None]] = ()) -> None:
    """Apply what is missing; others that migrate at the same time wait, then find nothing to do.

    `also` makes or upgrades what other libraries keep in the same database, under the same lock on PostgreSQL, where
    DDL of this release is one transaction; so it is on SQLite. Raises SchemaMismatch on a newer release's schema.
    """
    from alembic import command

    with _one_at_a_time(database):
        with _rebuilding(database) as connection:
            if _state(connection) == "too_new":
                raise SchemaMismatch("The database belongs to a newer release of Waybill; run that one.")
            command.upgrade(_config(connection), "head")
        for upgrade in also:
            upgrade(database)


class Building:
    """A schema under construction, in one transaction: see `building`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to a revision (`0001`), or to this release's."""
        from alembic import command

        command.upgrade(_config(self.connection), revision)


@contextmanager
def building(database: Database) -> Iterator[Building]:
    """One transaction under the migrations' lock, for who fills a new database with rows of any schema.

    Nothing is there before it ends, and nothing if it fails. Others that migrate wait.
    """
    with _one_at_a_time(database), _rebuilding(database) as connection:
        yield Building(connection)


def revisions() -> list[str]:
    """The numbers of the schemas that this release knows, oldest first."""
    return sorted(path.name.split("_", 1)[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str:
    """The number of a database's schema; empty if it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def schema_state(database: Database) -> SchemaState:
    """Whether the schema is this release's: `too_old` needs `waybill migrate`, `too_new` a newer Waybill."""
    with database.engine.connect() as connection:
        return _state(connection)


def require_current(database: Database) -> None:
    """Raises SchemaMismatch, saying what to do, unless the schema is this release's."""
    match schema_state(database):
        case "empty" | "too_old":
            raise SchemaMismatch("The database's schema is older than this release: run `waybill migrate` first.")
        case "too_new":
            raise SchemaMismatch("The database belongs to a newer release of Waybill; run that one.")
        case "current":
            return


def import_rooms() -> list[str]:
    """Import every module of the product, so that the MetaData knows every table; their names."""
    found = []
    for module in pkgutil.walk_packages(connector.__path__, f"{connector.__name__}."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            found.append(module.name)
    return found


def differences(connection: Connection) -> list[Any]:
    """What the MetaData of the imported rooms and this database's schema do not agree on."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    options = _configure(connection)
    context = MigrationContext.configure(connection, opts={key: options[key] for key in _COMPARE_OPTIONS})
    found: list[Any] = compare_metadata(context, metadata)
    return found


def new_revision(message: str, *, number: str, folder: Path = FOLDER) -> Path:
    """Write the next migration from the difference between the migrations so far and the rooms' MetaData.

    For developers; the result is read and corrected by hand. `number` names it and sorts it (`0002`).
    """
    from alembic import command

    import_rooms()
    with tempfile.TemporaryDirectory() as scratch:
        database = open_database(f"sqlite:///{Path(scratch) / 'scratch.sqlite'}")
        try:
            with database.transaction() as connection:
                config = _config(connection, folder)
                command.upgrade(config, "head")
                script = command.revision(config, message, autogenerate=True, rev_id=number)
        finally:
            database.close()
    if script is None or isinstance(script, list):
        raise SchemaMismatch("No migration was written.")
    path = Path(script.path)
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "# ###" not in line))
    return path


def _state(connection: Connection) -> SchemaState:
    """Told without alembic, which a process that only asks need not load: revisions are numbered files in a row."""
    applied, known = revision_of(connection), revisions()
    if not applied:
        return "empty"
    if applied not in known:
        return "too_new"
    return "current" if applied == known[-1] else "too_old"


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[None]:
    """PostgreSQL: a session lock on a connection of its own. SQLite's own write lock does it there.

    Who waits asks again and again: a statement that waits for the lock is a transaction, and DBOS's migrations make
    indexes concurrently, for which PostgreSQL waits until every other transaction has ended.
    """
    if database.is_sqlite:
        yield
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK})").scalar():
            time.sleep(_ASK_AGAIN_S)
        try:
            yield
        finally:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")


@contextmanager
def _rebuilding(database: Database) -> Iterator[Connection]:
    """A transaction that may rebuild tables: SQLite checks foreign keys at its end instead of at every statement."""
    if not database.is_sqlite:
        with database.transaction() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise SchemaMismatch("The migration would leave rows without their parent.", detail=str(broken[:3]))
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _config(connection: Connection, folder: Path = FOLDER) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["configure"] = _configure(connection)
    return config


_COMPARE_OPTIONS = ("compare_type", "compare_server_default", "include_object", "render_as_batch")


def _configure(connection: Connection) -> dict[str, Any]:
    return {
        "connection": connection,
        "target_metadata": metadata,
        "compare_type": _types_differ,
        "compare_server_default": True,
        "include_object": _is_ours,
        "render_as_batch": True,
        "render_item": _render,
        "transactional_ddl": True,
    }


def _is_ours(item: SchemaItem, _name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Tables that only the database has belong to the engine of durable work (SQLite has one namespace for all)."""
    del item
    return not (kind == "table" and reflected and compare_to is None)


def _types_differ(_context: Any, _inspected: Any, _column: Any, inspected_type: Any, metadata_type: Any) -> bool | None:
    """Our decorated types compare as what they are made of."""
    if isinstance(metadata_type, Moment):
        return not isinstance(inspected_type, types.DateTime)
    if isinstance(metadata_type, Sealed):
        return not isinstance(inspected_type, types.Text)
    return None


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations stand alone: they name SQL types, not classes of ours that may change."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Sealed):
        return "sa.Text()"
    return False
