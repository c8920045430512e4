"""Past carts under other settings, and many answers replayed at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta

import pytest

from carriers.money import Money
from connector.quotes.answers import AccountAnswer
from connector.quotes.compare import Compared, compare
from connector.quotes.facts import DECIDE_VERSION
from connector.quotes.ledger import LedgerRow, LedgerWriter
from connector.quotes.past import past_answers
from connector.quotes.replay import replay_all
from connector.storage.database import Database
from connector.store import Answer, UseBackup
from tests.quotes.world import NOW, answered, cart, facts, line, plain_store, rate, refused, row_of, settings

pytestmark = pytest.mark.anyio
STORE = plain_store()


def row(*answers: AccountAnswer, price: int = 1000, **changes: str) -> LedgerRow:
    return row_of(cart(line(price=price)), facts(settings(**changes)), answers, STORE)


def write(answer: Answer | UseBackup, echo: Mapping[str, str]) -> bytes:
    return STORE.write_answer(answer, echo).body


def test_a_lower_threshold_shows_how_many_answers_it_makes_free_and_what_that_costs() -> None:
    rows = [row(answered(rate(700)), price=price, threshold="50") for price in (3900, 4000, 4999, 5000)]
    found = compare(rows, settings(threshold="40"))
    assert (found.answers, found.changed, found.no_rate, found.anew) == (4, 2, 0, 0)
    (moved,) = found.moves()
    assert (moved.cheaper, moved.dearer, moved.total) == (2, 0, Money(-1400, "EUR"))
    assert found.offers == {("fake-ground", "cheaper"): 2}


def test_a_cart_that_would_have_no_rate_is_counted_and_shown_first() -> None:
    usd = row(answered(rate(700, currency="USD")), exchange_rates="USD/EUR:0.9")
    dearer = row(answered(rate(700)))
    found = compare([dearer, usd], settings(markup_percent="10"))
    assert (found.changed, found.no_rate) == (2, 1)
    assert [(each.before, each.after) for each in found.largest] == [
        (Money(630, "EUR"), None),
        (Money(700, "EUR"), Money(770, "EUR")),
    ]


def test_a_cart_that_gets_a_rate_again_is_counted() -> None:
    found = compare([row(refused("timeout"))], settings(backup="safety", safety_rates="Standard:standard:5"))
    assert (found.changed, found.rate_again, found.offers) == (1, 1, {("standard", "new"): 1})


def test_other_parcels_would_have_to_be_asked_anew_and_are_in_no_other_figure() -> None:
    found = compare([row(answered(rate(700)))], settings(default_carton="300x200x100:150", markup_percent="10"))
    assert (found.answers, found.anew, found.changed) == (1, 1, 0)


def test_the_same_settings_change_nothing() -> None:
    rows = [row(answered(rate(700)), threshold="50"), row(refused("timeout"), threshold="50")]
    assert compare(rows, settings(threshold="50")) == Compared(answers=2)


async def test_pages_of_past_answers_hold_each_once_and_in_order(database: Database) -> None:
    rows = [
        dataclasses.replace(row(answered(rate(700 + number))), at=NOW + timedelta(seconds=number // 3))
        for number in range(1203)
    ]
    writer = LedgerWriter(database)
    for each in rows:
        writer.put(each)
    await writer.flush()
    wanted = sorted(rows, key=lambda each: (each.at, each.id))
    assert list(past_answers(database, "shop_1")) == wanted
    assert list(past_answers(database, "shop_1", limit=700)) == wanted[-700:]
    since = NOW + timedelta(seconds=300)
    assert list(past_answers(database, "shop_1", since=since)) == [each for each in wanted if each.at >= since]
    assert list(past_answers(database, "shop_1", limit=5000)) == wanted


def test_answers_of_an_earlier_version_that_differ_say_which_version_changed_what() -> None:
    same = row(answered(rate(700)))
    earlier = row(answered(rate(700)))
    earlier = dataclasses.replace(earlier, facts=earlier.facts.but(decide_version=1), digest="other", id="quo_old")
    found = replay_all([same, earlier], write)
    assert (found.answers, found.not_same, found.same) == (2, 1, False)
    assert found.versions == {1: 1}
    (different,) = found.different
    assert different.quote_id == "quo_old"
    assert f"decided by version 1, replayed by {DECIDE_VERSION}" in different.changes
    assert any(change.startswith("version 2 of the decision: ") for change in different.changes)


def test_many_replayed_answers_that_differ_are_counted_by_what_differs() -> None:
    rows = [row(answered(rate(700 + number))) for number in range(30)]
    wrong = [dataclasses.replace(each, answers=(answered(rate(100)),)) for each in rows]
    found = replay_all(wrong, write)
    assert (found.not_same, len(found.different)) == (30, 20)
    assert found.kinds["a price changed"] == 30
