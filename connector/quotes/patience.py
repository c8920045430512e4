"""How long the platform really waits for a shop's prices: learned from the calls that it hung up on.

Platforms promise a limit and cut earlier at times (Shopify: 10 s, 5 s and 3 s by the number of requests a minute, "may
change any time"). Three calls that were cut within ten minutes shorten our hard deadline to nine tenths of the shortest
of them, never below `FLOOR_S`; half an hour without one, and the shop's own deadline holds again.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

FLOOR_S = 0.8
"""A platform that waits less than this is not helped by answering without any live price."""

_MOST = 20
_ENOUGH = 3
_WITHIN_S = 600.0
_LASTS_S = 1800.0
_SHARE = 0.9
_LEAST_S = 0.3  # A caller who went away at once tells of himself, not of a limit.
_MOST_SHOPS = 10_000


class Patience:
    """Per shop, in this process's memory. `seconds` is a monotonic time."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._cuts: OrderedDict[str, deque[tuple[float, float]]] = OrderedDict()

    def hung_up(self, shop_id: str, after_s: float) -> None:
        """The platform hung up on a call that was not answered yet, so many seconds after it came."""
        if after_s < _LEAST_S:
            return
        cuts = self._cuts.setdefault(shop_id, deque(maxlen=_MOST))
        self._cuts.move_to_end(shop_id)
        cuts.append((self._seconds(), after_s))
        if len(self._cuts) > _MOST_SHOPS:
            self._cuts.popitem(last=False)

    def within(self, shop_id: str, deadline_s: float) -> float:
        """The hard deadline as far as the platform lets us have it."""
        cuts = self._cuts.get(shop_id)
        if cuts is None:
            return deadline_s
        now = self._seconds()
        while cuts and now - cuts[0][0] > _LASTS_S:
            cuts.popleft()
        if not cuts:
            del self._cuts[shop_id]
            return deadline_s
        if len(cuts) < _ENOUGH or not any(
            cuts[index + _ENOUGH - 1][0] - cuts[index][0] <= _WITHIN_S for index in range(len(cuts) - _ENOUGH + 1)
        ):
            return deadline_s
        return min(deadline_s, max(FLOOR_S, _SHARE * min(after for _, after in cuts)))
