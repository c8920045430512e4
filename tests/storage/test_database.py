"""Opening the database: what a connection bears from the processes beside it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from sqlalchemy import text

from connector.storage.database import open_database


def test_a_new_file_that_another_opener_holds_is_waited_for(tmp_path: Path) -> None:
    """SQLite's switch to WAL fails at once where every other statement waits."""
    path = tmp_path / "new.sqlite"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE other (id INTEGER)")
    holder.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.3, holder.rollback).start()
    database = open_database(f"sqlite:///{path}")
    try:
        mode = database.run_here(lambda connection: connection.execute(text("PRAGMA journal_mode")).scalar())
    finally:
        database.close()
        holder.close()
    assert mode == "wal"
