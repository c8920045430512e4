"""The widget's script as it is served: its address with the content's hash may be kept for good."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from webhooks.receiver import Reply

FILE = Path(__file__).parent / "static" / "waybill-widget.js"
_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_NOW = "public, max-age=300, stale-while-revalidate=86400"


@dataclass(frozen=True, slots=True)
class Script:
    """The script, the same packed, and the first digits of its hash."""

    body: bytes
    packed: bytes
    version: str


@functools.cache
def script() -> Script:
    """Read once."""
    body = FILE.read_bytes()
    return Script(body, gzip.compress(body, 9, mtime=0), sha256(body).hexdigest()[:12])


def script_url(base: str = "") -> str:
    """The address that changes with the script."""
    return f"{base}/storefront/{FILE.name}?v={script().version}"


def script_reply(asked: str, headers: Mapping[str, str]) -> Reply:
    """The script; `asked` is the version that the address names, if it names one."""
    found = script()
    tag = f'"{found.version}"'
    common = (
        ("cache-control", _FOR_GOOD if asked == found.version else _FOR_NOW),
        ("etag", tag),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("vary", "accept-encoding"),
    )
    if tag in headers.get("if-none-match", ""):
        return Reply(304, b"", common)
    kind = ("content-type", "text/javascript; charset=utf-8")
    if "gzip" in headers.get("accept-encoding", ""):
        return Reply(200, found.packed, (kind, ("content-encoding", "gzip"), *common))
    return Reply(200, found.body, (kind, *common))
