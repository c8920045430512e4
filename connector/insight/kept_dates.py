"""How many parcels kept their dates: by service and way, with the number of parcels that each share rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from connector.quotes.window_tables import parcel_promises


@dataclass(frozen=True, slots=True)
class Kept:
    """Parcels that arrived, of one service and way (empty: of all). `late_days` is the sum over those that were late.

    `stated` sums what history said of each, in thousandths, over the `by_history` parcels that it spoke of;
    `history_kept` of these came by the last day.
    """

    carrier: str = ""
    service: str = ""
    from_country: str = ""
    to_country: str = ""
    parcels: int = 0
    on_time: int = 0
    early: int = 0
    late: int = 0
    late_days: int = 0
    by_history: int = 0
    stated: int = 0
    history_kept: int = 0

    @property
    def percent_kept(self) -> float | None:
        """Of 100 parcels those that came by the last day; early ones kept it too. None without any."""
        return round(100 * (self.on_time + self.early) / self.parcels, 1) if self.parcels else None


@dataclass(frozen=True, slots=True)
class KeptReport:
    """All together, each service and way (most parcels first), and how many arrived without a promise."""

    days: int
    whole: Kept
    lanes: tuple[Kept, ...]
    without_date: int
    under_way: int
    overdue: int
    restarted: int


def kept_report(connection: Connection, shop_id: str, days: int, now: datetime) -> KeptReport:
    """What became of the promises of parcels that arrived in the last days, as the last sweep saw them."""
    table = parcel_promises.c
    since = (now - timedelta(days=days)).date()
    arrived = connection.execute(parcel_promises.select(shop_id).where(table.delivered_on >= since)).all()
    waiting = connection.execute(
        parcel_promises.select(shop_id, table.latest).where(
            table.delivered_on.is_(None), table.created_at >= now - timedelta(days=days), table.latest.is_not(None)
        )
    ).all()
    dated = [row for row in arrived if row.late_days is not None]
    groups: dict[tuple[str, str, str, str], list[Row[Any]]] = {}
    for row in dated:
        groups.setdefault((row.carrier, row.service, row.from_country, row.to_country), []).append(row)
    lanes = [_sum(rows, *key) for key, rows in groups.items()]
    return KeptReport(
        days,
        _sum(dated),
        tuple(sorted(lanes, key=lambda each: (-each.parcels, each.carrier, each.service, each.to_country))),
        len(arrived) - len(dated),
        len(waiting),
        sum(row.latest < now.date() for row in waiting),
        sum(row.restarted_at is not None for row in dated),
    )


def _sum(
    rows: Iterable[Row[Any]], carrier: str = "", service: str = "", from_country: str = "", to_country: str = ""
) -> Kept:
    listed = list(rows)
    late = [row.late_days for row in listed if row.late_days > 0]
    seen = [row for row in listed if row.coverage is not None]
    return Kept(
        carrier,
        service,
        from_country,
        to_country,
        len(listed),
        sum(row.late_days == 0 for row in listed),
        sum(row.late_days < 0 for row in listed),
        len(late),
        sum(late),
        len(seen),
        sum(row.coverage for row in seen),
        sum(row.late_days <= 0 for row in seen),
    )
