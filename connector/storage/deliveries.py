"""The inbox of webhooks, on this installation's MetaData."""

from __future__ import annotations

from connector.storage.ids import new_id
from connector.storage.schema import Moment, Sealed, metadata
from connector.storage.secrets import Keyring
from webhooks.inbox import Inbox, inbox_table
from webhooks.ports import Clock

_table = inbox_table(metadata, Moment(), Sealed())


def open_inbox(keyring: Keyring, clock: Clock) -> Inbox:
    """The inbox, with bodies sealed by this keyring."""
    return Inbox(_table, keyring, clock, lambda now: new_id("del", now))
