"""What goes wrong around labels and their money: damaged files, amounts that cannot be, a click beside a purchase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from carriers.errors import Refused
from carriers.label import Created, Voided
from carriers.money import Money
from carriers.parcel import Shipment
from connector.labels import record
from connector.labels.by_hand import Typed
from connector.labels.files import FileMissing, FilesUnreachable
from connector.labels.voids import NotVoidable, note_money_back, request_void
from connector.orders.by_hand import ship_by_hand
from tests.conftest import FrozenClock
from tests.labels.fakes import FakeCarrier
from tests.labels.world import PERSON, World, a_world

pytestmark = pytest.mark.anyio


# --- files


@pytest.mark.parametrize("content", [b"", b"not sealed at all", b"\xff\xfe\x00"])
async def test_a_kept_file_that_was_cut_short_counts_as_missing(world: World, content: bytes) -> None:
    shelf = world.house.shelf
    digest = shelf.put(b"a label")
    (path,) = (world.folder / "labels").rglob("*.sealed")
    path.write_bytes(content)
    with pytest.raises(FileMissing):
        shelf.get(digest)


async def test_a_damaged_file_is_mended_by_keeping_the_same_content_again(world: World) -> None:
    shelf = world.house.shelf
    digest = shelf.put(b"a label")
    (path,) = (world.folder / "labels").rglob("*.sealed")
    path.write_bytes(path.read_bytes()[:20])
    assert shelf.put(b"a label") == digest
    assert shelf.get(digest) == b"a label"


async def test_a_folder_that_cannot_be_read_is_unreachable_and_not_a_crash(world: World) -> None:
    shelf = world.house.shelf
    digest = shelf.put(b"a label")
    (path,) = (world.folder / "labels").rglob("*.sealed")
    path.unlink()
    path.mkdir()
    with pytest.raises(FilesUnreachable):
        shelf.get(digest)


# --- money that came back, typed by a person


@pytest.mark.parametrize(
    ("amount", "days", "field"),
    [
        ("-7.00", 0, "--back"),
        ("0", 0, "--back"),
        ("700", 0, "--back"),
        ("7.01", 0, "--back"),
        ("seven", 0, "--back"),
        ("7.001", 0, "--back"),
        ("7.00", 1, "--on"),
        ("7.00", -2, "--on"),
    ],
)
async def test_no_more_comes_back_than_was_paid_and_not_before_or_after_it_could(
    world: World, amount: str, days: int, field: str
) -> None:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    world.carrier.void_answers.append(Voided("requested"))
    world.act(request_void, world.work, world.shop_id, world.parcel(order.id).id, "wrong", PERSON, world.clock.now())
    await world.drain()
    before = world.balances()
    (label,) = world.labels_of(world.parcel(order.id).id)
    now = world.clock.now()
    with pytest.raises(NotVoidable) as told:
        world.act(note_money_back, label, amount, now + timedelta(days=days), now, PERSON)
    assert told.value.detail == field
    assert world.balances() == before
    world.act(note_money_back, label, "6.50", now, now, PERSON)
    assert world.balances()["postage:lost"] == 50


# --- a person beside a purchase that is under way


@dataclass(eq=False)
class Beside(FakeCarrier):
    """A carrier that is slow to refuse: meanwhile a person types the number of a label from elsewhere."""

    world: World | None = None
    order_id: str = ""

    async def create(self, shipment: Shipment) -> Created:
        assert self.world is not None
        typed = Typed("Post", "RR123456789SK", "", Money(540, "EUR"))
        world, now = self.world, self.world.clock.now()
        world.act(
            ship_by_hand, world.work, world.shop_id, self.order_id, typed, PERSON, now, notify_buyer=False
        )  # fmt: skip
        raise Refused("No such service.")


async def test_a_number_typed_while_the_carrier_refuses_stays_the_parcels_label(
    database_url: str, tmp_path: object, clock: FrozenClock
) -> None:
    carrier = Beside()
    async with a_world(database_url, tmp_path, clock, carrier=carrier) as world:  # type: ignore[arg-type]  # A Path.
        carrier.world = world
        order = await world.buy_from_quote()
        carrier.order_id = order.id
        await world.refresh(order.id)
        parcel = world.parcel(order.id)
        assert parcel.label is not None
        assert (parcel.state, parcel.label.tracking_code) == ("bought", "RR123456789SK")
        assert world.matter_codes() == []
        assert world.act(record.live_label, world.shop_id, parcel.id) is not None
