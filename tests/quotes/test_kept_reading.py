"""Kept values are read by several threads at once, also the first time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from connector.quotes import kept


def test_threads_that_read_a_kind_for_the_first_time_share_what_reads_it() -> None:
    """Msgspec shows other threads a struct whose fields it is still learning, and the process crashes."""
    fresh = [type(f"Fresh{number}", (kept.Kept,), {"__annotations__": {"name": str}}) for number in range(20)]
    together = Barrier(8)

    def read(_thread: int) -> list[int]:
        together.wait()
        return [id(kept.decoder(kind)) for kind in fresh]

    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(read, range(8))
    assert len(set(first)) == len(fresh)
    assert all(each == first for each in others)
