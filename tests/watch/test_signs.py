"""A sign becomes a matter when it lasts, and goes when it is gone for long enough; a gap proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector.attention.board import HOUSE, open_matters
from connector.storage.database import Database
from connector.watch.signs import Look, Patience, forget_of, heed
from connector.words.reason import Reason

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DEAD = Reason("worker_dead")
PATIENCE = Patience(opens=timedelta(minutes=2), closes=timedelta(minutes=3))


def look(database: Database, minute: float, reason: Reason | None, subject: str = "worker") -> list[str]:
    now = NOW + timedelta(minutes=minute)
    database.run_here(heed, [Look(HOUSE, "worker_dead", subject, reason, PATIENCE)], now)
    return [matter.reason.code for matter in database.run_here(open_matters, HOUSE)]


def test_what_does_not_last_is_no_matter(database: Database) -> None:
    assert look(database, 0, DEAD) == []
    assert look(database, 1, DEAD) == []
    assert look(database, 2, None) == []
    assert look(database, 9, None) == []


def test_what_lasts_is_one_matter_until_it_is_gone_for_a_while(database: Database) -> None:
    look(database, 0, DEAD)
    look(database, 1, DEAD)
    assert look(database, 2, DEAD) == ["worker_dead"]
    assert look(database, 3, DEAD) == ["worker_dead"]
    assert look(database, 4, None) == ["worker_dead"]
    assert look(database, 5, DEAD) == ["worker_dead"]
    assert look(database, 6, None) == ["worker_dead"]
    assert look(database, 9, None) == []


def test_what_was_seen_before_and_after_a_gap_did_not_last(database: Database) -> None:
    look(database, 0, DEAD)
    assert look(database, 60, DEAD) == []
    look(database, 61, DEAD)
    assert look(database, 62, DEAD) == ["worker_dead"]


def test_what_is_about_something_that_is_gone_is_settled(database: Database) -> None:
    for minute in range(3):
        look(database, minute, DEAD, "acc_1")
    database.run_here(forget_of, HOUSE, "worker_dead", ["acc_2"], NOW + timedelta(minutes=3))
    assert database.run_here(open_matters, HOUSE) == []
