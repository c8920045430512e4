"""What goes into a print: each label once, in the account's format, and each page says what lies in the parcel."""

from __future__ import annotations

import io
from datetime import UTC
from typing import Any

import pytest
from pypdf import PdfReader

from connector.labels.kept import to_print
from connector.labels.tables import label_files
from connector.orders.print_set import PrintPlan, What, plan_print, read_print
from tests.labels.world import World
from tests.simulators.easypost_labels import label

pytestmark = pytest.mark.anyio
FORMATS = {"application/zpl": "ZPL", "image/png": "PNG", "application/pdf": "PDF"}


def planned(world: World, *parcel_ids: str) -> PrintPlan:
    what = What(slips=False)
    return world.act(plan_print, world.house.keyring, world.shop, parcel_ids, what, None, UTC)


async def bought(world: World) -> Any:
    order = await world.buy_from_quote()
    await world.refresh(order.id)
    return world.parcel(order.id)


def has_also(world: World, label_id: str, *media_types: str) -> None:
    """The carrier gave the same label in these formats too."""
    now = world.clock.now()
    for number, media_type in enumerate(media_types):
        content = label(FORMATS[media_type], f"as {media_type}")
        values: dict[str, Any] = {"kind": "label", "media_type": media_type, "url": ""}
        values |= {"sha256": world.house.shelf.put(content)}
        values |= {"id": f"fil_0{number}", "label_id": label_id, "bytes": len(content), "fetched_at": now}
        row = label_files.insert(world.shop_id, **values)
        world.act(lambda connection, row=row: connection.execute(row))


@pytest.mark.complaint(2)
async def test_each_page_names_its_order_its_parcel_its_number_and_what_lies_in_it(world: World) -> None:
    parcel = await bought(world)
    plan = planned(world, parcel.id)
    (one,) = plan.parcels
    assert one.caption == f"{one.order}  parcel 1 of 1  {parcel.label.tracking_code}  2x MUG-1, 1x POT-1"
    _, printed = await read_print(world.house.shelf, plan, "")
    (page,) = PdfReader(io.BytesIO(printed.pdf)).pages
    assert f"1 / 1  {one.caption}" in page.extract_text()


@pytest.mark.complaint(2)
async def test_a_label_that_is_kept_in_several_formats_is_printed_once(world: World) -> None:
    parcel = await bought(world)
    has_also(world, parcel.label.id, "application/zpl", "image/png")
    (one,) = planned(world, parcel.id).parcels
    (own,) = [each for each in parcel.files if each.kind == "label"]
    assert (one.files, one.why_not) == ((("label", own.sha256),), None)


class Row:
    """A file's row, as far as it counts here."""

    def __init__(self, media_type: str, sha256: str = "there", kind: str = "label") -> None:
        self.id, self.media_type, self.sha256, self.kind = f"fil_{media_type}", media_type, sha256, kind


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [(None, "application/pdf"), ("pdf", "application/pdf"), ("png", "image/png"), ("zpl", "application/zpl")],
)
def test_the_accounts_format_is_the_one_that_is_printed(asked: str | None, chosen: str) -> None:
    rows = [Row(each) for each in FORMATS]
    assert to_print(rows, {"label_format": asked}).media_type == chosen  # type: ignore[union-attr]
    assert to_print(rows[::-1], {"label_format": asked}).media_type == chosen  # type: ignore[union-attr]


def test_of_what_is_not_here_another_format_is_printed_and_no_other_paper() -> None:
    rows = [Row("application/pdf", ""), Row("image/png"), Row("application/pdf", kind="customs")]
    assert to_print(rows, {"label_format": "pdf"}) is rows[1]
    assert to_print(rows[::2], {}) is None
