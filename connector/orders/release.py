"""A person lets go of a hold: who, when and why stand on the audit, and the same hold does not come back by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector.attention.board import settled
from connector.directory import ShopEntry
from connector.labels import record
from connector.labels.seen import seen_in
from connector.labels.store_holds import tell_of_holds
from connector.labels.tables import parcels
from connector.orders.buying import BY_RULE, buy_at
from connector.orders.plan import STORES_HOLDS
from connector.orders.view import find
from connector.storage import audit
from connector.storage.audit import Actor
from connector.words.reason import Reason
from connector.work.port import Work
from webhooks.errors import WaybillError

_KEPT = STORES_HOLDS | {"test_order_in_live"}
"""Holds that a person here cannot let go of: the store does, or nobody."""


class NothingToRelease(WaybillError):
    """No parcel of the order is held by Waybill."""


def release(
    connection: Connection, work: Work, shop: ShopEntry, reference: str, actor: Actor, reason: str, now: datetime
) -> list[str]:
    """Let the order's held parcels be bought as if they had not been held; returns their ids.

    Where the shop buys by itself they are bought at once, otherwise they wait for a click. A hold of another cause
    that still applies comes again. Raises NoSuchOrder, or NothingToRelease with the reason.
    """
    row = find(connection, shop.id, reference)
    held = connection.execute(
        parcels.select(shop.id).where(parcels.c.order_id == row.id, parcels.c.state == "held").with_for_update()
    ).all()
    freed = [each for each in held if (each.why or {}).get("code") not in _KEPT]
    if not freed:
        why = "The store holds it; let go of it there." if held else "No parcel of this order is held."
        raise NothingToRelease(why, detail=row.name)
    for parcel in freed:
        code = (parcel.why or {}).get("code", "")
        record.set_parcel(connection, shop.id, parcel.id, "planned", now)
        record.let_pass(connection, parcel, seen_in(Reason.from_json(parcel.why)) or code if code else "")
        settled(connection, shop.id, parcel.id, now, code)
        if shop.settings.buys_when_paid:
            buy_at(connection, work, shop.id, parcel.id, BY_RULE, now, now)
    tell_of_holds(connection, work, shop, row.id, now)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="order.release",
        subject=row.id,
        shop_id=shop.id,
        detail={"reason": reason[:300], "parcels": len(freed)},
    )
    return [str(each.id) for each in freed]
