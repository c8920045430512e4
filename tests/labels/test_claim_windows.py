"""Before a carrier's window for claims ends, a person is told of each label that is worth one and has none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.attention.board import settled
from connector.labels.claim_windows import window_days
from connector.labels.claims import note_claim
from connector.labels.invoice_csv import InvoiceLine
from connector.labels.tables import labels
from tests.labels.invoicing import book_invoice
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio


async def labelled(world: World, carrier: str = "USPS") -> str:
    """A parcel whose label was bought of that carrier; its id."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    (label,) = world.labels_of(parcel.id)
    of_carrier = labels.update(world.shop_id).where(labels.c.id == label.id)
    rate = label.booked_rate | {"carrier": carrier}
    world.act(lambda connection: connection.execute(of_carrier.values(booked_rate=rate)))
    return parcel.id


def billed(world: World, parcel_id: str, more: int, invoice: str = "I-1") -> None:
    line = InvoiceLine(2, world.labels_of(parcel_id)[0].tracking_code, Money(more, "EUR"), invoice)
    world.act(book_invoice, world.shop_id, [line], "adjustment", world.clock.now())


async def days_later(world: World, days: float) -> list[str]:
    """What a person is told after so many days and a sweep."""
    world.clock.advance(days=days)
    world.queue("labels.sweep")
    await world.drain()
    return [code for code in world.matter_codes() if code.endswith("window_ends")]


@pytest.mark.parametrize(
    ("carrier", "adjusted", "lost"),
    [("USPS", 60, 60), ("FedExDefault", None, 60), ("UPSDAP", None, 60), ("DHLExpress", None, None)],
)
def test_the_windows_are_those_that_are_published(carrier: str, adjusted: int | None, lost: int | None) -> None:
    assert (window_days("claim_window_ends", carrier), window_days("loss_window_ends", carrier)) == (adjusted, lost)


@pytest.mark.complaint(48)
async def test_a_person_is_told_two_weeks_before_the_end_and_no_longer_once_it_is_claimed(any_world: World) -> None:
    world = any_world
    dear, little, other = [await labelled(world), await labelled(world), await labelled(world, "DHLExpress")]
    for parcel_id, more in ((dear, 300), (little, 50), (other, 300)):
        billed(world, parcel_id, more)
    assert await days_later(world, 45.9) == []
    assert await days_later(world, 0.2) == ["claim_window_ends"]
    (matter,) = [each for each in world.matters() if each.reason.code == "claim_window_ends"]
    until = world.clock.now() + timedelta(days=60 - 46.1)
    assert matter.reason.params["until"] == f"{until:%Y-%m-%d}"
    assert "3.00" in matter.reason.say()
    world.act(note_claim, world.shop_id, dear, "claimed", "3.00", "weighed wrongly", PERSON, world.clock.now())
    assert await days_later(world, 0) == []


async def test_it_goes_when_the_window_is_over_and_stays_away_once_a_person_let_it_be(world: World) -> None:
    first, second = await labelled(world), await labelled(world)
    for parcel_id in (first, second):
        billed(world, parcel_id, 300)
    assert await days_later(world, 50) == ["claim_window_ends"] * 2
    world.act(settled, world.shop_id, world.labels_of(first)[0].id, world.clock.now(), "claim_window_ends")
    assert await days_later(world, 1) == ["claim_window_ends"]
    assert await days_later(world, 9.1) == []


async def test_what_was_taken_off_again_is_nothing_to_claim(world: World) -> None:
    parcel_id = await labelled(world)
    billed(world, parcel_id, 300)
    assert await days_later(world, 50) == ["claim_window_ends"]
    billed(world, parcel_id, -280, "I-2")
    assert await days_later(world, 0) == []


@pytest.mark.need(48)
async def test_a_parcel_that_was_not_delivered_is_claimed_within_its_window(world: World) -> None:
    parcel_id = await labelled(world, "UPSDAP")
    number = world.labels_of(parcel_id)[0].tracking_code
    scan = {"status": TrackingStatus.FAILED, "at": (world.clock.now() + timedelta(days=3)).isoformat()}
    world.clock.advance(days=4)
    await world.deliver("tracking", {"number": number, "events": [scan]}, carrier=True)
    await world.drain()
    assert await days_later(world, 40) == []
    assert await days_later(world, 10) == ["loss_window_ends"]
    assert await days_later(world, 10) == []
