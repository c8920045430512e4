"""What shipping really costs: a page with its figures, a picture, the worst orders; the whole as a table."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import anyio.to_thread
from markupsafe import Markup

from carriers.money import Money, MoneyError
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Download, Goto, NotThere, Page, View
from connector.http.desk.render import with_query
from connector.insight import cost_csv, cost_picture
from connector.insight.dispute import NothingToDispute, packet
from connector.insight.prices import lists_of
from connector.insight.truth import OrderCost, Truth
from connector.labels.invoices import leftovers, set_aside
from connector.words.desk_texts import say
from connector.words.spreadsheet import csv_bytes

PERIODS = (30, 90, 365)
_WORST = 25
_LEFT, _LEFT_IN_FILE = 50, 50_000
_LEFT_HEADER = ("imported", "invoice", "number", "amount", "word", "why")


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The figures of the last days, and the orders that lost most."""
    if ask.query.get("format") == "left":
        return await _left_over(house, ask)
    days = _days(ask)
    limit, typed = _limit(ask)
    since = datetime.combine(ask.now.date() - timedelta(days=days), time(), UTC)
    currency = ask.shop.record.currency
    found = await house.database.look(house.costs.truth, ask.shop.id, currency, since, limit, lists_of(ask.shop))
    if ask.query.get("format") == "csv":
        body = await anyio.to_thread.run_sync(lambda: csv_bytes(cost_csv.HEADER, cost_csv.rows(found)))
        return Download(body, "text/csv; charset=utf-8", "costs.csv")
    left = await house.database.look(leftovers, ask.shop.id, _LEFT + 1)
    picture = cost_picture.draw(found.periods, say("costs.picture"))
    values = {
        "truth": found,
        "worst": _worst(found),
        "dearer": _dearer(found),
        "picture": Markup(picture),  # noqa: S704 - it is drawn here, from figures and dates alone.
        "days": days,
        "periods": PERIODS,
        "limit": typed,
        "left": left[:_LEFT],
        "more_left": len(left) > _LEFT,
        "left_csv": with_query({}, format="left"),
        "csv": with_query(ask.query, format="csv"),
    }
    return View("costs.html", values)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Set lines of invoices aside that will never have a label."""
    if ask.typed.get("do") != "aside":
        raise NotThere
    keys = ask.typed_lists.get("line", ())[:_LEFT]
    found = await house.database.run(set_aside, ask.shop.id, keys, ask.actor, ask.now)
    return Goto(f"{ask.base}/costs", done="costs.aside", n=found)


async def _left_over(house: DeskHouse, ask: Ask) -> Download:
    """Every line of invoices that has no label, as a table."""
    left = await house.database.look(leftovers, ask.shop.id, _LEFT_IN_FILE)
    rows = [(each.at, each.line.invoice, each.line.name, each.line.amount, each.line.reason, each.why) for each in left]
    body = await anyio.to_thread.run_sync(csv_bytes, _LEFT_HEADER, rows)
    return Download(body, "text/csv; charset=utf-8", "invoice-lines.csv")


async def file(house: DeskHouse, ask: Ask) -> Answer:
    """A parcel's packet for a dispute."""
    parcel_id = ask.path["parcel"]
    try:
        lists = lists_of(ask.shop)
        body = await house.database.run(packet, ask.shop.id, parcel_id, ask.now, house.keyring, house.fonts, lists)
    except NothingToDispute as error:
        raise NotThere from error
    return Download(body, "application/pdf", f"{parcel_id}.pdf")


def _worst(found: Truth) -> list[OrderCost]:
    losing = [each for each in found.orders if (each.loss or 0) > 0]
    return sorted(losing, key=lambda each: -(each.loss or 0))[:_WORST]


def _dearer(found: Truth) -> list[OrderCost]:
    billed = [each for each in found.orders if each.dearer and each.added is not None]
    return sorted(billed, key=lambda each: -(each.added or each.charged).minor)[:_WORST]


def _days(ask: Ask) -> int:
    text = ask.query.get("days", "")
    return int(text) if text in {str(each) for each in PERIODS} else PERIODS[1]


def _limit(ask: Ask) -> tuple[Money, str]:
    """What an order may lose before it is counted: one of the currency's unit where nothing sensible is typed."""
    currency = ask.shop.record.currency
    text = ask.query.get("limit", "").strip()[:12]
    try:
        return Money.parse(text or "1", currency), text or "1"
    except MoneyError:
        return Money.parse("1", currency), "1"


PAGES = (
    Page("/costs", place="costs", role="owner", show=show, act=act),
    Page("/costs/{parcel}/dispute", place="costs", role="owner", show=file),
)
