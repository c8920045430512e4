"""Each change of a label checks what it changes: who read it too long ago changes nothing any more."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from carriers.label import Created
from carriers.money import Money
from carriers.rate import Rate
from connector.labels import record
from connector.labels.tables import parcels
from connector.words.reason import Reason
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio

RATE = Rate("ca_1", "Fake", "Ground", Money(700, "EUR"), rate_id="shp_x.Ground")
WHY = Reason("order_changed")
Change = Callable[[Connection, World, Any], Any]

CHANGES: dict[str, Change] = {
    "write_intent": lambda c, world, row: record.write_intent(c, row, RATE, WHY, PERSON, world.clock.now()),
    "mark_sent": lambda c, world, row: record.mark_sent(c, row, world.clock.now()),
    "not_sent": lambda c, world, row: record.not_sent(c, row),
    "unclear": lambda c, world, row: record.unclear(c, world.work, row, world.clock.now(), world.clock.now()),
    "again": lambda c, world, row: record.again(c, world.work, row, None, world.clock.now()),
    "refused": lambda c, world, row: record.refused(c, world.work, row, WHY, world.clock.now()),
    "drop": lambda c, world, row: record.drop(c, row, world.clock.now()),
}
LEADS_TO = {
    "created": {"write_intent": "intent", "refused": "refused", "drop": "dropped"},
    "intent": {"mark_sent": "sent", "refused": "refused", "drop": "dropped"},
    "sent": {"not_sent": "intent", "unclear": "unknown", "again": "intent", "refused": "refused"},
    "unknown": {"unclear": "unknown", "again": "intent", "refused": "refused"},
}
PATHS: dict[str, list[str]] = {
    "created": [],
    "intent": ["write_intent"],
    "sent": ["write_intent", "mark_sent"],
    "unknown": ["write_intent", "mark_sent", "unclear"],
}


def read(world: World, row: Any) -> Any:
    """The label as it is now."""
    found = world.act(record.label_of, world.shop_id, row.id)
    assert found is not None
    return found


async def label_at(world: World, state: str) -> Any:
    """A label that came to this state by the usual way; as it is read now."""
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel = world.act(record.parcel_of, world.shop_id, world.parcel(order.id).id)
    made = Created("shp_x", (RATE,), test_mode=True)
    row: Any = world.act(record.open_label, parcel, world.account_id, "fake", made, PERSON, world.clock.now())
    for name in PATHS[state]:
        world.act(CHANGES[name], world, row)
        row = read(world, row)
    assert row is not None
    assert row.state == state
    return row


@pytest.mark.parametrize("state", LEADS_TO)
async def test_a_change_leads_on_from_its_states_and_from_no_other(world: World, state: str) -> None:
    for name, change in CHANGES.items():
        row = await label_at(world, state)
        world.act(change, world, row)
        assert read(world, row).state == LEADS_TO[state].get(name, state), name


@pytest.mark.parametrize("state", LEADS_TO)
async def test_who_read_the_label_before_it_moved_changes_nothing(any_world: World, state: str) -> None:
    """The same state may come twice (sent, taken back, sent again): what was read the first time does not count."""
    for name in LEADS_TO[state]:
        row = await label_at(any_world, state)
        stale = SimpleNamespace(**{**row._mapping, "version": row.version - 1})
        any_world.act(CHANGES[name], any_world, stale)
        assert read(any_world, row) == row, name


async def test_two_look_ups_that_found_nothing_lead_to_one_more_purchase(any_world: World) -> None:
    """The second one ends only when the purchase after the first is on its way: it must not set it back."""
    row = await label_at(any_world, "unknown")
    any_world.act(CHANGES["again"], any_world, row)
    any_world.act(CHANGES["mark_sent"], any_world, read(any_world, row))
    any_world.act(CHANGES["again"], any_world, row)
    assert read(any_world, row).state == "sent"


async def test_a_parcel_that_was_cancelled_meanwhile_gets_no_label(any_world: World) -> None:
    await any_world.set(buy="manual")
    order = await any_world.buy_from_quote()
    await any_world.refresh(order.id)
    parcel: Any = any_world.act(record.parcel_of, any_world.shop_id, any_world.parcel(order.id).id)
    made = Created("shp_x", (RATE,), test_mode=True)
    for state in ("cancelled", "bought", "voided", "unknown"):
        change = parcels.update(any_world.shop_id).where(parcels.c.id == parcel.id).values(state=state)
        any_world.act(lambda connection, change=change: connection.execute(change))
        now = any_world.clock.now()
        assert any_world.act(record.open_label, parcel, any_world.account_id, "fake", made, PERSON, now) is None


async def test_what_was_paid_for_is_recorded_whatever_became_of_the_parcel(any_world: World) -> None:
    order = await any_world.buy_from_quote()
    any_world.carrier.plays.append("lost-answer")
    await any_world.refresh(order.id)
    parcel_id = any_world.parcel(order.id).id
    change = parcels.update(any_world.shop_id).where(parcels.c.id == parcel_id).values(state="cancelled")
    any_world.act(lambda connection: connection.execute(change))
    await any_world.pass_time(10)
    assert any_world.parcel(order.id).state == "bought"
    assert any_world.balances()["postage:bought"] == 700
