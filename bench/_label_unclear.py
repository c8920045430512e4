"""Purchases whose outcome nobody knew for a while, and how long that was, seen from beside the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from connector.labels.tables import labels
from connector.storage.database import Database


@dataclass
class Unclear:
    """When each purchase of a shop left first, and which of them were unclear."""

    database: Database
    shop_id: str
    left: dict[str, datetime] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def look(self, *, dead: bool = False) -> Sequence[Any]:
        """See how the labels stand; just after a worker's death what had left is unclear, too.

        A purchase that is sent again has another time from then on, so this is to be called more often than that.
        """
        rows = self.database.look_here(_left, self.shop_id)
        for row in rows:
            self.left.setdefault(row.id, row.sent_at)
            if row.looks or row.tries > 1 or row.state == "unknown" or (dead and row.state == "sent"):
                self.seen.add(row.id)
        return rows

    def took(self) -> list[float]:
        """Seconds from when each of them left until it was settled. Raises SystemExit if one is not."""
        rows = [row for row in self.look() if row.id in self.seen]
        if open_ones := [row.id for row in rows if row.settled_at is None]:
            raise SystemExit(f"{len(open_ones)} unclear purchases are not settled, such as {open_ones[0]}")
        return [(row.settled_at - self.left[row.id]).total_seconds() for row in rows]


def _left(connection: Connection, shop_id: str) -> Sequence[Any]:
    columns = (labels.c.id, labels.c.state, labels.c.sent_at, labels.c.settled_at, labels.c.looks, labels.c.tries)
    return connection.execute(labels.select(shop_id, *columns).where(labels.c.sent_at.is_not(None))).all()
