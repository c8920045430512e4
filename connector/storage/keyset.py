"""Pages of a long list, newest first: each begins where the one before ended, whatever came in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, or_

T = TypeVar("T")
_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a list by time and id: what lies behind it is older (or, with `newer`, what lies before it)."""

    at: datetime
    id: str
    newer: bool = False

    def __str__(self) -> str:
        return f"{'+' if self.newer else '-'}{(self.at - _EPOCH) // _TICK}.{self.id}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """From an address; None for what is no mark."""
        stamp, _, row_id = text[1:].partition(".")
        if text[:1] not in {"+", "-"} or not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 17 or not row_id:
            return None
        return cls(_EPOCH + int(stamp) * _TICK, row_id[:40], newer=text[0] == "+")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some lines of a list, newest first. `newer` and `older` are marks for the pages beside it, if there are any."""

    lines: tuple[T, ...]
    newer: Mark | None = None
    older: Mark | None = None


def newest(
    connection: Connection, choices: Sequence[Select[Any]], at: Any, row_id: Any, mark: Mark | None, most: int
) -> Page[Any]:
    """The rows of disjoint choices together, `most` of them, from a mark on. Each choice is asked by its own index."""
    up = mark is not None and mark.newer
    order = (at.asc(), row_id.asc()) if up else (at.desc(), row_id.desc())
    found: list[Any] = []
    for choice in choices:
        bounded = choice if mark is None else choice.where(_beyond(at, row_id, mark))
        found += connection.execute(bounded.order_by(*order).limit(most + 1)).all()

    def place(row: Any) -> tuple[datetime, str]:
        return getattr(row, at.name), getattr(row, row_id.name)

    found.sort(key=place, reverse=not up)
    more = len(found) > most
    rows = found[:most]
    if up:
        rows.reverse()
    newer = older = None
    if rows and (more if up else mark is not None):
        newer = Mark(*place(rows[0]), newer=True)
    if rows and (up or more):
        older = Mark(*place(rows[-1]))
    return Page(tuple(rows), newer, older)


def _beyond(at: Any, row_id: Any, mark: Mark) -> ColumnElement[bool]:
    if mark.newer:
        return and_(at >= mark.at, or_(at > mark.at, row_id > mark.id))
    return and_(at <= mark.at, or_(at < mark.at, row_id < mark.id))
