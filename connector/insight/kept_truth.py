"""The report on costs, kept while nothing that it is made of has changed: a page asks for it again and again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func

from carriers.money import Money
from carriers.price_list import PriceList
from connector.insight.prices import Lists
from connector.insight.truth import OrderCost, Truth, report
from connector.insight.truth_rows import order_costs
from connector.labels.amounts import entries
from connector.labels.invoice_tables import invoice_lines
from connector.orders.tables import orders

_MOST = 4


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: tuple[Any, ...]
    lists: dict[str, PriceList]
    found: list[OrderCost]
    others: int


class KeptTruth:
    """The last few shops' orders with their costs; `limit` is no part of what is kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, datetime], _Kept] = OrderedDict()

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
        key, mark, now_listed = (shop_id, currency, since), _mark(connection, shop_id), dict(lists)
        kept = self._kept.get(key)
        if kept is None or kept.mark != mark or kept.lists != now_listed:
            kept = _Kept(mark, now_listed, *order_costs(connection, shop_id, currency, since, lists))
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return report(kept.found, currency, limit, other_currency=kept.others)


def _mark(connection: Connection, shop_id: str) -> tuple[Any, ...]:
    """What moves whenever an amount, a bill or an order does."""
    parts: list[Any] = []
    for table, moment in ((entries, entries.c.at), (invoice_lines, invoice_lines.c.at), (orders, orders.c.updated_at)):
        sizes = [func.count(), func.max(moment)]
        if table is invoice_lines:
            sizes.append(func.sum(invoice_lines.c.minor))
        parts += connection.execute(table.select(shop_id, *sizes)).one()
    return tuple(parts)
