"""Prints: labels, slips and papers of chosen parcels as one file, in order; and the pick list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

import structlog
from sqlalchemy import Connection

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, View
from connector.labels.paper.apart import PrintFailed
from connector.labels.paper.sheets import SHEETS, SheetName
from connector.orders import batches, listing
from connector.orders.print_set import PrintPlan, What, plan_picks, plan_print, read_picks, read_print
from connector.paper_settings import PaperSettings
from connector.words.desk_texts import say

MOST = 1000
log = structlog.get_logger("waybill.http.desk")
WHATS: dict[str, What] = {
    "all": What(),
    "papers": What(slips=False),
    "labels": What(slips=False, papers=False),
    "slips": What(labels=False, papers=False),
}
_PDF = "application/pdf"


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The print of a batch or of orders: `batch` or `ids`, `what` and `sheet`; or what keeps it from being made."""
    if not any(ask.query.get(name) for name in ("batch", "ids", "parcel")):
        return Goto(f"{ask.base}/batches")
    return await _print(house, ask, await house.database.look(_asked, ask), ask.query)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """The print of the ticked parcels."""
    chosen: Sequence[str] = ask.typed_lists.get("parcel", ())[:MOST]
    if ask.typed.get("whole") == "yes":
        wanted = {"batch": ask.typed.get("batch", ""), "what": ask.typed.get("what", "")}
        chosen = await house.database.look(_asked, replace(ask, query=wanted))
    if not chosen:
        said: dict[str, Any] = {"code": "print.nothing", "request_id": ""}
        if (batch := ask.typed.get("batch", "")).startswith("bat_"):
            said["back"] = f"{ask.base}/batches/{quote(batch, safe='')}"
        return View("message.html", said, Complaint("print.none_ticked"))
    return await _print(house, ask, chosen, ask.typed)


async def _print(house: DeskHouse, ask: Ask, parcel_ids: Sequence[str], asked: Any) -> Answer:
    sheet = cast("SheetName | None", asked.get("sheet") if asked.get("sheet") in SHEETS else None)
    what = asked.get("what", "")
    if what == "picks":
        return await _picks(house, ask, parcel_ids, sheet)
    wanted = WHATS.get(what) or WHATS[usual(ask.shop.settings.paper)[0]]
    plan = await house.database.run(plan_print, house.keyring, ask.shop, parcel_ids, wanted, sheet, ask.zone)
    if plan.is_empty:
        return _nothing(plan)
    try:
        plan, printed = await read_print(house.shelf, plan, house.fonts)
    except PrintFailed as error:
        return _failed(error)
    if (asked.get("form") == "zpl" or not printed.pdf) and printed.zpl:
        return Download(printed.zpl, "application/octet-stream", "labels.zpl", sandboxed=True)
    if not printed.pdf:
        return _nothing(plan)
    if plan.missing and asked.get("anyway") != "yes" and wanted.labels:
        return View(
            "prints_missing.html",
            {
                "plan": plan,
                "chosen": [each.parcel_id for each in plan.parcels],
                "what": what,
                "sheet": plan.sheet,
                "query": ask.query,
                "zpl": printed.zpl_labels,
            },
        )
    return Download(printed.pdf, _PDF, f"{'slips' if what == 'slips' else 'labels'}.pdf", inline=True)


async def _picks(house: DeskHouse, ask: Ask, parcel_ids: Sequence[str], sheet: SheetName | None) -> Answer:
    wanted = await house.database.run(plan_picks, ask.shop.id, parcel_ids)
    if not wanted:
        raise NotThere
    chosen: SheetName = sheet or ("a4" if ask.shop.settings.paper.sheet == "4x6" else ask.shop.settings.paper.sheet)
    try:
        content = await read_picks(wanted, len(parcel_ids), chosen, house.fonts)
    except PrintFailed as error:
        return _failed(error)
    return Download(content, _PDF, "pick-list.pdf", inline=True)


def _failed(error: PrintFailed) -> View:
    log.error("print not made", said=error.detail)
    return View("message.html", {"code": "print.failed", "request_id": ""}, status=500)


def _nothing(plan: PrintPlan) -> Answer:
    if not plan.parcels:
        raise NotThere
    values = {"plan": plan, "chosen": [], "what": "", "sheet": plan.sheet, "query": {}, "zpl": 0}
    return View("prints_missing.html", values, status=404)


def _asked(connection: Connection, ask: Ask) -> list[str]:
    """The parcels that the address names."""
    if batch_id := ask.query.get("batch", ""):
        try:
            batch = batches.load(connection, ask.shop.id, batch_id)
        except batches.NoBatch as error:
            raise NotThere from error
        if ask.query.get("what") in {"picks", "slips"}:
            return [each.id for item in batch.items if item.line is not None for each in item.line.parcels]
        return batch.parcels
    ids = [each for each in ask.query.get("ids", "").split(",") if each][:MOST]
    lines = listing.some(connection, ask.shop.id, ids)
    found = [each.id for line in lines for each in line.parcels]
    found += [each for each in ask.query.get("parcel", "").split(",") if each.startswith("par_")][:MOST]
    if not found:
        raise NotThere
    return found


def what_options() -> list[tuple[str, str]]:
    """What may be printed, for a form."""
    return [(each, say(f"print.what.{each}")) for each in (*WHATS, "picks")]


def sheet_options() -> list[tuple[str, str]]:
    """The sheets, for a form."""
    return [(each, say(f"print.sheet.{each}")) for each in SHEETS]


def usual(paper: PaperSettings) -> tuple[str, str]:
    """What the shop prints where nothing else is chosen, and on which sheet."""
    return "all" if paper.slips else "papers", paper.sheet


PAGES = (Page("/print", place="orders", role="packer", show=show, act=act),)
