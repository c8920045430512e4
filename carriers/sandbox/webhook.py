"""The sandbox carrier's deliveries: sign them (for the demo), verify them, then read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from carriers.sandbox.mapping import EventJSON, read_tracking, write_event
from carriers.tracking import TrackingUpdate
from webhooks.receiver import Authentic, Forged
from webhooks.signatures import Invalid, check_sandbox, sandbox_signature

SIGNATURE_HEADER = "x-sandbox-signature"


@dataclass(frozen=True, slots=True)
class SignedDelivery:
    """A webhook as the pretend carrier would post it."""

    headers: Mapping[str, str]
    body: bytes


def sign(event_id: str, tracking: dict[str, object], secret: str) -> SignedDelivery:
    """The body and headers of one piece of news; equal news give equal bytes."""
    body = json.dumps(write_event(event_id, tracking), ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"content-type": "application/json", SIGNATURE_HEADER: sandbox_signature(body, secret)}
    return SignedDelivery(headers, body)


def verify(raw: bytes, headers: Mapping[str, str], secret: str) -> Authentic | Forged:
    """Check the signature, then look for the event's id, which is the delivery key. Never raises."""
    match check_sandbox(raw, headers.get(SIGNATURE_HEADER), [secret]):
        case Invalid(reason):
            return Forged(reason)
    try:
        event = EventJSON.model_validate_json(raw)
    except ValidationError as error:
        return Forged("malformed", field=_first_field(error))
    return Authentic(event.id, event.kind)


def read(raw: bytes) -> list[TrackingUpdate]:
    """The news in a verified delivery; none in what means nothing to us."""
    try:
        event = EventJSON.model_validate_json(raw)
    except ValidationError:
        return []
    return [read_tracking(event.tracking)] if event.tracking is not None else []


def _first_field(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
