"""A batch goes on where it was after its worker died at any boundary, and asks for each order once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carriers.money import Money
from connector.labels.tables import parcels
from connector.orders import batch_list, batch_sheet, batches
from connector.orders.batches import NoBatch
from connector.orders.listing import OrderFilter
from connector.orders.tables import batch_items
from connector.orders.tables import batches as batch_rows
from connector.storage.audit import Actor
from connector.work.port import Task
from tests.cli.worlds import make_shop
from tests.http.desk.counter import Counter, counter_at

pytestmark = pytest.mark.anyio
ANNA = Actor("person", "anna")
COUNT = 3


@pytest.fixture(scope="module")
def steady_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox shop with a sandbox carrier."""
    return make_shop(tmp_path_factory.mktemp("batches")).folder


@pytest.fixture
async def counter(
    steady_data: Path, tmp_path: Path, house_settings: Callable[[Path], dict[str, Any]]
) -> AsyncIterator[Counter]:
    """A counter with a few orders that wait."""
    async with counter_at(steady_data, tmp_path / "data", **house_settings(steady_data)) as found:
        await found.settle({"buy": "manual"})
        for _ in range(COUNT):
            await found.order()
        yield found


def here(counter: Counter, act: Any, *args: Any, **more: Any) -> Any:
    return counter.house.here(act, *args, **more)


def made(counter: Counter) -> str:
    shop_id, now = counter.desk.shop_id, counter.house.clock.now()
    ids = here(counter, batches.matching, shop_id, OrderFilter(not_bought=True))
    return str(here(counter, batches.make, shop_id, ids, ANNA, now))


def buy(counter: Counter, batch_id: str) -> None:
    here(counter, batches.buy, counter.work, counter.desk.shop_id, batch_id, ANNA, counter.house.clock.now())


def load(counter: Counter, batch_id: str) -> batches.Batch:
    found = here(counter, batches.load, counter.desk.shop_id, batch_id)
    assert isinstance(found, batches.Batch)
    return found


async def sold(counter: Counter) -> int:
    """How many labels the carrier has sold, by its own books."""
    carrier = next(iter(counter.shop.accounts.values())).connection
    return int(await getattr(carrier, "connection", carrier).purchases())


class Dies(BaseException):
    """The process ends here."""


class DyingRun:
    """A run whose process ends at the n-th boundary of its steps."""

    def __init__(self, task: Task, at: int) -> None:
        self.task, self._at, self._seen = task, at, 0

    async def step(self, _name: str, call: Any) -> Any:
        self._boundary()
        result = await call()
        self._boundary()
        return result

    def fence(self) -> bool:
        return True

    def _boundary(self) -> None:
        if self._seen == self._at:
            raise Dies
        self._seen += 1


@pytest.mark.need(21)
@pytest.mark.complaint(11)
@pytest.mark.parametrize("at", [0, 1, 2, 3])
async def test_a_batch_whose_worker_dies_goes_on_and_buys_each_label_once(counter: Counter, at: int) -> None:
    before = await sold(counter)
    batch_id = made(counter)
    buy(counter, batch_id)
    job = batches.BatchBuyer(counter.house.database, counter.work, counter.house.clock.now)
    task = Task(batches.JOB, "dies", counter.desk.shop_id, (batch_id,))
    with pytest.raises(Dies):
        await job.buy(DyingRun(task, at))
    await counter.drain()
    batch = load(counter, batch_id)
    assert (batch.count("bought"), batch.open) == (COUNT, 0)
    assert await sold(counter) - before == COUNT
    numbers = [each.number for item in batch.items if item.line for each in item.line.parcels]
    assert len(set(numbers)) == COUNT


async def test_two_batches_of_the_same_orders_buy_each_label_once(counter: Counter) -> None:
    before = await sold(counter)
    first, second = made(counter), made(counter)
    buy(counter, first)
    buy(counter, second)
    buy(counter, second)
    await counter.drain()
    for batch_id in (first, second):
        assert load(counter, batch_id).count("bought") == COUNT
    assert await sold(counter) - before == COUNT


async def test_the_cost_is_what_was_quoted(counter: Counter) -> None:
    batch = load(counter, made(counter))
    preview = here(counter, batches.preview, counter.desk.shop_id, batch)
    assert (preview.orders, preview.parcels, preview.unpriced, preview.held) == (COUNT, COUNT, 0, 0)
    (total,) = preview.totals
    assert total.currency == "EUR"
    assert total.minor > 0


async def test_an_empty_or_foreign_choice_makes_no_batch(counter: Counter) -> None:
    for ids in ([], ["ord_0"]):
        with pytest.raises(NoBatch):
            here(counter, batches.make, counter.desk.shop_id, ids, ANNA, counter.house.clock.now())
    with pytest.raises(NoBatch):
        here(counter, batches.load, "shop_other", made(counter))


async def test_an_owners_word_to_pass_the_cap_holds_for_the_owner_alone(counter: Counter) -> None:
    """A colleague who asks once more for what was stopped has no such word."""
    paul = Actor("person", "paul")
    shop_id, now = counter.desk.shop_id, counter.house.clock.now()
    batch_id = made(counter)
    here(counter, batches.buy, counter.work, shop_id, batch_id, ANNA, now, over_cap="it is Christmas")
    stopped = parcels.update(shop_id).values(state="refused", why={"code": "no_rates_at_purchase", "params": {}})
    here(counter, lambda connection: connection.execute(stopped))

    def word() -> str:
        chosen = batch_rows.select(shop_id, batch_rows.c.over_cap).where(batch_rows.c.id == batch_id)
        return str(here(counter, lambda connection: connection.execute(chosen).scalar_one()))

    asked = batch_items.update(shop_id).values(asked_at=now)
    for actor, left in ((ANNA, "it is Christmas"), (paul, "")):
        here(counter, lambda connection: connection.execute(asked))
        assert here(counter, batches.try_again, counter.work, shop_id, batch_id, actor, now) == COUNT
        assert word() == left


def recent(counter: Counter) -> list[batch_list.BatchLine]:
    found = here(counter, batch_list.recent, counter.desk.shop_id)
    assert isinstance(found, list)
    return found


def stands(counter: Counter, order_id: str, state: str, why: object = None) -> None:
    """The order's parcel, put into a state."""
    chosen = parcels.update(counter.desk.shop_id).where(parcels.c.order_id == order_id).values(state=state, why=why)
    here(counter, lambda connection: connection.execute(chosen))


@pytest.mark.need(21)
async def test_the_list_tells_what_is_bought_and_at_which_cost_and_what_needs_a_person(counter: Counter) -> None:
    batch_id = made(counter)
    (line,) = recent(counter)
    assert (line.orders, line.bought_at, dict(line.counts), line.cost) == (COUNT, None, {}, ())
    buy(counter, batch_id)
    assert dict(recent(counter)[0].counts) == {"open": COUNT}
    await counter.drain()
    (line,) = recent(counter)
    batch = load(counter, batch_id)
    sums = here(counter, batch_sheet.costs, counter.desk.shop_id, batch)
    assert (dict(line.counts), line.cost) == ({"bought": COUNT}, (sum(sums.values(), Money.zero("EUR")),))
    first, second, third = (item.order_id for item in batch.items)
    stands(counter, first, "held", {"code": "risk_flagged", "params": {}})
    stands(counter, second, "unknown")
    stands(counter, third, "planned", {"code": "wallet_empty", "params": {}})
    assert dict(recent(counter)[0].counts) == {"unclear": 1, "held": 1, "waits": 1}
    stands(counter, second, "refused", {"code": "no_rates_at_purchase", "params": {}})
    stands(counter, third, "cancelled")
    assert dict(recent(counter)[0].counts) == {"held": 1, "refused": 1, "nothing": 1}
    assert batch_list.not_bought(load(counter, batch_id)) == {"held": 1, "refused": 1}


async def test_the_newest_batch_is_the_first_and_other_shops_see_none(counter: Counter) -> None:
    first, second = made(counter), made(counter)
    assert [each.id for each in recent(counter)] == sorted((first, second), reverse=True)
    assert here(counter, batch_list.recent, "shop_other") == []


async def test_what_is_let_go_of_later_waits_for_a_click_and_keeps_no_batch_open(counter: Counter) -> None:
    """Nothing buys a label in a shop that buys by clicks, so that the batch does not say that it is being bought."""
    batch_id = made(counter)
    buy(counter, batch_id)
    await counter.drain()
    order_id = load(counter, batch_id).items[0].order_id
    shop_id, later = counter.desk.shop_id, counter.house.clock.now() + timedelta(minutes=1)
    freed = parcels.update(shop_id).where(parcels.c.order_id == order_id)
    freed = freed.values(state="planned", why=None, changed_at=later)
    here(counter, lambda connection: connection.execute(freed))
    batch = load(counter, batch_id)
    assert (batch.open, batch.items[0].outcome, batch_list.not_bought(batch)) == (0, "stopped", {"waits": 1})
    assert dict(recent(counter)[0].counts) == {"bought": COUNT - 1, "waits": 1}
    assert here(counter, batches.try_again, counter.work, shop_id, batch_id, ANNA, later) == 1


@pytest.mark.need(21)
async def test_an_unclear_purchase_ends_the_batch_and_is_left_to_a_person(counter: Counter) -> None:
    """While it is looked up the batch is open; then no click on the whole batch, nor on all that waits, repeats it."""
    batch_id = made(counter)
    buy(counter, batch_id)
    await counter.drain()
    order_id = load(counter, batch_id).items[0].order_id
    stands(counter, order_id, "unknown", {"code": "purchase_unclear", "params": {}})
    assert load(counter, batch_id).open == 1
    stands(counter, order_id, "unknown", {"code": "outcome_unclear", "params": {"carrier": "Post"}})
    batch = load(counter, batch_id)
    assert (batch.open, batch.count("unclear"), batch_list.not_bought(batch)) == (0, 1, {"unclear": 1})
    shop_id, now = counter.desk.shop_id, counter.house.clock.now()
    assert here(counter, batches.try_again, counter.work, shop_id, batch_id, ANNA, now) == 0
    assert here(counter, batches.matching, shop_id, OrderFilter(not_bought=True)) == []
