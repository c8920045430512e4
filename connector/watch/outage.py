"""All of ours was down: found out at the return by the last sign of life, told once, and again when it is made up for.

While nothing of ours runs nobody here can tell: an outside watchdog can (WAYBILL_HEARTBEAT_URL).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func

from connector.attention.board import HOUSE, matters, need_person, open_matters, settled
from connector.orders.refresh import REFRESH
from connector.orders.tables import orders, sweeps
from connector.words.reason import Param, Reason
from connector.work import due

CODE = "was_down"
LONGEST_PAUSE = timedelta(minutes=5)
"""A pause up to this is a restart, and nobody is told."""
_READING = timedelta(minutes=1)  # What the sweep has queued is being read.


def notice(connection: Connection, last_life: datetime | None, now: datetime) -> bool:
    """At a sign of life: whether none was given for so long that all of ours must have been down."""
    if last_life is None or now - last_life <= LONGEST_PAUSE:
        return False
    params: dict[str, Param] = {"start": _minute(last_life), "end": _minute(now), "orders": 0}
    return need_person(connection, HOUSE, _subject(last_life, now), Reason("was_down", params), now)


def make_up(connection: Connection, shop_ids: Sequence[str], now: datetime) -> None:
    """Settle outages after which every shop's orders were swept and read; the count goes into the matter."""
    for matter in open_matters(connection, HOUSE):
        if matter.reason.code != CODE:
            continue
        began, back = _times(matter.subject)
        if now - matter.opened_at < _READING or not all(_swept(connection, shop_id, back) for shop_id in shop_ids):
            continue
        if due.any_of(connection, REFRESH, now):
            continue
        missed = sum(_orders_between(connection, shop_id, began, back) for shop_id in shop_ids)
        said = Reason("was_down", {**matter.reason.params, "orders": missed})
        change = matters.update(HOUSE).where(matters.c.id == matter.id)
        connection.execute(change.values(reason=said.to_json()))
        settled(connection, HOUSE, matter.subject, now, CODE)


def _swept(connection: Connection, shop_id: str, back: datetime) -> bool:
    reached = connection.execute(sweeps.select(shop_id, sweeps.c.reached_at).where(sweeps.c.name == "orders")).scalar()
    return reached is not None and reached >= back


def _orders_between(connection: Connection, shop_id: str, began: datetime, back: datetime) -> int:
    chosen = orders.select(shop_id, func.count()).where(orders.c.placed_at > began, orders.c.placed_at <= back)
    return int(connection.execute(chosen).scalar() or 0)


def _subject(began: datetime, back: datetime) -> str:
    return f"{began.isoformat(timespec='seconds')} {back.isoformat(timespec='seconds')}"


def _times(subject: str) -> tuple[datetime, datetime]:
    began, back = subject.split(" ")
    return datetime.fromisoformat(began), datetime.fromisoformat(back)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
