"""How well prices were told before they came: every live answer that is kept, told first, then learned. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from connector.quotes.behind import LiveAnswer
from connector.quotes.learning.model import LearnedPrices, ServiceKey, Tested


@dataclass(slots=True)
class ServiceReport:
    """One service of one account: how many prices came, how many were told within the bound before, and how far off.

    Errors in percent of the price that came. `kept` of the told ones were no further off than their bound said.
    `changed_at` is when a price was last seen to have changed.
    """

    account_id: str
    carrier: str
    service: str
    came: int = 0
    told: int = 0
    kept: int = 0
    changes: int = 0
    changed_at: datetime | None = None
    errors: list[float] = field(default_factory=list)

    def error(self, share: float) -> float | None:
        """The error that so large a share of the told prices did not exceed; None without any."""
        ranked = sorted(self.errors)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else None


def report(answers: Iterable[LiveAnswer], most_permille: float) -> list[ServiceReport]:
    """A line for each service, those with the most prices first; `answers` oldest first."""
    learned = LearnedPrices()
    found: dict[tuple[str, ServiceKey], ServiceReport] = {}
    for answer in answers:
        for test in learned.learn(answer.account_id, answer.asked, answer.answer, answer.at.timestamp()):
            _, carrier, service = test.service
            line = found.setdefault(
                (answer.account_id, test.service), ServiceReport(answer.account_id, carrier, service)
            )
            _note(line, test, answer.at, most_permille)
    return sorted(found.values(), key=lambda line: (-line.came, line.account_id, line.carrier, line.service))


def _note(line: ServiceReport, test: Tested, at: datetime, most_permille: float) -> None:
    line.came += 1
    if test.changed:
        line.changes += 1
        line.changed_at = at
    if test.error_permille is None or test.bound_permille is None or test.bound_permille > most_permille:
        return
    line.told += 1
    line.kept += test.error_permille <= test.bound_permille
    line.errors.append(test.error_permille / 10)
