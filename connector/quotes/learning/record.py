"""How well a service's prices could be told before they were known, and whether its carrier changed them. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil

from connector.quotes.learning.samples import DAY_S

LEAST_TESTS = 3
"""Cold start: a level of a service is not believed before so many of its prices were told before they came."""

_MOST_TESTS = 60
_FEW = 20
_FEW_PERMILLE = 30.0  # Few tests say little: this much, shared by their number, comes on top.
_TEST_LIFE_S = 30 * DAY_S
_DOUBT_LIFE_S = 3 * DAY_S
_LANES_IN_DOUBT = 2


@dataclass(slots=True)
class Record:
    """One service of one account. `tests` by level: how far beyond its own bound each told price was, in permille."""

    tests: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)
    doubts: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=20))
    changed_at: float = 0.0
    known: dict[str, tuple[float, float | None]] = field(default_factory=dict)

    def note(self, level: str, at: float, beyond_permille: float) -> None:
        """A price came that had been told before."""
        self.known.pop(level, None)
        self.tests.setdefault(level, deque(maxlen=_MOST_TESTS)).append((at, beyond_permille))

    def beyond(self, level: str, now: float) -> float | None:
        """What has to be added to a bound of this level so that 95 of 100 told prices keep it; None while cold."""
        known = self.known.get(level)
        if known is None or now - known[0] > DAY_S:
            known = self.known[level] = (now, self._beyond(level, now))
        return known[1]

    def _beyond(self, level: str, now: float) -> float | None:
        seen = sorted(beyond for at, beyond in self.tests.get(level, ()) if now - at <= _TEST_LIFE_S)
        if len(seen) < LEAST_TESTS:
            return None
        if len(seen) < _FEW:
            return seen[-1] + _FEW_PERMILLE / len(seen)
        return seen[min(len(seen) - 1, ceil((len(seen) + 1) * 0.95) - 1)]

    def doubt(self, lane: str, at: float) -> bool:
        """A lane's price is not what it was. True if by now the carrier must have changed its prices everywhere."""
        while self.doubts and at - self.doubts[0][0] > _DOUBT_LIFE_S:
            self.doubts.popleft()
        self.doubts.append((at, lane))
        if len({lane for _, lane in self.doubts}) < _LANES_IN_DOUBT:
            return False
        self.changed_at = self.doubts[0][0]
        self.doubts.clear()
        self.tests.clear()
        self.known.clear()
        return True
