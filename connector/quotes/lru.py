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
        try:  # noqa: SIM105 - this is asked a dozen times for each quote.
            self._kept.move_to_end(key)
        except KeyError:  # Another thread has just let go of it.
            pass
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


class OfObject(Generic[K, V]):
    """What was made of an object in memory, as long as that very object is asked for; of so many objects at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[int, tuple[K, V]] = OrderedDict()

    def get(self, of: K) -> V | None:
        """What was made of it."""
        found = self._kept.get(id(of))
        return None if found is None else found[1]

    def put(self, of: K, made: V) -> V:
        """Keep what was made of it, and the object with it: no other one can come to its place."""
        self._kept[id(of)] = (of, made)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return made
