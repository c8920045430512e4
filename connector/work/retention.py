"""What durable work keeps after it is done, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.storage.retention import Sweep
from connector.work import due

KEEP_KEYS = timedelta(days=365)
"""Longer than any store, carrier or person asks for the same thing again."""


def _forget_keys(connection: Connection, now: datetime) -> int:
    return due.sweep_keys(connection, now - KEEP_KEYS)


QUEUED_KEYS = Sweep("queued_keys", _forget_keys)
"""Keys of work that was queued long ago. Finished runs in the engine's tables: DurableWork.sweep_finished."""
