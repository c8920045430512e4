"""The desk's page on dates: what was set, what is refused and why, and the transit table back and forth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.desk.world import Browser, DeskWorld, copied_house, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(steady_data: Path, tmp_path: Path) -> AsyncIterator[DeskWorld]:
    async with opened(copied_house(steady_data, tmp_path / "data")) as found:
        yield found


async def send(desk: DeskWorld, browser: Browser, do: str, **typed: str) -> Any:
    await desk.house.directory.refresh()
    page = await browser.open(f"{desk.base}/dates")
    version = page.text.partition('name="version" value="')[2].partition('"')[0]
    answer = await browser.send({"do": do, "version": version, **typed})
    await desk.house.directory.refresh()
    return answer


async def test_the_owner_sets_when_and_how_goods_leave(desk: DeskWorld) -> None:
    anna = desk.add_user("anna@example.com", "owner")
    async with desk.signed_in(anna) as browser:
        await send(desk, browser, "cut_off", times="mon-fri=14:00 sat=11:00", handling="1")
        await send(desk, browser, "carrier", name="Sandbox", delivers="mon-sat", pickup_at="16:30", holidays="yes")
        await send(desk, browser, "closed", first="2026-12-24", last="2027-01-01", why="winter")
        page = (await browser.open(f"{desk.base}/dates")).text
        for part in ("mon-fri=14:00 sat=11:00", "mon-sat", "16:30", "2027-01-01", "winter"):
            assert part in page
        await send(desk, browser, "drop_carrier", name="Sandbox", service="")
        await send(desk, browser, "drop_closed", first="2026-12-24", last="2027-01-01", location="", carrier="")
        page = (await browser.open(f"{desk.base}/dates")).text
        assert "mon-sat</td>" not in page
        assert "winter" not in page


async def test_what_cannot_be_right_is_refused_and_says_why(desk: DeskWorld) -> None:
    anna = desk.add_user("anna@example.com", "owner")
    async with desk.signed_in(anna) as browser:
        for do, typed, said in (
            ("cut_off", {"times": "noon"}, "A cut-off is 14:00"),
            ("cut_off", {"times": "14:00", "timezone": "Mars/Olympus"}, "there is no time zone"),
            ("cut_off", {"times": "14:00", "handling": "soon"}, "whole working days"),
            ("carrier", {"name": "X", "pickup": "someday"}, "pickup"),
            ("closed", {"first": "2026-12-24", "last": "2026-12-01"}, "before the first"),
            ("transit", {"table": "country,min_days,max_days\nAUT,1,2\nAT,3,2"}, "Line 2, country"),
        ):
            answer = await send(desk, browser, do, **typed)
            assert said in answer.text, do
        await send(desk, browser, "carrier", name="Sandbox", pickup_at="13:00", holidays="yes")
        answer = await send(desk, browser, "cut_off", times="14:00")
        assert "later than the pick-up" in answer.text


async def test_the_transit_table_comes_back_as_it_was_given(desk: DeskWorld) -> None:
    table = "carrier,service,from,country,province,postal_code,min_days,max_days,basis\n,,,AT|CZ,,,2,3,working\n"
    anna = desk.add_user("anna@example.com", "owner")
    async with desk.signed_in(anna) as browser:
        await send(desk, browser, "transit", table=table)
        assert (await browser.client.get(f"{desk.base}/dates?format=transit")).text == table
        assert (await browser.client.get(f"{desk.base}/dates?format=csv")).text.lstrip("\ufeff").startswith("carrier,")


async def test_a_page_that_is_out_of_date_changes_nothing(desk: DeskWorld) -> None:
    anna = desk.add_user("anna@example.com", "owner")
    async with desk.signed_in(anna) as browser:
        await browser.open(f"{desk.base}/dates")
        answer = await browser.send({"do": "cut_off", "version": "-7", "times": "14:00"})
        assert "someone else" in answer.text or "meanwhile" in answer.text
