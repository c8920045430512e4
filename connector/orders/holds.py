"""Why only a person may buy the labels of an order's new parcels, or let them be bought."""

from __future__ import annotations

from sqlalchemy import Connection

from connector.directory import ShopEntry
from connector.labels.tables import parcels
from connector.orders import restored
from connector.store import GroupState, Order
from connector.tracking.tables import trackings
from connector.words.reason import Reason


def why_held(connection: Connection, shop: ShopEntry, order_id: str, order: Order, *, edited: bool) -> Reason | None:
    """The first reason; None where Waybill may buy by itself."""
    if order.risky:
        return Reason("risk_flagged")
    if order.test and shop.settings.mode == "live":
        return Reason("test_order_in_live")
    if edited and shop.settings.buys_when_paid:
        return Reason("order_edited")
    if restored.is_uncertain(connection, shop.id, order.placed_at):
        return restored.WHY
    return _label_before(connection, shop.id, order_id, order)


def _label_before(connection: Connection, shop_id: str, order_id: str, order: Order) -> Reason | None:
    """Why goods may have a label already, although their group is new: then only a person buys another one.

    Stores make new groups when a fulfilment is taken back or goods are moved to another location.
    """
    waiting = {group.id for group in order.groups if group.state in {GroupState.READY, GroupState.HELD}}
    known = connection.execute(
        parcels.select(shop_id).where(parcels.c.order_id == order_id, parcels.c.state != "cancelled")
    ).all()
    if any(row.state == "voided" for row in known):
        return Reason("label_was_voided")
    for row in known:
        if row.state in {"buying", "unknown", "bought"} and row.group_id not in waiting:
            told = connection.execute(
                trackings.select(shop_id, trackings.c.fulfil_state).where(trackings.c.parcel_id == row.id)
            ).all()
            if not any(each.fulfil_state == "done" for each in told):
                return Reason("label_exists_already")
    return None
