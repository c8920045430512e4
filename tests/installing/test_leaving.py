"""Uninstalled, erased, asked about, reinstalled: in any order, any number of times, with the audit to show it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from connector.attention.board import open_matters
from connector.storage import persons
from connector.storage.vault import ShopTokenVault
from connector.wiring import STORES
from tests.installing.world import BY_TEST, DOMAIN, SECRET, World
from tests.simulators.shopify_admin import CLIENT_ID

pytestmark = pytest.mark.anyio

SHOP = {"shop_id": 548380009, "shop_domain": DOMAIN}


async def keep_person(world: World, shop_id: str) -> str:
    """Somebody whom an order named."""
    house = world.house
    now = house.clock.now()

    def put(connection: Connection) -> str:
        fields = {"name": "Canary Buyer"}
        return persons.put(connection, house.keyring, shop_id, "ship_to", fields, now, now + timedelta(days=90))

    return await house.database.run(put)


async def knows(world: World, shop_id: str, person_id: str) -> bool:
    house = world.house
    return await house.database.run(persons.get, house.keyring, shop_id, person_id) is not None


async def tokens(world: World, shop_id: str) -> Any:
    return await ShopTokenVault(world.house.database, world.house.keyring, shop_id).load()


async def uninstall(world: World) -> None:
    """The merchant removes the app, and the platform says so."""
    world.shopify.uninstall()
    assert set(await world.deliver()) == {200}


async def test_a_shop_that_removes_the_app_is_off_without_tokens_and_keeps_its_ledger(home: World) -> None:
    shop = home.shop
    await uninstall(home)
    assert home.house.directory.shop(shop.id) is None
    (record,) = home.records()
    assert (record.status, record.rates_on) == ("gone", False)
    assert await tokens(home, shop.id) is None
    assert home.audit(shop.id)[0].action == "shop.gone"
    assert (await home.client.post(f"/rates/{shop.id}/{shop.rates_token}", content=b"{}")).status_code == 404


async def test_a_shop_that_comes_back_is_the_same_shop(home: World) -> None:
    before = home.shop
    await uninstall(home)
    page = await home.visit()
    assert page.status_code == 200
    after = home.shop
    assert after.id == before.id
    assert after.rates_token != before.rates_token
    (service,) = home.services()
    assert service["callbackUrl"].endswith(after.rates_token)
    assert service["active"] is False
    assert "shop.back" in [each.action for each in home.audit(after.id)]


async def test_late_news_of_the_uninstall_do_not_hurt_who_came_back(home: World) -> None:
    """The platform keeps no order; the store still lets us in, so the news is older than the return."""
    home.shopify.uninstall()
    late = home.shopify.deliveries()
    await home.told("app/uninstalled", SHOP)
    assert home.house.directory.shop_by_domain("shopify", DOMAIN) is None
    await home.visit()
    assert late
    assert await home.told("app/uninstalled", SHOP) == 200
    assert home.shop.record.status == "live"


async def test_the_redaction_of_a_shop_that_left_is_heard(home: World) -> None:
    """Two days after the uninstall; once this was answered with 404."""
    shop = home.shop
    person = await keep_person(home, shop.id)
    await uninstall(home)
    assert await knows(home, shop.id, person)
    for _ in range(2):
        assert await home.told("shop/redact", SHOP) == 200
        assert not await knows(home, shop.id, person)
    (record,) = home.records()
    assert record.credentials == {}
    entry = home.audit(shop.id)[0]
    assert entry.action == "privacy.erase"
    assert [each.detail["erased"] for each in home.audit(shop.id) if each.action == "privacy.erase"] == [0, 1]


@pytest.mark.parametrize("order", list(itertools.permutations(["customers/redact", "shop/redact", "app/uninstalled"])))
async def test_the_order_of_farewells_changes_nothing(home: World, order: tuple[str, ...]) -> None:
    shop = home.shop
    person = await keep_person(home, shop.id)
    home.shopify.uninstall()
    home.shopify.suppress()
    for topic in (*order, *order):
        assert await home.told(topic, SHOP | {"orders_to_redact": [1]}) == 200
    (record,) = home.records()
    assert (record.status, dict(record.credentials)) == ("gone", {})
    assert not await knows(home, shop.id, person)
    assert await tokens(home, shop.id) is None


async def test_a_shop_whose_data_were_erased_can_come_back(home: World) -> None:
    before = home.shop.id
    await uninstall(home)
    await home.told("shop/redact", SHOP)
    assert (await home.visit()).status_code == 200
    assert home.shop.id == before
    assert home.services()


async def test_an_early_redaction_erases_people_and_leaves_a_live_shop_connected(home: World) -> None:
    person = await keep_person(home, home.shop.id)
    assert await home.told("shop/redact", SHOP) == 200
    assert not await knows(home, home.shop.id, person)
    assert (await home.visit()).status_code == 200


@pytest.mark.need(77)
async def test_a_request_for_a_copy_comes_before_the_merchant_once(home: World) -> None:
    shop = home.shop
    signed = home.shopify.sign("customers/data_request", SHOP | {"orders_requested": [7, 8]})
    for _ in range(2):
        answer = await home.client.post("/apps/shopify/hooks", content=signed["body"], headers=signed["headers"])
        assert answer.status_code == 200
    await home.work.drain()
    (matter,) = await home.house.database.run(open_matters, shop.id)
    assert matter.reason.code == "data_requested"
    assert matter.reason.params["orders"] == 2
    assert "30 days" in matter.cure
    (entry,) = [each for each in home.audit(shop.id) if each.action == "privacy.export"]
    assert entry.detail["orders"] == ["gid://shopify/Order/7", "gid://shopify/Order/8"]


async def test_failed_bodies_go_with_a_redaction(home: World) -> None:
    shop = home.shop
    house = home.house

    def keep(connection: Connection) -> str:
        kept = house.inbox.store(connection, f"store:{shop.id}", "k", "orders/paid", b'{"id": 1}', shop.id)
        assert kept is not None
        house.inbox.failed(connection, kept, "broken")
        return kept

    kept = await house.database.run(keep)
    await home.told("customers/redact", SHOP | {"orders_to_redact": [1]})
    found = await house.database.run(house.inbox.load, kept)
    assert found is not None
    assert found.raw is None


# --- refused ------------------------------------------------------------------------------------------------------


async def test_a_farewell_that_is_not_signed_is_refused(home: World) -> None:
    for topic in ("shop/redact", "customers/redact", "customers/data_request", "app/uninstalled"):
        assert await home.told(topic, SHOP, secret="another") == 401
    assert home.shop.record.status == "live"


async def test_of_a_shop_that_was_never_here_there_is_nothing_to_forget(home: World) -> None:
    stranger = "stranger.myshopify.com"
    assert await home.told("shop/redact", SHOP, shop=stranger) == 200
    assert await home.told("orders/paid", {"id": 1}, shop=stranger) == 404  # It may be new: come again.
    assert len(home.records()) == 1


async def test_another_app_of_this_house_speaks_for_its_own_shops_only(home: World) -> None:
    secret = "another app's secret, as long as one"
    other = await home.register("other-id", secret)
    home.shopify.settings(client_secret=secret)
    assert await home.told("app/uninstalled", SHOP) == 401
    assert await home.told("app/uninstalled", SHOP, path=f"/apps/{other.id}/hooks") == 200
    assert home.shop.record.status == "live"


async def test_the_secret_before_the_last_change_still_speaks(home: World) -> None:
    await home.register(secret="a newer secret of the app, just as long")
    home.shopify.settings(refresh_tokens=[], tokens={})
    assert await home.told("customers/redact", SHOP | {"orders_to_redact": []}) == 200


async def test_a_store_with_an_app_of_its_own_is_heard_at_the_same_address(world: World) -> None:
    """Its secret is among its own credentials, and proves until they are dropped."""
    world.shopify.settings(installed=True)
    fields = {"domain": DOMAIN, "client_id": CLIENT_ID, "client_secret": SECRET, "api_base": world.shopify.base_url}
    settings = STORES["shopify"].settings.model_validate(fields)
    await world.house.installer.connect("shopify", settings, fields, BY_TEST)
    assert await world.told("customers/redact", SHOP | {"orders_to_redact": [1]}) == 200
    assert await world.told("customers/redact", SHOP, secret="another") == 401
    await uninstall(world)
    assert await world.told("shop/redact", SHOP) == 200
    (record,) = world.records()
    assert (record.status, dict(record.credentials)) == ("gone", {})
    assert await world.told("shop/redact", SHOP) == 401
