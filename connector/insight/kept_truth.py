"""The report on costs, kept in memory: after a change only the orders that it touches are read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func

from carriers.money import Money
from carriers.price_list import PriceList
from connector.insight.prices import Lists
from connector.insight.truth import Truth
from connector.insight.truth_rows import Costs, order_costs
from connector.labels.amounts import entries
from connector.labels.invoice_tables import invoice_lines
from connector.labels.tables import labels, parcels
from connector.orders.tables import orders
from connector.storage.schema import TenantTable

_MOST = 4
_MOST_TOUCHED = 2000
"""So many orders are read again by name; more are read as all are."""

_SPAN = timedelta(days=400)
"""Longer than any page shows; older orders are let go of."""

_SLACK = timedelta(hours=1)
"""So much later may a row be seen than its moment says: its process is slow, or its clock is."""

_WATCHED: Mapping[str, tuple[TenantTable, Any, Any]] = {
    "entries": (entries, entries.c.at, entries.c.minor),
    "lines": (invoice_lines, invoice_lines.c.at, invoice_lines.c.minor),
    "orders": (orders, orders.c.seen_at, case((orders.c.paid, orders.c.charged_minor + 1), else_=0)),
}
"""What a report is made of: each table with the moment that a change moves, and an amount."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """How a table stands: its rows, the newest moment, the sum of an amount."""

    rows: int
    newest: datetime | None
    total: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """A shop's orders since a moment. `recent`: rows of each table that are near its newest."""

    marks: dict[str, _Mark]
    recent: dict[str, int]
    lists: dict[str, PriceList]
    since: datetime
    costs: Costs

    def answers(self, lists: dict[str, PriceList], since: datetime) -> bool:
        """Whether a report since then can be made of it."""
        fits = self.since == since if self.costs.by_others else self.since <= since
        return fits and self.lists == lists


class KeptTruth:
    """The last few shops' orders with their costs."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    def truth(
        self,
        connection: Connection,
        shop_id: str,
        currency: str,
        since: datetime,
        limit: Money,
        lists: Lists,
    ) -> Truth:
        """As `truth_rows.truth`, and the same."""
        key, now_listed = (shop_id, currency), dict(lists)
        kept = self._kept.get(key)
        if kept is not None and not kept.answers(now_listed, since):
            kept = None
        now = self._now(connection, shop_id, currency, since, now_listed, kept)
        self._kept[key] = now
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return now.costs.report(currency, since, limit)

    def _now(
        self,
        connection: Connection,
        shop_id: str,
        currency: str,
        since: datetime,
        lists: dict[str, PriceList],
        kept: _Kept | None,
    ) -> _Kept:
        """What is kept, as it has to be now."""
        marks = {name: _mark(connection, shop_id, name) for name in _WATCHED}
        if kept is not None and kept.marks == marks:
            return kept
        recent = {name: len(_near(connection, shop_id, name, marks[name])) for name in _WATCHED}
        if kept is not None and not kept.costs.by_others:
            newest = marks["orders"].newest
            start = kept.since if newest is None else max(kept.since, min(since, newest - _SPAN))
            mended = _mended(connection, shop_id, currency, kept, marks, start)
            if mended is not None:
                return _Kept(marks, recent, lists, start, mended)
        return _Kept(marks, recent, lists, since, order_costs(connection, shop_id, currency, since, lists))


def _mended(
    connection: Connection, shop_id: str, currency: str, kept: _Kept, marks: Mapping[str, _Mark], since: datetime
) -> Costs | None:
    """What is kept since then, with the orders read again that something happened to; None where that is not told."""
    touched: set[str] = set()
    for name, before in kept.marks.items():
        near = _near(connection, shop_id, name, before)
        if len(near) < kept.recent[name] + marks[name].rows - before.rows:
            return None  # A row came that says it is older.
        touched.update(near)
    if len(touched) > _MOST_TOUCHED:
        return None
    again = order_costs(connection, shop_id, currency, since, kept.lists, touched)
    if again.by_others:
        return None
    known = kept.costs.orders.items()
    rest = {order_id: each for order_id, each in known if order_id not in touched and each.placed_at >= since}
    return Costs(rest | again.orders, by_others=False)


def _mark(connection: Connection, shop_id: str, name: str) -> _Mark:
    table, moment, amount = _WATCHED[name]
    row = connection.execute(table.select(shop_id, func.count(), func.max(moment), func.sum(amount))).one()
    return _Mark(row[0], row[1], int(row[2] or 0))


def _near(connection: Connection, shop_id: str, name: str, mark: _Mark) -> list[str]:
    """The order of each row that is as new as the newest was, or a little older."""
    if mark.newest is None:
        return []
    table, moment, _ = _WATCHED[name]
    if name == "lines":
        told = table.select(shop_id, parcels.c.order_id).where(
            labels.c.shop_id == shop_id,
            labels.c.id == invoice_lines.c.label_id,
            parcels.c.shop_id == shop_id,
            parcels.c.id == labels.c.parcel_id,
        )
    else:
        told = table.select(shop_id, orders.c.id if name == "orders" else entries.c.order_id)
    return [str(each) for each in connection.execute(told.where(moment >= mark.newest - _SLACK)).scalars()]
