"""A parcel that was weighed or measured after it was planned: what came back beside what was planned, and for what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector.catalogue import measured
from connector.catalogue.measured import Measured, MeasuredBy, Size
from connector.labels.tables import parcels
from connector.quotes.kept_plans import load_plan
from connector.quotes.parcels import base_key


def record_parcel(
    connection: Connection,
    shop_id: str,
    parcel_id: str,
    *,
    grams: int | None,
    size: Size | None,
    source: MeasuredBy,
    cause: str,
    now: datetime,
) -> bool:
    """Keep what a scale or a carrier says of a parcel; False if it is unknown, or this cause was kept before.

    `cause` is the id of what told of it (an invoice's line, a file's line). Nothing else changes.
    """
    row = connection.execute(parcels.select(shop_id).where(parcels.c.id == parcel_id)).one_or_none()
    if row is None:
        return False
    plan = load_plan(connection, shop_id, row.plan_id)
    planned = plan.parcels[row.number - 1] if plan is not None and row.number <= len(plan.parcels) else None
    contents = () if planned is None else tuple((base_key(key), units) for key, units in planned.contents)
    planned_size = None if row.size_mm is None else (row.size_mm[0], row.size_mm[1], row.size_mm[2])
    told = Measured(
        source=source,
        cause=cause,
        at=now,
        grams=grams,
        size=size,
        parcel_id=parcel_id,
        planned_grams=row.grams,
        planned_size=planned_size,
        contents=contents,
        own_box=row.carton == "own box",
    )
    return measured.record(connection, shop_id, told, now)
