"""Where a parcel is, in the words of all carriers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TrackingStatus(StrEnum):
    """The states that every carrier's words are mapped to; what is not known stays UNKNOWN with its own `detail`."""

    UNKNOWN = "unknown"
    LABEL_MADE = "label_made"
    IN_TRANSIT = "in_transit"
    DELAYED = "delayed"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPTED = "attempted"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    RETURNING = "returning"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """One scan. `detail` is the carrier's own finer word; `place` is a town, never a street or a person."""

    status: TrackingStatus
    at: datetime
    detail: str = ""
    message: str = ""
    city: str = ""
    province: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def key(self) -> str:
        """Equal for the same scan however often and in whichever order it comes."""
        return "|".join((self.status, self.at.isoformat(), self.detail, self.message, self.city, self.postal_code))


@dataclass(frozen=True, slots=True)
class TrackingUpdate:
    """What a carrier tells of one parcel: its whole history so far, or a part of it."""

    tracker: str
    tracking_code: str
    carrier: str
    events: tuple[TrackingEvent, ...]
    estimated_delivery: datetime | None = None
    public_url: str = ""
    test_mode: bool | None = None
