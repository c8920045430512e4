"""The report that is kept in memory is the one that the database would give, and little is read for it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection

from carriers.invoice import Measures
from carriers.money import Money
from connector.insight.kept_truth import KeptTruth
from connector.insight.truth import Truth
from connector.insight.truth_rows import truth
from connector.labels.amounts import book
from connector.labels.invoice_csv import InvoiceLine
from connector.orders.tables import orders
from connector.storage.database import Database
from tests.labels.invoicing import book_invoice
from tests.labels.test_invoices import NOW, label
from tests.labels.world import World, a_world, world

__all__ = ["a_world", "world"]
pytestmark = pytest.mark.anyio


async def test_what_is_kept_moves_with_every_order_purchase_and_bill(world: World) -> None:
    kept, since, limit = KeptTruth(), world.clock.now() - timedelta(days=1), Money(100, "EUR")

    def both() -> Truth:
        shown = world.act(kept.truth, world.shop_id, "EUR", since, limit, {})
        assert shown == world.act(truth, world.shop_id, "EUR", since, limit)
        return shown

    assert both().known == 0
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert (both().known, both().billed) == (1, Money(700, "EUR"))
    bill = InvoiceLine(2, "TRK1", Money(900, "EUR"), "R-1", "Weight")
    world.act(book_invoice, world.shop_id, [bill], "total", world.clock.now())
    assert (both().invoiced, both().billed, both().losing) == (1, Money(900, "EUR"), 1)
    found = world.act(kept.truth, world.shop_id, "EUR", since, Money(500, "EUR"), {})
    assert found.losing == 0


SHOP = "shop_1"
EUR = Money(100, "EUR")


def placed(connection: Connection, number: int, at: datetime, charged: int = 900, currency: str = "EUR") -> None:
    """A paid order whose label was bought for ten euros."""
    about = {"external_id": f"x{number}", "name": f"#{number}", "currency": currency, "charged_minor": charged}
    moments = {"placed_at": at, "updated_at": at, "seen_at": at}
    connection.execute(orders.insert(SHOP, id=f"ord_{number}", paid=True, cancelled=False, **about, **moments))
    label(connection, number)
    spent(connection, number, 1000, at)


def spent(connection: Connection, number: int, minor: int, at: datetime, cause: str = "") -> None:
    about = {"order_id": f"ord_{number}", "parcel_id": f"par_{number}", "label_id": f"lab_{number}"}
    book(connection, SHOP, "bought", Money(minor, "EUR"), cause=f"{number}{cause}", now=at, **about)


def read_again(connection: Connection, number: int, at: datetime, **values: Any) -> None:
    mine = orders.update(SHOP).where(orders.c.id == f"ord_{number}")
    connection.execute(mine.values(seen_at=at, **values))


def shown(database: Database, kept: KeptTruth, since: datetime, lists: Any) -> Truth:
    """What is kept, which has to be what the database gives."""
    found = database.run_here(kept.truth, SHOP, "EUR", since, EUR, lists)
    assert found == database.run_here(truth, SHOP, "EUR", since, EUR, lists)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_what_is_kept_is_what_the_database_gives(database: Database, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a story that can be told again.
    kept, now = KeptTruth(), NOW
    spans = [NOW - timedelta(days=days) for days in (5, 30, 90)]
    for number in range(12):
        currency = "USD" if number == 7 else "EUR"
        at = NOW - timedelta(days=random.randint(1, 60))
        database.run_here(placed, number, at, random.randint(0, 2000), currency)
    for turn in range(14):
        now, number = now + timedelta(minutes=random.choice((0, 1, 300))), random.randrange(12)
        match random.randrange(6):
            case 0:
                database.run_here(placed, 12 + turn, now)
            case 1:
                measured = Measures(grams=random.randint(100, 900), zone="4")
                reason = random.choice(("Weight", ""))
                charges = ((reason, 250),) if reason else ()
                more = Money(250, "EUR")
                bill = InvoiceLine(2, f"T{number}", more, f"I{turn}", reason, measures=measured, charges=charges)
                database.run_here(book_invoice, SHOP, [bill], "adjustment", now)
            case 2:
                database.run_here(spent, number, 55, now - timedelta(days=random.choice((0, 20))), f":{turn}")
            case 3:
                database.run_here(read_again, number, now, charged_minor=random.randint(0, 2000), name=f"#{number}a")
            case 4:
                database.run_here(read_again, number, now, paid=False)
            case 5:
                late = now - timedelta(minutes=random.choice((2, 50)))
                database.run_here(read_again, number, late, charged_minor=5000 + turn)
        shown(database, kept, random.choice(spans), {})


def test_after_a_change_other_orders_are_not_read_again(database: Database) -> None:
    """The name of the order that nothing happened to is changed behind its back, and still shown as it was."""
    kept, since = KeptTruth(), NOW - timedelta(days=90)
    for number in (1, 2):
        database.run_here(placed, number, NOW - timedelta(days=9 * number))
    assert shown(database, kept, since, {}).known == 2
    unseen = orders.update(SHOP).where(orders.c.id == "ord_2").values(name="#unseen")
    database.run_here(lambda connection: connection.execute(unseen))
    database.run_here(spent, 1, 500, NOW, ":more")
    found = database.run_here(kept.truth, SHOP, "EUR", since, EUR, {})
    assert {each.name: each.bought for each in found.orders} == {"#1": Money(1500, "EUR"), "#2": Money(1000, "EUR")}
    shorter = database.run_here(kept.truth, SHOP, "EUR", NOW - timedelta(days=12), EUR, {})
    assert [each.name for each in shorter.orders] == ["#1"]
    database.run_here(spent, 1, 5, NOW - timedelta(days=2), ":older")
    assert {each.name for each in shown(database, kept, since, {}).orders} == {"#1", "#unseen"}
