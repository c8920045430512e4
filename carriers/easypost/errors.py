"""What EasyPost's error answers mean to us. Their codes are an open set: none of them is ever taken for granted.

Source: EasyPost's list of error codes (2026), and what was recorded; statuses of some codes were never recorded, so
that the code counts first and the status second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from carriers.easypost import wire
from carriers.easypost.mapping import readable
from carriers.errors import CarrierError, Garbled, Misconfigured, Overloaded, Refused, Retryable
from carriers.label import Rejected, Unknown
from webhooks.outgoing import HTTPAnswer

Personal = tuple[str, ...] | None
"""The buyer's words, which an error's sentence may repeat; None if they are not known, and no sentence is safe."""

ANSWERS_TWICE = "SHIPMENT.POSTAGE.EXISTS"

# Codes after which nobody knows whether a label was bought: it is looked up.
_UNCLEAR = {
    ANSWERS_TWICE,
    "SHIPMENT.PURCHASE.IN_PROGRESS",
    "SHIPMENT.POSTAGE.NO_RESPONSE",
    "SHIPMENT.POSTAGE.TIMED_OUT",
    "INTERNAL_SERVER_ERROR",
}
# Families in which a code that we do not know may well be unclear.
_UNCLEAR_FAMILIES = ("SHIPMENT.POSTAGE.", "SHIPMENT.PURCHASE.")
_KNOWN_NO = {
    "SHIPMENT.POSTAGE.ASCII",
    "SHIPMENT.POSTAGE.FAILURE",
    "SHIPMENT.POSTAGE.FORMAT_UNAVAILABLE",
    "SHIPMENT.POSTAGE.INVALID_FORMAT",
    "SHIPMENT.POSTAGE.REQUIRED",
    "SHIPMENT.PURCHASE.FAILURE",
}
_CREDENTIALS = ("UNAUTHORIZED", "FORBIDDEN", "APIKEY.", "MODE.", "CARRIER_ACCOUNT.", "USER.UNAUTHORIZED")
_WALLET = (
    "PAYMENT_REQUIRED",
    "PAYMENT",
    "BANK_ACCOUNT.CHARGE",
    "CREDIT_CARD.",
    "USER.CHARGE.",
    "INSUFFICIENT_FUNDS",
)
_NO_CREDENTIALS = {"SHIPMENT.RATE.CARRIER_ACCOUNT_INVALID", "SHIPMENT.CARRIER_ACCOUNTS.CONFLICT"}
_RATE_GONE = ("SHIPMENT.RATE", "SHIPMENT.MISSING_RATE")


def error_of(answer: HTTPAnswer) -> wire.WireError | None:
    """The error that an answer carries in EasyPost's form, or None if it is something else, such as an HTML page."""
    try:
        body = wire.parse(answer.content)
    except Garbled:
        return None
    if not isinstance(body, dict) or "error" not in body:
        return None
    said = body["error"]
    return wire.WireError(message=said) if isinstance(said, str) else wire.read_or_none(wire.WireError, said)


def raise_for(answer: HTTPAnswer, personal: Personal = None) -> None:
    """Raise the CarrierError that an answer to a read means; nothing for a 2xx."""
    if 200 <= answer.status < 300:
        return
    error = error_of(answer) or wire.WireError()
    detail = f"{answer.status} {error.code}".strip()
    kind = _class_of(answer.status, error.code)
    raise kind(
        _MESSAGES.get(kind, "EasyPost refused the request.") + _said(error, personal),
        detail=detail,
        request_id=answer.headers.get("x-ep-request-uuid") or answer.headers.get("x-request-id"),
        retry_after_s=retry_after(answer.headers),
    )


_MESSAGES: Mapping[type[CarrierError], str] = {
    Overloaded: "EasyPost asks for patience.",
    Retryable: "EasyPost has a fault of its own.",
    Misconfigured: "EasyPost does not accept the key or the account.",
    Refused: "EasyPost refused the request.",
}


def _class_of(status: int, code: str) -> type[CarrierError]:
    if status == 429 or code == "RATE_LIMITED":
        return Overloaded
    if status >= 500 or status in {408, 409, 425} or status < 400:
        return Retryable
    if status in {401, 402, 403} or code.startswith(_CREDENTIALS):
        return Misconfigured
    return Refused


def refused_purchase(answer: HTTPAnswer, handle: str, personal: Personal = None) -> Rejected | Unknown:
    """What an answer other than 2xx to a purchase means. Any doubt is Unknown."""
    error = error_of(answer)
    if answer.status == 429 or (error and error.code == "RATE_LIMITED"):
        return Rejected("overloaded", "EasyPost asks for patience.", retry_after(answer.headers) or 10.0)
    if error is None or answer.status >= 500 or answer.status < 400 or answer.status == 408:
        return Unknown(handle, f"status {answer.status}")
    if error.code in _UNCLEAR or (error.code.startswith(_UNCLEAR_FAMILIES) and error.code not in _KNOWN_NO):
        return Unknown(handle, error.code)
    if answer.status == 409:
        return Unknown(handle, error.code or "status 409")
    return Rejected(_rejection(answer.status, error.code), _said(error, personal).strip())


def _rejection(status: int, code: str) -> str:
    """One of the codes of `Rejected`."""
    if status == 402 or code.startswith(_WALLET):
        return "wallet_empty"
    if status in {401, 403} or code.startswith(_CREDENTIALS) or code in _NO_CREDENTIALS:
        return "credentials"
    if code.startswith("ADDRESS."):
        return "address_refused"
    return "rate_gone" if code.startswith(_RATE_GONE) else "refused"


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that Retry-After asks for, given as a number or as a date; None if it is absent or unreadable."""
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            at = parsedate_to_datetime(said)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _said(error: wire.WireError, personal: Personal) -> str:
    """Their own sentence and the fields that it is about, free of personal words; their code if those are not known."""
    fields = [line for line in error.errors if _names_field(line)]
    if personal is None:
        parts = [error.code, *(str(line["field"]) for line in fields)]
    else:
        message = error.message if isinstance(error.message, str) else ""
        named = [f"{line['field']}: {line['message']}" for line in fields]
        parts = [message, *named, *(line for line in error.errors if isinstance(line, str))]
    said = "; ".join(part for part in parts if part)
    return f" {readable(said, personal or ())}" if said else ""


def _names_field(line: object) -> bool:
    return isinstance(line, dict) and isinstance(line.get("field"), str) and isinstance(line.get("message"), str)
