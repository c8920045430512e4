"""Label files go after their time, and with the recipient; what nothing refers to leaves the shelf."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.labels import retention
from connector.labels.files import FileMissing, LabelShelf
from connector.storage.secrets import Keyring, new_key
from tests.labels.world import World

pytestmark = pytest.mark.anyio


async def shipped(world: World) -> str:
    """An order whose label was bought, with its files on the shelf."""
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    return order.id


async def test_a_file_goes_after_its_time_and_its_row_says_so(any_world: World) -> None:
    order_id = await shipped(any_world)
    (row,) = any_world.parcel(order_id).files
    now = any_world.clock.now()
    assert any_world.act(retention.forget_old, now) == 0
    assert any_world.act(retention.forget_old, now + timedelta(seconds=1)) == 1
    assert [each.sha256 for each in any_world.parcel(order_id).files] == [None]
    assert row.sha256 not in any_world.act(retention.referred_to)


async def test_an_orders_files_go_with_its_recipient_and_others_stay(any_world: World) -> None:
    gone, kept = await shipped(any_world), await shipped(any_world)
    assert any_world.act(retention.forget_of, any_world.shop_id, [gone]) == 1
    assert [each.sha256 for each in any_world.parcel(gone).files] == [None]
    assert all(each.sha256 for each in any_world.parcel(kept).files)
    assert any_world.act(retention.forget_of, any_world.shop_id, None) == 1


def test_the_shelf_is_cleared_of_what_nothing_refers_to(tmp_path: Path) -> None:
    shelf = LabelShelf(tmp_path, Keyring.from_keys([new_key()]))
    kept, gone = shelf.put(b"kept"), shelf.put(b"gone")
    assert shelf.clear({kept}) == 0  # It is young: its row may be on its way.
    assert shelf.clear({kept}, older_than_s=0) == 1
    assert shelf.get(kept) == b"kept"
    with pytest.raises(FileMissing):
        shelf.get(gone)
