"""A label that nobody sells to us waits for a person, before anything is asked of anyone."""

from __future__ import annotations

from pathlib import Path

import pytest

from carriers.carrier import Capabilities
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import a_world

pytestmark = pytest.mark.anyio


async def test_a_parcel_of_a_rate_table_is_held_with_what_to_do(tmp_path: Path, clock: FrozenClock) -> None:
    carrier = FakeCarrier(capabilities=Capabilities("refused", 60, sells_labels=False))
    async with a_world(f"sqlite:///{tmp_path / 'waybill.db'}", tmp_path, clock, carrier=carrier) as world:
        order = await world.buy_from_quote()
        await world.refresh(order.id)
        parcel = world.parcel(order.id)
        assert parcel.state == "held"
        assert parcel.why is not None
        assert parcel.why.code == "by_hand"
        assert (carrier.created, carrier.sales) == ([], [])
