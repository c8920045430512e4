"""Make a kept decision again, offline, and compare the answer byte for byte."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from carriers.money import Money
from connector.quotes.decide import decide
from connector.quotes.decision import DecidedOffer, Decision
from connector.quotes.facts import CHANGES, DECIDE_VERSION
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
    again = decide(row.cart, row.facts, row.answers, row.at, with_passed=bool(row.decision.passed_rules))
    digest = hashlib.sha256(write(again.answer(row.id, row.at), row.echo)).hexdigest()
    changes = _differences(row.decision, again)
    if not changes and digest != row.digest:
        changes = ("the decision is the same, but other bytes were sent",)
    same = digest == row.digest and not changes
    if row.facts.decide_version == DECIDE_VERSION:
        same = same and again == row.decision
    else:  # An earlier version kept less of a decision: what it did not keep is no difference.
        changes = (*changes, *changed_since(row.facts.decide_version))
    return Replayed(row.id, same, row.digest, digest, () if same else changes)


@dataclass(slots=True)
class ReplayedAll:
    """What replaying many answers showed: how many, which were not the same (the first ones whole), and why."""

    answers: int = 0
    different: list[Replayed] = field(default_factory=list)
    not_same: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    versions: Counter[int] = field(default_factory=Counter)

    @property
    def same(self) -> bool:
        """Whether every answer was."""
        return self.not_same == 0

    def add(self, other: ReplayedAll) -> None:
        """Count another shop's answers in."""
        self.answers += other.answers
        self.not_same += other.not_same
        self.kinds += other.kinds
        self.versions += other.versions
        self.different += other.different


def replay_all(rows: Iterable[LedgerRow], write: WriteAnswer, *, show: int = 20) -> ReplayedAll:
    """Replay each; the first `show` that differ are kept. `kinds` counts what differs, without the offers' codes."""
    total = ReplayedAll()
    for row in rows:
        result = replay(row, write)
        total.answers += 1
        if result.same:
            continue
        total.not_same += 1
        total.versions[row.facts.decide_version] += 1
        total.kinds.update({_kind(change) for change in result.changes})
        if len(total.different) < show:
            total.different.append(result)
    return total


def changed_since(version: int) -> tuple[str, ...]:
    """Why an answer of an earlier version of the decision may differ: what each later one changed."""
    later = [f"version {number} of the decision: {what}" for number, what in CHANGES.items() if number > version]
    return (f"decided by version {version}, replayed by {DECIDE_VERSION}", *later)


def _kind(change: str) -> str:
    """The change without what is particular to one answer."""
    _, colon, rest = change.partition(": ")
    if colon and not change.startswith("version "):
        return "a price changed" if " became " in rest else rest
    for end in (" is gone", " is new"):
        if change.endswith(end):
            return f"an offer{end}"
    return change


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
    return decision.why.code if decision.why else "none"
