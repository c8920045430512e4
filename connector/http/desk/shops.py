"""`/desk`: which shop; those with one shop never see it, those with hundreds search."""

from __future__ import annotations

from connector.attention.board import open_matters
from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Goto, Page, View

_AT_ONCE = 50


async def show(house: DeskHouse, ask: Ask) -> Answer:
    """The shops of a person, by name; the only one at once."""
    mine = [each for each in house.directory.shops() if ask.user.role_in(each.id) is not None]
    if len(mine) == 1:
        return Goto(f"/desk/{mine[0].id}")
    wanted = ask.query.get("q", "").strip().lower()
    found = [each for each in mine if wanted in each.record.name.lower() or wanted in each.domain]
    found.sort(key=lambda each: (each.record.name.lower(), each.id))
    shown = found[:_AT_ONCE]
    waiting = await house.database.run(
        lambda connection: {each.id: len(open_matters(connection, each.id)) for each in shown}
    )
    rows = [(each, waiting[each.id]) for each in shown]
    return View(
        "shops.html",
        {
            "rows": rows,
            "found": len(found),
            "total": len(mine),
            "wanted": wanted,
            "may_add": ask.user.owns_installation,
        },
    )


PAGES = (Page("", "shops", "packer", show, whole=True),)
