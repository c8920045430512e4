"""On, off, away, and callbacks that follow our public address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.attention.board import open_matters
from connector.installing import switch
from connector.installing.callbacks import is_public, may_move
from connector.installing.installer import Installer
from connector.installing.moves import REPAIR, CallbackCare
from connector.installing.switch import NotSwitched
from connector.store import StoreRetryable
from tests.installing.world import BY_TEST, PUBLIC, World, open_world

pytestmark = pytest.mark.anyio

ELSEWHERE = "https://new.example.com"


def at(world: World, url: str) -> Installer:
    """The installer of a process that was started with another public address."""
    return replace(world.house.installer, public_url=url)


async def run_care(world: World, url: str) -> None:
    """The job `shops.callbacks`, in such a process."""
    world.work.register(f"{REPAIR} {url}", CallbackCare(at(world, url)).repair)
    await world.queue(f"{REPAIR} {url}")


async def test_callbacks_follow_the_public_address(home: World) -> None:
    await run_care(home, ELSEWHERE)
    (service,) = home.services()
    assert service["callbackUrl"].startswith(f"{ELSEWHERE}/rates/")
    assert {node["uri"].startswith(f"{ELSEWHERE}/hooks/") for node in home.shopify.state()["subscriptions"]} == {True}
    assert home.shop.record.callbacks_base == ELSEWHERE
    entry = home.audit(home.shop.id)[0]
    assert entry.action == "shop.callbacks"
    assert entry.detail["moved"] == f"{PUBLIC} -> {ELSEWHERE}"
    assert entry.actor.kind == "system"


@pytest.mark.complaint(50)
async def test_the_daily_round_repairs_what_was_lost_and_leaves_the_switch(home: World) -> None:
    await switch.switch_on(home.house.installer, home.shop, BY_TEST)
    home.shopify.settings(services=[], subscriptions=[])
    await home.queue(REPAIR)
    (service,) = home.services()
    assert service["active"] is True
    assert home.shopify.state()["subscriptions"]


async def test_a_worker_without_a_public_address_cuts_no_shop_off(home: World) -> None:
    await run_care(home, "http://127.0.0.1:8080")
    (service,) = home.services()
    assert service["callbackUrl"].startswith(PUBLIC)
    (matter,) = await home.house.database.run(open_matters, home.shop.id)
    assert matter.reason.code == "address_not_public"
    await home.queue(REPAIR)
    assert await home.house.database.run(open_matters, home.shop.id) == []


async def test_access_that_ended_is_put_before_a_person_until_the_app_is_opened(home: World) -> None:
    home.shopify.drop_tokens()
    home.shopify.settings(refresh_tokens=[])
    await home.queue(REPAIR)
    (matter,) = await home.house.database.run(open_matters, home.shop.id)
    assert matter.reason.code == "access_ended"
    await home.visit()
    assert await home.house.database.run(open_matters, home.shop.id) == []


async def test_a_refused_step_is_put_before_a_person_until_it_works(home: World) -> None:
    home.shopify.settings(services=[], plan_allows_services=False)
    await home.queue(REPAIR)
    (matter,) = await home.house.database.run(open_matters, home.shop.id)
    assert matter.reason.code == "callbacks_refused"
    home.shopify.settings(plan_allows_services=True)
    await home.queue(REPAIR)
    assert await home.house.database.run(open_matters, home.shop.id) == []


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://ship.example.com", True),
        ("https://ship.example.com:8443", True),
        ("https://8.8.8.8", True),
        ("http://ship.example.com", False),
        ("https://localhost", False),
        ("https://127.0.0.1", False),
        ("https://192.168.1.4", False),
        ("https://box", False),
        ("https://[::1]", False),
    ],
)
def test_an_address_is_public_or_not(url: str, public: bool) -> None:
    assert is_public(url) is public


def test_callbacks_move_but_never_from_a_public_address_to_none() -> None:
    near, nearer = "http://127.0.0.1:8080", "http://127.0.0.1:9090"
    assert may_move(PUBLIC, ELSEWHERE)
    assert may_move(near, nearer)
    assert may_move(near, PUBLIC)
    assert not may_move(PUBLIC, near)
    assert not may_move(PUBLIC, PUBLIC)


# --- the switch ---------------------------------------------------------------------------------------------------


async def test_off_needs_nothing_but_the_store(home: World) -> None:
    installer = at(home, "https://gone.invalid")
    await switch.switch_on(home.house.installer, home.shop, BY_TEST)
    done = await switch.switch_off(installer, home.shop, BY_TEST)
    assert (done.rates_on, done.was, done.missing) == (False, True, False)
    (service,) = home.services()
    assert (service["active"], service["callbackUrl"].startswith(PUBLIC)) == (False, True)
    home.shopify.settings(services=[])
    assert (await switch.switch_off(installer, home.shop, BY_TEST)).missing


async def test_on_registers_a_service_that_is_missing(home: World) -> None:
    home.shopify.settings(services=[])
    await switch.switch_on(home.house.installer, home.shop, BY_TEST)
    assert home.services()[0]["active"] is True


async def test_on_is_refused_with_its_causes_unless_it_is_wanted_anyway(home: World) -> None:
    house = home.house
    with pytest.raises(NotSwitched) as refused:
        await switch.switch_on(house.installer, home.shop, BY_TEST, house.look_over)
    assert {finding.level for finding in refused.value.findings} == {"stops_rates"}
    assert "check_service_off" not in {finding.reason.code for finding in refused.value.findings}
    assert home.services()[0]["active"] is False
    done = await switch.switch_on(house.installer, home.shop, BY_TEST, house.look_over, anyway=True)
    assert done.findings
    assert home.services()[0]["active"] is True


async def test_on_tells_what_the_plan_does_not_allow(home: World) -> None:
    home.shopify.settings(services=[], plan_allows_services=False)
    with pytest.raises(Exception, match="must be enabled"):
        await switch.switch_on(home.house.installer, home.shop, BY_TEST)
    assert home.shop.record.rates_on is not True


async def test_a_store_that_is_down_keeps_the_switch_as_it_was(home: World) -> None:
    home.shopify.fault("*", "status", times=9, status=500)
    with pytest.raises(StoreRetryable):
        await switch.switch_off(home.house.installer, home.shop, BY_TEST)
    assert home.shop.record.rates_on is False


# --- away ---------------------------------------------------------------------------------------------------------


async def test_removing_takes_everything_out_of_the_store_and_keeps_the_shop_s_rows(home: World) -> None:
    done = await switch.remove(home.house.installer, home.shop, BY_TEST)
    assert done.left_over == ""
    assert {step.state for step in done.steps} == {"removed"}
    state = home.shopify.state()
    assert (state["services"], state["subscriptions"]) == ([], [])
    (record,) = home.records()
    assert (record.status, dict(record.credentials)) == ("gone", {})
    assert home.house.directory.shops() == []


async def test_removing_works_when_the_store_no_longer_lets_us_in(home: World) -> None:
    home.shopify.uninstall()
    done = await switch.remove(home.house.installer, home.shop, BY_TEST)
    assert "open the app" in done.left_over
    assert [record.status for record in home.records()] == ["gone"]


# --- two processes ------------------------------------------------------------------------------------------------


@pytest.fixture
async def second(home: World, tmp_path: Path, simulator: str) -> AsyncIterator[World]:
    """Another process of the same installation."""
    async with open_world(tmp_path, simulator) as made:
        yield made


async def test_two_processes_that_open_the_app_at_once_make_one_shop(
    world: World, tmp_path: Path, simulator: str
) -> None:
    import anyio

    await world.register()
    async with open_world(tmp_path, simulator) as other:
        pages = []

        async def go(one: World) -> None:
            pages.append(await one.visit())

        async with anyio.create_task_group() as group:
            for one in (world, other, world):
                group.start_soon(go, one)
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert len(world.records()) == 1
    assert len(world.services()) == 1


async def test_two_processes_renew_a_pair_once(home: World, second: World) -> None:
    """Both find it ended; one renews, the other takes what the first has saved."""
    import anyio

    given = home.shopify.state()["tokens_given"]
    home.shopify.drop_tokens()
    async with anyio.create_task_group() as group:
        for one in (home, second):
            for _ in range(3):
                group.start_soon(one.shop.store.facts)
    assert home.shopify.state()["tokens_given"] == given + 1


async def test_a_crash_between_the_answer_and_the_save_is_survived(home: World, second: World) -> None:
    """The platform takes the old refresh token until the pair that replaced it is used, and that pair was lost."""
    store = home.shop.store
    given = home.shopify.state()["tokens_given"]
    home.shopify.drop_tokens()
    home.shopify.fault("token", "dropped_after_effect", times=2)  # A read tries twice.
    with pytest.raises(StoreRetryable):
        await store.facts()
    assert home.shopify.state()["tokens_given"] == given + 2
    assert (await second.shop.store.facts()).name == "Waybill Test"
    assert home.shopify.state()["tokens_given"] == given + 3
