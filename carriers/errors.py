"""What can go wrong at a carrier; the class answers "may it be tried again?".

CarrierError
├── Retryable        a passing fault: the same read may be made again
│   ├── Overloaded   429; `retry_after_s` where the carrier said so
│   └── Garbled      an answer that cannot be understood
├── Refused          the carrier understood and said no; asking again changes nothing
├── Misconfigured    credentials, accounts or settings are wrong; a person must act
└── Unavailable      down, or its circuit breaker is open; others may answer meanwhile
    └── TooSlow      no whole answer within the deadline
"""

from __future__ import annotations

from webhooks.errors import WaybillError


class CarrierError(WaybillError):
    """A call to a carrier did not give what was asked for; `code` is one of `Problem.code`."""

    code = "carrier_error"


class Retryable(CarrierError):
    """A passing fault."""


class Overloaded(Retryable):
    """The carrier asks for patience."""

    code = "overloaded"


class Garbled(Retryable):
    """The answer is not what the carrier's contract says."""

    code = "garbled"


class Refused(CarrierError):
    """The carrier said no."""

    code = "rate_refused"


class Misconfigured(CarrierError):
    """Credentials or settings are wrong."""

    code = "credentials"


class Unavailable(CarrierError):
    """The carrier cannot be reached or does not answer in time."""

    code = "unreachable"


class TooSlow(Unavailable):
    """The carrier did not answer within the deadline."""

    code = "timeout"
