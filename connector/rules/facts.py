"""What rules may know: of the call as a whole, and of one service in it."""

from __future__ import annotations

from dataclasses import dataclass

from carriers.money import Money
from connector.words.reason import Reason


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The call that is priced. `subtotal` is the cart's value after discounts; `country` empty where unknown."""

    subtotal: Money
    country: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a price, from the carrier's to the buyer's: why, and what it came to."""

    reason: Reason
    price: Money


@dataclass(frozen=True, slots=True)
class Priced:
    """A service with its price so far and the steps that led there."""

    code: str
    price: Money
    steps: tuple[Step, ...] = ()

    def then(self, reason: Reason, price: Money) -> Priced:
        """The same service after one more step."""
        return Priced(self.code, price, (*self.steps, Step(reason, price)))
