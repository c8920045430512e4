"""Prices that were shown hold for half an hour for the same cart and settings, whatever carriers say meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.quotes.answers import AccountAnswer, KeptRate
from connector.quotes.lru import Bounded
from connector.quotes.reduced import ReducedCart

HOLD = timedelta(minutes=30)
"""How long a price that was shown holds for the same cart and settings."""

_MOST_BYTES = 24 * 1024 * 1024
_RATE_BYTES = 900
_ENTRY_BYTES = 600


@dataclass(frozen=True, slots=True)
class Shown:
    """What one cart was shown, by account of ours; it holds until `until`."""

    answers: Mapping[str, AccountAnswer]
    until: datetime


class ShownPrices:
    """What was shown, by this process and, through the ledger, by others. Bounded in bytes."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._kept: Bounded[str, Shown] = Bounded(most_bytes)

    def get(self, key: str, now: datetime) -> Shown | None:
        """What holds for this cart, if anything does."""
        found = self._kept.get(key)
        if found is None:
            return None
        if now < found.until:
            return found
        self._kept.drop(key)
        return None

    def keep(self, key: str, at: datetime, answers: Sequence[AccountAnswer]) -> None:
        """Keep what was shown; what held before goes on to hold as long as it would have."""
        before = self.get(key, at)
        until = at + HOLD if before is None else before.until
        known = dict(before.answers) if before is not None else {}
        for answer in answers:
            if answer.rates:
                earlier = known.get(answer.account_id)
                known[answer.account_id] = answer if earlier is None else with_shown(answer, earlier)
        if known:
            size = _ENTRY_BYTES + _RATE_BYTES * sum(len(answer.rates) for answer in known.values())
            self._kept.put(key, Shown(known, until), size)


def cart_digest(cart: ReducedCart, *, with_person: bool) -> str:
    """Equal for the same cart in whatever language; the person counts only where a carrier is told the street."""
    told = cart.but(locale="") if with_person else cart.but(locale="", person="")
    return hashlib.sha256(told.to_json()).hexdigest()


def hold_key(digest: str, settings_version: int, place: str, plan_id: str) -> str:
    """Equal for the same cart under the same settings, packed alike and sent from the same place."""
    return hashlib.sha256(f"{settings_version}\n{place}\n{plan_id}\n{digest}".encode()).hexdigest()


def hold(answers: Sequence[AccountAnswer], shown: Shown | None) -> tuple[AccountAnswer, ...]:
    """The answers with what was shown before at the price that was shown."""
    if shown is None:
        return tuple(answers)
    return tuple(
        answer if (before := shown.answers.get(answer.account_id)) is None else with_shown(answer, before, shown.until)
        for answer in answers
    )


def with_shown(answer: AccountAnswer, before: AccountAnswer, until: datetime | None = None) -> AccountAnswer:
    """A later answer, with what was shown before at the price that was shown."""
    if answer.state == "late":  # Nobody waited for it, since prices were known.
        answer = before.but(source="held", rates=(), until=answer.until, elapsed_ms=0)
    was = {rate.key: rate for rate in before.rates}
    added = tuple(rate for rate in answer.rates if rate.key not in was)
    same = {rate.key: rate for rate in answer.rates}
    kept = tuple(_held(rate, same.get(rate.key)) for rate in before.rates)
    ends = [each for each in (answer.until, until) if each is not None]
    covered = answer.covered or before.covered or not before.has_gap
    priced = {(rate.carrier, rate.service) for rate in (*kept, *added)}
    missing = answer.missing and tuple(each for each in answer.missing if (each.carrier, each.service) not in priced)
    return answer.but(
        rates=(*kept, *added),
        until=min(ends, default=None),
        covered=answer.has_gap and covered,
        missing=missing if answer.has_gap else None,
    )


def _held(shown: KeptRate, now: KeptRate | None) -> KeptRate:
    """The price that was shown; marked unless it is the very price of the later answer."""
    if now is not None and now.minor == shown.minor and now.currency == shown.currency and not shown.stand_in:
        return now
    return shown if shown.stand_in else shown.but(stand_in="held")


def differing(shown: Sequence[KeptRate], live: AccountAnswer, tell: Callable[[KeptRate, int | None], None]) -> None:
    """Tell each shown price that a later live answer does not have."""
    if live.state != "answered":
        return
    named = {rate.key: rate for rate in live.rates}
    for rate in shown:
        found = named.get(rate.key)
        if found is None and live.has_gap:
            continue
        if found is None or (found.minor, found.currency) != (rate.minor, rate.currency):
            tell(rate, None if found is None else found.minor)
