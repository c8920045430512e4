"""What the carriers answered to one rate call, as it is kept."""

from __future__ import annotations

from typing import Literal

from carriers.money import Money
from carriers.rate import Problem, Rate
from connector.quotes.reduced import Kept


class KeptRate(Kept):
    """A carrier's price for all parcels of the plan together; `account` is the carrier's own id of it."""

    account: str
    carrier: str
    service: str
    minor: int
    currency: str
    transit_days: int | None = None

    @property
    def price(self) -> Money:
        """The price."""
        return Money(self.minor, self.currency)


class KeptProblem(Kept):
    """Why a carrier account gave no price."""

    account: str
    carrier: str
    code: str
    message: str = ""


class AccountAnswer(Kept):
    """One connection's answer: `account_id` is ours.

    `state`: answered, failed, or late (cut off by the deadline). `source`: live, or held from an answer that was given
    to the same question at most half an hour before. `partial`: some of what it reaches had not answered in time.
    """

    account_id: str
    carrier: str
    state: Literal["answered", "failed", "late"]
    source: Literal["live", "held"] = "live"
    rates: tuple[KeptRate, ...] = ()
    problems: tuple[KeptProblem, ...] = ()
    partial: bool = False
    elapsed_ms: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether asking again soon would tell nothing more: it has prices, and no fault that passes hides others."""
        passing = {"timeout", "unreachable", "overloaded", "carrier_error", "garbled"}
        return bool(self.rates) and not self.partial and not any(each.code in passing for each in self.problems)


def keep_rate(rate: Rate, price: Money) -> KeptRate:
    """A rate with the price over all parcels."""
    return KeptRate(
        account=rate.account,
        carrier=rate.carrier,
        service=rate.service,
        minor=price.minor,
        currency=price.currency,
        transit_days=rate.transit_days,
    )


def keep_problem(problem: Problem) -> KeptProblem:
    """A problem as it is stored."""
    return KeptProblem(
        account=problem.account, carrier=problem.carrier, code=problem.code, message=problem.message[:300]
    )
