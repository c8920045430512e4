"""Every page of an owner: pictured, without serious faults, reached by keyboard, fit for a telephone."""

from __future__ import annotations

import pytest

from connector.storage.logins.people import User
from tests.browser.rig import Site, Visitor

PAGES = {
    "home": "",
    "setup": "/setup",
    "carriers": "/carriers",
    "carrier-add": "/carriers/add/easypost",
    "settings": "/settings",
    "settings-history": "/settings/history",
    "people": "/people",
    "history": "/history",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_looked_at_by_everybody(visitor: Visitor, packer: User, name: str) -> None:
    page = visitor.open(PAGES[name])
    if name == "setup":
        page.click("text=Check now")
        page.wait_for_selector("text=Checked on")
    visitor.looked_at(name)


def test_the_shops_of_an_agency_are_searched(visitor: Visitor, site: Site) -> None:
    page = visitor.open("/desk")
    page.wait_for_url(f"**{site.world.base}")
