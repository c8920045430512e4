"""Everything that shows how a bought parcel stands tells it from the file that is kept, and from nothing beside it."""

from __future__ import annotations

from typing import Any

import pytest

from carriers.errors import Unavailable
from connector.cli import orders as order_commands
from connector.labels.by_hand import Typed
from connector.labels.kept import files_of
from connector.labels.tables import label_files
from connector.orders import batch_list, batch_sheet, batches, listing
from connector.orders.by_hand import ship_by_hand
from connector.orders.listing import OrderFilter
from connector.storage.accounts import switch_account
from tests.labels.world import PERSON, World

pytestmark = pytest.mark.anyio
HTML = b"<html><body>AccessDenied</body></html>"


async def batch_of(world: World, count: int = 1) -> tuple[str, list[str]]:
    """A batch of orders that wait, asked for and bought as far as that goes; its id, and the orders'."""
    await world.set(buy="manual")
    ids = []
    for _ in range(count):
        order = await world.buy_from_quote()
        await world.refresh(order.id)
        ids.append(world.order(order.id).id)
    batch_id = world.act(batches.make, world.shop_id, ids, PERSON, world.clock.now())
    world.act(batches.buy, world.work, world.shop_id, batch_id, PERSON, world.clock.now())
    return batch_id, ids


def seen(world: World, batch_id: str) -> dict[str, Any]:
    """What each place says of the batch's first order."""
    batch = world.act(batches.load, world.shop_id, batch_id)
    item = batch.items[0]
    (row, *_) = batch_sheet.sheet_rows(batch, {}, lambda order_id: f"/orders/{order_id}")
    sheet = dict(zip(batch_sheet.SHEET_HEADER, row, strict=True))
    (line,) = world.act(listing.some, world.shop_id, [item.order_id])
    (recent,) = world.act(batch_list.recent, world.shop_id)
    order = world.order(item.order_id)
    return {
        "outcome": item.outcome,
        "open": batch.open,
        "sheet": (sheet["state"], bool(sheet["reason"]), bool(sheet["fix"])),
        "counts": dict(recent.counts),
        "listed": line.parcels[0].shown,
        "view": order.parcels[0].shown,
        "said": "\n".join(order_commands._lines(order)),
        "not_bought": batch_list.not_bought(batch),
    }


@pytest.mark.complaint(7)
@pytest.mark.parametrize("bad", [HTML, b"%PDF-1.4 half of it"])
async def test_a_label_whose_file_is_none_is_nowhere_shown_as_bought(any_world: World, bad: bytes) -> None:
    world = any_world
    good, world.carrier.file_content = world.carrier.file_content, bad
    batch_id, _ = await batch_of(world)
    await world.drain()
    found = seen(world, batch_id)
    assert "label file missing" in found.pop("said")
    assert found == {
        "outcome": "file_missing",
        "open": 0,
        "sheet": ("file_missing", True, True),
        "counts": {"file_missing": 1},
        "listed": "file_missing",
        "view": "file_missing",
        "not_bought": {"file_missing": 1},
    }
    assert world.act(batches.try_again, world.work, world.shop_id, batch_id, PERSON, world.clock.now()) == 0
    assert (len(world.carrier.sales), world.balances()["wallet"]) == (1, -700)
    world.carrier.file_content = good
    await world.pass_time(60)
    found = seen(world, batch_id)
    assert "label file" not in found.pop("said")
    assert found == {
        "outcome": "bought",
        "open": 0,
        "sheet": ("bought", False, False),
        "counts": {"bought": 1},
        "listed": "bought",
        "view": "bought",
        "not_bought": {},
    }


@pytest.mark.complaint(7)
async def test_the_reason_is_the_matters_own(world: World) -> None:
    world.carrier.file_content = HTML
    batch_id, _ = await batch_of(world)
    await world.drain()
    (matter,) = world.matters()
    (row,) = batch_sheet.sheet_rows(world.act(batches.load, world.shop_id, batch_id))
    assert dict(zip(batch_sheet.SHEET_HEADER, row, strict=True))["reason"] == matter.reason.say()
    assert world.act(listing.page, world.shop_id, OrderFilter(needs_person=True)).lines[0].matters == (matter.reason,)


async def test_while_it_is_fetched_for_the_first_time_it_comes_and_the_batch_ends_though_it_never_does(
    world: World,
) -> None:
    """One failure may be chance; after the second a person is told, and the batch waits no longer."""
    world.carrier.file_errors.extend([Unavailable("Down.")] * 100)
    batch_id, _ = await batch_of(world)
    await world.drain()
    found = seen(world, batch_id)
    assert (found["outcome"], found["open"], found["listed"], found["view"]) == ("open", 1, *["file_coming"] * 2)
    assert (found["counts"], found["sheet"]) == ({"open": 1}, ("file_coming", False, False))
    await world.pass_time(30)
    found = seen(world, batch_id)
    assert (found["outcome"], found["open"], world.matter_codes()) == ("file_missing", 0, ["label_file_late"])
    world.carrier.file_errors.clear()
    await world.pass_time(3600, step_s=60)
    assert (seen(world, batch_id)["outcome"], world.matter_codes()) == ("bought", [])


async def test_a_file_that_was_lost_with_its_account_is_missing_too(world: World) -> None:
    world.carrier.file_content = HTML
    batch_id, _ = await batch_of(world)
    await world.drain()
    world.act(switch_account, world.shop_id, world.account_id, False, PERSON, world.clock.now())
    await world.house.directory.refresh()
    await world.pass_time(60)
    assert seen(world, batch_id)["outcome"] == "file_missing"


async def test_a_file_that_went_after_its_time_needs_nobody(world: World) -> None:
    batch_id, _ = await batch_of(world)
    await world.drain()
    gone = label_files.update(world.shop_id).values(sha256=None, url="")
    world.act(lambda connection: connection.execute(gone))
    found = seen(world, batch_id)
    assert (found["outcome"], found["listed"], found["counts"]) == ("bought", "file_gone", {"bought": 1})


async def test_a_label_without_any_row_of_a_file_cannot_be_printed(world: World) -> None:
    batch_id, _ = await batch_of(world)
    await world.drain()
    world.act(lambda connection: connection.execute(label_files.delete(world.shop_id)))
    assert (seen(world, batch_id)["outcome"], world.act(files_of, world.shop_id, [])) == ("file_missing", {})


async def test_a_number_that_was_typed_by_hand_has_no_file_to_miss(world: World) -> None:
    await world.set(buy="manual")
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    order_id = world.order(order.id).id
    typed = Typed("Courier", "AB123456789")
    world.act(ship_by_hand, world.work, world.shop_id, order_id, typed, PERSON, world.clock.now(), notify_buyer=False)
    (line,) = world.act(listing.some, world.shop_id, [order_id])
    assert (line.parcels[0].shown, line.parcels[0].file, world.parcel(order.id).shown) == ("bought", None, "bought")


async def test_of_several_labels_only_those_without_their_file_count(world: World) -> None:
    batch_id, _ = await batch_of(world, 3)
    world.carrier.file_errors.extend([Unavailable("Down.")] * 2)
    await world.pass_time(5)
    counts = seen(world, batch_id)["counts"]
    assert sum(counts.values()) == 3
    await world.pass_time(60)
    assert seen(world, batch_id)["counts"] == {"bought": 3}
