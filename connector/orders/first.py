"""Whether an order is its buyer's first, by a keyed hash that says nothing else; and letting go of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func

from connector.orders.tables import orders


def first_orders(connection: Connection, shop_id: str, rows: Sequence[Any]) -> set[str]:
    """Those of these orders that are the first of their buyer, as far as Waybill knows; by our ids.

    An order without an e-mail address or a telephone number is nobody's first.
    """
    keys = {row.buyer_key for row in rows if row.buyer_key}
    if not keys:
        return set()
    known = orders.select(shop_id, orders.c.buyer_key, func.min(orders.c.placed_at).label("at")).where(
        orders.c.buyer_key.in_(keys), orders.c.cancelled.is_(False)
    )
    began = {row.buyer_key: row.at for row in connection.execute(known.group_by(orders.c.buyer_key)).all()}
    return {row.id for row in rows if row.buyer_key and row.placed_at <= began.get(row.buyer_key, row.placed_at)}


def forget_buyers(connection: Connection, shop_id: str, external_ids: Sequence[str] | None) -> None:
    """Let go of what ties these orders (the store's ids), or with None all of the shop, to a buyer."""
    mine = orders.update(shop_id).where(orders.c.buyer_key.is_not(None))
    if external_ids is not None:
        mine = mine.where(orders.c.external_id.in_(external_ids))
    connection.execute(mine.values(buyer_key=None))
