"""An order that waits for the end of a purchase is read again when that has ended, and ever more seldom before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from connector.work.port import Task, Work

SOON, SELDOM = timedelta(minutes=2), timedelta(hours=6)


def read_again(connection: Connection, work: Work, shop_id: str, order_id: str, external_id: str, at: datetime) -> None:
    """Have an order (our id, the store's) read again at that time; one such reading waits for each order."""
    work.later(connection, _reading(shop_id, order_id, external_id), at)


def until_ended(under_way: Iterable[Any], now: datetime) -> timedelta:
    """How long to wait for the end of these labels' purchases: most end within seconds, some after hours."""
    since = max((now - label.sent_at for label in under_way if label.sent_at is not None), default=SOON)
    return min(max(since, SOON), SELDOM)


def ended(connection: Connection, work: Work, parcel: Any, now: datetime) -> None:
    """A parcel's purchase has ended: if its order waits for that, it is read now."""
    reading = _reading(parcel.shop_id, parcel.order_id, parcel.order_external_id)
    if work.forget(connection, reading.key):
        work.later(connection, reading, now)


def _reading(shop_id: str, order_id: str, external_id: str) -> Task:
    return Task("orders.refresh", f"edited:{order_id}", shop_id, (external_id,))
