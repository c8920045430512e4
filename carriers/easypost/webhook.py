"""EasyPost's webhooks: verify the signature on the raw bytes (v1), then parse.

Signature v2 (X-Hmac-Signature-V2 with a timestamp) is described in a support article only, and the order of its parts
is not established; v1 is sent with it. A replay is recognised by the event's id.
"""

from __future__ import annotations

from collections.abc import Mapping

from carriers.easypost import billing, tracking, wire
from carriers.errors import Garbled
from carriers.invoice import CarrierNews
from webhooks.receiver import Authentic, Forged
from webhooks.signatures import Invalid, check_easypost

_TRACKING = {"tracker.created", "tracker.updated"}
_INVOICES = {"shipment.invoice.created", "shipment.invoice.updated"}


def verify(raw: bytes, headers: Mapping[str, str], secret: str) -> Authentic | Forged:
    """Whether a delivery is EasyPost's, and which event it is. Header names are lower case. Never raises."""
    verdict = check_easypost(raw, headers.get("x-hmac-signature"), [secret])
    if isinstance(verdict, Invalid):
        return Forged("signature_missing" if verdict.reason == "signature_missing" else "signature_wrong")
    try:
        event = wire.read(wire.WireEvent, wire.parse(raw))
    except Garbled:
        return Forged("malformed")
    return Authentic(delivery_key=event.id, topic=event.description) if event.id else Forged("malformed")


def news(raw: bytes) -> list[CarrierNews]:
    """What a delivery tells; nothing for events of other kinds, and for bodies without their object."""
    try:
        event = wire.read(wire.WireEvent, wire.parse(raw))
        if event.description in _TRACKING:
            return [tracking.update(event.result)]
        if event.description in _INVOICES:
            return [billing.invoiced(event.result)]
        if event.description == "refund.successful":
            return [billing.money_back(event.result, event.id)]
    except Garbled:
        return []
    return []
