"""What a carrier says after the sale: what it billed for a label, and that money of a void came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carriers.money import Money
from carriers.tracking import TrackingUpdate


@dataclass(frozen=True, slots=True)
class Measures:
    """What a parcel is billed by: weights in grams, outer size in millimetres. None and empty: not told."""

    grams: int | None = None
    size: tuple[int, int, int] | None = None
    billed_grams: int | None = None
    zone: str = ""
    residential: bool | None = None


NOTHING = Measures()


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What a carrier added to a label's price, with its own word for why.

    `invoice` is the carrier's id of this bill: a later one with the same id replaces it. `claimed` is what we said of
    the parcel, `captured` what the carrier measured. `adjustment` is what was added; negative where it took off. `at`
    is when the carrier wrote it: an older one changes nothing.
    """

    invoice: str
    handle: str
    tracking_code: str
    carrier: str
    adjustment: Money
    reason: str = ""
    status: str = ""
    at: datetime | None = None
    claimed: Measures = NOTHING
    captured: Measures = NOTHING


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """The money of a voided label is back. `at`: when, as far as the carrier says."""

    handle: str
    tracking_code: str
    carrier: str
    at: datetime | None = None
    key: str = ""


CarrierNews = TrackingUpdate | Invoiced | MoneyBack
"""What a carrier's webhook may bring."""
