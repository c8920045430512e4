"""The sandbox carrier's error codes, and which of our classes each one is."""

from __future__ import annotations

from carriers.errors import CarrierError, Misconfigured, Refused, Unavailable
from carriers.label import Rejected
from webhooks.errors import WaybillError

_CLASSES: dict[str, type[CarrierError]] = {
    "SHIPMENT.NOT_FOUND": Refused,
    "SHIPMENT.NO_LABEL": Refused,
    "TRACKER.NOT_FOUND": Refused,
    "FORMAT.UNKNOWN": Refused,
    "ACCOUNT.UNKNOWN": Misconfigured,
    "CARRIER.DOWN": Unavailable,
    "CLIENT.FENCED": Unavailable,
}

_REJECTIONS = {
    "ADDRESS.REFUSED": "address_refused",
    "WALLET.EMPTY": "wallet_empty",
    "RATE.GONE": "rate_gone",
    "CLIENT.FENCED": "fenced",
}


class SaidNo(WaybillError):
    """The carrier's own answer in the negative, with its own code; never leaves this folder."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, detail=code)
        self.code = code


def error_of(said: SaidNo) -> CarrierError:
    """The error that a read raises; a code that nobody knows yet is a plain CarrierError."""
    return _CLASSES.get(said.code, CarrierError)(said.message, detail=said.code)


def rejection_of(said: SaidNo) -> Rejected:
    """The outcome of a purchase that the carrier refused, with nothing bought."""
    return Rejected(_REJECTIONS.get(said.code, "refused"), said.message)
