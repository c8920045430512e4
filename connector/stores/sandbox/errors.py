"""The sandbox platform's error codes, and which of our classes each one is."""

from __future__ import annotations

from connector.store import StoreError, StoreMisconfigured, StoreRefused, StoreRetryable
from webhooks.errors import WaybillError

_CLASSES: dict[str, type[StoreError]] = {
    "platform_down": StoreRetryable,
    "no_answer": StoreRetryable,
    "fenced": StoreRetryable,
    "access_denied": StoreMisconfigured,
    "order_unknown": StoreRefused,
    "order_cancelled": StoreRefused,
    "group_unknown": StoreRefused,
    "group_held": StoreRefused,
    "line_unknown": StoreRefused,
    "too_many_units": StoreRefused,
    "fulfilment_unknown": StoreRefused,
}


class SaidNo(WaybillError):
    """The platform's own answer in the negative, with its own code; never leaves this folder."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, detail=code)
        self.code = code


def error_of(said: SaidNo) -> StoreError:
    """The error that a call raises; a code that nobody knows yet is a plain StoreError."""
    return _CLASSES.get(said.code, StoreError)(said.message, detail=said.code)
