"""Put a backup back: into an empty database, with the key and the label files, and with care for what went on since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from connector.care.alone import require_alone
from connector.care.archive import KEY, RUNS, Head, Manifest, members, verify
from connector.care.backup import KEY_CHECK
from connector.care.caution import Caution, careful, take_care
from connector.care.fill import Filling, filling, require_empty
from connector.care.rows import CareError, Digest
from connector.labels.files import LabelShelf
from connector.settings import KEY_FILE, Settings, keep_first, read_keys
from connector.storage import audit, config_version
from connector.storage.audit import Actor
from connector.storage.logins.tables import links, sessions
from connector.storage.migrate import revisions
from connector.storage.secrets import Keyring, SealError
from connector.storage.shops import list_shops
from connector.wiring import House, open_house
from connector.work.due import DueRun
from connector.work.durable import make_tables
from connector.work.port import Task

_BY_COMMAND = Actor("command", "waybill")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    head: Head
    manifest: Manifest
    database: str
    runs: int
    caution: Caution


def restore(settings: Settings, path: Path, tell: Tell, *, force: bool) -> Restored:
    """Restore a backup into the database and the folders of these settings.

    `force` replaces what the database holds. Raises CareError, and the database is as it was, where the backup is
    damaged or of a newer release, no key fits, the database is in use, or it is not empty.
    """
    tell("Checking the backup.")
    head, manifest = verify(path)
    if head.schema_number not in revisions():
        raise CareError(f"The backup has schema {head.schema_number}, which is newer than this release's.")
    _keep_key(settings, head, path)
    house = open_house(settings)
    try:
        require_alone(house.database)
        if not force:
            require_empty(house.database, "Name another one, or give --force to replace what is there.")
        tell("Writing the label files.")
        _put_labels(house.shelf, path)
        with filling(house.database, head.schema_number) as (target, upgrade):
            runs = _put_back(target, path, manifest, tell)
            upgrade()
            caution = _afterwards(target, house, head)
        make_tables(house.database)
        return Restored(head, manifest, house.database.engine.url.render_as_string(), runs, caution)
    finally:
        house.close()


def _keep_key(settings: Settings, head: Head, path: Path) -> None:
    """A key that opens the backup has to be here before anything is written; that of the backup is put where none is.

    A new key is never made here.
    """
    file = settings.data_dir / KEY_FILE
    if not settings.keys and not file.exists():
        if not head.with_key:
            raise CareError(
                f"There is no key here, and the backup has none in it: put your copy of {KEY_FILE} into "
                f"{settings.data_dir}, or set WAYBILL_KEYS, then restore."
            )
        content = next(member.content for member in members(path) if member.name == KEY)
        keep_first(file, content.decode())
    try:
        fits = Keyring.from_keys(read_keys(settings)).open(head.key_check) == KEY_CHECK
    except SealError:
        fits = False
    if not fits:
        raise CareError(
            "The key that is set here does not open this backup: "
            + (f"move {file} away, and the backup's own is taken." if head.with_key else "restore the key it had.")
        )


def _put_back(target: Filling, path: Path, manifest: Manifest, tell: Tell) -> int:
    """The rows as they were, compared with what the backup says of them; then its work in flight; how much of it."""
    runs: list[DueRun] = []
    for member in members(path):
        if member.table:
            names, *rows = member.lines
            target.put_rows(member.table, [str(name) for name in names], rows)  # type: ignore[arg-type]  # JSON values.
        elif member.name == RUNS:
            runs = [_run(line) for line in member.lines]
    wanted = {name: Digest(each.rows, int(each.digest, 16)) for name, each in manifest.tables.items()}
    target.require_same(wanted, tell)
    return target.put_runs(careful(runs))


def _run(line: list[Any]) -> DueRun:
    run_id, name, key, shop_id, args, attempt = line
    return DueRun(run_id, Task(name, key, shop_id, tuple(args), attempt))


def _afterwards(target: Filling, house: House, head: Head) -> Caution:
    connection, now = target.connection, house.clock.now()
    shops = [shop.id for shop in list_shops(connection, house.keyring)]
    caution = take_care(connection, house.work, shops, now)
    for ended in (sessions, links):  # Who left or was shut out since must not come back in.
        connection.execute(delete(ended))
    config_version.bump(connection)
    detail = {"made_at": head.made_at, "schema": head.schema_number, "version": head.version}
    detail |= {"looked_up": str(caution.looked_up), "held": str(caution.held)}
    audit.record(
        connection, now=now, actor=_BY_COMMAND, action="house.restore", subject="database", shop_id=None, detail=detail
    )
    return caution


def _put_labels(shelf: LabelShelf, path: Path) -> None:
    """Files are named by their content, so one that is there already is the same."""
    for member in members(path):
        if member.label is not None:
            shelf.put_sealed(member.label[1].removesuffix(".sealed"), member.content)
