"""Queue the purchase of a parcel's label, now or for later."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.directory import ShopEntry
from connector.labels import record
from connector.labels.gates import Asked
from connector.storage.audit import Actor
from connector.words.reason import Reason
from connector.work.port import Task, Work

BY_RULE = Actor("rule", "buy=on_paid")


def buy_at(
    connection: Connection,
    work: Work,
    shop_id: str,
    parcel_id: str,
    actor: Actor,
    due_at: datetime,
    now: datetime,
    *,
    over_cap: bool = False,
) -> None:
    """Queue a purchase for a time; who asked stands in the task, and whether it may pass the cap."""
    args = Asked(actor, over_cap).args(parcel_id)
    task = Task(record.BUY, f"buy:{parcel_id}:{actor.kind}:{now.isoformat()}", shop_id, args)
    if due_at <= now:
        work.enqueue(connection, task)
    else:
        work.later(connection, task, due_at)


def buy_by_rule(connection: Connection, work: Work, shop: ShopEntry, parcel_id: str, now: datetime) -> None:
    """Queue the purchase where the merchant lets Waybill buy by itself."""
    if shop.settings.buys_when_paid:
        due_at = now + timedelta(minutes=shop.settings.minutes_before_buying)
        buy_at(connection, work, shop.id, parcel_id, BY_RULE, due_at, now)


def go_on(connection: Connection, work: Work, shop: ShopEntry, parcel_id: str, now: datetime) -> None:
    """What held a parcel is over: it is bought where the shop buys by itself, else it says that it waits for a click.

    Without that word a batch that had asked for its label would show it as under way for ever.
    """
    why = None if shop.settings.buys_when_paid else Reason("waits_for_click")
    record.set_parcel(connection, shop.id, parcel_id, "planned", now, why)
    buy_by_rule(connection, work, shop, parcel_id, now)
