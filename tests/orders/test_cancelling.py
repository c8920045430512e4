"""An order that is cancelled after its label was bought, and before anybody scanned it."""

from __future__ import annotations

import pytest

from connector.labels.tables import labels
from tests.labels.world import World

pytestmark = pytest.mark.anyio


async def cancelled(world: World, **settings: str) -> str:
    """An order with a bought label, cancelled in the store; its id."""
    await world.set(**settings)
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    assert world.parcel(order.id).state == "bought"
    world.change(order.id, cancelled=True)
    await world.refresh(order.id)
    return order.id


def actors(world: World) -> list[tuple[str, str]]:
    found = world.act(lambda connection: connection.execute(labels.select(world.shop_id)).all())
    return [(row.state, row.void_reason) for row in found]


@pytest.mark.complaint(4)
async def test_its_label_is_voided_by_rule_with_the_reason_and_the_store_s_fulfilment_is_taken_back(
    world: World,
) -> None:
    await cancelled(world)
    assert world.carrier.voids == ["shp_1"]
    assert actors(world) == [("voided", "order_cancelled")]
    assert world.store.cancelled == ["ful_1"]
    assert world.matters() == []


async def test_nothing_of_it_is_pushed_or_told_any_more(world: World) -> None:
    """A late scan of the voided label comes before a person, and not before the buyer."""
    await cancelled(world)
    told = len(world.store.timeline)
    scan = {"number": "TRK1", "events": [{"status": "in_transit", "at": "2026-11-23T12:00:00+00:00"}]}
    await world.deliver("tracking", scan, carrier=True)
    await world.pass_time(60)
    assert len(world.store.timeline) == told
    assert len(world.store.fulfilments) == 1
    assert world.matter_codes() == ["voided_scanned"]


async def test_a_shop_may_keep_its_labels_and_is_asked_then(world: World) -> None:
    order_id = await cancelled(world, void_on_cancel="no")
    assert world.carrier.voids == []
    assert world.matter_codes() == ["cancelled_with_label"]
    assert world.parcel(order_id).state == "bought"
