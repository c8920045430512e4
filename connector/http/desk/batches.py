"""Batches: choose orders, look at the cost, buy with progress, print, see what came of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from carriers.money import Money
from connector.http.desk import lists
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, View
from connector.http.desk.prints import sheet_options, usual, what_options
from connector.labels import gates
from connector.labels.tables import BUYABLE
from connector.orders import batch_list, batch_sheet, batches, listing
from connector.orders.batches import Batch, Item, NoBatch, Preview
from connector.orders.listing import OrderFilter
from connector.words.spreadsheet import csv_bytes
from connector.work.lease import worker_runs

_SHOWN = 100
_PARTS = {
    "failed": ("stopped", "partly", "unclear", "file_missing", "nothing"),
    "open": ("open", "chosen"),
    "bought": ("bought",),
}
"""What may be shown of a batch by itself: orders with these outcomes."""

_FILTERS = ("state", "name", "country", "from", "to")


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The newest batches."""
    return View("batches.html", {"lines": await house.database.look(batch_list.recent, ask.shop.id)})


async def show_new(house: DeskHouse, ask: Ask) -> Answer:
    """The orders that could be bought, all of them chosen unless some are ticked."""
    chosen = _filter(ask.query, ask)
    page, count, fault = await house.database.look(_choice, ask.shop.id, chosen)
    hidden = {name: ask.query.get(name, "") for name in _FILTERS}
    values = {"lines": page, "count": count, "fault": fault, "chosen": chosen, "hidden": hidden}
    return View("batches_new.html", values)


async def act_new(house: DeskHouse, ask: Ask) -> Answer:
    """Put them on a batch, without those that were unticked; the next page says what it costs."""
    typed, ticked = ask.typed, ask.typed_lists.get("order", ())
    if typed.get("all") == "yes":
        chosen = _filter({name: typed.get(f"q_{name}", "") for name in _FILTERS}, ask)
        left_out = {each for each in typed.get("shown", "").split(",") if each} - set(ticked)
        ids = [
            each for each in await house.database.look(batches.matching, ask.shop.id, chosen) if each not in left_out
        ]
    else:
        ids = list(ticked)
    batch_id = await house.database.run(batches.make, ask.shop.id, ids, ask.actor, ask.now)
    return Goto(f"{ask.base}/batches/{batch_id}")


async def show_one(house: DeskHouse, ask: Ask) -> Answer:
    """A batch: before it is bought its cost, then how far it is, then what came of it. `format=csv` is the sheet."""
    batch = await _load(house, ask)
    if ask.query.get("format") == "csv":
        return await _sheet(house, ask, batch)
    shown_as = ask.query.get("show", "") if ask.query.get("show") in _PARTS else ""
    chosen = [each for each in batch.items if not shown_as or each.outcome in _PARTS[shown_as]]
    pages = max(1, -(-len(chosen) // _SHOWN))
    page = min(_number(ask.query.get("page", "")), pages)
    shown: Sequence[Item] = chosen[(page - 1) * _SHOWN : page * _SHOWN]
    items = await house.database.look(batch_sheet.with_names, house.keyring, shown)
    preview, capped, worker, prices = await house.database.look(_beside, ask.shop.id, batch, items)
    cost = await house.database.look(batch_list.costs, ask.shop.id, [batch.id])
    values: dict[str, Any] = {
        "batch": batch,
        "items": items,
        "prices": prices,
        "page": page,
        "pages": pages,
        "shown_as": shown_as,
        "parts": [("", len(batch.items)), *((key, batch.count(*states)) for key, states in _PARTS.items())],
        "preview": preview,
        "capped": capped,
        "worker": worker,
        "owner": ask.role == "owner",
        "whats": what_options(),
        "sheets": sheet_options(),
        "usual": usual(ask.shop.settings.paper),
        "failed": batch.count(*_PARTS["failed"]),
        "not_bought": batch_list.not_bought(batch),
        "cost": cost.get(batch.id, ()),
        "retry": batch.count("stopped", "partly"),
    }
    return View("batches_one.html", values)


async def _sheet(house: DeskHouse, ask: Ask, batch: Batch) -> Download:
    """The result sheet, with the addresses where what failed is put right."""
    cost = await house.database.look(batch_sheet.costs, ask.shop.id, batch)
    batch = replace(batch, items=await house.database.look(batch_sheet.with_names, house.keyring, batch.items))
    pages_at = f"{house.public_url}{ask.base}/orders"
    rows = batch_sheet.sheet_rows(batch, cost, lambda order_id: f"{pages_at}/{order_id}")
    return Download(csv_bytes(batch_sheet.SHEET_HEADER, rows), "text/csv; charset=utf-8", "batch.csv")


async def act_one(house: DeskHouse, ask: Ask) -> Answer:
    """Buy the labels, or ask once more for those that were not bought."""
    batch = await _load(house, ask)
    here = f"{ask.base}/batches/{batch.id}"
    match ask.typed.get("do", ""):
        case "buy":
            why = ask.typed.get("over_cap", "").strip() if ask.role == "owner" else ""
            await house.database.run(batches.buy, house.work, ask.shop.id, batch.id, ask.actor, ask.now, over_cap=why)
            return Goto(here)
        case "again":
            count = await house.database.run(batches.try_again, house.work, ask.shop.id, batch.id, ask.actor, ask.now)
            return Goto(here, done="batches.again", n=count)
        case _:
            shown = await show_one(house, ask.without_form())
            assert isinstance(shown, View)  # noqa: S101 - without a format it is one.
            return shown.with_complaint(Complaint("form.strange"))


async def _load(house: DeskHouse, ask: Ask) -> Batch:
    try:
        return await house.database.look(batches.load, ask.shop.id, ask.path["batch"])
    except NoBatch as error:
        raise NotThere from error


def _beside(
    connection: Connection, shop_id: str, batch: Batch, items: Sequence[Item]
) -> tuple[Preview | None, Any, bool, Mapping[str, tuple[Money, ...]]]:
    """The preview of what is not bought yet, the cap, whether a worker runs, and what the shown orders cost."""
    worker = worker_runs(connection)
    capped = gates.cap_reached(connection, shop_id)
    if batch.bought_at is None:
        preview = batches.preview(connection, shop_id, batch)
        return preview, capped, worker, preview.by_order
    cost = batch_sheet.costs(connection, shop_id, replace(batch, items=tuple(items)))
    by_order = {
        item.order_id: batches.summed(
            paid for each in item.line.bought if (paid := cost.get(each.label_id or "")) is not None
        )
        for item in items
        if item.line is not None
    }
    return None, capped, worker, by_order


def _number(text: str) -> int:
    """A page's number; the first where it is none."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def _choice(connection: Connection, shop_id: str, chosen: OrderFilter) -> tuple[list[Any], int, str]:
    """The first of the orders that could be bought, how many there are, and why they are too many."""
    try:
        ids = batches.matching(connection, shop_id, chosen)
    except NoBatch as error:
        some = [line for line in listing.page(connection, shop_id, chosen, None, _SHOWN).lines if line.can_buy]
        return some, 0, error.message
    return list(listing.some(connection, shop_id, ids[:_SHOWN])), len(ids), ""


def _filter(query: Any, ask: Ask) -> OrderFilter:
    """The filter of the orders' list, narrowed to what could be bought."""
    asked = Ask(ask.user, ask.role, ask.entry, ask.now, query=dict(query))
    return OrderFilter(
        state=lists.one_of(asked, "state", BUYABLE),
        not_bought=True,
        country=lists.country(asked),
        since=lists.day(asked, "from"),
        until=lists.day(asked, "to", end=True),
        name=asked.query.get("name", "").strip()[:60],
    )


PAGES = (
    Page("/batches", place="batches", role="packer", show=show),
    Page("/batches/new", place="batches", role="packer", show=show_new, act=act_new),
    Page("/batches/{batch}", place="batches", role="packer", show=show_one, act=act_one),
)
