"""The root of every exception that Waybill raises.

WaybillError
├── OutgoingError                 an outgoing call gave no usable answer
│   ├── NotSent                   the request never left; nothing can have happened
│   └── NoAnswer                  it left, and the outcome is not known
├── carriers.errors.CarrierError
├── connector.store.StoreError
└── …                             each room's own errors derive from WaybillError
"""

from __future__ import annotations


class WaybillError(Exception):
    """An error that Waybill itself raises.

    `message` is safe to show to a merchant. `detail` may name what a developer needs, and never holds a secret
    or personal data. `request_id` is the other party's, `retry_after_s` its own wish in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class OutgoingError(WaybillError):
    """An outgoing HTTP call gave no usable answer."""


class NotSent(OutgoingError):
    """The request did not leave this process: refused address, no connection, lost lease, deadline before sending."""


class NoAnswer(OutgoingError):
    """The request left, and no whole answer came back: its effect is unknown."""
