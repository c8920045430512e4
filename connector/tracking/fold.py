"""The state of a parcel as a fold over the set of its events: any order, any duplicates, the same result. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from carriers.tracking import TrackingEvent, TrackingStatus

PROGRESS = {
    TrackingStatus.UNKNOWN: 0,
    TrackingStatus.CANCELLED: 1,
    TrackingStatus.LABEL_MADE: 1,
    TrackingStatus.IN_TRANSIT: 2,
    TrackingStatus.DELAYED: 3,
    TrackingStatus.OUT_FOR_DELIVERY: 4,
    TrackingStatus.ATTEMPTED: 5,
    TrackingStatus.AVAILABLE_FOR_PICKUP: 6,
    TrackingStatus.RETURNING: 7,
    TrackingStatus.FAILED: 8,
    TrackingStatus.DELIVERED: 9,
}
_NOT_MOVED = frozenset({TrackingStatus.UNKNOWN, TrackingStatus.LABEL_MADE, TrackingStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class ParcelState:
    """Where a parcel is. `milestones` are the events at which its status changed, oldest first."""

    status: TrackingStatus = TrackingStatus.UNKNOWN
    at: datetime | None = None
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None
    milestones: tuple[TrackingEvent, ...] = ()


def fold(events: Iterable[TrackingEvent]) -> ParcelState:
    """Equal for equal sets of events.

    Time decides, then progress. The first delivery ends the story: a later scan does not undo it. An event whose
    status is unknown changes nothing.
    """
    story = sorted({event.key: event for event in events}.values(), key=lambda e: (e.at, PROGRESS[e.status], e.key))
    milestones: list[TrackingEvent] = []
    for event in story:
        if event.status is TrackingStatus.UNKNOWN:
            continue
        if not milestones or milestones[-1].status is not event.status:
            milestones.append(event)
        if event.status is TrackingStatus.DELIVERED:
            break
    moved = next((event.at for event in story if event.status not in _NOT_MOVED), None)
    if not milestones:
        return ParcelState(handed_over_at=moved)
    last = milestones[-1]
    delivered = last.at if last.status is TrackingStatus.DELIVERED else None
    return ParcelState(last.status, last.at, moved, delivered, tuple(milestones))
