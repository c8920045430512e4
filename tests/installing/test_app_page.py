"""The app at Shopify: opened, installed, reinstalled, framed, refused, and its forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.stores.shopify.webhook import SUBSCRIBED
from tests.installing.world import DOMAIN, PAGE, PUBLIC, SECRET, World, fields_of, id_token, signed_query

pytestmark = pytest.mark.anyio


def frames(answer: Any) -> str:
    """Who may frame a page."""
    policy = {part.split()[0]: part for part in answer.headers["content-security-policy"].split(";") if part.strip()}
    return str(policy["frame-ancestors"]) if "frame-ancestors" in policy else str(policy[" frame-ancestors"])


async def test_opening_the_app_connects_the_shop_switched_off(world: World) -> None:
    await world.register()
    page = await world.visit()
    assert page.status_code == 200
    shop = world.shop
    assert shop.record.app_id is not None
    assert "client_secret" not in shop.record.credentials
    (service,) = world.services()
    assert (service["active"], service["callbackUrl"]) == (False, f"{PUBLIC}/rates/{shop.id}/{shop.rates_token}")
    assert len(world.shopify.state()["subscriptions"]) == len(SUBSCRIBED)
    assert [each.name for each in shop.locations] == ["Warehouse"]
    assert shop.record.rates_on is False
    for said in ("Rate service registered", f"{len(SUBSCRIBED)} topics", "Warehouse", "Switch on"):
        assert said in page.text


async def test_access_is_granted_as_an_expiring_pair(home: World) -> None:
    """Mandatory for public apps from 2027-01-01 on."""
    from connector.storage.vault import ShopTokenVault

    fields = await ShopTokenVault(home.house.database, home.house.keyring, home.shop.id).load()
    assert fields is not None
    assert fields["refresh_token"]
    assert fields["expires_at"]
    assert home.shopify.state()["tokens_given"] == 1


async def test_opening_it_again_changes_nothing_and_asks_for_no_new_access(home: World) -> None:
    before = home.shopify.state()
    page = await home.visit()
    after = home.shopify.state()
    assert page.status_code == 200
    assert (after["services"], after["subscriptions"]) == (before["services"], before["subscriptions"])
    assert after["tokens_given"] == 1
    assert len(home.records()) == 1


async def test_opening_it_repairs_what_is_missing(home: World) -> None:
    home.shopify.settings(services=[], subscriptions=[])
    await home.visit()
    state = home.shopify.state()
    assert (len(state["services"]), len(state["subscriptions"])) == (1, len(SUBSCRIBED))


async def test_access_that_ended_is_renewed_by_the_visit(home: World) -> None:
    home.shopify.drop_tokens()
    home.shopify.settings(refresh_tokens=[])
    page = await home.visit()
    assert "alert" not in page.text
    assert home.shopify.state()["tokens_given"] == 2


async def test_the_frame_is_allowed_to_this_shop_alone(home: World) -> None:
    page = await home.visit()
    assert frames(page).split() == ["frame-ancestors", f"https://{DOMAIN}", "https://admin.shopify.com"]
    assert "x-frame-options" not in page.headers
    outside = await home.client.get(PAGE, params=signed_query())
    assert frames(outside).split() == ["frame-ancestors", "'none'"]
    assert "app-bridge" not in outside.text


async def test_a_name_with_html_in_it_is_shown_as_text(home: World) -> None:
    home.shopify.add_location(name="<script>alert(1)</script>")
    home.house.here(_rename, home.shop.id)
    await home.house.directory.refresh()
    page = await home.visit()
    assert "<b>" not in page.text
    assert "&lt;b&gt;" in page.text


def _rename(connection: Any, shop_id: str) -> None:
    from connector.storage.shops import put_facts

    put_facts(connection, shop_id, name="<b>Tea</b>", currency="USD", timezone="UTC")


# --- refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forge",
    [
        lambda: id_token(without=("exp",)),
        lambda: id_token("another key, of the same length as this one"),
        lambda: id_token(dest="https://other.myshopify.com"),
        lambda: id_token(aud="other"),
        lambda: id_token(algorithm="none"),
        lambda: "nonsense",
    ],
    ids=["no exp", "other key", "other shop", "other app", "alg none", "nonsense"],
)
async def test_a_forged_visit_connects_nothing_and_shows_nothing(world: World, forge: Callable[[], str]) -> None:
    await world.register()
    page = await world.visit(forge())  # Made now: a token lives for a minute.
    assert page.status_code == 401
    assert "does not vouch" in page.text
    assert world.records() == []
    assert world.shopify.state()["tokens_given"] == 0


async def test_a_forged_visit_by_a_script_is_asked_to_come_with_another_token(home: World) -> None:
    answer = await home.client.get(PAGE, headers={"authorization": f"Bearer {id_token(without=('exp',))}"})
    assert answer.status_code == 401
    assert answer.headers["x-shopify-retry-invalid-session-request"] == "1"
    good = await home.client.get(PAGE, headers={"authorization": f"Bearer {id_token()}"})
    assert good.status_code == 200


async def test_a_token_of_one_shop_opens_no_other(home: World) -> None:
    page = await home.visit(shop="other.myshopify.com")
    assert page.status_code == 401
    assert home.shop.record.name not in page.text


async def test_without_a_fresh_token_the_frame_fetches_one_and_asks_once(home: World) -> None:
    ended = await home.visit(id_token(exp=1))
    first = await home.visit("")
    assert ended.headers["location"] == first.headers["location"]
    assert first.status_code == 302
    there = urlsplit(first.headers["location"])
    assert there.path == f"{PAGE}/reload"
    bounce = await home.client.get(first.headers["location"])
    assert bounce.status_code == 200
    assert "cdn.shopify.com" in bounce.text
    assert f"https://{DOMAIN}" in frames(bounce)
    back = parse_qs(there.query)["shopify-reload"][0]
    assert back.startswith(f"{PUBLIC}{PAGE}?")
    again = await home.client.get(back.removeprefix(PUBLIC))
    assert again.status_code == 400  # Not another round.
    assert "Open this app from your store" in again.text


async def test_the_reload_leads_nowhere_else(home: World) -> None:
    strange = ("https://evil.example/shopify/app", f"{PUBLIC}/desk", f"//evil.example{PAGE}")
    for back in ("", *strange, f"{PUBLIC}.evil.example{PAGE}"):
        answer = await home.client.get(f"{PAGE}/reload", params={"shop": DOMAIN, "shopify-reload": back})
        assert answer.status_code == 400
        assert "app-bridge" not in answer.text


async def test_a_frame_is_never_allowed_to_what_is_no_shop(home: World) -> None:
    back = f"{PUBLIC}{PAGE}"
    for shop in ("evil.example", "a.myshopify.com; script-src *", "x' 'unsafe-inline"):
        answer = await home.client.get(f"{PAGE}/reload", params={"shop": shop, "shopify-reload": back})
        assert "'none'" in frames(answer)


async def test_before_an_app_is_registered_the_page_says_so(world: World) -> None:
    page = await world.visit()
    assert page.status_code == 503
    assert "waybill app add shopify" in page.text


async def test_a_store_that_cannot_be_reached_is_told_without_a_shop_half_made(world: World) -> None:
    await world.register()
    world.shopify.fault("*", "status", times=9, status=500)
    page = await world.visit()
    assert page.status_code == 502
    assert "Nothing was changed" in page.text
    assert world.records() == []


async def test_a_step_that_shopify_refuses_is_shown_with_its_cure(world: World) -> None:
    await world.register()
    world.shopify.settings(plan_allows_services=False)
    page = await world.visit()
    assert page.status_code == 200
    assert "must be enabled" in page.text
    assert "Advanced" in page.text


# --- outside the frame --------------------------------------------------------------------------------------------


async def test_a_visit_without_any_proof_is_told_how_to_open_the_app(home: World) -> None:
    page = await home.client.get(PAGE)
    assert page.status_code == 400
    assert "Open this app from your store" in page.text
    assert home.shop.record.name not in page.text


async def test_a_signed_query_opens_a_connected_shop(home: World) -> None:
    page = await home.client.get(PAGE, params=signed_query())
    assert page.status_code == 200
    assert "Waybill Test" in page.text


async def test_a_query_that_was_changed_opens_nothing(home: World) -> None:
    for changes in ({"hmac": "0" * 64}, {"shop": "other.myshopify.com"}, {"timestamp": "x"}):
        page = await home.client.get(PAGE, params=signed_query() | changes)
        assert page.status_code == 401
        assert "Waybill Test" not in page.text


async def test_an_old_signed_query_opens_nothing(home: World) -> None:
    page = await home.client.get(PAGE, params=signed_query(timestamp="1700000000"))
    assert page.status_code == 401


async def test_outside_the_admin_a_new_shop_is_asked_for_permission_and_connected(world: World) -> None:
    await world.register()
    first = await world.client.get(PAGE, params=signed_query())
    assert first.status_code == 302
    asked = urlsplit(first.headers["location"])
    assert (asked.netloc, asked.path) == (DOMAIN, "/admin/oauth/authorize")
    query = parse_qs(asked.query)
    assert query["redirect_uri"] == [f"{PUBLIC}{PAGE}/granted"]
    world.shopify.settings(codes=["the code"])
    back = signed_query(code="the code", state=query["state"][0])
    page = await world.client.get(f"{PAGE}/granted", params=back)
    assert page.status_code == 200, page.text
    assert "Switch on" in page.text
    assert world.shop.record.rates_on is False


async def test_a_return_that_this_browser_did_not_begin_connects_nothing(world: World) -> None:
    """A stranger's link could else connect a stranger's grant, or somebody who did not ask."""
    await world.register()
    first = await world.client.get(PAGE, params=signed_query())
    state = parse_qs(urlsplit(first.headers["location"]).query)["state"][0]
    world.shopify.settings(codes=["the code"])
    world.client.cookies.clear()
    good = signed_query(code="the code", state=state)
    assert (await world.client.get(f"{PAGE}/granted", params=good)).status_code == 401
    for wrong in ({"state": ""}, {"state": "1.a.b"}, {"hmac": "0" * 64}):
        cookie = {"cookie": f"waybill_install={wrong.get('state', state)}"}
        query = signed_query(code="the code", state=wrong.get("state", state)) | wrong
        answer = await world.client.get(f"{PAGE}/granted", params=query, headers=cookie)
        assert answer.status_code == 401
    assert world.records() == []


# --- forms --------------------------------------------------------------------------------------------------------


async def test_the_switch_of_the_page_works_both_ways_and_twice(home: World) -> None:
    page = await home.visit()
    on = await home.press(page, "on_anyway") if "on_anyway" in page.text else await home.press(page, "on")
    if "on_anyway" in on.text:  # The check-up has found something in this bare world.
        on = await home.press(on, "on_anyway")
    assert home.services()[0]["active"] is True
    assert "Buyers see the prices" in on.text
    for _ in range(2):
        off = await home.press(on, "off")
        assert home.services()[0]["active"] is False
    assert home.shop.record.rates_on is False
    assert "own rates only" in off.text
    actions = [each.action for each in home.audit(home.shop.id)]
    assert {"shop.on", "shop.off"} <= set(actions)
    assert home.audit(home.shop.id)[0].actor.name == "shopify:42"


async def test_switching_on_is_refused_with_the_causes(home: World) -> None:
    page = await home.press(await home.visit(), "on")
    assert "Not switched on" in page.text
    assert 'id="findings"' in page.text
    assert home.services()[0]["active"] is False


async def test_a_form_that_is_not_ours_changes_nothing(home: World) -> None:
    page = await home.visit()
    mine = fields_of(page, "on")
    for wrong in (
        {"proof": "0" * 32},
        {"subject": "43"},
        {"until": "9999999999"},
        {"until": "1"},
        {"shop": "shop_other"},
        {"framed": "0"},
        {"do": "nonsense"},
        {"proof": ""},
    ):
        answer = await home.client.post(PAGE, data=mine | {"do": "on_anyway"} | wrong)
        assert answer.status_code == 401, wrong
    assert home.services()[0]["active"] is False


async def test_a_form_that_is_too_long_is_refused(home: World) -> None:
    answer = await home.client.post(PAGE, data={"proof": "x" * 20_000})
    assert answer.status_code == 413


async def test_an_owner_of_this_shop_alone_is_invited_to_the_desk(home: World) -> None:
    page = await home.visit()
    answer = await home.press(page, "invite", email="anna@example.com")
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert where.startswith(f"{PUBLIC}/welcome/")
    welcome = await home.client.get(where.removeprefix(PUBLIC))
    assert welcome.status_code == 200
    (made,) = [each for each in home.audit(home.shop.id) if each.action == "user.link_invite"]
    assert made.detail == {"role": "owner"}
    assert (await home.press(page, "invite", email="nonsense")).status_code == 422


async def test_no_page_shows_a_secret(home: World) -> None:
    shop = home.shop
    page = await home.visit()
    for secret in (SECRET, shop.rates_token, shop.hooks_token, "shpat_", "shprt_"):
        assert secret not in page.text
