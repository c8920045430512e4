"""Make a kept decision again, offline, and compare the answer byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from carriers.money import Money
from connector.quotes.decide import DecidedOffer, Decision, decide
from connector.quotes.facts import DECIDE_VERSION
from connector.quotes.ledger import LedgerRow
from connector.store import Answer, UseBackup

WriteAnswer = Callable[[Answer | UseBackup, Mapping[str, str]], bytes]


@dataclass(frozen=True, slots=True)
class Replayed:
    """`same` is true if the decision and the bytes are what they were. `changes` names what differs."""

    quote_id: str
    same: bool
    kept_digest: str
    digest: str
    changes: tuple[str, ...] = ()


def replay(row: LedgerRow, write: WriteAnswer) -> Replayed:
    """Decide again from what was kept. `write` is the platform's own writer of answers."""
    again = decide(row.cart, row.facts, row.answers, row.at)
    digest = hashlib.sha256(write(again.answer(row.id, row.at), row.echo)).hexdigest()
    changes = _differences(row.decision, again)
    if not changes and digest != row.digest:
        changes = ("the decision is the same, but other bytes were sent",)
    if row.facts.decide_version != DECIDE_VERSION:
        changes = (*changes, f"decided by version {row.facts.decide_version}, replayed by {DECIDE_VERSION}")
    same = digest == row.digest and again == row.decision
    return Replayed(row.id, same, row.digest, digest, () if same else changes)


def _differences(before: Decision, after: Decision) -> tuple[str, ...]:
    found = []
    if before.outcome != after.outcome:
        found.append(f"outcome {before.outcome} became {after.outcome}")
    old = {offer.code: offer for offer in before.offers}
    new = {offer.code: offer for offer in after.offers}
    found += [f"{code} is gone" for code in sorted(old.keys() - new.keys())]
    found += [f"{code} is new" for code in sorted(new.keys() - old.keys())]
    for code in sorted(old.keys() & new.keys()):
        found += _offer_differences(code, old[code], new[code])
    if not found and [offer.code for offer in before.offers] != [offer.code for offer in after.offers]:
        found.append("the order of the offers changed")
    if before.why != after.why:
        found.append(f"the reason {_said(before)} became {_said(after)}")
    found += [f"{words} changed" for name, words in _REST.items() if getattr(before, name) != getattr(after, name)]
    return tuple(found)


_REST = {
    "withheld": "what is not shown",
    "notes": "what was assumed of the parcels",
    "passed_rules": "the rules that did not apply",
    "valid_until": "how long the answer holds",
}
_OF_OFFER = {
    "name": "name",
    "description": "description",
    "earliest": "first day of arrival",
    "latest": "last day of arrival",
    "source": "source",
    "steps": "steps",
    "bought_as": "account or service that it is bought as",
}


def _offer_differences(code: str, before: DecidedOffer, after: DecidedOffer) -> list[str]:
    price = (Money(before.minor, before.currency), Money(after.minor, after.currency))
    found = [f"{code}: {price[0]} became {price[1]}"] if price[0] != price[1] else []
    changed = [words for name, words in _OF_OFFER.items() if getattr(before, name) != getattr(after, name)]
    return found + [f"{code}: the {words} changed" for words in changed]


def _said(decision: Decision) -> str:
    return str(decision.why["code"]) if decision.why else "none"
