"""Make a kept decision again, offline, and compare the answer byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.quotes.decide import Decision, decide
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
        if old[code] != new[code]:
            found.append(f"{code}: {old[code].minor} {old[code].currency} became {new[code].minor}")
    return tuple(found)
