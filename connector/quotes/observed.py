"""What quoting tells of itself: figures for whoever watches, never a buyer or a cart."""

from __future__ import annotations

from typing import Literal

from carriers.breaker import Guarded
from carriers.carrier import bare
from connector.metrics import Metrics
from connector.quotes.answers import AccountAnswer
from connector.quotes.ask import Account
from connector.quotes.decision import Decision
from connector.quotes.learning.model import Tested

Source = Literal["repeat", "live", "held", "cached", "learned", "table", "safety", "backup", "not_served"]
_PHASES = {"closed": 0, "half_open": 1, "open": 2}


def source_of(decision: Decision, answers: tuple[AccountAnswer, ...], network: frozenset[str]) -> Source:
    """Where an answer's prices come from: the least certain of them names it."""
    if decision.outcome != "offers":
        return "backup" if decision.outcome == "backup" else "not_served"
    if any(offer.source == "safety" for offer in decision.offers):
        return "safety"
    priced = [answer for answer in answers if answer.rates and answer.account_id in network]
    if not priced:
        return "table"
    marks = {rate.stand_in for answer in priced for rate in answer.rates}
    if "learned" in marks:
        return "learned"
    if "cached" in marks:
        return "cached"
    return "held" if "held" in marks or all(answer.source == "held" for answer in priced) else "live"


class Observed:
    """Tells the metrics. Labelled series are kept at hand, since finding them costs more than counting."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def stood_in(self, decision: Decision) -> None:
        """The offers that something stood in for."""
        for offer in decision.offers:
            if offer.source != "live":
                self._metrics.stand_ins.labels(offer.source).inc()

    def live(self, account: Account, answer: AccountAnswer, tests: list[Tested]) -> None:
        """A carrier's live answer came, or failed."""
        outcome = "ok" if answer.state == "answered" else answer.problems[0].code if answer.problems else answer.state
        self._metrics.account_rates.labels(account.id, outcome).inc()
        self._metrics.account_seconds.labels(account.id).observe(answer.elapsed_ms / 1000)
        for test in tests:
            if test.error_permille is not None:
                self._metrics.learned_error.labels(account.id).observe(test.error_permille / 10)
        connection = bare(account.connection)
        if isinstance(connection, Guarded):
            self._metrics.breaker.labels(account.id).set(_PHASES[connection.breaker_phase])
