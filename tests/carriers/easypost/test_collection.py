"""EasyPost's scan forms and pick-ups against the simulator: what is asked, and what doubt becomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from carriers.carrier import Carrier
from carriers.collection import BookedPickup, Collector, Manifest, NotBooked, PickupRequest, collector_of
from carriers.label import Purchased, Rejected, Unknown
from tests.contracts.carrier_contract import SHIPMENT, SHOP, allowed
from tests.simulators.easypost_control import EasyPostControl

pytestmark = pytest.mark.anyio


async def bought(easypost: Carrier, count: int = 1) -> tuple[str, ...]:
    handles = []
    for _ in range(count):
        created = await easypost.create(SHIPMENT)
        label = await easypost.purchase(created.handle, created.rates[0], allowed)
        assert isinstance(label, Purchased)
        handles.append(label.handle)
    return tuple(handles)


@pytest.fixture
def collector(easypost: Carrier) -> Collector:
    found = collector_of(easypost)
    assert found is not None
    return found


def request_of(handles: tuple[str, ...]) -> PickupRequest:
    day = datetime(2026, 11, 23, tzinfo=UTC)
    return PickupRequest(handles, SHOP, day.replace(hour=9), day.replace(hour=17), "pick_1", "ring twice")


async def test_a_scan_form_lists_the_shipments_and_is_found_again(easypost: Carrier, collector: Collector) -> None:
    handles = await bought(easypost, 2)
    assert await collector.find_manifest(handles) is None
    made = await collector.make_manifest(handles, allowed)
    assert isinstance(made, Manifest)
    assert (made.state, len(made.tracking_codes)) == ("made", 2)
    assert made.file is not None
    found = await collector.find_manifest(handles)
    assert found is not None
    assert found.handle == made.handle
    again = await collector.make_manifest(handles, allowed)
    assert isinstance(again, Rejected | Unknown)


async def test_a_form_that_fails_says_why_and_holds_no_shipment(easypost: Carrier, collector: Collector) -> None:
    elsewhere = replace(SHIPMENT, origin=replace(SHOP, postal_code="10001"), reference="prc_elsewhere")
    created = await easypost.create(elsewhere)
    assert isinstance(await easypost.purchase(created.handle, created.rates[0], allowed), Purchased)
    here = await bought(easypost)
    failed = await collector.make_manifest((*here, created.handle), allowed)
    assert isinstance(failed, Manifest)
    assert (failed.state, failed.message, failed.file) == ("failed", "The shipments have different origins.", None)
    assert await collector.find_manifest(here) is None
    made = await collector.make_manifest(here, allowed)
    assert isinstance(made, Manifest)
    assert made.state == "made"


async def test_nothing_leaves_when_the_fence_says_no(easypost: Carrier, collector: Collector) -> None:
    handles = await bought(easypost)
    answer = await collector.make_manifest(handles, lambda: False)
    assert isinstance(answer, Rejected)
    assert answer.code == "fenced"
    assert await collector.find_manifest(handles) is None


@pytest.mark.parametrize("count", [1, 3])
async def test_a_driver_is_offered_booked_looked_up_and_sent_home(
    easypost: Carrier, collector: Collector, count: int
) -> None:
    offered = await collector.offer_pickup(request_of(await bought(easypost, count)))
    assert offered.offers
    assert await collector.look_up_pickup(offered.handle) == NotBooked(offered.handle)
    booked = await collector.book_pickup(offered.handle, offered.offers[0], allowed)
    assert isinstance(booked, BookedPickup)
    assert await collector.look_up_pickup(offered.handle) == booked
    assert booked.price_of(offered.offers[0].carrier, offered.offers[0].service) == offered.offers[0].price
    assert booked.price_of("Nobody", "NextDay") is None
    assert await collector.cancel_pickup(offered.handle, allowed) == NotBooked(offered.handle, cancelled=True)


async def test_an_offer_that_is_gone_is_refused(easypost: Carrier, collector: Collector) -> None:
    from dataclasses import replace

    offered = await collector.offer_pickup(request_of(await bought(easypost)))
    gone = replace(offered.offers[0], service="NEVER")
    assert isinstance(await collector.book_pickup(offered.handle, gone, allowed), Rejected)


@pytest.mark.parametrize("kind", ["dropped", "dropped_after_effect", "garbage", "status_after_effect"])
async def test_a_booking_that_is_not_answered_is_unclear_and_looked_up(
    easypost: Carrier, collector: Collector, control: EasyPostControl, kind: str
) -> None:
    offered = await collector.offer_pickup(request_of(await bought(easypost)))
    control.fault("book_pickup", kind)
    booked = await collector.book_pickup(offered.handle, offered.offers[0], allowed)
    assert isinstance(booked, Unknown)
    found = await collector.look_up_pickup(offered.handle)
    assert isinstance(found, NotBooked if kind == "dropped" else BookedPickup)
