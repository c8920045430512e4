"""How the money of a voided label goes its way: asked, requested, accepted, back; or nothing was charged; or refused.

Pure: what a carrier says of a void, and the present moment, make the next standing and what is to be done. "Back" is
reached only by a carrier that says so, or by money that was seen; never by the passing of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from carriers.label import Voided
from connector.labels.amounts import Kind

RefundState = Literal["asked", "requested", "accepted", "back", "nothing", "refused"]
OPEN: tuple[RefundState, ...] = ("asked", "requested", "accepted")
"""Standings of money that may still come."""

WINDOW_DAYS = 30
"""Where a carrier declares no window: the shortest that is known (USPS)."""

LATE = timedelta(days=30)
"""Money that was not seen so long after the void is put before a person (carriers take 15 days and more)."""

_UNCLEAR_AFTER = timedelta(hours=12)
_BEFORE_THE_END = timedelta(days=3)
_REFUSALS = 3
_ANEW = timedelta(hours=12)
_LOOK, _LOOK_LATER = timedelta(hours=6), timedelta(days=1)
_TRIES_S = (10, 60, 300, 1800, 3600, 3 * 3600, 6 * 3600)


@dataclass(frozen=True, slots=True)
class Refund:
    """Where a voided label's money stands. `until`: the carrier's window ends; `tries`: asked in vain so often."""

    state: RefundState
    asked_at: datetime
    until: datetime
    tries: int = 0

    @property
    def is_open(self) -> bool:
        """Whether money may still come."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows: the new standing, what is booked, what a person must know, and when it is looked at again."""

    refund: Refund
    books: Kind | None = None
    label: Literal["void_requested", "voided", "void_refused"] = "void_requested"
    alarm: Literal["", "void_refused", "refund_overdue", "void_unanswered"] = ""
    again: timedelta | None = None


def window_ends(bought_at: datetime, days: int | None) -> datetime:
    """Until when the carrier takes a label back."""
    return bought_at + timedelta(days=WINDOW_DAYS if days is None else days)


def turn(refund: Refund, told: Voided, now: datetime) -> Turn:
    """The next standing, by what the carrier says now."""
    match told.state:
        case "voided":
            return Turn(_at(refund, "back"), "refunded", "voided")
        case "nothing_charged":
            return Turn(_at(refund, "nothing"), "uncharged", "voided")
        case "accepted":
            return _waiting(_at(refund, "accepted"), "voided", now)
        case "requested" if refund.state == "accepted":
            return _waiting(refund, "voided", now)
        case "requested":
            return _waiting(_at(refund, "requested"), "void_requested", now)
        case "refused" if told.may_change and refund.tries + 1 < _REFUSALS and now + _ANEW < refund.until:
            return Turn(_at(refund, "asked", refund.tries + 1), again=_ANEW)
        case "refused":
            return Turn(_at(refund, "refused"), "lost", "void_refused", "void_refused")
        case "unknown":
            return _unanswered(refund, now)


def _waiting(refund: Refund, label: Literal["void_requested", "voided"], now: datetime) -> Turn:
    late = now - refund.asked_at > LATE
    again = _LOOK_LATER if late else _LOOK
    return Turn(refund, label=label, alarm="refund_overdue" if late else "", again=again)


def _unanswered(refund: Refund, now: datetime) -> Turn:
    """Ask again, each time later; a person is told while there is still time to ask the carrier otherwise."""
    label: Literal["void_requested", "voided"] = "voided" if refund.state == "accepted" else "void_requested"
    again = timedelta(seconds=_TRIES_S[min(refund.tries, len(_TRIES_S) - 1)])
    asked = refund.state == "asked"
    pressing = asked and (now - refund.asked_at > _UNCLEAR_AFTER or now > refund.until - _BEFORE_THE_END)
    late = not asked and now - refund.asked_at > LATE
    alarm: Literal["", "refund_overdue", "void_unanswered"] = "refund_overdue" if late else ""
    tries = refund.tries + 1
    return Turn(_at(refund, refund.state, tries), None, label, "void_unanswered" if pressing else alarm, again)


def _at(refund: Refund, state: RefundState, tries: int = 0) -> Refund:
    return Refund(state, refund.asked_at, refund.until, tries)
