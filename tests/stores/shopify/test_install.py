"""Setting a shop up: found, repaired, moved, refused, switched and removed."""

from __future__ import annotations

from typing import Any

import pytest

from connector.store import Callbacks, InstallStep, from_to
from connector.stores.shopify import install as setup
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.shop import ShopifyStore
from connector.stores.shopify.webhook import SUBSCRIBED
from tests.contracts.store_contract import CALLBACKS, ELSEWHERE
from tests.simulators.shopify_shop import ShopifyWorld

pytestmark = pytest.mark.anyio


def api_of(shop: ShopifyWorld) -> ShopAPI:
    assert isinstance(shop.store, ShopifyStore)
    return shop.store.api


async def test_a_shop_gets_one_inactive_service_and_slim_subscriptions(shop: ShopifyWorld) -> None:
    steps = await shop.store.install(CALLBACKS)
    state = shop.control.state()
    assert {step.state for step in steps} == {"done"}
    service = state["services"][0]
    assert (service["callbackUrl"], service["active"], service["name"]) == (CALLBACKS.rates, False, "Waybill")
    subscribed = {node["topic"]: node for node in state["subscriptions"]}
    assert subscribed.keys() == {setup.topic_enum(topic) for topic in SUBSCRIBED}
    assert {node["uri"] for node in subscribed.values()} == {CALLBACKS.hooks}
    assert subscribed["ORDERS_PAID"]["includeFields"] == ["id", "admin_graphql_api_id", "updated_at"]


async def test_a_service_that_was_lost_comes_back_as_it_was_switched(shop: ShopifyWorld) -> None:
    await shop.store.install(CALLBACKS, on=True)
    assert await shop.store.rates_on() is True


async def test_repair_leaves_the_switch_alone_and_says_where_things_moved(shop: ShopifyWorld) -> None:
    await shop.store.install(CALLBACKS)
    assert await shop.store.switch_rates(True)
    steps = await shop.store.install(ELSEWHERE)
    assert {step.state for step in steps} == {"moved"}
    assert {step.detail for step in steps} == {from_to(CALLBACKS.rates, ELSEWHERE.rates)}
    service = shop.control.state()["services"][0]
    assert (service["callbackUrl"], service["active"]) == (ELSEWHERE.rates, True)
    await shop.store.install(CALLBACKS, on=False)
    assert await shop.store.rates_on() is True


@pytest.mark.complaint(50)
async def test_what_was_taken_away_is_put_back_and_the_rest_is_kept(shop: ShopifyWorld) -> None:
    await shop.store.install(CALLBACKS)
    world: list[dict[str, Any]] = shop.control.state()["subscriptions"]
    shop.control.settings(subscriptions=[node for node in world if node["topic"] != "ORDERS_PAID"])
    steps = {step.what: step.state for step in await shop.store.install(CALLBACKS)}
    assert steps.pop("webhook orders/paid") == "done"
    assert set(steps.values()) == {"kept"}


async def test_a_subscription_that_tells_too_much_is_made_slim(shop: ShopifyWorld) -> None:
    await shop.store.install(CALLBACKS)
    world: list[dict[str, Any]] = shop.control.state()["subscriptions"]
    shop.control.settings(subscriptions=[node | {"includeFields": []} for node in world])
    steps = {step.what: step.state for step in await shop.store.install(CALLBACKS)}
    assert steps["webhook orders/paid"] == "done"
    assert all(step.state == "kept" for step in await shop.store.install(CALLBACKS))


async def test_of_two_subscriptions_of_a_topic_one_stays(shop: ShopifyWorld) -> None:
    await shop.store.install(CALLBACKS)
    world: list[dict[str, Any]] = shop.control.state()["subscriptions"]
    paid = next(node for node in world if node["topic"] == "ORDERS_PAID")
    extra = paid | {"id": "gid://shopify/WebhookSubscription/1", "uri": "https://old.example/hooks"}
    shop.control.settings(subscriptions=[extra, *world])
    await shop.store.install(CALLBACKS)
    left = [node["uri"] for node in shop.control.state()["subscriptions"] if node["topic"] == "ORDERS_PAID"]
    assert left == [CALLBACKS.hooks]


async def test_a_plan_without_carrier_services_is_named_and_the_rest_is_done(shop: ShopifyWorld) -> None:
    shop.control.settings(plan_allows_services=False)
    steps = await shop.store.install(CALLBACKS)
    assert steps[0].what == setup.RATE_SERVICE
    assert steps[0].state == "failed"
    assert "must be enabled" in steps[0].detail
    assert {step.state for step in steps[1:]} == {"done"}


async def test_the_service_is_switched_off_and_on(shop: ShopifyWorld) -> None:
    assert await shop.store.rates_on() is None
    assert not await shop.store.switch_rates(True)
    await shop.store.install(CALLBACKS)
    for active in (True, False):
        assert await shop.store.switch_rates(active)
        assert shop.control.state()["services"][0]["active"] is active
        assert await shop.store.rates_on() is active


async def test_removing_takes_everything_of_ours_away(shop: ShopifyWorld) -> None:
    await shop.store.install(CALLBACKS)
    steps = await shop.store.uninstall()
    assert [step.what for step in steps] == [setup.RATE_SERVICE, *(f"webhook {topic}" for topic in SUBSCRIBED)]
    assert {step.state for step in steps} == {"removed"}
    state = shop.control.state()
    assert (state["services"], state["subscriptions"]) == ([], [])
    assert await shop.store.uninstall() == [InstallStep(setup.RATE_SERVICE, "absent")]


async def test_another_apps_service_is_left_alone(shop: ShopifyWorld) -> None:
    api = api_of(shop)
    other = Callbacks(rates="https://other.example/rates", hooks="https://other.example/hooks")
    await setup.install(api, other, name="Other Rates")
    await shop.store.install(CALLBACKS)
    urls = {service["name"]: service["callbackUrl"] for service in shop.control.state()["services"]}
    assert urls == {"Other Rates": other.rates, "Waybill": CALLBACKS.rates}
