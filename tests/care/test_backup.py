"""The file of a backup: whole or refused, its owner's alone, and with the key only on request."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.care import archive
from connector.care.archive import BadBackup, members, read_head, verify
from connector.care.rows import digest_of, our_tables
from connector.settings import KEY_FILE
from connector.storage.database import open_database
from connector.storage.schema import metadata
from tests.cli.shell import shell_in
from tests.kept.kept import KEY, Kept


def test_a_backup_has_every_row_every_label_file_and_the_work_in_flight(steady: Kept, backup: Path) -> None:
    head, manifest = verify(backup)
    assert (head.database, head.with_key) == ("sqlite", False)
    assert manifest.runs == 6
    assert manifest.label_files == len(list((steady.folder / "data" / "labels").glob("*/*"))) == 5
    assert manifest.labels_missing == 0
    database = open_database(steady.database_url)
    with database.engine.connect() as connection:
        found = {table.name: digest_of(connection, table) for table in our_tables(connection)}
    database.close()
    assert {name: each.hex for name, each in found.items()} == {n: each.digest for n, each in manifest.tables.items()}
    assert set(found) == set(metadata.tables) - {"executors", "run_deaths", "run_places"}


def test_a_backup_is_readable_by_its_owner_only_and_never_written_over_another(backup: Path, steady: Kept) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    before = backup.read_bytes()
    with steady.here() as shell:
        assert "exists already" in shell.refused("backup", str(backup))
    assert backup.read_bytes() == before
    assert not list(backup.parent.glob("*.part"))


def test_the_key_is_in_a_backup_only_if_asked_for(backup: Path, steady: Kept, tmp_path: Path) -> None:
    assert KEY.encode() not in gzip.decompress(backup.read_bytes())
    path = tmp_path / "with.tar.gz"
    with steady.here() as shell:
        said = shell.ok("backup", str(path), "--with-key")
        assert "The key is not in it" in shell.ok("backup", str(tmp_path / "without.tar.gz"))
    assert "whoever has this file can read everything" in said
    assert read_head(path).with_key
    assert next(each.content for each in members(path) if each.name == archive.KEY).decode().split() == [KEY]


def test_no_personal_data_is_legible_in_a_backup(backup: Path) -> None:
    content = gzip.decompress(backup.read_bytes())
    assert b"Kept Buyer" not in content
    assert b"Kept Street" not in content


def test_a_backup_goes_to_standard_output_too(steady: Kept, tmp_path: Path) -> None:
    with steady.here() as shell:
        result = shell.run("backup", "-", "--json")
    assert result.exit_code == 0, result.stderr
    path = tmp_path / "piped.tar.gz"
    path.write_bytes(result.stdout_bytes)
    assert verify(path)[1].runs == 6
    assert '"checked": false' in result.stderr


def _shortened(content: bytes) -> bytes:
    return content[:-2000]


def _turned(at: float) -> Callable[[bytes], bytes]:
    def turn(content: bytes) -> bytes:
        place = int(len(content) * at)
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return turn


def _repacked(change: Callable[[tarfile.TarInfo, bytes], tuple[str, bytes] | None]) -> Callable[[bytes], bytes]:
    """The same tar with its members changed, as one who means harm would do it."""

    def repack(content: bytes) -> bytes:
        out = io.BytesIO()
        with (
            tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as old,
            tarfile.open(fileobj=out, mode="w:gz") as new,
        ):
            for info in old:
                file = old.extractfile(info)
                changed = change(info, file.read() if file else b"")
                if changed is not None:
                    member = tarfile.TarInfo(changed[0])
                    member.size = len(changed[1])
                    new.addfile(member, io.BytesIO(changed[1]))
        return out.getvalue()

    return repack


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut short": _shortened,
    **{f"a bit has turned at {at}": _turned(at) for at in (0.02, 0.05, 0.1, 0.2, 0.5, 0.999)},
    "empty": lambda _content: b"",
    "not a backup at all": lambda _content: b"PK\x03\x04" * 100,
    "a row was changed": _repacked(lambda info, body: (info.name, body.replace(b"Tea", b"Pea"))),
    "a table was taken out": _repacked(lambda info, body: None if "/orders/" in info.name else (info.name, body)),
    "a label file was taken out": _repacked(lambda info, body: None if "labels/" in info.name else (info.name, body)),
    "the manifest is gone": _repacked(lambda info, body: None if info.name == "manifest.json" else (info.name, body)),
    "the head is gone": _repacked(lambda info, body: None if info.name == "head.json" else (info.name, body)),
    "a file leads out of the folder": _repacked(lambda info, body: (info.name.replace("labels/", "../"), body)),
    "a newer form": _repacked(lambda info, body: (info.name, body.replace(b'"format": 1', b'"format": 2'))),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_is_refused_and_nothing_is_written(backup: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "damaged.tar.gz"
    path.write_bytes(DAMAGE[damage](backup.read_bytes()))
    with pytest.raises(BadBackup):
        verify(path)
    shell = shell_in(tmp_path / "data", keys=KEY)
    shell.refused("restore", str(path))
    assert not list((tmp_path / "data").glob("**/*"))


def test_a_restore_needs_the_key_that_fits_and_makes_none(backup: Path, steady: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert "put your copy of waybill.key" in shell_in(folder).refused("restore", str(backup))
    assert not (folder / KEY_FILE).exists()
    other = "b3RoZXItdGVzdC1rZXktb3RoZXItdGVzdC1rZXktMDA="
    assert "does not open this backup" in shell_in(folder, keys=other).refused("restore", str(backup))
    path = tmp_path / "with.tar.gz"
    with steady.here() as shell:
        shell.ok("backup", str(path), "--with-key")
    done = shell_in(folder).json("restore", str(path))
    assert done["jobs"] == 6
    assert (folder / KEY_FILE).read_text().split() == [KEY]
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert len(shell_in(folder).json("shop", "list")["shops"]) == 2


def test_a_backup_of_a_newer_schema_is_refused(backup: Path, tmp_path: Path) -> None:
    newer = _repacked(
        lambda info, body: (info.name, re.sub(rb'"schema_number": "\d+"', b'"schema_number": "9999"', body))
    )
    rechained = tmp_path / "newer.tar.gz"
    rechained.write_bytes(_with_chain(newer(backup.read_bytes())))
    said = shell_in(tmp_path / "data", keys=KEY).refused("restore", str(rechained))
    assert "schema 9999, which is newer" in said


def _with_chain(content: bytes) -> bytes:
    """Make the manifest fit its members again."""
    chain = archive.Chain()

    def change(info: tarfile.TarInfo, body: bytes) -> tuple[str, bytes]:
        if info.name == archive.MANIFEST:
            manifest = archive.Manifest.model_validate_json(body)
            return info.name, manifest.model_copy(update={"chain": chain.hex}).model_dump_json().encode()
        chain.add(info.name, body)
        return info.name, body

    return _repacked(change)(content)


def test_a_restore_into_a_database_with_data_is_refused_by_name_unless_forced(backup: Path, tmp_path: Path) -> None:
    shell = shell_in(tmp_path / "data", keys=KEY)
    shell.json("shop", "add", "sandbox", "--domain", "mine.sandbox.example")
    said = shell.refused("restore", str(backup))
    assert "waybill.db is not empty" in said
    assert "1 shops" in said
    assert [each["domain"] for each in shell.json("shop", "list")["shops"]] == ["mine.sandbox.example"]
    shell.json("restore", str(backup), "--force")
    domains = {each["domain"] for each in shell.json("shop", "list")["shops"]}
    assert domains == {"tea.sandbox.example", "mug.sandbox.example"}
