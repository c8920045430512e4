"""Files that people give the desk: tracking numbers of many orders as a CSV, and the logo of the slips."""

from __future__ import annotations

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Complaint, Goto, Page, View
from connector.labels import logo
from connector.orders.ship_many import KNOWN, NEEDED, BadFile, Outcome, read_rows, ship_row

_SHOWN = 500


async def show_numbers(_house: DeskHouse, _ask: Ask) -> Answer:
    """The form, and what the file has to look like."""
    return _numbers([])


async def take_numbers(house: DeskHouse, ask: Ask) -> Answer:
    """Take each line for itself; the lines that could not be taken are shown with their fields and reasons."""
    content = ask.files.get("file", b"")
    if not content:
        return _numbers([], Complaint("upload.no_file", "file"))
    try:
        rows = read_rows(content)
    except BadFile as error:
        return _numbers([], Complaint(text=error.message, field="file"))
    found = [
        await house.database.run(
            ship_row, house.work, ask.shop.id, row, ask.actor, ask.now, notify_buyer=ask.shop.settings.store_notifies
        )
        for row in rows
    ]
    kept = sum(each.outcome == "kept" for each in found)
    if all(each.outcome != "refused" for each in found):
        return Goto(f"{ask.base}/orders", done="numbers.kept", n=kept)
    return _numbers(found)


def _numbers(found: list[Outcome], complaint: Complaint | None = None) -> View:
    refused = [each for each in found if each.outcome == "refused"]
    values = {
        "needed": ", ".join(NEEDED),
        "more": ", ".join(each for each in KNOWN if each not in NEEDED),
        "kept": sum(each.outcome == "kept" for each in found),
        "known": sum(each.outcome == "known" for each in found),
        "refused": refused[:_SHOWN],
        "count": len(refused),
    }
    return View("numbers.html", values, complaint, 200 if complaint is None else 422)


async def show_logo(house: DeskHouse, ask: Ask) -> Answer:
    """Whether there is a logo, and a form for another."""
    return View("logo.html", {"there": bool(await house.database.run(logo.load, ask.shop.id))})


async def act_logo(house: DeskHouse, ask: Ask) -> Answer:
    """Keep a logo, or take it away."""
    here = f"{ask.base}/logo"
    if ask.typed.get("do") == "remove":
        await house.database.run(logo.remove, ask.shop.id, ask.actor, ask.now)
        return Goto(here, done="logo.removed")
    content = ask.files.get("file", b"")
    try:
        if content:
            await house.database.run(logo.put, ask.shop.id, content, ask.actor, ask.now)
            return Goto(here, done="logo.kept")
        complaint = Complaint("upload.no_file", "file")
    except logo.BadLogo as error:
        complaint = Complaint(text=error.message, field="file")
    there = bool(await house.database.run(logo.load, ask.shop.id))
    return View("logo.html", {"there": there}, complaint, 422)


PAGES = (
    Page("/orders/numbers", place="orders", role="packer", show=show_numbers, act=take_numbers, uploads=True),
    Page("/logo", place="settings", role="owner", show=show_logo, act=act_logo, uploads=True),
)
