"""What the database shows: is it there, can it be written, does the key open it, do workers live, is work stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from connector.doctor.diagnosis import Diagnosis
from connector.insight.ledger_check import check
from connector.settings import KEY_FILE, Settings
from connector.storage.database import Database, DatabaseURLError, open_database
from connector.storage.logins.people import count_users
from connector.storage.migrate import schema_state
from connector.storage.secrets import Keyring, SealError, sealed_columns
from connector.storage.shops import ShopRecord, list_accounts, list_shops
from connector.words.reason import Reason
from connector.work import failures
from connector.work.lease import live_workers

_SAMPLE = 50


@dataclass(slots=True)
class Stored:
    """What was found. `shops` and `carriers` (name and settings) where key and database gave them."""

    found: list[Diagnosis] = field(default_factory=list)
    shops: list[ShopRecord] = field(default_factory=list)
    carriers: list[tuple[str, str]] = field(default_factory=list)


def look_at_database(settings: Settings) -> Stored:
    """Everything that needs the database; where it does not answer, that alone is said."""
    stored = Stored()
    what = Reason("doctor_database")
    try:
        database = None if _is_fresh(settings) else open_database(settings.database_url)
    except (DatabaseURLError, OSError, SQLAlchemyError) as error:
        stored.found.append(_down(what, error))
        return stored
    if database is None:
        why = Reason("doctor_database_fresh", {"folder": str(settings.data_dir)})
        stored.found.append(Diagnosis("database", what, "not_checked", why=why))
        return stored
    try:
        _look(settings, database, stored)
    except (OSError, SQLAlchemyError) as error:
        stored.found.append(_down(what, error))
    finally:
        database.close()
    return stored


def _is_fresh(settings: Settings) -> bool:
    """A SQLite file that is not there is not made by looking for it."""
    path = settings.database_url.removeprefix("sqlite:///")
    return path != settings.database_url and not Path(path).exists()


def _down(what: Reason, error: Exception) -> Diagnosis:
    cause = getattr(error, "orig", None) or error
    return Diagnosis("database", what, "broken", why=Reason("doctor_database_down", {"said": type(cause).__name__}))


def _look(settings: Settings, database: Database, stored: Stored) -> None:
    with database.engine.connect() as connection:
        value = _describe(connection)
    stored.found.append(Diagnosis("database", Reason("doctor_database"), "ok", value))
    stored.found.append(_write(database))
    if database.is_sqlite:
        stored.found += _journal(database)
    state = schema_state(database)
    stored.found.append(_schema(state))
    if state != "current":
        return
    keyring = _keyring(settings, database, stored)
    with database.engine.connect() as connection:
        stored.found += [*_workers(connection), _work(connection), _people(connection)]
        if keyring is not None:
            stored.shops = list_shops(connection, keyring)
            stored.found += _ledger(connection, stored.shops)
            accounts = list_accounts(connection, keyring)
            stored.carriers = [(each.carrier, str(each.settings.get("api_base") or "")) for each in accounts]


def _describe(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar()}"
    return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}"


def _write(database: Database) -> Diagnosis:
    """Write something, and take it back."""
    what = Reason("doctor_write")
    try:
        with database.engine.connect() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver begins none before DDL.
            connection.execute(text("CREATE TABLE waybill_doctor_was_here (id INTEGER)"))
            connection.rollback()
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        why = Reason("doctor_write_refused", {"said": type(cause).__name__})
        return Diagnosis("write", what, "broken", why=why)
    return Diagnosis("write", what, "ok")


def _journal(database: Database) -> list[Diagnosis]:
    with database.engine.connect() as connection:
        mode = str(connection.execute(text("PRAGMA journal_mode")).scalar())
    what = Reason("doctor_journal")
    if mode != "wal":
        return [Diagnosis("journal", what, "broken", mode, Reason("doctor_not_wal", {"mode": mode}))]
    return [Diagnosis("journal", what, "ok", mode)]


def _schema(state: str) -> Diagnosis:
    what = Reason("doctor_schema")
    reasons = {
        "too_old": Reason("doctor_schema_old"),
        "empty": Reason("doctor_schema_old"),
        "too_new": Reason("doctor_schema_new"),
    }
    if state in reasons:
        return Diagnosis("schema", what, "broken", state, reasons[state])
    return Diagnosis("schema", what, "ok", state)


def _keyring(settings: Settings, database: Database, stored: Stored) -> Keyring | None:
    """The keys, if they open what is there. No key file is made by looking for it."""
    what = Reason("doctor_opens")
    keys = settings.keys
    path = settings.data_dir / KEY_FILE
    if not keys:
        try:
            keys = tuple(path.read_text(encoding="ascii").split())
        except (OSError, UnicodeError):
            keys = ()
    with database.engine.connect() as connection:
        tokens = _sealed(connection)
    if not keys:
        if not tokens:
            return None
        stored.found.append(Diagnosis("opens", what, "broken", why=Reason("doctor_key_lost", {"path": str(path)})))
        return None
    try:
        keyring, newest = Keyring.from_keys(keys), Keyring.from_keys(keys[:1])
    except SealError as error:
        why = Reason("doctor_key_bad", {"said": error.message})
        stored.found.append(Diagnosis("opens", what, "broken", why=why))
        return None
    closed = _closed(keyring, tokens)
    if closed:
        why = Reason("doctor_key_wrong", {"count": closed, "of": len(tokens)})
        stored.found.append(Diagnosis("opens", what, "broken", why=why))
        return None
    if len(keys) > 1:
        old = _closed(newest, tokens)
        why = (
            Reason("doctor_keys_in_use", {"count": old})
            if old
            else Reason("doctor_keys_left", {"count": len(keys) - 1})
        )
        stored.found.append(Diagnosis("opens", what, "look", why=why))
    else:
        stored.found.append(Diagnosis("opens", what, "ok"))
    return keyring


def _sealed(connection: Connection) -> list[str]:
    """Some sealed values of each column."""
    found: list[str] = []
    for table, columns in sealed_columns().items():
        for column in columns:
            query = select(column).select_from(table).where(column.is_not(None)).limit(_SAMPLE)
            found += [str(value) for value in connection.execute(query).scalars()]
    return found


def _closed(keyring: Keyring, tokens: Sequence[str]) -> int:
    """How many of them the keys do not open."""
    count = 0
    for token in tokens:
        try:
            keyring.open(token)
        except SealError:
            count += 1
    return count


def _workers(connection: Connection) -> list[Diagnosis]:
    what = Reason("doctor_workers")
    alive = live_workers(connection)
    if not alive:
        return [Diagnosis("workers", what, "broken", why=Reason("doctor_no_worker"))]
    return [Diagnosis("workers", what, "ok", ", ".join(f"{each.host} ({each.pid})" for each in alive))]


def _work(connection: Connection) -> Diagnosis:
    what = Reason("doctor_work")
    stuck = [each.state for each in failures.list_failures(connection) if each.state in {"failed", "parked"}]
    if stuck:
        params = {"failed": stuck.count("failed"), "parked": stuck.count("parked")}
        return Diagnosis("work", what, "look", why=Reason("doctor_work_stuck", params))
    return Diagnosis("work", what, "ok")


def _ledger(connection: Connection, shops: Sequence[ShopRecord]) -> list[Diagnosis]:
    """Whether every amount ties with its label, void, invoice and order."""
    what = Reason("doctor_ledger")
    checked = {shop.domain: check(connection, shop.id) for shop in shops}
    bad = {domain: found for domain, found in checked.items() if found.gaps}
    if bad:
        domain, found = next(iter(bad.items()))
        why = Reason("doctor_ledger_gaps", {"shops": len(bad), "shop": domain, "gaps": len(found.gaps)})
        return [Diagnosis("ledger", what, "broken", why=why)]
    entries = sum(found.entries for found in checked.values())
    return [Diagnosis("ledger", what, "ok", str(entries))] if entries else []


def _people(connection: Connection) -> Diagnosis:
    what, count = Reason("doctor_people"), count_users(connection)
    if not count:
        return Diagnosis("people", what, "look", why=Reason("doctor_no_people"))
    return Diagnosis("people", what, "ok", str(count))
