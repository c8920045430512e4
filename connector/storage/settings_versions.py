"""Settings of a shop as immutable versions: each change is a new one with its actor and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, Row, String, types

from connector.storage import audit, config_version
from connector.storage.audit import Actor
from connector.storage.database import insert_new
from connector.storage.schema import JSON, Moment, TenantTable
from webhooks.errors import WaybillError


class StaleSettings(WaybillError):
    """Someone else published meanwhile: read the latest version, then decide again."""


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """What the shop's settings are from this version on. Versions count from 1 without gaps."""

    version: int
    body: Mapping[str, JSON]
    at: datetime
    actor: Actor


_versions = TenantTable(
    "settings_versions",
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", types.JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_name", String(200), nullable=False),
)


def publish(
    connection: Connection,
    shop_id: str,
    body: Mapping[str, JSON],
    actor: Actor,
    now: datetime,
    based_on: int | None = None,
) -> int:
    """Add a version and return its number. With `based_on`, raises StaleSettings unless that is the latest (0: none).

    Processes read it within the time they take to see the config version; the audit names the change.
    """
    while True:
        newest = _newest_number(connection, shop_id)
        if based_on is not None and based_on != newest:
            raise StaleSettings(
                "The settings were changed by someone else meanwhile; look at them again.",
                detail=f"based on {based_on}, latest is {newest}",
            )
        row = _versions.insert(
            shop_id,
            version=newest + 1,
            body=dict(body),
            at=now,
            actor_kind=actor.kind,
            actor_name=actor.name[:200],
        )
        if insert_new(connection, row):
            break
    config_version.bump(connection)
    audit.record(
        connection,
        now=now,
        actor=actor,
        action="settings.publish",
        subject=f"settings/{newest + 1}",
        shop_id=shop_id,
        detail={"version": newest + 1},
    )
    return newest + 1


def latest(connection: Connection, shop_id: str) -> SettingsVersion | None:
    """The version that holds now; None before the first."""
    found = history(connection, shop_id, limit=1)
    return found[0] if found else None


def get(connection: Connection, shop_id: str, version: int) -> SettingsVersion | None:
    """One version, as it was published."""
    rows = connection.execute(_versions.select(shop_id).where(_versions.c.version == version)).all()
    return _version(rows[0]) if rows else None


def history(connection: Connection, shop_id: str, limit: int = 50) -> list[SettingsVersion]:
    """Versions, newest first."""
    query = _versions.select(shop_id).order_by(_versions.c.version.desc()).limit(limit)
    return [_version(row) for row in connection.execute(query)]


def _newest_number(connection: Connection, shop_id: str) -> int:
    query = _versions.select(shop_id, _versions.c.version).order_by(_versions.c.version.desc()).limit(1)
    return connection.execute(query).scalar() or 0


def _version(row: Row[Any]) -> SettingsVersion:
    return SettingsVersion(version=row.version, body=row.body, at=row.at, actor=Actor(row.actor_kind, row.actor_name))
