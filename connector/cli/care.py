"""Commands that care for what is kept: backup, restore, migrate-store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connector.care.backup import Backup, back_up, back_up_to
from connector.care.moving import Moved, move
from connector.care.restore import Restored, restore
from connector.care.rows import CareError
from connector.cli.output import Speaker, as_json, command, with_house
from connector.settings import read_settings

_WITHOUT_KEY = "The key is not in it: keep a copy of it elsewhere, for nothing can be read without it."
_WITH_KEY = "The key is in it: whoever has this file can read everything."


def add_to(group: click.Group) -> None:
    """Register the commands."""

    @command(group, "backup")
    @click.argument("file")
    @click.option("--with-key", is_flag=True, help="Put the encryption key into the backup, too.")
    def backup(speaker: Speaker, file: str, with_key: bool) -> None:
        """Back up database and label files into one file, while the service runs. `-` writes to standard output.

        The key is left out unless you ask for it: keep a copy of it apart from the backups.
        """
        if file != "-":
            done = with_house(lambda house: back_up_to(house, Path(file), _progress, with_key=with_key))
            speaker.answer(*_backup_answer(done, file))
            return
        if sys.stdout.isatty():
            raise CareError("A backup is not text: write it to a file, or into a pipe.")
        done = with_house(lambda house: back_up(house, sys.stdout.buffer, _progress, with_key=with_key))
        data, lines = _backup_answer(done, file)
        text = [json.dumps(data, default=as_json)] if speaker.as_json else lines
        click.echo("\n".join(text), err=True)

    @command(group, "restore")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--force", is_flag=True, help="Replace what the database holds.")
    def restore_file(speaker: Speaker, file: Path, force: bool) -> None:
        """Restore a backup into the database and the folders of the settings; Waybill must not run.

        What was in flight is looked up at the carrier before anything is bought; parcels that were only planned wait
        for a person.
        """
        speaker.answer(*_restore_answer(restore(read_settings(), file, _progress, force=force)))

    @command(group, "migrate-store")
    @click.option("--to", "url", required=True, help="The new database: postgresql://… or sqlite:///FILE.")
    def migrate_store(speaker: Speaker, url: str) -> None:
        """Move everything to another, empty database, with work in flight; Waybill must not run.

        The old database stays as it is. Label files and the key stay where they are.
        """
        speaker.answer(*_move_answer(with_house(lambda house: move(house, url, _progress))))


def _progress(line: str) -> None:
    """People at a terminal see how far it is."""
    if sys.stderr.isatty():
        click.echo(f"  {line}", err=True)


def _backup_answer(done: Backup, file: str) -> tuple[dict[str, Any], list[str]]:
    manifest = done.manifest
    data = {
        "file": file,
        "made_at": done.made_at,
        "schema": done.schema,
        "tables": len(manifest.tables),
        "rows": done.rows,
        "jobs": manifest.runs,
        "label_files": manifest.label_files,
        "label_files_missing": manifest.labels_missing,
        "with_key": done.with_key,
        "checked": file != "-",
    }
    where = "standard output" if file == "-" else file
    checked = "" if file == "-" else " It was read again and is whole."
    lines = [
        f"Backed up {done.rows} rows, {manifest.label_files} label files and {manifest.runs} jobs in flight to {where}."
        + checked,
        _WITH_KEY if done.with_key else _WITHOUT_KEY,
    ]
    if manifest.labels_missing:
        lines.append(f"{manifest.labels_missing} label files that are spoken of are not there.")
    return data, lines


def _restore_answer(done: Restored) -> tuple[dict[str, Any], list[str]]:
    rows = sum(each.rows for each in done.manifest.tables.values())
    data = {
        "database": done.database,
        "made_at": done.head.made_at,
        "version": done.head.version,
        "rows": rows,
        "jobs": done.runs,
        "label_files": done.manifest.label_files,
        "looked_up": done.caution.looked_up,
        "held": done.caution.held,
    }
    what = f"{rows} rows and {done.manifest.label_files} label files of {done.head.made_at}"
    care = f"{done.caution.looked_up} purchases will be looked up, and {done.caution.held} parcels wait for a person"
    lines = [
        f"Restored {what} into {done.database}.",
        f"{care}: `waybill attention SHOP` lists them.",
        "What was bought after the backup is not known here. Look at your carrier before you buy what waits.",
        "If the address of this server is another one now, set WAYBILL_PUBLIC_URL and register the callbacks again.",
    ]
    return data, lines


def _move_answer(done: Moved) -> tuple[dict[str, Any], list[str]]:
    data = {
        "from": done.source,
        "to": done.target,
        "tables": len(done.tables),
        "rows": done.rows,
        "jobs": done.runs,
    }
    lines = [
        f"Moved {done.rows} rows and {done.runs} jobs in flight from {done.source} to {done.target}.",
        "Set WAYBILL_DATABASE_URL to the new database, with its password, for every process, then start Waybill.",
        "Key and label files stay where they are. The old database was not changed; do not start Waybill on it again.",
    ]
    return data, lines
