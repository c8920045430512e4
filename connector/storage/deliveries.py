"""The inbox of webhooks, on this installation's MetaData."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from connector.storage.ids import new_id
from connector.storage.schema import Moment, Sealed, metadata
from connector.storage.secrets import Keyring
from webhooks.inbox import Inbox, inbox_table
from webhooks.ports import Clock

_table = inbox_table(metadata, Moment(), Sealed())


def open_inbox(keyring: Keyring, clock: Clock) -> Inbox:
    """The inbox, with bodies sealed by this keyring."""
    return Inbox(_table, keyring, clock, lambda now: new_id("del", now))


def last_delivery_at(connection: Connection, shop_id: str) -> datetime | None:
    """When the newest delivery of the shop's own store was accepted; None if none is kept."""
    of_store = (_table.c.shop_id == shop_id) & _table.c.endpoint.startswith("store:")
    return connection.execute(select(func.max(_table.c.received_at)).where(of_store)).scalar()
