"""Promised against actual days: what became of each window, what a lane's days of transit are, and the share kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from connector.directory import Directory, ShopEntry
from connector.labels.tables import labels
from connector.promises.calendar import Calendar
from connector.promises.history import LOST_DAYS, Count
from connector.promises.lanes import LaneID
from connector.promises.window import Promises, Service, Spot, zone_of
from connector.promises.zones import zone_at
from connector.quotes.kept_windows import late_by, replace_lanes
from connector.quotes.window_tables import parcel_promises
from connector.storage.database import Database, in_parts
from connector.tracking.tables import trackings
from connector.work.port import Run

log = structlog.get_logger(__name__)

SWEEP = "promises.sweep"
EVERY = timedelta(hours=6)
_LOOK_BACK = timedelta(days=400)
_GONE = ("withdrawn", "cancelled")


@dataclass(frozen=True, slots=True)
class Punctuality:
    """The job `promises.sweep`, for one shop: converges from zero knowledge, however often it runs."""

    database: Database
    directory: Directory
    now: Callable[[], datetime]

    async def sweep(self, run: Run) -> None:
        """Hold windows against deliveries, then count lanes anew."""
        shop = self.directory.shop(run.task.shop_id)
        if shop is None:
            return
        done = await self.database.run(hold_against, shop, self.now())
        await self.database.run(count_lanes, shop, self.now())
        log.info("promises_swept", shop=shop.id, delivered=done)


def hold_against(connection: Connection, shop: ShopEntry, now: datetime) -> int:
    """Write down what became of parcels that left: the day of the hand-over, the day of arrival, how late. How many."""
    table = parcel_promises.c
    waiting = connection.execute(
        parcel_promises.select(shop.id).where(table.delivered_on.is_(None), table.created_at >= now - _LOOK_BACK)
    ).all()
    done = 0
    for part in in_parts(waiting):
        travelled = _travelled(connection, shop.id, [each.parcel_id for each in part])
        for row in part:
            found = travelled.get(row.parcel_id)
            if found is None or (found.delivered_at is None and row.handed_over_on is not None):
                continue
            values = _became(shop, row, found)
            done += "delivered_on" in values
            connection.execute(parcel_promises.update(shop.id).where(table.parcel_id == row.parcel_id).values(**values))
    return done


def count_lanes(connection: Connection, shop: ShopEntry, now: datetime) -> bool:
    """Count the days of transit by lane from scratch; False where nothing is new."""
    table = parcel_promises.c
    today = now.astimezone(zone_of(shop.record.timezone)).date()
    rows = connection.execute(
        parcel_promises.select(shop.id).where(table.handed_over_on >= (now - _LOOK_BACK).date(), table.carrier != "")
    ).all()
    counted: dict[LaneID, Counter[tuple[int, int, bool]]] = {}
    for row in rows:
        arrived = row.transit_days is not None
        days = row.transit_days if arrived else _open_days(shop, row, today)
        lane = LaneID(
            row.account_id or "",
            row.carrier,
            row.service,
            row.from_country,
            row.from_region,
            row.to_country,
            row.to_region,
        )
        week = row.handed_over_on.toordinal() // 7
        counted.setdefault(lane, Counter())[week, min(days, LOST_DAYS), arrived] += 1
    counts = {
        lane: [Count(week, days, parcels, arrived) for (week, days, arrived), parcels in found.items()]
        for lane, found in counted.items()
    }
    return replace_lanes(connection, shop.id, counts)


@dataclass(frozen=True, slots=True)
class _Trip:
    """A label that left: whose it is, what it was bought as, and when it moved."""

    label_id: str
    account_id: str
    carrier: str
    service: str
    handed_over_at: datetime
    delivered_at: datetime | None


def _travelled(connection: Connection, shop_id: str, parcel_ids: Sequence[str]) -> dict[str, _Trip]:
    """The newest label that left, by parcel."""
    found = connection.execute(
        trackings.select(shop_id)
        .where(
            trackings.c.parcel_id.in_(parcel_ids),
            trackings.c.handed_over_at.is_not(None),
            trackings.c.fulfil_state.not_in(_GONE),
        )
        .order_by(trackings.c.began_at)
    ).all()
    bought = {
        row.id: row.booked_rate or row.rate or {}
        for row in connection.execute(
            labels.select(shop_id, labels.c.id, labels.c.rate, labels.c.booked_rate).where(
                labels.c.id.in_([row.label_id for row in found])
            )
        ).all()
    }
    return {
        row.parcel_id: _Trip(
            row.label_id,
            row.account_id,
            str(bought.get(row.label_id, {}).get("carrier") or row.carrier)[:60],
            str(bought.get(row.label_id, {}).get("service") or "")[:120],
            row.handed_over_at,
            row.delivered_at,
        )
        for row in found
    }


def _became(shop: ShopEntry, row: Row[Any], trip: _Trip) -> dict[str, Any]:
    home = shop.record.timezone
    left = trip.handed_over_at.astimezone(zone_of(home)).date()
    values: dict[str, Any] = {
        "label_id": trip.label_id,
        "account_id": trip.account_id,
        "handed_over_on": left,
        "carrier": trip.carrier,
        "service": trip.service,
    }
    if trip.delivered_at is not None:
        there = zone_of(zone_at(row.to_country, row.from_country, home))
        came = max(left, trip.delivered_at.astimezone(there).date())
        values |= {
            "delivered_on": came,
            "transit_days": _moving(shop, row, trip.carrier, trip.service).between(left, came),
            "late_days": late_by(row.earliest, row.latest, came),
        }
    return values


def _open_days(shop: ShopEntry, row: Row[Any], today: date) -> int:
    """The working days that a parcel is under way without having arrived."""
    return _moving(shop, row, row.carrier, row.service).between(row.handed_over_on, today - timedelta(days=1))


def _moving(shop: ShopEntry, row: Row[Any], carrier: str, service: str) -> Calendar:
    origin = Spot(row.from_country, row.from_province)
    promises = Promises(shop.settings.promises, shop.record.timezone, origin)
    return promises.delivery_days(Service(carrier, service), Spot(row.to_country, row.to_province))
