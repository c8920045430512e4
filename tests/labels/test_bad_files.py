"""A label file that is no label is not kept: a person is told, and it is fetched again until it is one."""

from __future__ import annotations

import pytest

from connector.attention.board import open_matters
from connector.storage.accounts import switch_account
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio


@pytest.mark.complaint(7)
@pytest.mark.parametrize("bad", [b"<html><body>AccessDenied</body></html>", b"%PDF-1.4 half of it"])
async def test_what_is_no_label_is_refused_told_and_fetched_again(world: World, bad: bytes) -> None:
    good = world.carrier.file_content
    world.carrier.file_content = bad
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    parcel = world.parcel(order.id)
    assert parcel.state == "bought"
    assert [row.sha256 for row in parcel.files] == [None]
    codes = [each.reason.code for each in world.act(open_matters, world.shop_id)]
    assert "label_file_bad" in codes
    world.carrier.file_content = good
    await world.pass_time(60)
    (row,) = world.parcel(order.id).files
    assert world.house.shelf.get(row.sha256) == good
    assert "label_file_bad" not in [each.reason.code for each in world.act(open_matters, world.shop_id)]


async def test_a_file_that_was_not_copied_before_its_account_was_removed_is_put_before_a_person(world: World) -> None:
    world.carrier.file_content = b"%PDF-1.4 half of it"
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.act(switch_account, world.shop_id, world.account_id, False, PERSON, world.clock.now())
    await world.house.directory.refresh()
    await world.pass_time(60)
    codes = [each.reason.code for each in world.act(open_matters, world.shop_id)]
    assert "label_file_lost" in codes
