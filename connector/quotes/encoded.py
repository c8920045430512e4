"""Answers as they were sent: a repeat costs a look-up. Found by the request's bytes first, then by the cart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from connector.quotes.answers import AccountAnswer
from connector.quotes.decision import Decision
from connector.quotes.lru import Bounded
from connector.store import Incoming
from webhooks.receiver import Reply

_MOST_BYTES = 32 * 1024 * 1024
_ENTRY_BYTES = 500
CartKey = tuple[bytes, str, str, str, str]
"""The shop's version, the place that goods leave from, the cart's digest, the locale, and what is echoed."""

Signature = Literal["valid", "absent", "wrong", "unsigned"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer's bytes, the quote that it is, what it says, and when it is out of date."""

    reply: Reply
    quote_id: str
    outcome: Literal["offers", "not_served", "backup"]
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class _Raw:
    encoded: Encoded
    signature: Signature


class EncodedAnswers:
    """Encoded answers of every shop, bounded in bytes; a shop's new version makes its old ones unreachable."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._by_raw: Bounded[bytes, _Raw] = Bounded(most_bytes // 2)
        self._by_cart: Bounded[CartKey, Encoded] = Bounded(most_bytes // 2)

    def by_raw(self, key: bytes, now: datetime) -> tuple[Encoded, Signature] | None:
        """The answer to these very bytes, and how they were proved then (their signature is part of the key)."""
        found = self._by_raw.get(key)
        if found is None:
            return None
        if now < found.encoded.valid_until:
            return found.encoded, found.signature
        self._by_raw.drop(key)
        return None

    def by_cart(self, key: CartKey, now: datetime) -> Encoded | None:
        """The answer to the same cart, asked for in other bytes."""
        found = self._by_cart.get(key)
        if found is None or now < found.valid_until:
            return found
        self._by_cart.drop(key)
        return None

    def keep(self, cart_key: CartKey, encoded: Encoded) -> None:
        """Keep an answer for its cart."""
        self._by_cart.put(cart_key, encoded, len(encoded.reply.body) + _ENTRY_BYTES)

    def keep_raw(self, key: bytes, encoded: Encoded, signature: Signature) -> None:
        """Keep an answer for the bytes that asked for it; the answer itself is shared."""
        self._by_raw.put(key, _Raw(encoded, signature), len(encoded.reply.body) + _ENTRY_BYTES)


def raw_key(incoming: Incoming, shop_version: bytes, names: tuple[str, ...]) -> bytes:
    """A digest of all that an answer depends on: the shop's version, the body, the query, and the headers named."""
    named = "\n".join([incoming.headers.get(name, "") for name in names]).encode("utf-8", "surrogatepass")
    query = _query(incoming.query) if incoming.query else b""
    return sha256(b"\n\n".join((shop_version, named, query, incoming.raw))).digest()


def _query(query: Mapping[str, str]) -> bytes:
    return repr(sorted(query.items())).encode("utf-8", "surrogatepass")


def is_final(decision: Decision, answers: Sequence[AccountAnswer]) -> bool:
    """Whether asking again could not give more: no price is missing, and it is known that there are prices or none."""
    if decision.outcome == "backup" or any(offer.source == "safety" for offer in decision.offers):
        return False
    return not any(answer.has_gap for answer in answers)
