"""The parcels that answers were for, kept by the plan's id, so that the order ships what was quoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import JSON, Column, Connection, Index, String, bindparam

from connector.packing.plan import Plan
from connector.quotes.kept import dump
from connector.quotes.parcels import plan_from_json, plan_to_json
from connector.storage.schema import Encoded, Moment, TenantTable

quote_plans = TenantTable(
    "quote_plans",
    Column("id", String(32), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("used_at", Moment, nullable=False),
    Index(None, "used_at"),
)

_OFTEN_ENOUGH = timedelta(days=1)


def keep_plans(connection: Connection, shop_id: str, plans: Mapping[str, Plan], now: datetime) -> None:
    """Keep plans that are not kept yet; of the others note, once a day, that they are used."""
    if not plans:
        return
    asked = quote_plans.select(shop_id, quote_plans.c.id, quote_plans.c.used_at).where(quote_plans.c.id.in_(plans))
    known = {row.id: row.used_at for row in connection.execute(asked)}
    new = [
        {"id": plan_id, "body": dump(plan_to_json(plan)).decode(), "used_at": now}
        for plan_id, plan in plans.items()
        if plan_id not in known
    ]
    if new:
        connection.execute(quote_plans.insert(shop_id, body=bindparam("body", type_=Encoded)), new)
    old = [plan_id for plan_id, used_at in known.items() if used_at < now - _OFTEN_ENOUGH]
    if old:
        connection.execute(quote_plans.update(shop_id).where(quote_plans.c.id.in_(old)).values(used_at=now))


def load_plan(connection: Connection, shop_id: str, plan_id: str) -> Plan | None:
    """A kept plan; None for one that was never kept, or went after its time."""
    body = connection.execute(
        quote_plans.select(shop_id, quote_plans.c.body).where(quote_plans.c.id == plan_id)
    ).scalar()
    return None if body is None else plan_from_json(plan_id, body)


def forget_plans(connection: Connection, before: datetime) -> int:
    """Retention: plans that no answer used since then go."""
    old = connection.execute(
        quote_plans.across_shops(quote_plans.c.shop_id, quote_plans.c.id).where(quote_plans.c.used_at < before)
    ).all()
    for shop_id, plan_id in old:
        connection.execute(quote_plans.delete(shop_id).where(quote_plans.c.id == plan_id))
    return len(old)


def by_id(plans: Iterable[Plan]) -> dict[str, Plan]:
    """Plans by their ids."""
    return {each.id: each for each in plans}
