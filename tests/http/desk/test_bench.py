"""The test bench: a typed cart or an earlier one, answered now and with other settings, and nothing else happens."""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from sqlalchemy import func

from connector.quotes.ledger import quotes
from connector.storage import settings_versions
from connector.storage.logins.people import User
from tests.http.desk.counter import Counter

pytestmark = pytest.mark.anyio

CART = {"lines": "MUG-1, 2, 12.90, 420", "country": "at", "postal": "1010"}


@pytest.fixture
def owner(counter: Counter) -> User:
    """Who owns the installation."""
    return counter.desk.add_user("anna@example.com", "owner")


def kept(counter: Counter) -> tuple[int, int]:
    """How many quotes there are, and which version of the settings holds."""
    house, shop_id = counter.desk.house, counter.desk.shop_id

    def count(connection: object) -> int:
        return int(connection.execute(quotes.select(shop_id, func.count())).scalar_one())  # type: ignore[attr-defined]

    latest = house.here(settings_versions.latest, shop_id)
    return house.here(count), latest.version if latest else 0


async def tried(counter: Counter, owner: User, typed: Mapping[str, str], status: int = 200) -> str:
    async with counter.desk.signed_in(owner) as browser:
        page = await browser.open(f"{counter.desk.base}/bench?{urlencode(typed)}", status)
        return html.unescape(page.text)


async def test_a_typed_cart_is_answered_now_and_with_other_settings(counter: Counter, owner: User) -> None:
    before = kept(counter)
    text = await tried(counter, owner, CART | {"changes": "markup_percent=100\nthreshold=20.00"})
    assert "As it is now" in text
    assert text.count("The buyer saw ") == 2
    assert "Sandbox Economy" in text
    assert "from free" not in text
    assert "The buyer saw 3 options, free." in text
    assert "nothing was published, kept or promised" in text
    assert kept(counter) == before


async def test_the_cart_of_an_earlier_quote_is_taken(counter: Counter, owner: User) -> None:
    row = await counter.quote()
    text = await tried(counter, owner, {"quote": row.id, "changes": "markup_fixed=5.00"})
    assert text.count("The buyer saw 3 options, from ") == 2
    assert "not shown" not in text


async def test_the_form_alone_tries_nothing(counter: Counter, owner: User) -> None:
    assert "As it is now" not in await tried(counter, owner, {})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"lines": "MUG-1, many"}, "A line is a SKU or variant number"),
        ({"lines": "MUG-1, 2"}, "The catalogue has no price"),
        ({"lines": "MUG-1, 0, 5.00"}, "A line is a SKU or variant number"),
        ({"country": "Austria"}, "A country is two letters"),
        ({"discount": "ten"}, "amount"),
        ({"discount": "500.00"}, "more than the goods cost"),
        ({"changes": "markup_percent"}, "Each line is a setting"),
        ({"changes": "no_such_key=1"}, "There is no setting no_such_key"),
        ({"lines": "", "quote": "quo_none"}, "There is no quote with this id"),
    ],
)
async def test_what_cannot_be_tried_is_said_at_its_field(
    counter: Counter, owner: User, typed: dict[str, str], said: str
) -> None:
    text = await tried(counter, owner, CART | typed, 422)
    assert said in text
    assert "As it is now" not in text
    assert 'aria-invalid="true"' in text


async def test_a_shop_sees_no_other_shops_quote(counter: Counter, owner: User) -> None:
    text = await tried(counter, owner, {"quote": "quo_of_another_shop"}, 422)
    assert "There is no quote with this id" in text
