"""A carrier's price for a parcel, and why some prices are missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from carriers.money import Money


@dataclass(frozen=True, slots=True)
class Rate:
    """What one service of one carrier account asks for the shipment.

    `account` is the carrier's id of the account, `carrier` and `service` its own names (open sets), `price` what the
    account pays, for all parcels of the request together (only if every one has a price; `rate_id` is then empty).
    `transit_days` are days from hand-over, and `transit_basis` says which: working days, calendar days, or that the
    carrier does not say (it is then read as either, whichever is later). `rate_id` is set only where the rate can be
    bought by it: prices at checkout may have none. `parts` are the prices of the single parcels in the request's order,
    where the sum was made of such.
    """

    account: str
    carrier: str
    service: str
    price: Money
    list_price: Money | None = None
    transit_days: int | None = None
    delivery_at: datetime | None = None
    guaranteed: bool = False
    rate_id: str = ""
    parts: tuple[Money, ...] = ()
    transit_basis: Literal["working", "calendar", "unknown"] = "unknown"

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two rates the same option: account, carrier and service."""
        return self.account, self.carrier, self.service


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an account gave no price, as the carrier said it.

    `code` is one of ours (`words` has its text): rate_refused, no_service, not_every_parcel (`message` is then the
    service), credentials, timeout, unreachable,
    overloaded, carrier_error, garbled. `message` is the carrier's own sentence, free of personal data.
    """

    account: str
    carrier: str
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """An answer to a rate request. `partial` says that some accounts had not answered when it was cut off.

    `test_mode` is what the answer says of itself: True from a test key, False from production, None unsaid.
    """

    rates: tuple[Rate, ...] = ()
    problems: tuple[Problem, ...] = ()
    partial: bool = False
    test_mode: bool | None = None
