"""A circuit breaker: after failures in a row, leave a party alone for a while, then try with one call.

Pure: `admit` and `record` map a state and a time to the next state; who calls them keeps the state.

    closed --failures in a row--> open --rest is over--> half open --probe answers--> closed
                                   ^                        |
                                   +----- probe fails, a longer rest
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

Phase = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to open and for how long, in seconds. The rest doubles with each failed probe up to `longest_rest_s`.

    Nothing may have worked for `quiet_s`: of a hundred calls at once five can fail in a row at a party that answers
    most. A probe that never reports is forgotten after `probe_s`, so that another one may go.
    """

    failures: int = 5
    quiet_s: float = 2.0
    rest_s: float = 5.0
    longest_rest_s: float = 60.0
    probe_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state: failures in a row, and once it is open, until when it rests and since when a probe is out."""

    failures: int = 0
    rests: int = 0
    open_until: float | None = None
    probe_since: float | None = None
    worked_at: float | None = field(default=None, compare=False)

    def phase(self, now: float) -> Phase:
        """How it stands at that time."""
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half_open"

    def retry_after(self, now: float) -> float:
        """Seconds until a call may be admitted; 0 if it may now."""
        return 0.0 if self.open_until is None else max(0.0, self.open_until - now)


def admit(state: Breaker, policy: BreakerPolicy, now: float) -> tuple[Breaker, bool]:
    """Whether a call may go. Half open, one probe at a time may."""
    match state.phase(now):
        case "closed":
            return state, True
        case "open":
            return state, False
        case "half_open":
            if state.probe_since is not None and now - state.probe_since < policy.probe_s:
                return state, False
            return replace(state, probe_since=now), True


def record(state: Breaker, policy: BreakerPolicy, now: float, *, worked: bool) -> Breaker:
    """What a call's outcome makes of the state."""
    if worked:
        return Breaker(worked_at=now)
    failures = state.failures + 1
    is_quiet = state.worked_at is None or now - state.worked_at >= policy.quiet_s
    if state.open_until is None and (failures < policy.failures or not is_quiet):
        return replace(state, failures=failures)
    if state.phase(now) == "open":  # A call from before it opened; it tells nothing new.
        return replace(state, failures=failures)
    rest = min(policy.rest_s * 2**state.rests, policy.longest_rest_s)
    return Breaker(failures=failures, rests=min(state.rests + 1, 16), open_until=now + rest)


def forget_probe(state: Breaker) -> Breaker:
    """A probe ended without telling anything (its caller went away): let another one go."""
    return replace(state, probe_since=None)


@runtime_checkable
class Guarded(Protocol):
    """A connection with a circuit breaker of its own."""

    @property
    def breaker_phase(self) -> Phase:
        """How it stands now."""
        ...
