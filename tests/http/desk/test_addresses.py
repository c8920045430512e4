"""The order's page proposes the carrier's correction of an address, and one click uses it or passes it over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.orders.view import OrderView
from connector.storage.logins.people import User
from tests.http.desk.counter import BUYER, Counter, counter_at

pytestmark = pytest.mark.anyio

TYPED, KNOWN = "Canary Street 0", "Canary Street 1"


@pytest.fixture
async def counter(steady_data: Path, tmp_path: Path) -> AsyncIterator[Counter]:
    """A counter that has the carrier look addresses up before a click buys."""
    async with counter_at(steady_data, tmp_path / "data") as found:
        await found.settle({"buy": "manual", "buying": {"verify": "carrier"}})
        yield found


@pytest.fixture
def paul(counter: Counter) -> User:
    """A packer."""
    return counter.desk.add_user("paul@example.com", "packer")


async def held(counter: Counter, paul: User) -> OrderView:
    """An order whose house number the carrier does not know, after a click on buy."""
    order = await counter.order(to=replace(BUYER, street1=TYPED))
    async with counter.desk.signed_in(paul) as browser:
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        await browser.send({"do": "buy"})
    await counter.drain()
    found = counter.see(order.id)
    assert found.parcels[0].why is not None
    assert found.parcels[0].why.code == "address_corrected"
    return found


async def test_the_correction_is_shown_beside_the_address_and_used_by_one_click(counter: Counter, paul: User) -> None:
    order = await held(counter, paul)
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert TYPED in page.text
        assert KNOWN in page.text
        assert "Use the correction" in page.text
        done = await browser.follow(await browser.send({"do": "correct"}))
        assert "The address was corrected. Parcels: 1." in done.text
        assert TYPED not in done.text
        assert "Use the correction" not in done.text
        await browser.send({"do": "buy"})
    await counter.drain()
    assert counter.see(order.id).parcels[0].state == "bought"


async def test_what_is_right_as_it_was_typed_ships_so(counter: Counter, paul: User) -> None:
    order = await held(counter, paul)
    async with counter.desk.signed_in(paul) as browser:
        page = await browser.open(f"{counter.desk.base}/orders/{order.id}")
        assert "Ship as typed" in page.text
        await browser.send({"do": "release"})
        await browser.open(f"{counter.desk.base}/orders/{order.id}")
        await browser.send({"do": "buy"})
    await counter.drain()
    assert counter.see(order.id).parcels[0].state == "bought"
