"""What a check-up keeps and reads, on both databases; shops do not see each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carriers.money import Money
from connector.attention.board import open_matters
from connector.checkup import kept, ours
from connector.checkup.carriers import _spent
from connector.checkup.finding import Checkup, Finding, NotMade
from connector.checkup.refused import Refusals, RefusedBook, refusals
from connector.labels.tables import labels
from connector.orders.tables import orders
from connector.quotes.ledger import quotes
from connector.storage import audit
from connector.storage.audit import Actor
from connector.storage.database import Database
from connector.words.reason import Reason

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SHOP = "shop_1"
GRAVE = Finding(
    Reason("check_wallet_low", {"balance": Money(100, "USD"), "days": 3}),
    "stops_rates",
    "acc_1",
    "https://x",
    "account",
)


def quote(database: Database, number: int, at: datetime, shop: str = SHOP, **more: Any) -> None:
    empty = {"outcome": "offers", "settings_version": 1, "facts_hash": "f", "match_key": "m", "cart": {}, "answers": []}
    rest = {"decision": {}, "echo": {}, "answer_digest": "d", "elapsed_ms": 1, "signature": "valid"}
    row = quotes.insert(shop, id=f"quo_{number}", at=at, **empty | rest | more)
    database.run_here(lambda connection: connection.execute(row))


def order(database: Database, number: int, at: datetime) -> None:
    values = {"currency": "USD", "paid": True, "cancelled": False, "charged_minor": 1, "name": f"#{number}"}
    times = {"placed_at": at, "updated_at": at, "seen_at": at}
    row = orders.insert(SHOP, id=f"ord_{number}", external_id=f"o{number}", **values, **times)
    database.run_here(lambda connection: connection.execute(row))


def test_the_latest_result_stands_and_reads_as_it_was(database: Database) -> None:
    first = Checkup(SHOP, NOW, (GRAVE,), ("service",), (NotMade("zones", Reason("checked_zones"), Reason("x")),))
    second = Checkup(SHOP, NOW + timedelta(days=1), (), ("service", "zones"))
    assert database.run_here(kept.latest, SHOP) is None
    assert database.run_here(kept.keep, first) == kept.Change(1, 0)
    assert database.run_here(kept.latest, SHOP) == first
    assert database.run_here(kept.latest, "shop_2") is None
    assert database.run_here(kept.keep, second) == kept.Change(0, 1)
    assert database.run_here(kept.latest, SHOP) == second


def test_a_cause_at_two_places_is_two_matters_and_each_goes_by_itself(database: Database) -> None:
    other = Finding(GRAVE.reason, "stops_rates", "acc_2", "", "account")
    database.run_here(kept.keep, Checkup(SHOP, NOW, (GRAVE, other)))
    assert len(database.run_here(open_matters, SHOP)) == 2
    database.run_here(kept.keep, Checkup(SHOP, NOW, (other,)))
    (left,) = database.run_here(open_matters, SHOP)
    assert left.subject.endswith("acc_2")


def test_silence_counts_only_while_orders_come(database: Database) -> None:
    assert database.run_here(ours.silence, SHOP, NOW) == []
    for number in range(3):
        order(database, number, NOW - timedelta(hours=number))
    (never,) = database.run_here(ours.silence, SHOP, NOW)
    assert never.reason == Reason("check_never_asked", {"orders": 3})
    quote(database, 1, NOW - timedelta(days=5))
    (stopped,) = database.run_here(ours.silence, SHOP, NOW)
    assert stopped.reason == Reason("check_not_asked", {"days": 5, "orders": 3})
    quote(database, 2, NOW - timedelta(hours=20))
    assert database.run_here(ours.silence, SHOP, NOW) == []


def test_price_questions_are_counted_by_day(database: Database) -> None:
    for number, hours in enumerate((1, 2, 30)):
        quote(database, number, NOW - timedelta(hours=hours))
    quote(database, 9, NOW, shop="shop_2")
    found = database.run_here(ours.calls_by_day, SHOP, NOW)
    assert [found[day] for day in sorted(found, reverse=True)] == [2, 1, 0, 0, 0, 0, 0]


def test_who_switched_last_is_what_is_wanted(database: Database) -> None:
    assert database.run_here(ours.switched_on, SHOP) is None
    for action in ("shop.add", "shop.on", "shop.off", "shop.on"):
        database.run_here(audit.record, now=NOW, actor=Actor("command", "x"), action=action, subject=SHOP, shop_id=SHOP)
    assert database.run_here(ours.switched_on, SHOP) is True
    assert database.run_here(ours.switched_on, "shop_2") is None


def test_what_labels_cost_lately_is_added_up_by_account(database: Database) -> None:
    for number, (days, account) in enumerate(((0, "acc_1"), (1, "acc_1"), (4, "acc_1"), (0, "acc_2"))):
        values: dict[str, Any] = {"carrier": "easypost", "state": "bought", "handle": "h", "rates": [], "why": {}}
        people = {"actor_kind": "rule", "actor_name": "x", "created_at": NOW, "minor": 1}
        booked = {"booked_minor": 700, "booked_currency": "USD", "settled_at": NOW - timedelta(days=days)}
        row = labels.insert(
            SHOP, id=f"lab_{number}", parcel_id=f"p{number}", account_id=account, **values, **people, **booked
        )
        database.run_here(lambda connection, row=row: connection.execute(row))
    assert database.run_here(_spent, SHOP, "acc_1", "USD", NOW) == Money(1400, "USD")
    assert database.run_here(_spent, SHOP, "acc_1", "EUR", NOW) == Money(0, "EUR")


async def test_refusals_of_several_processes_add_up(database: Database) -> None:
    books = [RefusedBook(database, lambda: NOW) for _ in range(2)]
    for book in books:
        book.note(SHOP, "hooks")
        book.note(SHOP, "hooks")
        await book.flush()
    assert await database.run(refusals, SHOP, "hooks", None, NOW) == Refusals(4, "2026-11-23")
    assert await database.run(refusals, "shop_2", "hooks", None, NOW) is None


async def test_refusals_wait_in_memory_while_the_database_is_away(database: Database) -> None:
    class Away:
        def __init__(self) -> None:
            self.is_away = True

        async def run(self, *args: Any) -> Any:
            if self.is_away:
                from sqlalchemy.exc import OperationalError

                raise OperationalError("x", {}, Exception())
            return await database.run(*args)

    away = Away()
    book = RefusedBook(away, lambda: NOW)  # type: ignore[arg-type]
    book.note(SHOP, "hooks")
    await book.flush()
    away.is_away = False
    await book.flush()
    await book.flush()
    assert await database.run(refusals, SHOP, "hooks", None, NOW) == Refusals(1, "2026-11-23")
