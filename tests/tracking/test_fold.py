"""The state of a parcel is a fold over the set of its events."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.tracking import TrackingEvent, TrackingStatus
from connector.tracking.fold import fold

START = datetime(2026, 11, 23, tzinfo=UTC)
EVENTS = st.builds(
    TrackingEvent,
    st.sampled_from(TrackingStatus),
    st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours)),
    city=st.sampled_from(["", "Wien", "Graz"]),
)


def event(status: TrackingStatus, hour: float) -> TrackingEvent:
    return TrackingEvent(status, START + timedelta(hours=hour))


@pytest.mark.need(36)
@given(st.lists(EVENTS, max_size=8), st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_and_repeats_change_nothing(events: list[TrackingEvent], random: object, times: int) -> None:
    shuffled = events * times
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random.
    assert fold(shuffled) == fold(events)


@given(st.lists(EVENTS, max_size=8), st.lists(EVENTS, max_size=4))
def test_what_was_delivered_stays_delivered(before: list[TrackingEvent], after: list[TrackingEvent]) -> None:
    delivered = event(TrackingStatus.DELIVERED, 3)
    state = fold([*before, delivered, *after])
    assert state.status is TrackingStatus.DELIVERED
    assert state.delivered_at is not None
    assert state.delivered_at <= delivered.at


@given(st.lists(EVENTS, max_size=8))
def test_milestones_go_on_in_time_and_change_the_status_each_time(events: list[TrackingEvent]) -> None:
    milestones = fold(events).milestones
    assert all(a.at <= b.at and a.status is not b.status for a, b in itertools.pairwise(milestones))
    assert {each.key for each in milestones} <= {each.key for each in events}


@given(st.lists(EVENTS, max_size=8))
def test_a_status_that_nobody_knows_changes_nothing(events: list[TrackingEvent]) -> None:
    known = [each for each in events if each.status is not TrackingStatus.UNKNOWN]
    assert fold(events).status is fold(known).status


@pytest.mark.complaint(38)
def test_a_label_is_not_a_parcel_on_its_way() -> None:
    assert fold([event(TrackingStatus.LABEL_MADE, 0)]).handed_over_at is None
    state = fold([event(TrackingStatus.IN_TRANSIT, 6), event(TrackingStatus.LABEL_MADE, 0)])
    assert state.handed_over_at == START + timedelta(hours=6)


def test_a_late_scan_does_not_undo_the_delivery() -> None:
    late = event(TrackingStatus.IN_TRANSIT, 9)
    state = fold([event(TrackingStatus.DELIVERED, 8), late])
    assert (state.status, state.at) == (TrackingStatus.DELIVERED, START + timedelta(hours=8))


def test_of_scans_at_one_moment_the_one_further_on_counts() -> None:
    both = [event(TrackingStatus.OUT_FOR_DELIVERY, 1), event(TrackingStatus.IN_TRANSIT, 1)]
    assert fold(both).status is TrackingStatus.OUT_FOR_DELIVERY


def test_without_events_nothing_is_known() -> None:
    assert fold([]).status is TrackingStatus.UNKNOWN
