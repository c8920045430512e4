"""Labels that are asked for without a look at each order: one of many, or from a page that says nothing of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector.labels.tables import BUYABLE, parcels
from connector.orders import view
from connector.storage.audit import Actor
from connector.words.reason import Reason
from connector.work.port import Work

_CHECKED_AGAIN = frozenset({
    "account_gone", "address_corrected", "address_refused", "address_undeliverable", "beyond_quote",
    "cap_not_comparable", "carrier_refused", "currency_changed", "customs_missing", "daily_cap_reached",
    "dearer_than_quoted", "later_than_promised", "moved_clock_in_live", "no_carriers", "no_rates_at_purchase",
    "origin_missing", "production_account_in_test", "quote_lost_dearer", "service_gone", "test_account_in_live",
    "wallet_empty",
})  # fmt: skip
"""Holds whose cause every purchase looks for again, whoever asks: what is asked for once more is held once more."""


def ask(
    connection: Connection, work: Work, shop_id: str, order_id: str, actor: Actor, now: datetime, *, over_cap: str = ""
) -> Reason | None:
    """Have an order's labels bought, or why they are not asked for; nothing that a person has to see is let pass.

    A purchase that is unclear is left to its end, or to a person, and so is what only a person's look lets go of.
    Raises as `connector.orders.view.request_purchase` does.
    """
    mine = parcels.select(shop_id).where(parcels.c.order_id == order_id, parcels.c.state.in_(BUYABLE))
    waiting = connection.execute(mine.order_by(parcels.c.number)).all()
    unclear = [row for row in waiting if row.state == "unknown"]
    if unclear:  # Asked for by a person it might be bought twice, where a carrier sells a shipment twice.
        said = None if unclear[0].why is None else Reason.from_json(unclear[0].why)
        return None if len(unclear) == len(waiting) else said or Reason("purchase_unclear")
    held = [Reason.from_json(row.why) for row in waiting if row.state == "held" and row.why is not None]
    if (why := next((each for each in held if each.code not in _CHECKED_AGAIN), None)) is not None:
        return Reason("held_look_first", {"why": why.say()})
    view.request_purchase(connection, work, shop_id, order_id, actor, now, over_cap=over_cap, seen=False)
    return None
