"""Ids that name their kind, sort by time and cannot be guessed."""

from __future__ import annotations

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: no i, l, o, u
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_SHIFTS = tuple(range(120, -1, -10))  # Two of the 26 characters at a time.


def new_id(prefix: str, now: datetime) -> str:
    """An id such as `par_01hf3k…`: 48 bits of milliseconds, then 80 random bits, 26 characters behind the prefix."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return f"{prefix}_{''.join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])}"


def new_token() -> str:
    """An unguessable token for a callback URL: 160 random bits in 32 characters that need no escaping."""
    number = secrets.randbits(160)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(0, 160, 5))
