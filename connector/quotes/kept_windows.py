"""The window of each parcel: kept when the order is planned, given to the label desk, held against what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from connector.promises.history import Count
from connector.promises.lanes import LaneBook, LaneID, book, region_of
from connector.promises.window import Spot
from connector.quotes.window_tables import parcel_promises, transit_lanes
from connector.storage import config_version
from connector.storage.database import insert_new

KEEP_DAYS = 800
"""Promises and what became of them: long enough for two peaks."""


@dataclass(frozen=True, slots=True)
class KeptWindow:
    """A window as days: first and last of arrival, the day of the hand-over, and what it rests on."""

    earliest: date
    latest: date
    ships_on: date | None = None
    by: str = ""
    coverage: int | None = None


@dataclass(frozen=True, slots=True)
class Promised:
    """What a buyer was promised: as quoted, and as it holds since the payment; both None where no day was named."""

    quoted: KeptWindow | None
    now: KeptWindow | None
    restarted_at: datetime | None = None


def keep_promise(
    connection: Connection,
    shop_id: str,
    parcel_id: str,
    order_id: str,
    origin: Spot,
    to: Spot,
    promised: Promised,
    now: datetime,
) -> None:
    """Keep a parcel's window, or that there is none; kept once."""
    quoted, due = promised.quoted, promised.now
    insert_new(
        connection,
        parcel_promises.insert(
            shop_id,
            parcel_id=parcel_id,
            order_id=order_id,
            created_at=now,
            from_country=origin.country[:2],
            from_province=origin.province[:40],
            from_region=region_of(origin.province, origin.postal),
            to_country=to.country[:2],
            to_province=to.province[:40],
            to_region=region_of(to.province, to.postal),
            quoted_earliest=quoted.earliest if quoted else None,
            quoted_latest=quoted.latest if quoted else None,
            dates_by=quoted.by if quoted else "",
            coverage=quoted.coverage if quoted else None,
            ships_on=quoted.ships_on if quoted else None,
            restarted_at=promised.restarted_at,
            earliest=due.earliest if due else None,
            latest=due.latest if due else None,
            due_ships_on=due.ships_on if due else None,
            carrier="",
            service="",
        ),
    )


def promised_window(connection: Connection, shop_id: str, parcel_id: str) -> Promised | None:
    """What was promised of a parcel; None for one from before promises were kept."""
    row = connection.execute(
        parcel_promises.select(shop_id).where(parcel_promises.c.parcel_id == parcel_id)
    ).one_or_none()
    if row is None:
        return None
    quoted = now = None
    if row.quoted_earliest is not None:
        quoted = KeptWindow(row.quoted_earliest, row.quoted_latest, row.ships_on, row.dates_by, row.coverage)
    if row.earliest is not None:
        now = KeptWindow(row.earliest, row.latest, row.due_ships_on, row.dates_by, row.coverage)
    return Promised(quoted, now, row.restarted_at)


def late_by(earliest: date | None, latest: date | None, delivered: date) -> int | None:
    """Days behind the window, or (minus) before it; 0 within, None without one."""
    if earliest is None or latest is None:
        return None
    if delivered > latest:
        return (delivered - latest).days
    return min(0, (delivered - earliest).days)


def replace_lanes(connection: Connection, shop_id: str, counts: dict[LaneID, list[Count]]) -> bool:
    """Make a shop's counts equal to these, and tell every process; False, and nobody is told, if they are already."""
    rows = {lane: _plain(some) for lane, some in counts.items() if some}
    before = {lane: body for lane, body, _ in _rows(connection, shop_id)}
    if rows == before:
        return False
    connection.execute(transit_lanes.delete(shop_id))
    if rows:
        connection.execute(
            transit_lanes.insert(shop_id),
            [
                {
                    "account_id": lane.account_id,
                    "carrier": lane.carrier,
                    "service": lane.service,
                    "from_country": lane.from_country,
                    "from_region": lane.from_region,
                    "to_country": lane.to_country,
                    "to_region": lane.to_region,
                    "parcels": sum(each[2] for each in body if each[3]),
                    "counts": body,
                }
                for lane, body in rows.items()
            ],
        )
    config_version.bump(connection)
    return True


def load_lanes(connection: Connection, shop_id: str, coverage: int) -> LaneBook:
    """The estimates of a shop's lanes, so that so many of 100 parcels keep the day."""
    counts = {lane: [Count(week, days, n, bool(came)) for week, days, n, came in body]
              for lane, body, _ in _rows(connection, shop_id)}  # fmt: skip
    return book(counts, coverage)


def lane_sizes(connection: Connection, shop_id: str) -> dict[LaneID, int]:
    """How many parcels each lane has seen arrive."""
    return {lane: parcels for lane, _, parcels in _rows(connection, shop_id)}


def forget_older(connection: Connection, before: datetime) -> int:
    """Retention: promises of parcels that were planned before."""
    rows = connection.execute(
        parcel_promises.across_shops(parcel_promises.c.shop_id, parcel_promises.c.parcel_id).where(
            parcel_promises.c.created_at < before
        )
    ).all()
    for shop_id, parcel_id in rows:
        connection.execute(parcel_promises.delete(shop_id).where(parcel_promises.c.parcel_id == parcel_id))
    return len(rows)


def _rows(connection: Connection, shop_id: str) -> list[tuple[LaneID, list[list[int]], int]]:
    found = connection.execute(transit_lanes.select(shop_id)).all()
    return [
        (
            LaneID(
                row.account_id,
                row.carrier,
                row.service,
                row.from_country,
                row.from_region,
                row.to_country,
                row.to_region,
            ),
            [list(each) for each in row.counts],
            row.parcels,
        )
        for row in found
    ]


def _plain(counts: list[Count]) -> list[list[int]]:
    return sorted([each.week, each.days, each.parcels, int(each.arrived)] for each in counts)
