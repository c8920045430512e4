"""Calls that differ in nothing that offers are made of: their decision is found again instead of made again. Pure.

Most calls of a shop meet a few price lines and a few sets of rules. Where nothing but facts, prices, dates and the
answers to what rules ask of the call goes into a decision, those name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from connector.quotes.answers import AccountAnswer
from connector.quotes.decision import Decision
from connector.quotes.facts import Facts
from connector.quotes.lru import Bounded
from connector.quotes.reduced import ReducedCart
from connector.quotes.windows import Dates
from connector.rules.guard import Guarded
from connector.words.reason import Reason

Key = tuple[object, ...]

_MOST_BYTES = 16 * 1024 * 1024
_ENTRY_BYTES = 1_000
_OFFER_BYTES = 900
_STEP_BYTES = 120


def is_plain(answers: Sequence[AccountAnswer]) -> bool:
    """Whether the accounts said nothing but prices."""
    for answer in answers:
        if answer.problems or not answer.rates or answer.partial or answer.state != "answered":
            return False
    return bool(answers)


def key_of(cart: ReducedCart, facts: Facts, dates: Dates, answers: Sequence[AccountAnswer], answered: object) -> Key:
    """What names the decision. Objects are named by their place in memory: `keep` holds them there.

    `answered` is what the call answers to the rules' questions.
    """
    rates = [id(rate) for answer in answers for rate in answer.rates]
    accounts = [(answer.account_id, answer.carrier, len(answer.rates)) for answer in answers]
    return (id(facts), id(dates.known), dates.goods is None, cart.currency, cart.locale, answered, *accounts, *rates)


class Made(NamedTuple):
    """A decision without what is a call's own: its notes, the end of its time, and what the guard says of its cart.

    `guarded` is what the guard looks at; `noted` are notes that come before the guard's, `dated` those behind them.
    """

    decision: Decision
    guarded: tuple[Guarded, ...]
    noted: tuple[Reason, ...]
    dated: tuple[Reason, ...]

    def of(self, packed: tuple[Reason, ...], flagged: tuple[Reason, ...], valid_until: datetime) -> Decision:
        """The decision with what is this call's own."""
        made = self.decision
        return Decision(
            outcome=made.outcome,
            why=made.why,
            offers=made.offers,
            withheld=made.withheld,
            notes=(*packed, *self.noted, *flagged, *self.dated),
            valid_until=valid_until,
        )


_known: Bounded[Key, tuple[Made, object]] = Bounded(_MOST_BYTES)


def find(key: Key) -> Made | None:
    """What was made of a call that is alike."""
    found = _known.get(key)
    return None if found is None else found[0]


def keep(key: Key, made: Made, facts: Facts, dates: Dates, answers: Sequence[AccountAnswer]) -> None:
    """Keep what calls that are alike have in common, and what the key names."""
    size = _ENTRY_BYTES + sum([_OFFER_BYTES + _STEP_BYTES * len(each.steps) for each in made.decision.offers])
    _known.put(key, (made, (facts, dates.known, [answer.rates for answer in answers])), size)
