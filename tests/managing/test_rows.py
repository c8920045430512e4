"""Drafts of rules, thresholds in the store and restored settings, by the rows that keep them."""

from __future__ import annotations

import pytest

from connector.managing import rule_drafts, rules, thresholds
from connector.managing.settings import NoSuchVersion, change_settings, restore_settings
from connector.managing.thresholds import ThresholdError
from connector.storage import audit
from connector.storage.settings_versions import StaleSettings
from connector.store import FreeShippingDiscount
from tests.labels.world import PERSON, World
from webhooks.ports import Fence

pytestmark = pytest.mark.anyio

NAME = "Free from 50"
FREE = {"name": NAME, "amount": "50.00", "currency": "EUR", "services": ["*"]}


class Discounts:
    """The store's own discounts, by id; the answer to the next making of one may be lost."""

    def __init__(self) -> None:
        self.made: dict[str, FreeShippingDiscount] = {}
        self.loses = False

    async def find(self, title: str) -> str | None:
        return next((known for known, each in self.made.items() if each.title == title), None)

    async def put(self, discount: FreeShippingDiscount, known_id: str, fence: Fence) -> str:
        at = known_id if known_id in self.made else f"dis_{len(self.made) + 1}"
        self.made[at] = discount
        if self.loses:
            self.loses = False
            raise TimeoutError
        return at

    async def drop(self, known_id: str, fence: Fence) -> bool:
        return self.made.pop(known_id, None) is not None


async def test_a_draft_of_rules_is_kept_replaced_and_thrown_away(any_world: World) -> None:
    world, database = any_world, any_world.house.database
    first = await rules.draft_of(database, world.shop)
    for amount in ("50.00", "60.00"):
        await thresholds.draft(database, world.clock, world.shop, thresholds.read({**FREE, "amount": amount}), PERSON)
    found = await rules.draft_of(database, world.shop)
    assert first is None
    assert found is not None
    assert [str(each.amount) for each in found[1].thresholds] == ["60.00"]
    assert (found[0].actor, found[0].at) == (PERSON, world.clock.now())
    assert await rules.drop_draft(database, world.clock, world.shop, PERSON)
    assert not await rules.drop_draft(database, world.clock, world.shop, PERSON)
    assert world.act(rule_drafts.load, world.shop_id) is None
    actions = [each.action for each in world.act(audit.entries, world.shop_id, subject="rules/draft")]
    assert sorted(actions) == ["rules.draft", "rules.draft", "rules.drop"]


async def test_a_threshold_whose_answer_was_lost_is_one_discount_and_goes_with_its_row(any_world: World) -> None:
    world, database, discounts = any_world, any_world.house.database, Discounts()
    world.store.discounts = discounts  # type: ignore[assignment]  # The fake has none of its own.
    put, said = thresholds.read(FREE), {"clock_is_moved": False}
    await thresholds.put(database, world.clock, world.shop, put, PERSON, **said)
    await world.house.directory.refresh()
    discounts.loses = True
    with pytest.raises(TimeoutError):
        await thresholds.publish(database, world.clock, world.shop, NAME, None, PERSON, **said)
    for _ in range(2):
        await thresholds.publish(database, world.clock, world.shop, NAME, None, PERSON, **said)
        await world.house.directory.refresh()
    assert list(discounts.made) == ["dis_1"]
    with pytest.raises(ThresholdError):
        await thresholds.remove(database, world.clock, world.shop, NAME, PERSON, **said)
    assert await thresholds.unpublish(database, world.clock, world.shop, NAME, PERSON, **said)
    await world.house.directory.refresh()
    assert discounts.made == {}
    with pytest.raises(ThresholdError):
        await thresholds.unpublish(database, world.clock, world.shop, NAME, PERSON, **said)


async def test_settings_are_changed_from_the_version_that_was_seen_and_brought_back(any_world: World) -> None:
    world, database, said = any_world, any_world.house.database, {"clock_is_moved": False}
    stale = world.shop
    first, _ = await change_settings(database, world.clock, stale, {"buy_after": "7"}, PERSON, **said)
    with pytest.raises(StaleSettings):  # Another process, which still holds the version of before.
        await change_settings(database, world.clock, stale, {"buy_after": "9"}, PERSON, **said)
    await world.house.directory.refresh()
    await change_settings(database, world.clock, world.shop, {"buy_after": "20"}, PERSON, **said)
    await world.house.directory.refresh()
    again = await restore_settings(database, world.clock, world.shop, first, PERSON, **said)
    await world.house.directory.refresh()
    assert (again, world.shop.settings.minutes_before_buying) == (first + 2, 7)
    with pytest.raises(NoSuchVersion):
        await restore_settings(database, world.clock, world.shop, 999, PERSON, **said)
