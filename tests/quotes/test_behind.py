"""What is written behind the answers: repeats by id and time, requests by day, differences; it goes after its time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.quotes import behind
from connector.quotes.answers import AccountAnswer
from connector.quotes.behind import Difference, LiveAnswer
from connector.quotes.learning.lane import Asked
from connector.quotes.ledger import LedgerWriter
from connector.storage.database import Database
from tests.quotes.test_ledger import ShakyDatabase
from tests.quotes.world import NOW, answered, rate

pytestmark = pytest.mark.anyio


def live(number: int, answer: AccountAnswer | None = None) -> LiveAnswer:
    asked = Asked(("SK.811>AT.any.EUR.101", "SK.811>AT.any.EUR"), (400,))
    return LiveAnswer("shop_1", f"liv_{number}", "acc_1", NOW, asked, answer or answered(rate(700 + number)))


async def test_repeats_are_counted_with_their_time_and_nothing_else(database: Database) -> None:
    writer = LedgerWriter(database)
    for _ in range(3):
        writer.repeat("shop_1", "quo_1", NOW)
    writer.repeat("shop_1", "quo_2", NOW)
    await writer.flush()
    writer.repeat("shop_1", "quo_1", NOW + timedelta(seconds=1))
    await writer.flush()
    assert database.run_here(behind.repeats_of, "shop_1", ["quo_1", "quo_2"]) == {"quo_1": 4, "quo_2": 1}


@pytest.mark.complaint(28)
async def test_every_rate_request_is_counted_by_shop_day_and_outcome(database: Database) -> None:
    writer = LedgerWriter(database)
    for outcome in ("answered", "answered", "backup"):
        writer.request("shop_1", NOW.date(), outcome)
    writer.request("shop_2", NOW.date(), "answered")
    await writer.flush()
    writer.request("shop_1", NOW.date(), "answered")
    await writer.flush()
    found = database.run_here(behind.requests_by_day, "shop_1", NOW.date())
    assert found == {NOW.date(): {"answered": 3, "backup": 1}}


async def test_a_live_answer_is_read_as_it_was_written(database: Database) -> None:
    writer = LedgerWriter(database)
    writer.live(live(1))
    await writer.flush()
    assert database.run_here(behind.live_of, "shop_1") == [live(1)]


async def test_while_the_database_is_away_nothing_is_lost_or_counted_twice(database: Database) -> None:
    shaky = ShakyDatabase(database)
    writer = LedgerWriter(shaky)
    shaky.away = True
    writer.repeat("shop_1", "quo_1", NOW)
    writer.request("shop_1", NOW.date(), "answered")
    writer.live(live(1))
    await writer.flush()
    writer.repeat("shop_1", "quo_1", NOW)
    writer.request("shop_1", NOW.date(), "answered")
    shaky.away = False
    await writer.flush()
    await writer.flush()
    assert database.run_here(behind.repeats_of, "shop_1", ["quo_1"]) == {"quo_1": 2}
    assert database.run_here(behind.requests_by_day, "shop_1", NOW.date()) == {NOW.date(): {"answered": 2}}
    assert len(database.run_here(behind.live_of, "shop_1")) == 1


async def test_what_waits_is_bounded_and_what_is_let_go_is_told(database: Database) -> None:
    lost: list[int] = []
    writer = LedgerWriter(database, lost.append)
    for number in range(20_010):
        writer.repeat("shop_1", f"quo_{number}", NOW)
    assert sum(lost) == writer.lost == 10


async def test_all_of_it_goes_after_its_time(database: Database) -> None:
    writer = LedgerWriter(database)
    writer.repeat("shop_1", "quo_1", NOW)
    writer.live(live(1))
    writer.difference(Difference("shop_1", "quo_1", "acc_1", "ca_1/Fake/Ground", NOW, "learned", 700, None, "EUR"))
    writer.request("shop_1", NOW.date(), "answered")
    await writer.flush()
    assert len(database.run_here(behind.differences_of, "shop_1", "quo_1")) == 1
    assert database.run_here(behind.forget, NOW, NOW) == 0
    later = NOW + timedelta(days=2)
    assert database.run_here(behind.forget, later, later) == 4
    assert database.run_here(behind.live_of, "shop_1") == []
