"""The money of a voided label: three different things are requested, accepted, and back. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.carrier import Capabilities
from carriers.label import Voided, VoidState
from connector.labels.void_rules import OPEN, Refund, turn, window_ends

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ASKED = Refund("asked", NOW, NOW + timedelta(days=30))
USUAL = Capabilities("refused", 100, void_days=(("USPS", 30), ("UPS", 90)))


@pytest.mark.parametrize(("carrier", "days"), [("USPS", 30), ("ups", 90), ("FedEx", None)])
def test_a_window_is_the_carriers_own(carrier: str, days: int | None) -> None:
    assert USUAL.void_window_days(carrier) == days


def test_a_window_that_nobody_declares_is_the_shortest_known() -> None:
    assert window_ends(NOW, None) == NOW + timedelta(days=30)
    assert window_ends(NOW, 90) == NOW + timedelta(days=90)


def test_requested_accepted_and_back_follow_each_other() -> None:
    requested = turn(ASKED, Voided("requested"), NOW)
    assert (requested.refund.state, requested.books, requested.label) == ("requested", None, "void_requested")
    accepted = turn(requested.refund, Voided("accepted"), NOW + timedelta(days=1))
    assert (accepted.refund.state, accepted.books, accepted.label) == ("accepted", None, "voided")
    assert turn(accepted.refund, Voided("requested"), NOW + timedelta(days=2)).refund.state == "accepted"
    back = turn(accepted.refund, Voided("voided"), NOW + timedelta(days=9))
    assert (back.refund.state, back.books, back.again) == ("back", "refunded", None)


def test_a_label_that_is_billed_when_it_is_scanned_was_never_charged() -> None:
    done = turn(ASKED, Voided("nothing_charged"), NOW)
    assert (done.refund.state, done.books, done.label) == ("nothing", "uncharged", "voided")


def test_a_refusal_right_after_the_purchase_is_asked_again_before_it_counts() -> None:
    """EasyPost's help: a refund asked right after the label was made may be wrongly rejected."""
    refund, asked = ASKED, 0
    while (told := turn(refund, Voided("refused", may_change=True), NOW)).again is not None:
        refund, asked = told.refund, asked + 1
        assert refund.state == "asked"
    assert asked == 2
    assert (told.books, told.label, told.alarm) == ("lost", "void_refused", "void_refused")


def test_a_refusal_that_stands_is_a_loss_and_not_an_error() -> None:
    told = turn(ASKED, Voided("refused", "Too late."), NOW)
    assert (told.refund.state, told.books, told.alarm) == ("refused", "lost", "void_refused")


@pytest.mark.complaint(6)
def test_a_void_that_nobody_answers_is_asked_more_and_more_seldom_and_told_in_time() -> None:
    refund, at, waits = ASKED, NOW, []
    while True:
        told = turn(refund, Voided("unknown"), at)
        assert told.again is not None
        assert told.books is None
        waits.append(told.again)
        if told.alarm:
            break
        refund, at = told.refund, at + told.again
    assert waits == sorted(waits)
    assert told.alarm == "void_unanswered"
    assert NOW + timedelta(hours=12) < at < ASKED.until - timedelta(days=3)


def test_near_the_end_of_the_window_an_unanswered_void_is_told_at_once() -> None:
    late = Refund("asked", NOW, NOW + timedelta(days=2))
    assert turn(late, Voided("unknown"), NOW).alarm == "void_unanswered"


def test_money_that_does_not_come_is_told_after_a_month_whether_requested_or_accepted() -> None:
    for state in OPEN[1:]:
        waiting = Refund(state, NOW, ASKED.until)
        assert turn(waiting, Voided("requested"), NOW + timedelta(days=29)).alarm == ""
        assert turn(waiting, Voided("requested"), NOW + timedelta(days=31)).alarm == "refund_overdue"


_TOLD: st.SearchStrategy[VoidState] = st.sampled_from(
    ("requested", "accepted", "voided", "refused", "nothing_charged", "unknown")
)


@given(st.lists(st.tuples(_TOLD, st.integers(0, 40 * 24)), max_size=30))
def test_money_is_called_back_only_when_the_carrier_says_so_and_is_booked_once(
    story: list[tuple[VoidState, int]],
) -> None:
    refund, at, booked = ASKED, NOW, 0
    for told, hours in story:
        at += timedelta(hours=hours)
        step = turn(refund, Voided(told), at)
        booked += step.books is not None
        assert (step.refund.state == "back") == (told == "voided")
        assert (step.again is not None) == (step.refund.state in OPEN)
        refund = step.refund
        if not refund.is_open:
            break
    assert booked == (0 if refund.is_open else 1)
