"""EasyPost's trackers as our tracking updates. Pure.

A tracker tells its whole history each time; its own status is what counts, so one that no scan shows is added as an
event. Nothing of who signed is taken over. Source: EasyPost's tracker guide, 2026.
"""

from __future__ import annotations

import re
from datetime import datetime

from carriers.easypost import wire
from carriers.easypost.mapping import is_test, moment, readable
from carriers.errors import Garbled
from carriers.tracking import TrackingEvent, TrackingStatus, TrackingUpdate

_STATUS = {
    "unknown": TrackingStatus.UNKNOWN,
    "pre_transit": TrackingStatus.LABEL_MADE,
    "in_transit": TrackingStatus.IN_TRANSIT,
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "delivered": TrackingStatus.DELIVERED,
    "available_for_pickup": TrackingStatus.AVAILABLE_FOR_PICKUP,
    "return_to_sender": TrackingStatus.RETURNING,
    "failure": TrackingStatus.FAILED,
    "cancelled": TrackingStatus.CANCELLED,
    "error": TrackingStatus.UNKNOWN,  # EasyPost could not follow the parcel; it says nothing of the parcel itself.
}
# What a finer word makes of "in_transit" and "unknown"; all others leave the status as it is.
_DETAIL = dict.fromkeys(
    (
        "delayed",
        "weather_delay",
        "transit_exception",
        "delivery_exception",
        "missorted",
        "held",
        "awaiting_information",
        "address_correction",
        "damaged",
    ),
    TrackingStatus.DELAYED,
) | {
    "lost": TrackingStatus.FAILED,
    "expired": TrackingStatus.FAILED,
    "refused": TrackingStatus.RETURNING,
    "return": TrackingStatus.RETURNING,
    "arrived_at_pickup_location": TrackingStatus.AVAILABLE_FOR_PICKUP,
}
_ATTEMPT = re.compile(r"attempt|notice left|no access|recipient not (home|available)", re.IGNORECASE)


def status_of(status: str, detail: str = "", message: str = "") -> TrackingStatus:
    """Our word for theirs; what we do not know is UNKNOWN, with their words kept in the event's detail."""
    mapped = _STATUS.get(status, TrackingStatus.UNKNOWN)
    if status not in {"in_transit", "unknown"}:
        return mapped
    if detail in {"delivery_exception", "transit_exception", "held"} and _ATTEMPT.search(message):
        return TrackingStatus.ATTEMPTED
    return _DETAIL.get(detail, mapped)


def update(value: object) -> TrackingUpdate:
    """A tracker. Raises Garbled if it names no parcel."""
    read = wire.read(wire.WireTracker, value)
    if not read.id or not read.tracking_code:
        raise Garbled("EasyPost's answer names no parcel.", detail="tracker")
    events = [event for event in (_event(line) for line in read.tracking_details) if event is not None]
    own = _own_status(read, events)
    return TrackingUpdate(
        tracker=read.id,
        tracking_code=read.tracking_code,
        carrier=read.carrier,
        events=tuple(events if own is None else [*events, own]),
        estimated_delivery=moment(read.est_delivery_date),
        public_url=read.public_url,
        test_mode=is_test(read.mode),
    )


def _event(line: object) -> TrackingEvent | None:
    scan = wire.read_or_none(wire.WireScan, line)
    at = moment(scan.datetime) if scan else None
    if scan is None or at is None:
        return None
    place = scan.tracking_location or wire.WirePlace()
    return TrackingEvent(
        status=status_of(scan.status, scan.status_detail, scan.message),
        at=at,
        detail=_detail(scan.status, scan.status_detail),
        message=readable(scan.message),
        city=place.city,
        province=place.state,
        postal_code=place.zip,
        country=place.country,
    )


def _own_status(read: wire.WireTracker, events: list[TrackingEvent]) -> TrackingEvent | None:
    """The tracker's own status as an event, if no scan shows it. It is dated by the last scan, to stay the same."""
    status = status_of(read.status, read.status_detail)
    if status in {event.status for event in events} or read.status in {"", "unknown"}:
        return None
    scanned: list[datetime] = [event.at for event in events]
    told = [at for at in (moment(read.updated_at), moment(read.created_at)) if at is not None]
    if not scanned and not told:
        return None
    return TrackingEvent(status, max(scanned) if scanned else told[0], _detail(read.status, read.status_detail))


def _detail(status: str, detail: str) -> str:
    """Their finer word; a status that we do not know is kept before it."""
    return detail if status in _STATUS and status != "error" else f"{status}/{detail}".strip("/")
