"""Quotes at the desk: listed, narrowed, downloaded, and one explained on one screen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from connector.storage.logins.people import User
from tests.http.desk.counter import POT, Counter

pytestmark = pytest.mark.anyio


async def test_one_quote_says_its_answer_first_and_each_step_of_each_price(counter: Counter, paul: User) -> None:
    row = await counter.quote(replace(POT, name="<i>Pot</i>", sku="<b>"))
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/quotes/{row.id}")
        heading = re.search(r"<h1>(.*?)</h1>", page.text)
        assert heading is not None
        assert heading[1].startswith("The buyer saw 3 options, from ")
        assert page.text.count('<table class="steps-of">') == 3
        assert "price of Sandbox" in page.text
        assert "Bought as Sandbox Economy" in page.text
        assert "by version" in page.text
        assert "<i>Pot" not in page.text
        assert "&lt;i&gt;Pot&lt;/i&gt;" in page.text
        assert not re.search(r">(quotes|source|outcome|answered)\.[a-z_.]+<", page.text)


async def test_an_answer_without_prices_names_the_reason(counter: Counter, paul: User) -> None:
    row = await counter.quote(replace(POT, weight=None))
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/quotes/{row.id}")
        assert "backup rates were used: The weight of POT-1 is not known" in page.text
        assert "No carrier was asked." in page.text
        listed = await browser.open(f"{counter.desk.base}/quotes?outcome=backup")
        assert row.id in listed.text


async def test_the_list_is_narrowed_and_downloaded(counter: Counter, paul: User) -> None:
    there, backup = await counter.quote(), await counter.quote(replace(POT, weight=None))
    base = f"{counter.desk.base}/quotes"
    async with counter.desk.signed_in(paul) as browser:
        for query, found in {
            "outcome=offers&source=live&country=at": {there.id},
            "outcome=backup": {backup.id},
            "country=DE": set(),
            "from=2000-01-01&to=2000-01-02": set(),
            "from=nonsense&source=nonsense&outcome=nonsense&at=nonsense": {there.id, backup.id},
        }.items():
            page = await browser.open(f"{base}?{query}")
            assert {each for each in (there.id, backup.id) if each in page.text} == found, query
        assert (await browser.open(f"{base}?id={there.id}")).url.path == f"{base}/{there.id}"
        unknown = await browser.open(f"{base}?id=quo_none")
        assert "No quote fits these filters" in unknown.text
        file = await browser.open(f"{base}?format=csv&outcome=offers")
        lines = file.text.lstrip("\ufeff").splitlines()
        assert [line.split(",")[0] for line in lines] == ["quote", there.id]
        await browser.open(f"{base}/quo_none", 404)
