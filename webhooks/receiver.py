"""Take a delivery in: limit, verify, store, answer; never works inline, and knows no web framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authentic:
    """A delivery that is what it says. `delivery_key` is the same for a repeat of the same delivery."""

    delivery_key: str
    topic: str


@dataclass(frozen=True, slots=True)
class Forged:
    """A delivery that must not be believed; `reason` is a code: signature_missing, signature_wrong, malformed."""

    reason: str


Verify = Callable[[bytes, Mapping[str, str]], Authentic | Forged]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over HTTP."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
