"""Labels in a printer's own language, one after the other in one file; each says in a comment which parcel it is of."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NOT_PLAIN = re.compile(r"[^ -\]_-}]")  # A comment ends at the next ^ or ~, and knows ASCII only.


def join(labels: Sequence[tuple[bytes, str]]) -> bytes:
    """All labels in order, with their captions."""
    count = len(labels)
    parts = []
    for number, (content, caption) in enumerate(labels, 1):
        said = _NOT_PLAIN.sub(" ", f"{number} / {count}  {caption}")
        parts.append(b"^FX " + said.encode() + b"^FS\n" + content.strip() + b"\n")
    return b"".join(parts)
