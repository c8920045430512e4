"""The places that a shop's goods leave from, as the store lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Row, String, UniqueConstraint, text, types

from carriers.address import Address
from connector.storage import audit, config_version
from connector.storage.audit import Actor
from connector.storage.ids import new_id
from connector.storage.schema import Moment, TenantTable, id_column
from connector.store import StoreLocation
from webhooks.errors import WaybillError


class NoSuchLocation(WaybillError):
    """The shop has no active location with this id."""


@dataclass(frozen=True, slots=True)
class LocationRecord:
    """One place. `external_id` is the store's; exactly one active location is the default where there is any."""

    id: str
    shop_id: str
    external_id: str
    name: str
    address: Address
    is_default: bool
    active: bool


_locations = TenantTable(
    "locations",
    id_column(primary_key=True),
    Column("external_id", String(200), nullable=False),
    Column("name", String(255), nullable=False),
    Column("address", types.JSON, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("seen_at", Moment, nullable=False),
    UniqueConstraint("shop_id", "external_id"),
    Index(
        "uq_locations_default",
        "shop_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
)


def put_locations(
    connection: Connection, shop_id: str, locations: Sequence[StoreLocation], now: datetime
) -> list[LocationRecord]:
    """Make ours equal to the store's list: known ones keep their id, those it no longer lists become inactive.

    The default stays while it is active; otherwise the first active location of the list becomes it.
    """
    before = list_locations(connection, shop_id, inactive=True)
    known = {record.external_id: record for record in before}
    for location in locations:
        values = {
            "name": location.name,
            "address": asdict(location.address),
            "active": location.active,
            "seen_at": now,
        }
        if record := known.get(location.id):
            connection.execute(_locations.update(shop_id).where(_locations.c.id == record.id).values(**values))
        else:
            row = _locations.insert(shop_id, id=new_id("loc", now), external_id=location.id, is_default=False, **values)
            connection.execute(row)
    listed = {location.id for location in locations}
    for record in before:
        if record.external_id not in listed:
            connection.execute(_locations.update(shop_id).where(_locations.c.id == record.id).values(active=False))
    order = {location.id: place for place, location in enumerate(locations)}
    active = sorted(list_locations(connection, shop_id), key=lambda record: order[record.external_id])
    if not any(record.is_default for record in active):
        _make_default(connection, shop_id, active[0].id if active else None)
    config_version.bump(connection)
    return list_locations(connection, shop_id)


def set_default(connection: Connection, shop_id: str, location_id: str, actor: Actor, now: datetime) -> None:
    """Choose the location that quotes start from where the store names none. Raises NoSuchLocation."""
    if location_id not in {record.id for record in list_locations(connection, shop_id)}:
        raise NoSuchLocation("The shop has no active location with this id.", detail=location_id)
    _make_default(connection, shop_id, location_id)
    config_version.bump(connection)
    audit.record(connection, now=now, actor=actor, action="location.default", subject=location_id, shop_id=shop_id)


def list_locations(connection: Connection, shop_id: str, *, inactive: bool = False) -> list[LocationRecord]:
    """Active locations by name; with `inactive` all of them."""
    query = _locations.select(shop_id).order_by(_locations.c.name, _locations.c.external_id)
    if not inactive:
        query = query.where(_locations.c.active)
    return [_location(row) for row in connection.execute(query)]


def list_all(connection: Connection) -> list[LocationRecord]:
    """Active locations of every shop, for the memory of a process."""
    query = (
        _locations.across_shops()
        .where(_locations.c.active)
        .order_by(_locations.c.shop_id, _locations.c.name, _locations.c.external_id)
    )
    return [_location(row) for row in connection.execute(query)]


def _make_default(connection: Connection, shop_id: str, location_id: str | None) -> None:
    connection.execute(_locations.update(shop_id).where(_locations.c.is_default).values(is_default=False))
    if location_id is not None:
        connection.execute(_locations.update(shop_id).where(_locations.c.id == location_id).values(is_default=True))


def _location(row: Row[Any]) -> LocationRecord:
    return LocationRecord(
        id=row.id,
        shop_id=row.shop_id,
        external_id=row.external_id,
        name=row.name,
        address=Address(**row.address),
        is_default=row.is_default,
        active=row.active,
    )
