"""A shop's home: is the checkout healthy, and what needs a person today."""

from __future__ import annotations

from connector.http.desk.house import DeskHouse
from connector.http.desk.page import Answer, Ask, Page, View


async def show(_house: DeskHouse, _ask: Ask) -> Answer:
    """The home of a shop."""
    return View("home.html")


PAGES = (Page("", "home", "packer", show),)
