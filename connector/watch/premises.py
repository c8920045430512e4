"""How the installation itself is doing: workers, disk, the certificate of its public address."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from connector.attention.board import HOUSE
from connector.watch.signs import Look, Patience
from connector.words.reason import Reason
from connector.work.lease import worker_runs

CERTIFICATE_DAYS = 14
_CONNECT_S = 10.0
_GIB = 1024**3
_WORKER = Patience(opens=timedelta(seconds=90), closes=timedelta(seconds=30))
_DISK = Patience(closes=timedelta(minutes=5))


def look_at_workers(connection: Connection) -> Look:
    """Whether nobody reads orders and buys labels."""
    why = None if worker_runs(connection) else Reason("worker_dead")
    return Look(HOUSE, "worker_dead", "worker", why, _WORKER)


def look_at_disks(folders: Sequence[Path], usage: Callable[[Path], Any] = shutil.disk_usage) -> list[Look]:
    """Whether little is left where database and labels lie: 1 GiB, or 5 % where that is less than 10 GiB."""
    looks = []
    for number, folder in enumerate(folders):
        found = next(each for each in (folder, *folder.resolve().parents) if each.exists())
        room = usage(found)
        little = room.free < _GIB or (room.free < room.total // 20 and room.free < 10 * _GIB)
        why = Reason("disk_full", {"folder": str(folder), "free": f"{room.free / _GIB:.1f}"}) if little else None
        looks.append(Look(HOUSE, "disk_full", f"disk {number}", why, _DISK))
    return looks


def look_at_certificate(public_url: str, now: datetime, ends: Callable[[str, int], datetime]) -> list[Look]:
    """Whether the certificate of the public address ends soon or does not hold; nothing where it cannot be seen."""
    parts = urlsplit(public_url)
    if parts.scheme != "https" or not parts.hostname:
        return []
    try:
        end = ends(parts.hostname, parts.port or 443)
    except ssl.SSLCertVerificationError as error:
        said = getattr(error, "verify_message", "") or "it cannot be verified"
        bad = Reason("certificate_bad", {"host": parts.hostname, "said": said})
        return [Look(HOUSE, "certificate_bad", "certificate", bad)]
    except OSError:
        return []  # Not every server reaches itself by its public name; the check-up of the shops says so.
    days = (end - now) // timedelta(days=1)
    why = Reason("certificate_ending", {"host": parts.hostname, "days": days}) if days < CERTIFICATE_DAYS else None
    return [
        Look(HOUSE, "certificate_bad", "certificate", None),
        Look(HOUSE, "certificate_ending", "certificate", why),
    ]


def certificate_ends(host: str, port: int) -> datetime:
    """When the certificate that a server shows ends. Blocks; raises SSLCertVerificationError or another OSError."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as link,
    ):
        shown = link.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
