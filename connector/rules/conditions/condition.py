"""What every condition is: a question about the call, about one service, or about a service's price at that moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from connector.rules.facts import Priced
from connector.rules.places import InPlace
from connector.rules.state import CallState, Working
from connector.rules.term import Term, said_of
from connector.words.reason import Reason

Scope = Literal["call", "service", "price"]
"""`service` is answered by what the service is, `price` by what it costs when the rule's turn comes."""

OfCall = Callable[[CallState], bool]
OfService = Callable[[Priced], bool]
OfPrice = Callable[[Working, CallState], bool]


@dataclass(frozen=True)
class World:
    """What the rule set names besides its rules."""

    zones: Mapping[str, InPlace] = field(default_factory=dict)


class Condition(Term, ABC):
    """One small question; `kind` names it in stored rules."""

    scope: ClassVar[Scope] = "call"
    hint: ClassVar[str] = ""

    def until(self, now: datetime) -> datetime | None:
        """When the answer may become another one by itself; None where the time does not matter."""
        del now
        return None

    def why_not(self, state: CallState) -> Reason:
        """Why it does not hold."""
        del state
        return Reason("condition_not_met", {"asked": self.help, "wanted": said_of(self)})


class CallCondition(Condition, ABC):
    """A question about the call as a whole."""

    @abstractmethod
    def of_call(self, world: World) -> OfCall:
        """The question made ready."""


class ServiceCondition(Condition, ABC):
    """A question about one service, whatever it costs."""

    scope: ClassVar[Scope] = "service"

    @abstractmethod
    def of_service(self, world: World) -> OfService:
        """The question made ready."""
