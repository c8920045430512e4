"""Two processes on one database, and one after a restart: what was shown holds, and what was learned is known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from connector.quotes import behind
from connector.quotes.ask import Account
from connector.quotes.carrier_answers import CarrierAnswers
from connector.quotes.desk import QuoteDesk
from connector.quotes.follow import Follower
from connector.quotes.ledger import LedgerRow, LedgerWriter
from connector.quotes.shop import QuotingShop
from connector.storage.database import Database
from connector.store import RateCall
from tests.conftest import FrozenClock
from tests.quotes.test_desk import BRATISLAVA
from tests.quotes.world import PlainCarrier, a_cart, as_carrier, keyed_hash, plain_store, settings

pytestmark = pytest.mark.anyio


@dataclass
class Process:
    """One process that quotes, with its own memory."""

    database: Database
    clock: FrozenClock
    carrier: PlainCarrier = field(default_factory=PlainCarrier)

    def __post_init__(self) -> None:
        self.ledger = LedgerWriter(self.database)
        self.desk = QuoteDesk(self.clock.now, keyed_hash, self.ledger, CarrierAnswers())
        self.follower = Follower(self.database, self.ledger.writer, self.desk.shown, self.desk.learned, self.clock.now)

    async def ask(self, postal_code: str = "1010") -> LedgerRow:
        """One quote, written down."""
        account = Account("acc_1", "fake", as_carrier(self.carrier), "shop_1")
        shop = QuotingShop("shop_1", plain_store(), settings(), 1, "UTC", (BRATISLAVA,), (account,))
        cart = a_cart()
        assert cart.destination is not None
        cart = replace(cart, destination=replace(cart.destination, postal_code=postal_code))
        _, row = await self.desk.answer(shop, RateCall(cart))
        await self.ledger.flush()
        return row


@pytest.fixture
async def processes(database: Database, clock: FrozenClock) -> AsyncIterator[tuple[Process, Process]]:
    pair = Process(database, clock), Process(database, clock, PlainCarrier(prices={"Ground": 710, "Express": 1500}))
    yield pair
    for each in pair:
        await each.desk.aclose()


def prices(row: LedgerRow) -> dict[str, int]:
    return {offer.code: offer.minor for offer in row.decision.offers}


async def test_a_price_that_one_process_showed_holds_in_another(processes: tuple[Process, Process]) -> None:
    one, other = processes
    shown = prices(await one.ask())
    assert await other.follower.read()
    row = await other.ask()
    assert prices(row) == shown
    assert [each.stand_in for each in row.answers[0].rates if each.service == "Ground"] == ["held"]
    assert prices(await other.ask("1020"))["fake-ground"] == 710


async def test_the_difference_to_the_live_answer_is_in_the_ledger(
    processes: tuple[Process, Process], database: Database
) -> None:
    one, other = processes
    await one.ask()
    await other.follower.read()
    row = await other.ask()
    await other.ledger.flush()
    (found,) = database.run_here(behind.differences_of, "shop_1", row.id)
    assert (found.shown_minor, found.live_minor, found.stand_in) == (700, 710, "held")


async def test_after_half_an_hour_it_holds_no_longer(processes: tuple[Process, Process], clock: FrozenClock) -> None:
    one, other = processes
    await one.ask()
    clock.advance(seconds=30 * 60 + 1)
    await other.follower.read()
    assert prices(await other.ask())["fake-ground"] == 710


async def test_a_process_that_starts_knows_what_was_learned(
    processes: tuple[Process, Process], clock: FrozenClock
) -> None:
    one, other = processes
    for number in range(6):
        await one.ask(f"10{number}0")
        clock.advance(seconds=1)
    await other.follower.read()
    (live, *_) = one.database.run_here(behind.live_of, "shop_1")
    told = other.desk.learned.tell("acc_1", live.asked, clock.now().timestamp(), 100)
    assert {rate.service: rate.minor for rate in told.rates} == {"Ground": 700, "Express": 1500}


async def test_what_was_read_is_not_learned_twice(processes: tuple[Process, Process]) -> None:
    one, other = processes
    await one.ask()
    await other.follower.read()
    size = other.desk.learned.bytes
    assert size > 0
    await other.follower.read()
    assert other.desk.learned.bytes == size


async def test_a_process_does_not_follow_itself(processes: tuple[Process, Process], database: Database) -> None:
    one, _ = processes
    await one.ask()
    mine = behind.live_since
    assert database.run_here(mine, one.clock.now() - timedelta(hours=1), one.ledger.writer, 10) == []
    assert len(database.run_here(mine, one.clock.now() - timedelta(hours=1), "another", 10)) == 1
