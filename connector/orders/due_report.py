"""What free-shipping thresholds did at paid orders: how many were right, wrongly free or charged, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func

from carriers.money import Money
from connector.labels.amounts import entries
from connector.orders.due import Kind, dues
from connector.orders.tables import orders
from connector.words.reason import Reason

FIELDS = ("order", "placed_at", "kind", "currency", "due", "paid", "cost", "label", "why")
"""The columns of the list as CSV and JSON."""


@dataclass(frozen=True, slots=True)
class DueOrder:
    """One compared order. `cost` is due less paid, negative where the buyer paid too much; `label` what labels cost."""

    order_id: str
    name: str
    placed_at: datetime
    kind: Kind
    due: Money | None
    paid: Money
    cost: Money
    label: Money | None
    why: Reason | None
    guard: Reason | None

    def fields(self) -> dict[str, Any]:
        """As CSV and JSON have it."""
        values = (self.name, self.placed_at, self.kind, self.paid.currency, self.due, self.paid, self.cost, self.label)
        shown = [f"{each.amount:f}" if isinstance(each, Money) else each for each in values]
        return dict(zip(FIELDS, [*shown, None if self.why is None else self.why.say()], strict=True))


@dataclass(frozen=True, slots=True)
class DueReport:
    """Counts by kind; per currency, what wrongly free orders cost the shop and wrongly charged ones their buyers."""

    counts: dict[str, int]
    free_cost: tuple[Money, ...]
    charged_cost: tuple[Money, ...]
    flagged: int
    orders: tuple[DueOrder, ...]


def report(connection: Connection, shop_id: str, since: datetime, limit: int = 200) -> DueReport:
    """Of orders placed at or after `since`; listed are those that are not right, the newest first."""
    ours = (dues.c.shop_id == shop_id, dues.c.placed_at >= since)
    counted = connection.execute(
        dues.select(shop_id, dues.c.kind, dues.c.currency, func.count(), func.sum(dues.c.cost_minor))
        .where(*ours)
        .group_by(dues.c.kind, dues.c.currency)
    ).all()
    counts: dict[str, int] = dict.fromkeys(("right", "free", "charged", "discounted", "unknown"), 0)
    cost: dict[str, list[Money]] = {"free": [], "charged": []}
    for kind, currency, number, minor in counted:
        counts[kind] += int(number)
        if kind in cost:
            cost[kind].append(Money(abs(int(minor)), currency))
    guarded = dues.select(shop_id, dues.c.guard).where(*ours)
    flagged = sum(each.guard is not None for each in connection.execute(guarded))
    return DueReport(
        counts, _sorted(cost["free"]), _sorted(cost["charged"]), flagged, _listed(connection, shop_id, ours, limit)
    )


def _listed(connection: Connection, shop_id: str, ours: Sequence[Any], limit: int) -> tuple[DueOrder, ...]:
    wrong = dues.select(shop_id).where(*ours, dues.c.kind != "right")
    rows = connection.execute(wrong.order_by(dues.c.placed_at.desc(), dues.c.order_id.desc()).limit(limit)).all()
    ids = [row.order_id for row in rows]
    known = connection.execute(orders.select(shop_id, orders.c.id, orders.c.name).where(orders.c.id.in_(ids)))
    names: dict[str, str] = {row.id: row.name for row in known}
    labels = _labels(connection, shop_id, ids)
    return tuple(
        DueOrder(
            order_id=row.order_id,
            name=names.get(row.order_id, row.order_id),
            placed_at=row.placed_at,
            kind=row.kind,
            due=None if row.due_minor is None else Money(row.due_minor, row.currency),
            paid=Money(row.paid_minor, row.currency),
            cost=Money(row.cost_minor, row.currency),
            label=labels.get(row.order_id),
            why=None if row.why is None else Reason.from_json(row.why),
            guard=None if row.guard is None else Reason.from_json(row.guard),
        )
        for row in rows
    )


def _labels(connection: Connection, shop_id: str, ids: Sequence[str]) -> dict[str, Money]:
    """What the labels of orders were bought for; nothing of an order whose labels are in several currencies."""
    found: dict[str, Money] = {}
    rows = connection.execute(
        entries.select(shop_id, entries.c.order_id, entries.c.currency, func.sum(entries.c.minor))
        .where(entries.c.order_id.in_(ids), entries.c.kind.in_(("bought", "by_hand")))
        .group_by(entries.c.order_id, entries.c.currency)
    ).all()
    several = [row[0] for row in rows]
    for order_id, currency, minor in rows:
        if several.count(order_id) == 1:
            found[order_id] = Money(int(minor), currency)
    return found


def _sorted(amounts: Sequence[Money]) -> tuple[Money, ...]:
    return tuple(sorted(amounts, key=lambda each: each.currency))
