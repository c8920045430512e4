"""Shops: who uses this installation, with which store, and the secrets of that connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    insert,
    select,
    text,
    update,
)

from connector.storage import audit, config_version
from connector.storage.accounts import AccountRecord, add_account, list_accounts, set_account_mode
from connector.storage.apps import AppRecord, list_apps, put_app
from connector.storage.audit import Actor
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
    "add_account",
    "add_shop",
    "drop_credentials",
    "find_shop_id",
    "get_shop",
    "list_accounts",
    "list_apps",
    "list_locations",
    "list_shops",
    "mark_gone",
    "note_callbacks",
    "note_redacted",
    "note_switch",
    "put_app",
    "put_connection",
    "put_credentials",
    "put_facts",
    "put_locations",
    "put_tokens",
    "set_account_mode",
]


class ShopExists(WaybillError):
    """This store is connected already."""


class NoSuchShop(WaybillError):
    """No shop has this id."""


@dataclass(frozen=True, slots=True)
class ShopRecord:
    """A connected store. `domain` is the platform's own name of it, lower case. Secrets are open here, never shown.

    `rates_on`: how the switch stood when it was last looked at; None: never. `callbacks_base`: the public address that
    the store's callbacks were registered with.
    """

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
    rates_on: bool | None = field(default=None, compare=False)
    callbacks_base: str = field(default="", compare=False)


shops_table = Table(
    "shops",
    metadata,
    id_column(primary_key=True),
    Column("app_id", ForeignKey("apps.id"), nullable=True),
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
    Column("rates_on", Boolean, nullable=True),
    Column("callbacks_base", String(500), nullable=True),
    Column("redacted_at", Moment, nullable=True),
    Column("token_claim", String(40), nullable=True),
    Column("token_claim_until", Double, nullable=True),
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


_NO_CLAIM: Mapping[str, Any] = {"token_claim": None, "token_claim_until": None}
_FORGOTTEN: Mapping[str, Any] = {"access_tokens": None, "rates_on": False, "callbacks_base": None, **_NO_CLAIM}
"""What no longer holds once a store left."""


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
    """Connect a store, with fresh callback tokens. Raises ShopExists while the same store is live here.

    A store that left and comes back is the same shop again, with its orders, quotes and settings.
    """
    taken = connection.execute(
        select(shops_table.c.id).where(
            shops_table.c.platform == platform, shops_table.c.domain == domain.lower(), shops_table.c.status == "live"
        )
    ).scalar()
    if taken:
        raise ShopExists(f"This store is connected already, as {taken}.", detail=taken)
    values: dict[str, Any] = {
        "app_id": app_id,
        "name": name,
        "currency": currency,
        "timezone": timezone,
        "status": "live",
        "credentials": seal_fields(keyring, credentials),
        "rates_token": keyring.seal(new_token().encode()),
        "hooks_token": keyring.seal(new_token().encode()),
    }
    left = _left(connection, platform, domain.lower())
    if left is not None:
        _update(connection, left, {**values, **_FORGOTTEN, "gone_at": None, "redacted_at": None})
        _changed(connection, now, actor, "shop.back", left)
        return get_shop(connection, keyring, left)
    shop_id = new_id("shop", now)
    row = {"id": shop_id, "platform": platform, "domain": domain.lower(), "created_at": now}
    connection.execute(insert(shops_table).values(row | values))
    _changed(connection, now, actor, "shop.add", shop_id)
    return get_shop(connection, keyring, shop_id)


def _left(connection: Connection, platform: str, domain: str) -> str | None:
    """The shop that this store was before it left: the last one, if there were several."""
    found = connection.execute(
        select(shops_table.c.id)
        .where(shops_table.c.platform == platform, shops_table.c.domain == domain, shops_table.c.status == "gone")
        .order_by(shops_table.c.gone_at.desc(), shops_table.c.id.desc())
        .limit(1)
    ).scalar()
    return None if found is None else str(found)


def list_shops(connection: Connection, keyring: Keyring, *, gone: bool = False) -> list[ShopRecord]:
    """Live shops, oldest first; with `gone` also those that left."""
    query = select(shops_table).order_by(shops_table.c.id)
    if not gone:
        query = query.where(shops_table.c.status == "live")
    return [_shop(keyring, row) for row in connection.execute(query)]


def get_shop(connection: Connection, keyring: Keyring, shop_id: str) -> ShopRecord:
    """One shop, live or gone. Raises NoSuchShop."""
    row = connection.execute(select(shops_table).where(shops_table.c.id == shop_id)).one_or_none()
    if row is None:
        raise NoSuchShop("There is no shop with this id.", detail=shop_id)
    return _shop(keyring, row)


def find_shop_id(connection: Connection, reference: str) -> str:
    """The id of a live shop, by its id or its domain. Raises NoSuchShop."""
    named = shops_table.c.domain == reference.lower()
    found = connection.execute(
        select(shops_table.c.id).where(shops_table.c.status == "live", named | (shops_table.c.id == reference)).limit(2)
    ).all()
    if len(found) != 1:
        why = "More than one shop has this domain; give the id." if found else "There is no such shop."
        raise NoSuchShop(why, detail=reference)
    return str(found[0].id)


def put_credentials(
    connection: Connection, keyring: Keyring, shop_id: str, credentials: Mapping[str, str], actor: Actor, now: datetime
) -> None:
    """Replace a shop's credentials; tokens got with the old ones are dropped. Raises NoSuchShop."""
    values = {"credentials": seal_fields(keyring, credentials), "access_tokens": None, **_NO_CLAIM}
    _update(connection, shop_id, values)
    _changed(connection, now, actor, "shop.credentials", shop_id)


def put_connection(
    connection: Connection,
    keyring: Keyring,
    shop_id: str,
    credentials: Mapping[str, str],
    app_id: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """The same for a shop that from now on is connected through an app, or through none. Raises NoSuchShop."""
    put_credentials(connection, keyring, shop_id, credentials, actor, now)
    _update(connection, shop_id, {"app_id": app_id})


def put_facts(connection: Connection, shop_id: str, *, name: str, currency: str, timezone: str) -> None:
    """Note what the store says of itself now. Raises NoSuchShop."""
    _update(connection, shop_id, {"name": name, "currency": currency, "timezone": timezone})
    config_version.bump(connection)


def put_tokens(connection: Connection, keyring: Keyring, shop_id: str, fields: Mapping[str, str]) -> None:
    """Keep access tokens that were just granted, over whatever renewal is under way. Raises NoSuchShop."""
    _update(connection, shop_id, {"access_tokens": seal_fields(keyring, fields), **_NO_CLAIM})


def note_callbacks(connection: Connection, shop_id: str, base: str) -> None:
    """The store's callbacks now lead to this public address. Raises NoSuchShop."""
    _update(connection, shop_id, {"callbacks_base": base})
    config_version.bump(connection)


def note_switch(connection: Connection, shop_id: str, rates_on: bool | None) -> None:
    """The store asks us for prices, or not, or nothing is registered there. Raises NoSuchShop."""
    _update(connection, shop_id, {"rates_on": rates_on})
    config_version.bump(connection)


def mark_gone(connection: Connection, shop_id: str, actor: Actor, now: datetime) -> bool:
    """The store left: it is off and its tokens are dropped, its rows stay for retention; False if it had left before.

    Its credentials still prove what the platform says after that, until `drop_credentials`.
    """
    change = (
        update(shops_table)
        .where(shops_table.c.id == shop_id, shops_table.c.status == "live")
        .values(status="gone", gone_at=now, **_FORGOTTEN)
    )
    if connection.execute(change).rowcount == 0:
        return False
    _changed(connection, now, actor, "shop.gone", shop_id)
    return True


def note_redacted(connection: Connection, shop_id: str, now: datetime) -> None:
    """Everything of the shop is to be forgotten, credentials too once it has left. Raises NoSuchShop."""
    _update(connection, shop_id, {"redacted_at": now})


def drop_credentials(connection: Connection, keyring: Keyring, shop_id: str, *, asked_only: bool) -> bool:
    """Forget the credentials of a shop that left; with `asked_only` if `note_redacted` asked for it. False: not so."""
    gone = (shops_table.c.id == shop_id) & (shops_table.c.status == "gone")
    if asked_only:
        gone &= shops_table.c.redacted_at.is_not(None)
    change = update(shops_table).where(gone).values(credentials=seal_fields(keyring, {}), access_tokens=None)
    if connection.execute(change).rowcount == 0:
        return False
    config_version.bump(connection)
    return True


def _update(connection: Connection, shop_id: str, values: Mapping[str, Any]) -> None:
    if connection.execute(update(shops_table).where(shops_table.c.id == shop_id).values(**values)).rowcount == 0:
        raise NoSuchShop("There is no shop with this id.", detail=shop_id)


def _changed(connection: Connection, now: datetime, actor: Actor, action: str, shop_id: str) -> None:
    config_version.bump(connection)
    audit.record(connection, now=now, actor=actor, action=action, subject=shop_id, shop_id=shop_id)


def seal_fields(keyring: Keyring, fields: Mapping[str, str]) -> str:
    """Named secrets in one sealed value."""
    return keyring.seal(json.dumps(dict(fields), sort_keys=True).encode())


def open_fields(keyring: Keyring, token: str) -> dict[str, str]:
    """What `seal_fields` sealed. Raises SealError."""
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
        credentials=open_fields(keyring, row.credentials),
        rates_token=keyring.open(row.rates_token).decode(),
        hooks_token=keyring.open(row.hooks_token).decode(),
        rates_on=row.rates_on,
        callbacks_base=row.callbacks_base or "",
    )
