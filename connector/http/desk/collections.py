"""Leaving the house: lists for carriers at the end of the day, and drivers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import anyio.to_thread
from sqlalchemy import Connection

from carriers.money import Money
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Download, Goto, NotThere, Page, View
from connector.labels import collect, uncollected
from connector.labels.desk_tables import manifests
from connector.labels.files import FileMissing, FilesUnreachable
from connector.labels.local_time import zone_at
from connector.words.reason import Reason


async def show(house: DeskHouse, ask: Ask) -> View:
    """What waits for carriers, the newest lists and pick-ups."""
    waiting, lists, drivers = await house.database.run(_read, ask.shop.id, ask.now)
    shop = ask.shop
    names = {account.id: account.kind.title for account in shop.accounts.values()}
    can = {account.id: account.connection.capabilities for account in shop.accounts.values()}
    values: dict[str, Any] = {
        "money_of": Money,
        "waiting": [(each, names.get(each.account_id, ""), len(each.labels)) for each in waiting],
        "can_list": any(each.account_id in can and can[each.account_id].manifest for each in waiting),
        "lists": [(row, names.get(row.account_id, ""), _why(row)) for row in lists],
        "drivers": [(row, names.get(row.account_id, ""), _why(row)) for row in drivers],
        "accounts": [(account_id, names[account_id]) for account_id, each in can.items() if each.pickup],
        "locations": [(each.id, each.name) for each in shop.locations],
        "again": any(row.state in {"asked", "unclear", "pending"} for row in lists)
        or any(row.state in {"planned", "intent", "sent", "unclear", "cancelling"} for row in drivers),
    }
    return View("collections.html", values)


async def act(house: DeskHouse, ask: Ask) -> Answer:
    """Make lists, ask for a driver, book one, send one home."""
    here, typed = f"{ask.base}/collections", ask.typed
    match typed.get("do", ""):
        case "manifest":
            made = await house.database.run(collect.ask_manifests, house.work, ask.shop, ask.actor, ask.now)
            return Goto(here, done="collections.listed", n=len(made))
        case "plan":
            zone = zone_at(ask.shop, typed.get("location", ""))
            earliest, latest = _moment(ask, "earliest", zone), _moment(ask, "latest", zone)
            if earliest is None or latest is None:
                field = "earliest" if earliest is None else "latest"
                return (await show(house, ask)).with_complaint(Complaint("collections.no_time", field))
            await house.database.run(
                collect.plan_pickup, house.work, ask.shop, typed.get("account", ""), typed.get("location", ""),
                earliest, latest, typed.get("instructions", "").strip(), ask.actor, ask.now,
            )  # fmt: skip
            return Goto(here, done="collections.asked")
        case "book":
            number = typed.get("number", "")
            n = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
            await house.database.run(
                collect.book_pickup, house.work, ask.shop.id, typed.get("pickup", ""), n, ask.actor, ask.now
            )
            return Goto(here, done="collections.booked")
        case "cancel":
            await house.database.run(
                collect.cancel_pickup, house.work, ask.shop.id, typed.get("pickup", ""), ask.actor, ask.now
            )
            return Goto(here, done="collections.cancelled")
    raise NotThere


async def paper(house: DeskHouse, ask: Ask) -> Answer:
    """The kept paper of a list."""
    row = await house.database.run(_list, ask.shop.id, ask.path["manifest"])
    if row is None or row.sha256 is None:
        raise NotThere
    try:
        content = await anyio.to_thread.run_sync(house.shelf.get, row.sha256)
    except (FileMissing, FilesUnreachable) as error:
        raise NotThere from error
    shown = row.media_type == "application/pdf"
    return Download(content, row.media_type, "manifest.pdf", inline=shown, sandboxed=not shown)


def _read(connection: Connection, shop_id: str, now: datetime) -> tuple[list[uncollected.Ready], list[Any], list[Any]]:
    waiting = uncollected.ready(connection, shop_id, now)
    return waiting, collect.recent_manifests(connection, shop_id), collect.recent_pickups(connection, shop_id)


def _list(connection: Connection, shop_id: str, manifest_id: str) -> Any:
    return connection.execute(manifests.select(shop_id).where(manifests.c.id == manifest_id)).one_or_none()


def _why(row: Any) -> Reason | None:
    return None if row.why is None else Reason.from_json(row.why)


def _moment(ask: Ask, name: str, zone: ZoneInfo) -> datetime | None:
    """What was typed, on the clock of the location."""
    try:
        return datetime.fromisoformat(ask.typed.get(name, "").strip()).replace(tzinfo=zone)
    except ValueError:
        return None


PAGES = (
    Page("/collections", place="collections", role="packer", show=show, act=act),
    Page("/collections/{manifest}/paper", place="collections", role="packer", show=paper),
)
