"""What the carriers answered to one rate call, as it is kept."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Literal

from carriers.money import Money
from carriers.rate import Problem, Rate
from connector.quotes.kept import Kept

PASSING = frozenset({"timeout", "unreachable", "overloaded", "carrier_error", "garbled"})
"""Problems that may be gone a moment later: what they hide, something that is known may stand in for."""

StandIn = Literal["", "held", "cached", "learned"]


class KeptRate(Kept, frozen=True, kw_only=True):
    """A carrier's price for all parcels of the plan together; `account` is the carrier's own id of it.

    `stand_in` says what stands in for a live price, if anything does: held (it was shown half an hour ago or less),
    cached (an older answer to the same question), learned (from `samples` answers to like questions; it is off by at
    most `bound_permille`, as far as that can be known). `parts` are the single parcels' prices, where they are known.
    """

    account: str
    carrier: str
    service: str
    minor: int
    currency: str
    transit_days: int | None = None
    list_minor: int | None = None
    list_currency: str = ""
    stand_in: StandIn = ""
    samples: int = 0
    bound_permille: int = 0
    parts: tuple[int, ...] = ()
    transit_basis: Literal["working", "calendar", "unknown"] = "unknown"

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two prices ones of the same option: account, carrier and service."""
        return self.account, self.carrier, self.service

    @property
    def price(self) -> Money:
        """The price."""
        return Money(self.minor, self.currency)

    @property
    def list_price(self) -> Money | None:
        """What the carrier asks of everybody, where it says so."""
        return None if self.list_minor is None else Money(self.list_minor, self.list_currency or self.currency)


class KeptProblem(Kept, frozen=True, kw_only=True):
    """Why a carrier account gave no price."""

    account: str
    carrier: str
    code: str
    message: str = ""


class UsualService(Kept, frozen=True, kw_only=True):
    """A service that an account usually offers: carrier and service as the carrier names them, and its working days."""

    carrier: str
    service: str
    transit_days: int | None = None


class AccountAnswer(Kept, frozen=True, kw_only=True):
    """One connection's answer: `account_id` is ours.

    `state`: answered, failed, or late (cut off by the deadline). `source`: live, or held from an answer that was given
    to the same question at most half an hour before. `partial`: some of what it reaches had not answered in time.
    `until`: when its prices no longer hold; None where they do as long as the answer does. `covered`: what stands in
    for missing prices is all that it usually offers there. `missing`: where prices are missing through a failure, what
    it usually offers there and nothing stands in for; None where that is not known.
    """

    account_id: str
    carrier: str
    state: Literal["answered", "failed", "late"]
    source: Literal["live", "held"] = "live"
    rates: tuple[KeptRate, ...] = ()
    problems: tuple[KeptProblem, ...] = ()
    partial: bool = False
    elapsed_ms: int = 0
    until: datetime | None = None
    covered: bool = False
    missing: tuple[UsualService, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether asking again soon would tell nothing more: it has prices, and no fault that passes hides others."""
        return bool(self.rates) and not self.has_gap

    @property
    def has_gap(self) -> bool:
        """Whether prices may be missing that are there a moment later."""
        return self.state == "late" or self.partial or any(each.code in PASSING for each in self.problems)


@lru_cache(maxsize=8192)  # Tables name the same few prices over and over.
def keep_rate(rate: Rate, price: Money) -> KeptRate:
    """A rate with the price over all parcels."""
    return KeptRate(
        account=rate.account,
        carrier=rate.carrier,
        service=rate.service,
        minor=price.minor,
        currency=price.currency,
        transit_days=rate.transit_days,
        list_minor=None if rate.list_price is None else rate.list_price.minor,
        list_currency="" if rate.list_price is None else rate.list_price.currency,
        parts=tuple(part.minor for part in rate.parts),
        transit_basis=rate.transit_basis,
    )


def keep_problem(problem: Problem) -> KeptProblem:
    """A problem as it is stored."""
    return KeptProblem(
        account=problem.account, carrier=problem.carrier, code=problem.code, message=problem.message[:300]
    )
