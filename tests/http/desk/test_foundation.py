"""The desk's frame: who may come in, what a form proves, and what is sent twice."""

from __future__ import annotations

import pytest

from connector.storage.logins.people import User
from tests.http.desk.world import DeskWorld

pytestmark = pytest.mark.anyio


async def test_a_stranger_is_led_to_the_login_and_back(desk: DeskWorld, owner: User) -> None:
    async with desk.stranger() as browser:
        page = await browser.open(desk.base)
        assert page.url.path == "/login"
        assert 'name="to" value="/desk/' in page.text


async def test_an_owner_sees_the_home_of_the_only_shop(desk: DeskWorld, owner: User) -> None:
    async with desk.signed_in(owner) as browser:
        page = await browser.open("/desk")
        assert page.url.path == desk.base
