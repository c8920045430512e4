"""A memory of bounded size: what was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A mapping of at most so many bytes, as those who put something in estimate them."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The value, which now is the one used last."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value of about `size` bytes; one that is larger than everything may be is not kept."""
        self.drop(key)
        if size > self._most:
            return
        self._kept[key] = (value, size)
        self.bytes += size
        while self.bytes > self._most:
            _, (_, least) = self._kept.popitem(last=False)
            self.bytes -= least

    def drop(self, key: K) -> None:
        """Forget a value, if it is there."""
        found = self._kept.pop(key, None)
        if found is not None:
            self.bytes -= found[1]

    def items(self) -> Iterator[tuple[K, V]]:
        """Everything, what was used longest ago first; not to be changed meanwhile."""
        return ((key, value) for key, (value, _) in self._kept.items())
