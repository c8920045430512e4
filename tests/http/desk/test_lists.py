"""A list as a file: page after page, up to its bound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connector.http.desk import lists
from connector.storage.keyset import Mark, Page

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMES = [f"line {number}" for number in range(5)]


def mark(number: int) -> Mark:
    return Mark(NOON, str(number))


async def three_a_page(at: Mark | None, most: int) -> Page[Any]:
    first = 0 if at is None else int(at.id)
    last = min(first + min(3, most), len(NAMES))
    return Page(tuple(NAMES[first:last]), older=mark(last) if last < len(NAMES) else None)


@pytest.mark.parametrize(("most", "told"), [(100, 5), (4, 4), (3, 3), (1, 1)])
async def test_a_download_reads_on_until_its_end_or_its_bound(most: int, told: int) -> None:
    parts = [part async for part in lists.table(["name"], three_a_page, lambda line: [line], most)]
    rows = b"".join(parts).decode("utf-8-sig").splitlines()
    assert rows == ["name", *NAMES[:told]]
