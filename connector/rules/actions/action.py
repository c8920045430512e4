"""What every action is: a small change, made in one of the phases of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple

from connector.rules.facts import Priced
from connector.rules.state import CHANGED_ONLY_BY_FREE, CallState, Working
from connector.rules.term import Term
from connector.words.reason import Reason

Phase = Literal["refuse", "price", "shape"]
"""Refusing goes first; then prices in the rules' order; after free-shipping thresholds, what is shown and where."""


class Gone(NamedTuple):
    """A service that a rule takes from the buyer's sight, and why."""

    service: Priced
    why: Reason


class Done(NamedTuple):
    """What an action left behind besides changed prices: what is gone, what is new, the order, or a refusal."""

    gone: Sequence[Gone] = ()
    added: Sequence[Priced] = ()
    order: Sequence[Working] | None = None
    refused: Reason | None = None


Run = Callable[[CallState, Sequence[Working]], Done | None]
"""Of the call and the services that the rule means; None where nothing but prices, names or marks changed."""


class Action(Term, ABC):
    """One small change; `kind` names it in stored rules.

    `by_services`: of equal services it makes the same, whatever else the call holds besides its currency.
    """

    phase: ClassVar[Phase] = "price"
    by_services: ClassVar[bool] = False

    @abstractmethod
    def ready(self, rule: str) -> Run:
        """The action made ready; `rule` is the name of the rule that it belongs to."""

    def until(self, now: datetime) -> datetime | None:
        """When its effect may become another one by itself; None where the time does not matter."""
        del now
        return None


def may_change(services: Sequence[Working]) -> list[Working]:
    """The services whose price a markup may change: what is free stays free, a safety rate is what was typed."""
    return [each for each in services if not each.free and each.given.source != CHANGED_ONLY_BY_FREE]
