"""Take a delivery in: limit, verify, store, answer; never works inline, and knows no web framework."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import assert_never

from sqlalchemy import Connection

from webhooks.inbox import Inbox
from webhooks.ports import Enqueue, lower_case


@dataclass(frozen=True, slots=True)
class Authentic:
    """A delivery that is what it says. `delivery_key` is the same for a repeat of the same delivery."""

    delivery_key: str
    topic: str


@dataclass(frozen=True, slots=True)
class Forged:
    """A delivery that must not be believed; `reason` is a code: signature_missing, signature_wrong, malformed.

    `field` names what was wrong in a malformed one, where that can be said.
    """

    reason: str
    field: str = ""


Verify = Callable[[bytes, Mapping[str, str]], Authentic | Forged]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over HTTP."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where deliveries arrive: a stable key (part of what makes a delivery unique), whose it is, and how to check."""

    key: str
    verify: Verify = field(repr=False)
    shop_id: str | None = None
    max_bytes: int = 8 * 1024 * 1024


_MESSAGES = {
    "method_not_allowed": "Deliveries come by POST.",
    "too_large": "The delivery is too large.",
    "signature_missing": "The delivery carries no signature.",
    "signature_wrong": "The signature does not match the delivery.",
    "malformed": "The delivery cannot be read.",
}


def refusal(status: int, code: str, field_name: str = "", *headers: tuple[str, str]) -> Reply:
    """A 4xx with a small JSON body: a code, the field where one is to blame, a sentence; nothing from inside."""
    error = {"code": code, "field": field_name, "message": _MESSAGES.get(code, "The delivery was refused.")}
    body = json.dumps({"error": {name: value for name, value in error.items() if value}}).encode()
    return Reply(status, body, (("content-type", "application/json"), *headers))


class Receiver:
    """Takes deliveries in: each is checked, stored and queued in one transaction, then answered."""

    def __init__(self, inbox: Inbox, begin: Callable[[], AbstractContextManager[Connection]], enqueue: Enqueue) -> None:
        self._inbox = inbox
        self._begin = begin
        self._enqueue = enqueue

    def receive(self, endpoint: Endpoint, method: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """Answer one delivery; blocks for the transaction only. A repeat is answered like the first and queues nothing.

        Raises what the database raises: the sender then gets an error and sends again.
        """
        if method.upper() != "POST":
            return refusal(405, "method_not_allowed", "", ("allow", "POST"))
        if len(raw) > endpoint.max_bytes:
            return refusal(413, "too_large")
        verdict = endpoint.verify(raw, lower_case(headers))
        match verdict:
            case Forged(reason=reason, field=field_name):
                return refusal(401 if reason.startswith("signature") else 400, reason, field_name)
            case Authentic(delivery_key=delivery_key, topic=topic):
                with self._begin() as connection:
                    delivery_id = self._inbox.store(
                        connection, endpoint.key, delivery_key, topic, raw, endpoint.shop_id
                    )
                    if delivery_id is not None:
                        self._enqueue(connection, delivery_id)
                return Reply(200)
            case _:
                assert_never(verdict)
