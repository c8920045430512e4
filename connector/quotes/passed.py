"""Why rules did not apply to a quote: found again from what is kept, since no answer depends on it."""

from __future__ import annotations

from connector.quotes.decide import decide
from connector.quotes.ledger import LedgerRow
from connector.words.reason import Reason


def passed_rules(row: LedgerRow) -> tuple[tuple[str, Reason], ...]:
    """Each rule that did not apply, by name, with the reason; as an early release kept it, else found again."""
    if row.decision.passed_rules or row.decision.outcome != "offers":
        return row.decision.passed_rules
    return decide(row.cart, row.facts, row.answers, row.at, with_passed=True).passed_rules
