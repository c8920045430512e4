"""Every page of the desk, by the two roles: what it shows, what its forms change, and what they refuse."""

from __future__ import annotations

import pytest

from connector.http.desk.page import Page
from connector.http.desk.routes import PAGES
from connector.storage.logins.people import User
from tests.http.desk.world import DeskWorld

pytestmark = pytest.mark.anyio

PLAIN = [page for page in PAGES if page.show is not None and page.path.count("{") == 0 and not page.whole]


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.path or "home")
async def test_an_owner_may_see_every_page_and_a_packer_only_theirs(
    desk: DeskWorld, owner: User, packer: User, page: Page
) -> None:
    path = f"{desk.base}{page.path}"
    async with desk.signed_in(owner) as browser:
        shown = await browser.open(path)
        assert "…</" not in shown.text
    async with desk.signed_in(packer) as browser:
        await browser.open(path, 200 if page.role == "packer" else 403)
