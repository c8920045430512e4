"""What the machine itself shows: versions, the key file, free disk, the file system under SQLite, the port."""

from __future__ import annotations

import json
import platform
import shutil
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.engine import make_url

from connector.doctor.diagnosis import Diagnosis
from connector.labels.files import FilesUnreachable
from connector.labels.paper.fonts import find_fonts
from connector.labels.store_s3 import Bucket, S3Blobs
from connector.settings import KEY_FILE, Settings
from connector.words.reason import Param, Reason

_MIB = 1024 * 1024
_LITTLE = 1024 * _MIB
_TOO_LITTLE = 100 * _MIB
_OLDEST_SQLITE = (3, 35, 0)
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "lustre"}
)
_ASK_S = 3.0

Mounts = Callable[[], str]


def versions() -> list[Diagnosis]:
    """Of Waybill, Python and SQLite."""
    what = Reason("doctor_versions")
    value = f"Waybill {version('waybill')}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        why = Reason("doctor_sqlite_old", {"version": sqlite3.sqlite_version})
        return [Diagnosis("versions", what, "broken", value, why)]
    return [Diagnosis("versions", what, "ok", value)]


def key_file(settings: Settings) -> list[Diagnosis]:
    """Whether there is a key, and nobody else can read it."""
    what = Reason("doctor_key")
    if settings.keys:
        return [Diagnosis("key", what, "ok", f"{len(settings.keys)} in WAYBILL_KEYS")]
    path = settings.data_dir / KEY_FILE
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        return [Diagnosis("key", what, "not_checked", why=Reason("doctor_key_none", {"path": str(path)}))]
    if mode & 0o077:
        why = Reason("doctor_key_open", {"path": str(path), "mode": f"{mode:o}"})
        return [Diagnosis("key", what, "look", str(path), why)]
    return [Diagnosis("key", what, "ok", str(path))]


def disk(settings: Settings, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage) -> list[Diagnosis]:
    """Free room where data and labels lie; the same disk is named once."""
    found: dict[int, Diagnosis] = {}
    for folder in (settings.data_dir, settings.label_dir):
        there = _nearest(folder)
        free = usage(there)[2]
        found.setdefault(there.stat().st_dev, _room(there, free))
    return list(found.values())


def _room(folder: Path, free: int) -> Diagnosis:
    what, value = Reason("doctor_disk"), f"{free // _MIB} MiB free at {folder}"
    params: dict[str, Param] = {"free": free // _MIB, "folder": str(folder)}
    if free < _TOO_LITTLE:
        return Diagnosis("disk", what, "broken", value, Reason("doctor_disk_full", params))
    if free < _LITTLE:
        return Diagnosis("disk", what, "look", value, Reason("doctor_disk_low", params))
    return Diagnosis("disk", what, "ok", value)


def file_system(
    settings: Settings, mounts: Mounts = lambda: Path("/proc/mounts").read_text("utf-8")
) -> list[Diagnosis]:
    """SQLite's locks do not hold on network disks; PostgreSQL minds its own."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    what, folder = Reason("doctor_file_system"), _nearest(Path(url.database).parent)
    try:
        kind = _kind_of(folder.resolve(), mounts())
    except OSError:
        return [Diagnosis("file system", what, "not_checked", why=Reason("doctor_file_system_untold"))]
    if kind in _NETWORK:
        why = Reason("doctor_network_disk", {"folder": str(folder), "kind": kind})
        return [Diagnosis("file system", what, "broken", kind, why)]
    return [Diagnosis("file system", what, "ok", kind)]


def fonts(settings: Settings) -> list[Diagnosis]:
    """Whether packing slips can be printed in every language that we have."""
    what = Reason("doctor_fonts")
    found = find_fonts(settings.fonts)
    if not found.complete:
        why = Reason("doctor_fonts_missing", {"folders": settings.fonts})
        return [Diagnosis("fonts", what, "look", why=why)]
    return [Diagnosis("fonts", what, "ok", str(found.faces[0].regular))]


def label_files(settings: Settings) -> list[Diagnosis]:
    """Whether the bucket of label files answers; a folder is looked at with the disk."""
    if settings.files is None:
        return []
    what, bucket = Reason("doctor_files"), Bucket.read(settings.files.get_secret_value())
    try:
        S3Blobs(bucket).look()
    except FilesUnreachable as error:
        why = Reason("doctor_files_unreachable", {"place": bucket.host, "bucket": bucket.name, "said": error.message})
        return [Diagnosis("label files", what, "broken", why=why)]
    return [Diagnosis("label files", what, "ok", f"{bucket.name} at {bucket.host}")]


def _kind_of(folder: Path, mounts: str) -> str:
    """The type of the file system that is mounted nearest above the folder."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        place = Path(fields[1].replace("\\040", " "))
        if folder.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), fields[2]
    return kind


def port(settings: Settings) -> list[Diagnosis]:
    """Whether the web process can have its port, or has it already."""
    if settings.port == 0:
        return []
    what, place = Reason("doctor_port"), f"{settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError:
        if _is_waybill(settings):
            return [Diagnosis("port", what, "ok", f"Waybill listens on {place}")]
        return [Diagnosis("port", what, "broken", place, Reason("doctor_port_taken", {"place": place}))]
    return [Diagnosis("port", what, "ok", f"{place} is free: no web process runs here")]


def _is_waybill(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - read, not bound.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:{settings.port}/healthz", timeout=_ASK_S) as answer:
            said = json.loads(answer.read(4096))
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return isinstance(said, dict) and said.get("alive") is True


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    return there
