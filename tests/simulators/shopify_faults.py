"""Faults that the Shopify simulator plays on request, each for the next N calls of a name."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

Kind = Literal[
    "slow",  # effect and answer come `seconds` after the arrival, whether or not the client is still there
    "withheld",  # the effect comes at once, the answer `seconds` later
    "hung",  # neither effect nor answer
    "hung_after_effect",  # the effect, and never an answer
    "dropped",  # the connection breaks; no effect
    "dropped_after_effect",  # the effect, then the connection breaks
    "status",  # an error answer with `status`, with Retry-After if `seconds`; no effect
    "status_after_effect",  # the effect, then that error answer
    "html",  # an HTML page with `status`; no effect
    "html_after_effect",  # the effect, then that page
    "truncated",  # the effect; 200 with half of the JSON
    "throttled",  # GraphQL's THROTTLED in a 200; no effect
    "internal",  # GraphQL's INTERNAL_SERVER_ERROR in a 200, data null; no effect
    "partial",  # the effect; the data with an error beside it
    "unauthorised",  # 401; no effect
    "version",  # the answer names `version` as the version that it is of
]
EFFECTIVE: frozenset[Kind] = frozenset(
    {
        "slow",
        "withheld",
        "hung_after_effect",
        "dropped_after_effect",
        "status_after_effect",
        "html_after_effect",
        "truncated",
        "partial",
        "version",
    }
)


@dataclass
class Fault:
    """One fault. `call` is an operation's name ("Fulfil", …), "token" or "*"; it is played `times` times."""

    call: str
    kind: Kind
    times: int = 1
    seconds: float = 0.0
    status: int = 500
    version: str = "2027-01"

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """From the JSON of the control endpoint; a misspelt field is an error."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"no such field: {unknown}")
        return cls(**values)


@dataclass
class FaultBook:
    """The faults that are still to be played, and those that were."""

    waiting: list[Fault] = field(default_factory=list)
    played: list[tuple[str, str]] = field(default_factory=list)

    def take(self, call: str) -> Fault | None:
        """The next fault for this call, counted down."""
        for fault in self.waiting:
            if fault.call in {call, "*"} and fault.times > 0:
                fault.times -= 1
                self.played.append((call, fault.kind))
                return fault
        return None
