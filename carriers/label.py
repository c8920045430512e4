"""What becomes of a purchase: a created shipment, then a label, a refusal, or an outcome that nobody knows yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carriers.money import Money
from carriers.rate import Problem, Rate


@dataclass(frozen=True, slots=True)
class Created:
    """A shipment that exists at the carrier and costs nothing yet; `handle` is the carrier's id of it."""

    handle: str
    rates: tuple[Rate, ...]
    problems: tuple[Problem, ...] = ()
    test_mode: bool | None = None


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A document of the label. `content` is filled once it was fetched; `url` is where the carrier keeps it."""

    kind: Literal["label", "customs", "return", "manifest"]
    media_type: str
    url: str = ""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Purchased:
    """A label that was bought: the rate as the carrier booked it, tracking, and the files to keep.

    `fees` are what the carrier takes beside the rate's price (for the label, its insurance, its tracker), each with the
    carrier's own word; the price itself is none of them, and neither is what it has not charged.
    """

    handle: str
    rate: Rate
    tracking_code: str
    tracker: str = ""
    tracking_url: str = ""
    files: tuple[LabelFile, ...] = ()
    fees: tuple[tuple[str, Money], ...] = ()
    test_mode: bool | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier said no, and nothing was bought.

    `code` is one of ours: rate_gone, wallet_empty, address_refused, credentials, refused; or, of a request that was not
    worked on: fenced, not_sent, overloaded; or by_hand, where a person buys it elsewhere. `retry_after_s` is set where
    the same request may be made again later.
    """

    code: str
    message: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether the label was bought: look it up, do not repeat. `why` names what happened."""

    handle: str
    why: str


@dataclass(frozen=True, slots=True)
class NotBought:
    """A look-up that found the shipment without a label (yet).

    `pending`: the carrier says that it is still at work on the purchase, so its ceiling does not count yet.
    """

    handle: str
    pending: bool = False


VoidState = Literal["requested", "accepted", "voided", "refused", "nothing_charged", "unknown"]


@dataclass(frozen=True, slots=True)
class Voided:
    """How a void stands: requested (money may come), accepted (it will come), voided (it is back), refused, nothing.

    `may_change`: what is refused now may be granted a day later, so it is asked again before it counts. `fees_back` are
    those fees of the purchase (by the carrier's own word) that it says it gave back too.
    """

    state: VoidState
    message: str = ""
    may_change: bool = False
    fees_back: tuple[str, ...] = ()
