"""What a decision is made of, as it is kept: offers with their steps, what is withheld, and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

import msgspec

from carriers.money import Money
from connector.quotes.kept import Kept
from connector.quotes.lru import OfObject
from connector.store import Answer, Offer, UseBackup
from connector.words.reason import Reason

SOURCES = ("live", "held", "cached", "learned", "safety")
"""Where an offer's price came from, the nearest to a carrier's own answer first."""


class BoughtAs(Kept, frozen=True, kw_only=True):
    """What an offer is bought as: our connection, the carrier's account and service, and the price asked then.

    `how`: that service, the cheapest service of all, or by hand; `offer` where the quote is lost and only the offer's
    code is known (`service`), with what the buyer paid as the price. Empty ids leave the account open. `limit_minor`
    is the most that the label may cost, in the same currency; None leaves it at the price and the usual tolerance.
    `parts` are the prices of the plan's single parcels, where they are known.
    """

    account_id: str
    account: str
    carrier: str
    service: str
    minor: int
    currency: str
    how: Literal["service", "cheapest", "by_hand", "offer"] = "service"
    limit_minor: int | None = None
    parts: tuple[int, ...] = ()

    def whole(self) -> dict[str, Any]:
        """With every field, as a parcel keeps it."""
        return msgspec.structs.asdict(self)

    def said(self) -> str:
        """As a merchant reads it: what happens when the buyer chooses the offer."""
        if self.how == "cheapest":
            return Reason("bought_as_cheapest").say()
        if self.how == "by_hand":
            return Reason("bought_as_by_hand").say()
        return Reason("bought_as_service", {"carrier": self.carrier, "service": self.service}).say()


class KeptStep(Kept, frozen=True, kw_only=True):
    """A step of a price as it is stored: the reason and the price that it came to, in minor units."""

    reason: Reason
    minor: int
    currency: str


class DecidedOffer(Kept, frozen=True, kw_only=True):
    """An offer with everything that led to it.

    `plan_id` names the parcels that its price is for, where they are others than the quote's own.

    `earliest` and `latest` are days of arrival, when it leaves on `ships_on`; `dates_by` says what they rest on, and
    `coverage` how many of 1000 parcels kept such a day, where that was seen.

    `marks` are what the merchant's rules ask for where it is chosen (signature, insurance, hold), each with how or why.
    """

    code: str
    name: str
    minor: int
    currency: str
    description: str = ""
    earliest: datetime | None = None
    latest: datetime | None = None
    source: Literal["live", "safety", "held", "cached", "learned"]  # Always written: lists look for it.
    steps: tuple[KeptStep, ...] = ()
    bought_as: BoughtAs | None = None
    plan_id: str = ""
    dates_by: Literal["", "carrier", "table", "history"] = ""
    coverage: int | None = None
    ships_on: date | None = None
    marks: tuple[tuple[str, str], ...] = ()


class Withheld(Kept, frozen=True, kw_only=True):
    """A service or an account that the buyer does not see, and why."""

    carrier: str
    service: str = ""
    account_id: str = ""
    reason: Reason
    said: str = ""


class Decision(Kept, frozen=True, kw_only=True):
    """What comes out: offers, not_served (we do not ship there), or backup (we do not know); `why` explains both.

    `passed_rules`: the rules that did not apply, and why; early releases kept them, see quotes.passed.
    """

    outcome: Literal["offers", "not_served", "backup"]
    why: Reason | None = None
    offers: tuple[DecidedOffer, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    notes: tuple[Reason, ...] = ()
    passed_rules: tuple[tuple[str, Reason], ...] = ()
    valid_until: datetime | None = None

    @property
    def farthest_source(self) -> str:
        """Where the offer came from that is farthest from a carrier's own answer; empty without offers."""
        return max((offer.source for offer in self.offers), key=SOURCES.index, default="")

    def answer(self, quote_id: str, at: datetime) -> Answer | UseBackup:
        """What goes to the platform; `at` is when it was decided."""
        if self.outcome == "backup":
            return UseBackup(self.why.code if self.why else "unknown")
        offers = _OFFERED.get(self.offers)
        return Answer(
            _OFFERED.put(self.offers, _offered(self.offers)) if offers is None else offers,
            quote_id,
            at,
            self.valid_until,
        )


_OFFERED: OfObject[tuple[DecidedOffer, ...], tuple[Offer, ...]] = OfObject(2048)


def _offered(offers: tuple[DecidedOffer, ...]) -> tuple[Offer, ...]:
    return tuple(
        [
            Offer(each.code, each.name, Money(each.minor, each.currency), each.description, each.earliest, each.latest)
            for each in offers
        ]
    )
