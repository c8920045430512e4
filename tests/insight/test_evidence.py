"""A packet for a dispute is signed, so that nobody can change its values or its pages unseen."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from pypdf import PdfReader, PdfWriter

from carriers.tracking import TrackingStatus
from connector.insight.dispute import gather, packet
from connector.insight.evidence import ATTACHED, NoEvidence, prove, text_of
from connector.quotes.window_tables import parcel_promises
from connector.storage.secrets import Keyring, new_key
from tests.labels.world import World, a_world, world

__all__ = ["a_world", "world"]
pytestmark = pytest.mark.anyio


async def scanned(world: World) -> str:
    """A parcel whose label was bought, and scanned once; its id."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    at = (world.clock.now() + timedelta(hours=5)).isoformat()
    scan = {"status": TrackingStatus.IN_TRANSIT, "at": at, "city": "Bratislava"}
    await world.deliver("tracking", {"number": "TRK1", "events": [scan]}, carrier=True)
    await world.drain()
    return parcel.id


async def test_the_packet_says_what_was_promised_and_what_the_carrier_saw(world: World) -> None:
    parcel_id = await scanned(world)
    mine = parcel_promises.update(world.shop_id).where(parcel_promises.c.parcel_id == parcel_id)
    days = {"quoted_earliest": date(2026, 12, 1), "quoted_latest": date(2026, 12, 3)}
    days |= {"earliest": date(2026, 12, 4), "latest": date(2026, 12, 4)}
    world.act(lambda connection: connection.execute(mine.values(**days)))
    parts = {part.title: part for part in world.act(gather, world.shop_id, parcel_id, world.clock.now()).parts}
    at = world.clock.now() + timedelta(hours=5)
    assert (f"{at:%Y-%m-%d %H:%M} UTC, in transit", "Bratislava") in parts["Scans"].rows
    assert parts["Promised"].rows == (
        ("Arrival as quoted", "2026-12-01 to 2026-12-03"),
        ("Arrival since the payment", "2026-12-04"),
    )


async def test_whether_a_packet_was_changed_is_seen_without_the_installation(world: World) -> None:
    parcel_id, keyring = await scanned(world), world.house.keyring
    made = world.act(packet, world.shop_id, parcel_id, world.clock.now(), keyring)
    key = text_of(keyring.public_key)
    told = PdfReader(io.BytesIO(made)).attachments[ATTACHED][0]
    assert (prove(made).state, prove(made).public_key, prove(told).state) == ("unchanged", key, "unchanged")
    again = io.BytesIO()
    PdfWriter(clone_from=io.BytesIO(made)).write(again)
    assert (prove(again.getvalue()).state, prove(again.getvalue()).public_key) == ("values", key)
    assert prove(told.replace(b"TRK1", b"TRK2")).state == "changed"
    tampered = PdfWriter(clone_from=io.BytesIO(made))
    tampered.add_blank_page()
    other = io.BytesIO()
    tampered.write(other)
    assert prove(other.getvalue()).state == "values"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"%PDF-1.7\n", b'{"values":1,"public_key":2}'])
def test_what_is_no_packet_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NoEvidence):
        prove(content)


def test_the_key_is_the_same_after_a_restart_and_another_one_for_another_installation() -> None:
    first, second = new_key(), new_key()
    keys = [Keyring.from_keys(each).public_key for each in ([first], [first, second], [second, first])]
    assert keys[0] == keys[1] != keys[2]
