"""Carrier accounts of shops: which carrier, its sealed settings, and whether its answers say test or production."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Row, String

from connector.storage import audit, config_version
from connector.storage.audit import Actor
from connector.storage.ids import new_id, new_token
from connector.storage.schema import JSON, Moment, Sealed, TenantTable, id_column
from connector.storage.secrets import Keyring
from webhooks.errors import WaybillError


class NoSuchAccount(WaybillError):
    """The shop has no carrier account with this id."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One account. `test_mode` is what the carrier's answers say; None until one has said. Secrets are open here."""

    id: str
    shop_id: str
    carrier: str
    test_mode: bool | None
    active: bool
    created_at: datetime
    settings: Mapping[str, JSON] = field(repr=False)
    hook_token: str = field(repr=False)


_accounts = TenantTable(
    "carrier_accounts",
    id_column(primary_key=True),
    Column("carrier", String(40), nullable=False),
    Column("settings", Sealed, nullable=False),
    Column("hook_token", Sealed, nullable=False),
    Column("test_mode", Boolean, nullable=True),
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)


def add_account(
    connection: Connection,
    keyring: Keyring,
    shop_id: str,
    carrier: str,
    settings: Mapping[str, JSON],
    test_mode: bool | None,
    actor: Actor,
    now: datetime,
) -> AccountRecord:
    """Connect a carrier account to a shop, with a fresh callback token."""
    record = AccountRecord(
        id=new_id("acc", now),
        shop_id=shop_id,
        carrier=carrier,
        test_mode=test_mode,
        active=True,
        created_at=now,
        settings=dict(settings),
        hook_token=new_token(),
    )
    connection.execute(
        _accounts.insert(
            shop_id,
            id=record.id,
            carrier=carrier,
            settings=_seal(keyring, settings),
            hook_token=keyring.seal(record.hook_token.encode()),
            test_mode=test_mode,
            active=True,
            created_at=now,
        )
    )
    _changed(connection, now, actor, "account.add", record.id, shop_id, {"carrier": carrier})
    return record


def list_accounts(
    connection: Connection, keyring: Keyring, shop_id: str | None = None, *, inactive: bool = False
) -> list[AccountRecord]:
    """Active accounts, oldest first: of one shop, or with None of all, for the memory of a process."""
    query = _accounts.across_shops() if shop_id is None else _accounts.select(shop_id)
    if not inactive:
        query = query.where(_accounts.c.active)
    return [_account(keyring, row) for row in connection.execute(query.order_by(_accounts.c.id))]


def set_account_mode(
    connection: Connection, shop_id: str, account_id: str, test_mode: bool, actor: Actor, now: datetime
) -> None:
    """Note that the carrier's answers say test or production. Raises NoSuchAccount."""
    _update(connection, shop_id, account_id, {"test_mode": test_mode})
    _changed(connection, now, actor, "account.mode", account_id, shop_id, {"test_mode": test_mode})


def put_account_settings(
    connection: Connection,
    keyring: Keyring,
    shop_id: str,
    account_id: str,
    settings: Mapping[str, JSON],
    actor: Actor,
    now: datetime,
) -> None:
    """Replace an account's settings (a new key); its mode is unknown again. Raises NoSuchAccount."""
    _update(connection, shop_id, account_id, {"settings": _seal(keyring, settings), "test_mode": None})
    _changed(connection, now, actor, "account.settings", account_id, shop_id, {})


def switch_account(
    connection: Connection, shop_id: str, account_id: str, active: bool, actor: Actor, now: datetime
) -> None:
    """Switch an account on or off. Raises NoSuchAccount."""
    _update(connection, shop_id, account_id, {"active": active})
    _changed(connection, now, actor, "account.switch", account_id, shop_id, {"active": active})


def _update(connection: Connection, shop_id: str, account_id: str, values: Mapping[str, Any]) -> None:
    change = _accounts.update(shop_id).where(_accounts.c.id == account_id).values(**values)
    if connection.execute(change).rowcount == 0:
        raise NoSuchAccount("The shop has no carrier account with this id.", detail=account_id)


def _changed(
    connection: Connection,
    now: datetime,
    actor: Actor,
    action: str,
    account_id: str,
    shop_id: str,
    detail: Mapping[str, JSON],
) -> None:
    config_version.bump(connection)
    audit.record(connection, now=now, actor=actor, action=action, subject=account_id, shop_id=shop_id, detail=detail)


def _seal(keyring: Keyring, settings: Mapping[str, JSON]) -> str:
    return keyring.seal(json.dumps(dict(settings), sort_keys=True).encode())


def _account(keyring: Keyring, row: Row[Any]) -> AccountRecord:
    return AccountRecord(
        id=row.id,
        shop_id=row.shop_id,
        carrier=row.carrier,
        test_mode=row.test_mode,
        active=row.active,
        created_at=row.created_at,
        settings=json.loads(keyring.open(row.settings)),
        hook_token=keyring.open(row.hook_token).decode(),
    )
