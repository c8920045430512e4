"""Apps and shops: who uses this installation, with which store, and the secrets of that connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
    text,
    update,
)

from connector.storage import audit, config_version
from connector.storage.accounts import AccountRecord, add_account, list_accounts, set_account_mode
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.storage.ids import new_id, new_token
from connector.storage.locations import LocationRecord, list_locations, put_locations
from connector.storage.schema import Moment, Sealed, id_column, metadata
from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError

__all__ = [
    "AccountRecord",
    "AppRecord",
    "LocationRecord",
    "NoSuchShop",
    "ShopExists",
    "ShopRecord",
    "ShopTokenVault",
    "add_account",
    "add_shop",
    "find_shop_id",
    "get_shop",
    "list_accounts",
    "list_apps",
    "list_locations",
    "list_shops",
    "mark_gone",
    "put_app",
    "put_credentials",
    "put_facts",
    "put_locations",
    "set_account_mode",
]


class ShopExists(WaybillError):
    """This store is connected already."""


class NoSuchShop(WaybillError):
    """No shop has this id."""


@dataclass(frozen=True, slots=True)
class AppRecord:
    """An app of a platform, whose secret signs the deliveries of all shops that installed it."""

    id: str
    platform: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShopRecord:
    """A connected store. `domain` is the platform's own name of it, lower case. Secrets are open here, never shown."""

    id: str
    app_id: str | None
    platform: str
    domain: str
    name: str
    currency: str
    timezone: str
    status: Literal["live", "gone"]
    created_at: datetime
    credentials: Mapping[str, str] = field(repr=False)
    rates_token: str = field(repr=False)
    hooks_token: str = field(repr=False)


_apps = Table(
    "apps",
    metadata,
    id_column(primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("client_id", String(200), nullable=False),
    Column("secret", Sealed, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("platform", "client_id"),
)

_shops = Table(
    "shops",
    metadata,
    id_column(primary_key=True),
    Column("app_id", ForeignKey(_apps.c.id), nullable=True),
    Column("platform", String(40), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("status", String(8), nullable=False),
    Column("credentials", Sealed, nullable=False),
    Column("rates_token", Sealed, nullable=False),
    Column("hooks_token", Sealed, nullable=False),
    Column("access_tokens", Sealed, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("gone_at", Moment, nullable=True),
    CheckConstraint("status IN ('live', 'gone')", name="status"),
    Index(
        "uq_shops_live_domain",
        "platform",
        "domain",
        unique=True,
        sqlite_where=text("status = 'live'"),
        postgresql_where=text("status = 'live'"),
    ),
)


def put_app(
    connection: Connection, keyring: Keyring, *, platform: str, client_id: str, secret: str, actor: Actor, now: datetime
) -> AppRecord:
    """Keep an app and its secret; a known client id gets the new secret."""
    known = connection.execute(
        select(_apps.c.id).where(_apps.c.platform == platform, _apps.c.client_id == client_id)
    ).scalar()
    app_id = known or new_id("app", now)
    sealed = keyring.seal(secret.encode())
    if known:
        connection.execute(update(_apps).where(_apps.c.id == app_id).values(secret=sealed))
    else:
        connection.execute(
            insert(_apps).values(id=app_id, platform=platform, client_id=client_id, secret=sealed, created_at=now)
        )
    config_version.bump(connection)
    audit.record(connection, now=now, actor=actor, action="app.put", subject=app_id, shop_id=None)
    return AppRecord(id=app_id, platform=platform, client_id=client_id, secret=secret)


def list_apps(connection: Connection, keyring: Keyring) -> list[AppRecord]:
    """Every app, oldest first."""
    return [
        AppRecord(row.id, row.platform, row.client_id, keyring.open(row.secret).decode())
        for row in connection.execute(select(_apps).order_by(_apps.c.id))
    ]


def add_shop(
    connection: Connection,
    keyring: Keyring,
    *,
    platform: str,
    domain: str,
    name: str,
    currency: str,
    timezone: str,
    credentials: Mapping[str, str],
    actor: Actor,
    now: datetime,
    app_id: str | None = None,
) -> ShopRecord:
    """Connect a store, with fresh callback tokens. Raises ShopExists while the same store is live here."""
    taken = connection.execute(
        select(_shops.c.id).where(
            _shops.c.platform == platform, _shops.c.domain == domain.lower(), _shops.c.status == "live"
        )
    ).scalar()
    if taken:
        raise ShopExists(f"This store is connected already, as {taken}.", detail=taken)
    shop_id = new_id("shop", now)
    connection.execute(
        insert(_shops).values(
            id=shop_id,
            app_id=app_id,
            platform=platform,
            domain=domain.lower(),
            name=name,
            currency=currency,
            timezone=timezone,
            status="live",
            credentials=_seal_fields(keyring, credentials),
            rates_token=keyring.seal(new_token().encode()),
            hooks_token=keyring.seal(new_token().encode()),
            created_at=now,
        )
    )
    _changed(connection, now, actor, "shop.add", shop_id)
    return get_shop(connection, keyring, shop_id)


def list_shops(connection: Connection, keyring: Keyring, *, gone: bool = False) -> list[ShopRecord]:
    """Live shops, oldest first; with `gone` also those that left."""
    query = select(_shops).order_by(_shops.c.id)
    if not gone:
        query = query.where(_shops.c.status == "live")
    return [_shop(keyring, row) for row in connection.execute(query)]


def get_shop(connection: Connection, keyring: Keyring, shop_id: str) -> ShopRecord:
    """One shop, live or gone. Raises NoSuchShop."""
    row = connection.execute(select(_shops).where(_shops.c.id == shop_id)).one_or_none()
    if row is None:
        raise NoSuchShop("There is no shop with this id.", detail=shop_id)
    return _shop(keyring, row)


def find_shop_id(connection: Connection, reference: str) -> str:
    """The id of a live shop, by its id or its domain. Raises NoSuchShop."""
    named = _shops.c.domain == reference.lower()
    found = connection.execute(
        select(_shops.c.id).where(_shops.c.status == "live", named | (_shops.c.id == reference)).limit(2)
    ).all()
    if len(found) != 1:
        why = "More than one shop has this domain; give the id." if found else "There is no such shop."
        raise NoSuchShop(why, detail=reference)
    return str(found[0].id)


def put_credentials(
    connection: Connection, keyring: Keyring, shop_id: str, credentials: Mapping[str, str], actor: Actor, now: datetime
) -> None:
    """Replace a shop's credentials; tokens got with the old ones are dropped. Raises NoSuchShop."""
    values = {"credentials": _seal_fields(keyring, credentials), "access_tokens": None}
    _update(connection, shop_id, values)
    _changed(connection, now, actor, "shop.credentials", shop_id)


def put_facts(connection: Connection, shop_id: str, *, name: str, currency: str, timezone: str) -> None:
    """Note what the store says of itself now. Raises NoSuchShop."""
    _update(connection, shop_id, {"name": name, "currency": currency, "timezone": timezone})
    config_version.bump(connection)


def mark_gone(connection: Connection, shop_id: str, actor: Actor, now: datetime) -> bool:
    """The store left: its tokens are dropped, its rows stay for retention; False if it had left before."""
    change = (
        update(_shops)
        .where(_shops.c.id == shop_id, _shops.c.status == "live")
        .values(status="gone", gone_at=now, access_tokens=None)
    )
    if connection.execute(change).rowcount == 0:
        return False
    _changed(connection, now, actor, "shop.gone", shop_id)
    return True


class ShopTokenVault:
    """Where a shop's connection keeps its access tokens: one sealed column, written as a whole."""

    def __init__(self, database: Database, keyring: Keyring, shop_id: str) -> None:
        self._database = database
        self._keyring = keyring
        self._shop_id = shop_id

    async def load(self) -> Mapping[str, str] | None:
        """The fields last saved by any process, or None."""
        token = await self._database.run(self._read)
        return None if token is None else _open_fields(self._keyring, token)

    async def save(self, fields: Mapping[str, str]) -> None:
        """Replace the fields in one go. A shop that left keeps none."""
        await self._database.run(self._write, _seal_fields(self._keyring, fields))

    def _read(self, connection: Connection) -> str | None:
        return connection.execute(select(_shops.c.access_tokens).where(_shops.c.id == self._shop_id)).scalar()

    def _write(self, connection: Connection, token: str) -> None:
        connection.execute(
            update(_shops).where(_shops.c.id == self._shop_id, _shops.c.status == "live").values(access_tokens=token)
        )


def _update(connection: Connection, shop_id: str, values: Mapping[str, Any]) -> None:
    if connection.execute(update(_shops).where(_shops.c.id == shop_id).values(**values)).rowcount == 0:
        raise NoSuchShop("There is no shop with this id.", detail=shop_id)


def _changed(connection: Connection, now: datetime, actor: Actor, action: str, shop_id: str) -> None:
    config_version.bump(connection)
    audit.record(connection, now=now, actor=actor, action=action, subject=shop_id, shop_id=shop_id)


def _seal_fields(keyring: Keyring, fields: Mapping[str, str]) -> str:
    return keyring.seal(json.dumps(dict(fields), sort_keys=True).encode())


def _open_fields(keyring: Keyring, token: str) -> dict[str, str]:
    fields: dict[str, str] = json.loads(keyring.open(token))
    return fields


def _shop(keyring: Keyring, row: Row[Any]) -> ShopRecord:
    return ShopRecord(
        id=row.id,
        app_id=row.app_id,
        platform=row.platform,
        domain=row.domain,
        name=row.name,
        currency=row.currency,
        timezone=row.timezone,
        status=row.status,
        created_at=row.created_at,
        credentials=_open_fields(keyring, row.credentials),
        rates_token=keyring.open(row.rates_token).decode(),
        hooks_token=keyring.open(row.hooks_token).decode(),
    )
