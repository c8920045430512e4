"""The file of a backup: a gzipped tar that is written and read from front to back, with a manifest at its end.

`head.json` says whose it is; `rows/TABLE/NUMBER.jsonl` hold rows, the columns' names in the first line; `runs.jsonl`
holds the work in flight; `labels/…` are label files as they lie on disk, sealed; `waybill.key` is there if that was
asked for; `manifest.json` counts it all and closes it. A file without its last member is not a backup.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from connector.care.rows import CareError, Digest, Row

FORMAT = 1
HEAD, MANIFEST, RUNS, KEY = "head.json", "manifest.json", "runs.jsonl", "waybill.key"

_CHUNK = 1 << 20  # About so many characters of rows make one member.
_LONGEST = 256 << 20  # No member of ours is longer.
_LABEL = re.compile(r"labels/([0-9a-f]{2})/(\1[0-9a-f]{62}\.sealed)")
_ROWS = re.compile(r"rows/([a-z_]+)/\d{6}\.jsonl")


class BadBackup(CareError):
    """The file is not a whole backup of Waybill."""


class Head(BaseModel):
    """Whose backup this is. `key_check` is a known text, sealed with the key that opens everything else."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: int
    version: str
    schema_number: str
    made_at: str
    database: str
    key_check: str
    with_key: bool


class TableCount(BaseModel):
    """How many rows a table has, and their digest whatever their order."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    rows: int
    digest: str


class Manifest(BaseModel):
    """What a backup holds. `chain` is the SHA-256 over every member before this one, names included."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    members: int
    chain: str
    tables: Mapping[str, TableCount]
    runs: int
    label_files: int
    label_bytes: int
    labels_missing: int


@dataclass
class Counts:
    """What was put in so far."""

    tables: dict[str, Digest] = field(default_factory=dict)
    runs: int = 0
    label_files: int = 0
    label_bytes: int = 0
    labels_missing: int = 0


class Chain:
    """One sum over all members, in their order."""

    def __init__(self) -> None:
        self.members = 0
        self._sum = hashlib.sha256()

    def add(self, name: str, content: bytes) -> None:
        """Take a member in."""
        self.members += 1
        self._sum.update(f"{name}\n{hashlib.sha256(content).hexdigest()}\n".encode())

    @property
    def hex(self) -> str:
        """The sum so far."""
        return self._sum.hexdigest()


class Writer:
    """Writes a backup member by member; `finish` closes it with the manifest."""

    def __init__(self, out: IO[bytes], head: Head, made_at_s: float) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|gz", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by finish.
        self._chain = Chain()
        self._made_at_s = made_at_s
        self.counts = Counts()
        self.add(HEAD, head.model_dump_json(indent=1).encode())

    def add(self, name: str, content: bytes) -> None:
        """One member."""
        self._put(name, content)
        self._chain.add(name, content)

    def add_rows(self, table: str, names: Sequence[str], rows: Iterator[Row]) -> Digest:
        """A table's rows, in as many members as it takes."""
        digest = self.counts.tables[table] = Digest()
        lines, size, number = [_line(names)], 0, 0
        for row in rows:
            digest.add(row)
            lines.append(_line(row))
            size += len(lines[-1])
            if size >= _CHUNK:
                number += 1
                self.add(f"rows/{table}/{number:06}.jsonl", "\n".join(lines).encode())
                lines, size = [_line(names)], 0
        if len(lines) > 1:
            self.add(f"rows/{table}/{number + 1:06}.jsonl", "\n".join(lines).encode())
        return digest

    def add_label(self, digest: str, sealed: bytes) -> None:
        """A label file, as it is kept."""
        self.add(f"labels/{digest[:2]}/{digest}.sealed", sealed)
        self.counts.label_files += 1
        self.counts.label_bytes += len(sealed)

    def finish(self) -> Manifest:
        """Close it."""
        counts = {name: TableCount(rows=each.rows, digest=each.hex) for name, each in self.counts.tables.items()}
        rest = {name: value for name, value in asdict(self.counts).items() if name != "tables"}
        manifest = Manifest(members=self._chain.members, chain=self._chain.hex, tables=counts, **rest)
        self._put(MANIFEST, manifest.model_dump_json(indent=1).encode())
        self._tar.close()
        return manifest

    def abandon(self) -> None:
        """Let go of it as it is: without its manifest it is no backup."""
        with suppress(OSError, ValueError):
            self._tar.close()

    def _put(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(content), 0o600, int(self._made_at_s)
        self._tar.addfile(member, io.BytesIO(content))


@dataclass(frozen=True, slots=True)
class Member:
    """One member, whole in memory."""

    name: str
    content: bytes

    @property
    def table(self) -> str:
        """Which table's rows it has; empty if none."""
        match = _ROWS.fullmatch(self.name)
        return match[1] if match else ""

    @property
    def label(self) -> tuple[str, str] | None:
        """Folder and file of the label file that it is."""
        match = _LABEL.fullmatch(self.name)
        return (match[1], match[2]) if match else None

    @property
    def lines(self) -> Iterator[list[object]]:
        """Its JSON lines. Raises BadBackup."""
        try:
            for line in self.content.decode().split("\n"):
                if line:
                    yield json.loads(line)
        except ValueError as error:  # No JSON, or no text at all.
            raise BadBackup("The backup is damaged: a part of it cannot be read.", detail=self.name) from error


def read_head(path: Path) -> Head:
    """Whose backup this is. Raises BadBackup."""
    for member in members(path):
        return _head(member)
    raise BadBackup("The file is empty.", detail=str(path))


def verify(path: Path) -> tuple[Head, Manifest]:
    """Read the whole file and compare it with its manifest. Raises BadBackup."""
    head: Head | None = None
    chain, tables = Chain(), dict[str, Digest]()
    for member in members(path):
        if head is None:
            head = _head(member)
        if member.name == MANIFEST:
            manifest = _manifest(member)
            found = {name: TableCount(rows=each.rows, digest=each.hex) for name, each in tables.items()}
            wanted = {name: count for name, count in manifest.tables.items() if count.rows}
            if (chain.members, chain.hex) != (manifest.members, manifest.chain) or found != wanted:
                raise BadBackup("The backup is damaged: its content is not what its manifest says.", detail=str(path))
            return head, manifest
        chain.add(member.name, member.content)
        if member.table:
            digest = tables.setdefault(member.table, Digest())
            for number, row in enumerate(member.lines):
                if number:  # The first line names the columns.
                    digest.add(row)  # type: ignore[arg-type]  # Values of JSON.
    raise BadBackup("The backup is not whole: it ends without its manifest.", detail=str(path))


def members(path: Path) -> Iterator[Member]:
    """Every member in its order. Raises BadBackup for what is no backup, and for names that no backup has."""
    with _readable(path), tarfile.open(path, mode="r|gz") as tar:
        for info in tar:
            known = (
                info.name in {HEAD, MANIFEST, RUNS, KEY} or _LABEL.fullmatch(info.name) or _ROWS.fullmatch(info.name)
            )
            if not known or not info.isreg() or info.size > _LONGEST:
                raise BadBackup("The file is not a backup of Waybill.", detail=info.name[:100])
            file = tar.extractfile(info)
            yield Member(info.name, b"" if file is None else file.read())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadBackup("The file is not a whole backup of Waybill.", detail=str(path)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise BadBackup("The file is not a whole backup of Waybill.", detail=str(path)) from error  # Not gzip.


def _head(member: Member) -> Head:
    try:
        head = Head.model_validate_json(member.content if member.name == HEAD else b"")
    except ValidationError as error:
        raise BadBackup("The file is not a backup of Waybill.", detail=member.name) from error
    if head.format != FORMAT:
        raise BadBackup("The backup was made by a newer release of Waybill; restore it with that one.")
    return head


def _manifest(member: Member) -> Manifest:
    try:
        return Manifest.model_validate_json(member.content)
    except ValidationError as error:
        raise BadBackup("The backup's manifest cannot be read.") from error


def _line(values: Sequence[object]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
