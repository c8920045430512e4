"""End of day at the sandbox carrier: each label is on one list, its paper is kept, a driver is booked once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carriers.collection import BookedPickup, PickupOffer
from carriers.money import Money
from connector.attention.board import open_matters
from connector.http.desk.waiting import waiting_of
from connector.labels import collect, collect_rows, record
from connector.labels.collect import NoCollection, NothingToCollect
from connector.labels.desk_tables import pickups
from connector.labels.retention import referred_to
from connector.labels.voids import request_void
from connector.orders import view
from connector.storage.audit import Actor
from tests.cli.worlds import make_shop
from tests.http.desk.counter import Counter, counter_at
from tests.ledger import balances

pytestmark = pytest.mark.anyio
ANNA = Actor("person", "anna")


@pytest.fixture(scope="module")
def steady_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox shop with a sandbox carrier."""
    return make_shop(tmp_path_factory.mktemp("collect")).folder


@pytest.fixture
async def counter(
    steady_data: Path, tmp_path: Path, house_settings: Callable[[Path], dict[str, Any]]
) -> AsyncIterator[Counter]:
    """A counter with two bought labels."""
    async with counter_at(steady_data, tmp_path / "data", **house_settings(steady_data)) as found:
        house = found.house
        await found.settle({"buy": "manual"})
        for _ in range(2):
            order = await found.order()
            house.here(view.request_purchase, found.work, found.desk.shop_id, order.id, ANNA, house.clock.now())
        await found.drain()
        yield found


def ask(counter: Counter) -> list[str]:
    return counter.house.here(collect.ask_manifests, counter.work, counter.shop, ANNA, counter.house.clock.now())


def plan(counter: Counter, **changes: Any) -> str:
    now = counter.house.clock.now()
    account = next(iter(counter.shop.accounts))
    known = {"account_id": account, "location_id": counter.shop.locations[0].id, "earliest": now + timedelta(hours=2),
             "latest": now + timedelta(hours=6), "instructions": "ring twice", "actor": ANNA, "now": now}  # fmt: skip
    return counter.house.here(collect.plan_pickup, counter.work, counter.shop, **(known | changes))


def lists(counter: Counter) -> list[Any]:
    return counter.house.here(collect.recent_manifests, counter.desk.shop_id)


def driver(counter: Counter) -> Any:
    return counter.house.here(collect.recent_pickups, counter.desk.shop_id)[0]


@pytest.mark.need(21)
@pytest.mark.complaint(13)
async def test_the_days_labels_are_on_one_list_whose_paper_is_kept(counter: Counter) -> None:
    (made,) = ask(counter)
    with pytest.raises(NothingToCollect):
        ask(counter)
    await counter.drain()
    (row,) = lists(counter)
    assert (row.id, row.state, len(row.labels)) == (made, "made", 2)
    assert counter.house.shelf.get(row.sha256).startswith(b"%PDF-")
    assert row.sha256 in counter.house.here(referred_to)


async def test_a_list_that_is_made_twice_is_the_same_list(counter: Counter) -> None:
    (made,) = ask(counter)
    await counter.drain()
    before = lists(counter)[0]
    counter.queue(collect.MANIFEST_JOB, made)
    await counter.drain()
    after = lists(counter)[0]
    assert (after.handle, after.sha256, after.state) == (before.handle, before.sha256, "made")


async def test_a_driver_is_offered_booked_and_sent_home(counter: Counter) -> None:
    pickup = plan(counter)
    await counter.drain()
    row = driver(counter)
    assert (row.state, len(row.offers)) == ("offered", 1)
    now = counter.house.clock.now()
    dear = pickups.update(counter.desk.shop_id).values(offers=[row.offers[0] | {"minor": 450}])
    counter.house.here(lambda connection: connection.execute(dear))
    counter.house.here(collect.book_pickup, counter.work, counter.desk.shop_id, pickup, 1, ANNA, now)
    with pytest.raises(NoCollection):
        counter.house.here(collect.book_pickup, counter.work, counter.desk.shop_id, pickup, 1, ANNA, now)
    await counter.drain()
    booked = driver(counter)
    assert booked.state == "booked"
    assert booked.confirmation.startswith("SBX")
    paid = counter.house.here(balances, counter.desk.shop_id)
    assert paid["postage:driver", booked.currency] == booked.minor == 450
    counter.house.here(collect.cancel_pickup, counter.work, counter.desk.shop_id, pickup, ANNA, now)
    await counter.drain()
    assert driver(counter).state == "cancelled"
    paid = counter.house.here(balances, counter.desk.shop_id)
    assert paid["postage:driver", booked.currency] == 0


def sent(counter: Counter, pickup: str, offered: Money) -> Any:
    """The pick-up as it stands once its booking has left, for so much."""
    offer = {"carrier": "Van", "service": "Next day", "minor": offered.minor, "currency": offered.currency}
    values = {"state": "sent", "chosen": offer, "minor": offered.minor, "currency": offered.currency}
    mine = pickups.update(counter.desk.shop_id).where(pickups.c.id == pickup)
    counter.house.here(lambda connection: connection.execute(mine.values(**values)))
    return driver(counter)


@pytest.mark.parametrize(
    ("booked", "told"),
    [(Money(720, "EUR"), True), (Money(300, "EUR"), False), (Money(100, "USD"), True), (None, False)],
)
async def test_a_driver_who_is_booked_for_more_than_was_offered_is_put_before_a_person(
    counter: Counter, booked: Money | None, told: bool
) -> None:
    """Both amounts are named, and the ledger holds what the carrier takes."""
    house, shop_id, offered = counter.house, counter.desk.shop_id, Money(450, "EUR")
    pickup = plan(counter)
    await counter.drain()
    prices = () if booked is None else (PickupOffer("Van", "Next day", booked),)
    answer = BookedPickup("pck_1", "C-1", prices)
    house.here(collect_rows.booked, sent(counter, pickup, offered), answer, house.clock.now())
    taken = booked or offered
    assert house.here(balances, shop_id)["postage:driver", taken.currency] == taken.minor
    matters = [each for each in house.here(open_matters, shop_id) if each.reason.code == "driver_dearer"]
    assert [each.subject for each in matters] == [pickup] * told
    if told:
        (waiting,) = house.here(waiting_of, shop_id, "/shop")
        assert (waiting.link, waiting.by_person) == ("/shop/collections", True)
        assert str(booked) in matters[0].reason.say()
        assert str(offered) in matters[0].reason.say()
        paul = counter.desk.add_user("paul@example.com", "packer", shop_id, "Paul")
        async with counter.desk.signed_in(paul) as browser:
            assert matters[0].reason.say() in (await browser.open(f"{counter.desk.base}/collections")).text
    house.here(collect_rows.sent_home, driver(counter), house.clock.now())
    assert house.here(balances, shop_id)["postage:driver", taken.currency] == 0
    assert [each for each in house.here(open_matters, shop_id) if each.subject == pickup] == []


async def test_a_label_that_is_voided_after_it_is_on_a_list_is_left_out(counter: Counter) -> None:
    """The carrier would refuse the whole list for it."""
    (made,) = ask(counter)
    first, second = (label[0] for label in lists(counter)[0].labels)
    house, shop_id = counter.house, counter.desk.shop_id
    label = house.here(record.label_of, shop_id, first)
    assert label is not None
    house.here(request_void, counter.work, shop_id, label.parcel_id, "wrong box", ANNA, house.clock.now())
    await counter.drain()
    row = lists(counter)[0]
    assert (row.id, row.state, [label[0] for label in row.labels]) == (made, "made", [second])


async def test_one_driver_is_booked_for_a_place_and_time(counter: Counter) -> None:
    now, shop_id = counter.house.clock.now(), counter.desk.shop_id
    first, second = plan(counter), plan(counter)
    tomorrow = now + timedelta(days=1)
    later = plan(counter, earliest=tomorrow, latest=tomorrow + timedelta(hours=4))
    await counter.drain()

    def book(pickup: str) -> None:
        counter.house.here(collect.book_pickup, counter.work, shop_id, pickup, 1, ANNA, now)

    book(first)
    with pytest.raises(NoCollection) as told:
        book(second)
    assert told.value.detail == first
    book(later)
    await counter.drain()
    with pytest.raises(NoCollection):
        book(second)
    counter.house.here(collect.cancel_pickup, counter.work, shop_id, first, ANNA, now)
    await counter.drain()
    book(second)


async def test_a_driver_needs_a_time_a_place_and_parcels(counter: Counter) -> None:
    now = counter.house.clock.now()
    for wrong in ({"latest": now}, {"location_id": "loc_0"}, {"account_id": "acc_0"}):
        with pytest.raises(NothingToCollect):
            plan(counter, **wrong)


async def test_the_page_makes_lists_and_books_a_driver(counter: Counter) -> None:
    paul = counter.desk.add_user("paul@example.com", "packer", counter.desk.shop_id, "Paul")
    async with counter.desk.signed_in(paul) as browser:
        path = f"{counter.desk.base}/collections"
        await browser.open(path)
        await browser.follow(await browser.send({"do": "manifest"}))
        await counter.drain()
        page = await browser.open(path)
        paper = await browser.client.get(f"{path}/{lists(counter)[0].id}/paper")
        assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
        account, location = next(iter(counter.shop.accounts)), counter.shop.locations[0].id
        day = f"{counter.house.clock.now() + timedelta(days=1):%Y-%m-%d}"
        fields = {"do": "plan", "account": account, "location": location, "instructions": ""}
        refused = await browser.send(fields | {"earliest": "soon", "latest": f"{day}T16:00"})
        assert refused.status_code == 422
        await browser.open(path)
        await browser.follow(await browser.send(fields | {"earliest": f"{day}T12:00", "latest": f"{day}T16:00"}))
        await counter.drain()
        page = await browser.open(path)
        assert "Next day for 0.00 EUR" in page.text
        await browser.follow(await browser.send({"do": "book", "pickup": driver(counter).id, "number": "1"}))
        await counter.drain()
        page = await browser.open(path)
        assert driver(counter).confirmation in page.text
