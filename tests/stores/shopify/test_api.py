"""Calls to the Admin API: waits, tries, tokens, and what is made of every kind of trouble."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
import structlog.testing

from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.store import (
    FulfilRequest,
    Order,
    PastOrder,
    StoreError,
    StoreEventRequest,
    StoreMisconfigured,
    StoreRefused,
    StoreRetryable,
)
from connector.stores.shopify import KIND, queries
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.client import AdminClient, ShopTarget, throttle_wait_s
from connector.stores.shopify.errors import Throttled, from_problems, from_status, read_problems
from connector.stores.shopify.tokens import Tokens
from tests.conftest import FrozenClock
from tests.simulators.server import serve
from tests.simulators.shopify import build
from tests.simulators.shopify_control import ShopifyControl
from tests.simulators.shopify_shop import MemoryVault, ShopifyWorld, settings
from webhooks.outgoing import HTTPAnswer, OutgoingClient

pytestmark = pytest.mark.anyio


def yes() -> bool:
    return True


async def read(shop: ShopifyWorld, order_id: str) -> Order:
    order = await shop.store.order(order_id)
    assert order is not None
    return order


def request(order: Order, number: str = "94001") -> FulfilRequest:
    group = order.groups[0]
    lines = tuple((line.id, line.quantity) for line in group.lines)
    return FulfilRequest(order.id, group.id, lines, "USPS", number, f"https://t.example/{number}", notify_buyer=True)


# --- reading everything -----------------------------------------------------------------------------------------------


async def test_an_order_of_many_lines_and_groups_is_read_whole(shop: ShopifyWorld) -> None:
    other = [shop.control.add_location(name=f"Shop {number}") for number in range(11)]
    lines = [{"sku": f"A{number}", "quantity": 1} for number in range(73)]
    lines += [{"sku": f"B{number}", "location": location} for number, location in enumerate(other)]
    order = await read(shop, shop.control.place_order(lines=lines))
    assert len(order.groups) == 12
    assert [line.sku for line in order.groups[0].lines] == [f"A{number}" for number in range(73)]
    assert {group.location_id for group in order.groups[1:]} == set(other)


async def test_one_location_may_have_a_group_to_ship_and_one_to_pick_up(shop: ShopifyWorld) -> None:
    order = await read(shop, shop.control.place_order(lines=[{"sku": "A"}, {"sku": "B", "method": "PICK_UP"}]))
    assert [group.state.value for group in order.groups] == ["ready", "not_ours"]


async def test_the_code_that_the_order_lost_is_kept_by_its_group(shop: ShopifyWorld) -> None:
    order = await read(shop, shop.control.place_order(code_lost=True, shipping={"code": "express"}))
    assert order.shipping_lines[0].code == "Shipping"
    assert order.groups[0].service_code == "express"


async def test_a_hold_is_seen_with_its_reason_and_gone_when_released(shop: ShopifyWorld) -> None:
    order_id = shop.control.place_order(paid=True)
    shop.control.hold(order_id, "INCORRECT_ADDRESS")
    held = (await read(shop, order_id)).groups[0]
    assert (held.state.value, held.hold_reasons) == ("held", ("incorrect_address",))
    shop.control.hold(order_id, None)
    assert (await read(shop, order_id)).groups[0].state.value == "ready"


async def test_orders_since_goes_through_every_page(shop: ShopifyWorld, clock: FrozenClock) -> None:
    since = clock.now()
    placed = shop.control.place_orders(260)
    clock.advance(seconds=1)
    placed.append(shop.control.place_order())
    found = await shop.store.orders_since(since)
    assert {order_id for order_id, _ in found} == set(placed)
    assert found[-1] == (placed[-1], clock.now())


async def test_past_orders_go_through_every_page_and_every_line(shop: ShopifyWorld, clock: FrozenClock) -> None:
    since = clock.now()
    many = shop.control.place_order(
        lines=[{"sku": f"S{number}", "quantity": number + 1} for number in range(45)],
        discount="100.00",
        shipping={"price": "9.00", "discounted": "4.50", "title": "Ground"},
        taxes_included=True,
    )
    shop.control.place_order(test=True)
    shop.control.place_order(lines=[{"requires_shipping": False}])
    placed = [many, *shop.control.place_orders(12)]
    found: list[PastOrder] = []
    after = ""
    while True:
        page = await shop.store.past_orders(since, after)
        found += page.orders
        after = page.after
        if not after:
            break
    assert [each.id for each in found] == placed
    first = found[0]
    assert [line.quantity for line in first.cart.lines] == list(range(1, 46))
    assert (first.charged, first.shipping_title) == (Money(450, "USD"), "Ground")
    totals = first.cart.totals
    assert totals is not None
    assert (totals.discount, totals.tax) == (Money(10000, "USD"), "included")
    assert first.cart.lines[0].price == Money(1999, "USD")


async def test_a_fulfilment_is_found_among_many(shop: ShopifyWorld) -> None:
    order = await read(shop, shop.control.place_order(lines=[{"quantity": 45}]))
    line = order.groups[0].lines[0]
    for number in range(45):
        one = FulfilRequest(order.id, order.groups[0].id, ((line.id, 1),), "USPS", f"N{number}", "", notify_buyer=False)
        await shop.store.fulfil(one, yes)
    assert await shop.store.find_fulfilment(order.id, "N44") is not None
    assert await shop.store.find_fulfilment(order.id, "N45") is None


async def test_a_buyer_is_told_only_if_that_was_asked(shop: ShopifyWorld) -> None:
    order = await read(shop, shop.control.place_order())
    made = await shop.store.fulfil(request(order), yes)
    await shop.store.update_tracking(made.id, "UPS", "1Z", "https://t.example/1Z", notify=False, fence=yes)
    assert shop.control.state()["notified"] == [made.id]


async def test_a_step_that_shopify_has_no_word_for_is_not_sent(shop: ShopifyWorld, clock: FrozenClock) -> None:
    order = await read(shop, shop.control.place_order())
    made = await shop.store.fulfil(request(order), yes)
    await shop.store.add_event(StoreEventRequest(order.id, made.id, TrackingStatus.UNKNOWN, clock.now()), yes)
    assert shop.control.state()["fulfillments"][0]["events"] == []


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 503}),
        ("status", {"status": 429, "seconds": 0.1}),
        ("html", {"status": 200}),
        ("html", {"status": 502}),
        ("truncated", {}),
        ("internal", {}),
        ("partial", {}),
        ("dropped", {}),
        ("unauthorised", {}),
        ("throttled", {}),
    ],
    ids=itertools.count(),
)
async def test_a_read_survives_one_passing_fault(shop: ShopifyWorld, kind: str, values: dict[str, Any]) -> None:
    shop.control.fault("ShopFacts", kind, **values)
    assert (await shop.store.facts()).currency == "USD"
    assert len(shop.control.state()["faults_played"]) == 1


async def test_a_read_is_tried_twice_and_no_more(shop: ShopifyWorld) -> None:
    shop.control.fault("ShopFacts", "status", times=5, status=503)
    with pytest.raises(StoreRetryable):
        await shop.store.facts()
    assert len(shop.control.state()["faults_played"]) == 2


async def test_a_read_does_not_wait_longer_than_it_has(shop: ShopifyWorld) -> None:
    shop.control.fault("ShopFacts", "status", times=2, status=503, seconds=60)
    with pytest.raises(StoreRetryable) as caught:
        await shop.store.facts()
    assert caught.value.retry_after_s == 60
    assert len(shop.control.state()["faults_played"]) == 1


async def test_a_hung_read_ends_at_its_deadline(simulator: str, clock: FrozenClock) -> None:
    shop = ShopifyWorld(simulator, clock, read_timeout_s=0.4)
    shop.control.fault("ShopFacts", "hung", times=2)
    with pytest.raises(StoreRetryable):
        await shop.store.facts()
    await shop.outgoing.aclose()


@pytest.mark.parametrize(
    ("kind", "happened"),
    [
        ("status", 0),
        ("html", 0),
        ("internal", 0),
        ("dropped", 0),
        ("status_after_effect", 1),
        ("html_after_effect", 1),
        ("truncated", 1),
        ("partial", 1),
        ("dropped_after_effect", 1),
    ],
)
async def test_a_write_whose_outcome_is_not_known_is_not_repeated(shop: ShopifyWorld, kind: str, happened: int) -> None:
    order = await read(shop, shop.control.place_order())
    shop.control.fault("Fulfil", kind)
    with pytest.raises(StoreRetryable):
        await shop.store.fulfil(request(order), yes)
    assert len(shop.control.state()["fulfillments"]) == happened
    found = await shop.store.find_fulfilment(order.id, "94001")
    assert (found is not None) == bool(happened)


@pytest.mark.parametrize("kind", ["unauthorised", "throttled"])
async def test_a_write_that_was_refused_before_it_ran_is_sent_again(shop: ShopifyWorld, kind: str) -> None:
    order = await read(shop, shop.control.place_order())
    shop.control.fault("Fulfil", kind)
    await shop.store.fulfil(request(order), yes)
    assert len(shop.control.state()["fulfillments"]) == 1


async def test_what_shopify_says_no_to_is_told_in_its_words(shop: ShopifyWorld) -> None:
    order = await read(shop, shop.control.place_order())
    shop.control.cancel(order.id)
    with pytest.raises(StoreRefused, match="unfulfillable status= cancelled"):
        await shop.store.fulfil(request(order), yes)


async def test_a_missing_permission_is_for_a_person(shop: ShopifyWorld) -> None:
    shop.control.settings(scopes=["write_shipping"])
    with pytest.raises(StoreMisconfigured, match="read_orders"):
        await shop.store.order(shop.control.place_order())


async def test_our_scopes_are_enough_for_a_whole_day(shop: ShopifyWorld, clock: FrozenClock) -> None:
    shop.control.settings(scopes=list(queries.SCOPES))
    order = await read(shop, shop.control.place_order(paid=True))
    made = await shop.store.fulfil(request(order), yes)
    step = StoreEventRequest(order.id, made.id, TrackingStatus.DELIVERED, clock.now())
    await shop.store.add_event(step, yes)
    assert await shop.store.has_event(step)
    assert await shop.store.locations()
    assert await shop.store.product_facts([order.groups[0].lines[0].variant_id])
    await shop.store.cancel_fulfilment(made.id, yes)


async def test_an_answer_of_another_version_is_warned_of_once(shop: ShopifyWorld) -> None:
    shop.control.fault("ShopFacts", "version", times=3, version="2027-01")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await shop.store.facts()
    assert logs == [
        {
            "event": "shopify_version_differs",
            "log_level": "warning",
            "shop": shop.shop,
            "asked": "2026-10",
            "answered": "2027-01",
        }
    ]


async def test_a_version_that_has_ended_is_warned_of(simulator: str, clock: FrozenClock) -> None:
    shop = ShopifyWorld(simulator, clock, api_version="2025-04")
    with structlog.testing.capture_logs() as logs:
        await shop.store.facts()
    assert [(entry["asked"], entry["answered"]) for entry in logs] == [("2025-04", "2026-01")]
    await shop.outgoing.aclose()


async def test_credentials_of_another_shop_are_found_out(reference: Path, clock: FrozenClock) -> None:
    with serve(build(reference, domain="other.myshopify.com")) as url:
        shop = ShopifyWorld(url, clock)
        with pytest.raises(StoreMisconfigured, match="another shop"):
            await shop.store.facts()
        await shop.outgoing.aclose()


# --- throttling -------------------------------------------------------------------------------------------------------


def status_of(available: object, rate: object) -> Mapping[str, object]:
    return {"maximumAvailable": 1000, "currentlyAvailable": available, "restoreRate": rate}


@pytest.mark.parametrize(
    ("cost", "seconds"),
    [
        ({"requestedQueryCost": 400, "throttleStatus": status_of(100, 100)}, 3.0),
        ({"requestedQueryCost": 400, "throttleStatus": status_of(500, 100)}, 0.0),
        ({"requestedQueryCost": 400, "throttleStatus": status_of(100, 0)}, None),
        ({"requestedQueryCost": 400}, None),
        (None, None),
    ],
    ids=itertools.count(),
)
def test_the_wait_is_what_the_bucket_needs(cost: object, seconds: float | None) -> None:
    assert throttle_wait_s(cost) == seconds


async def test_many_reads_share_a_small_bucket(shop: ShopifyWorld) -> None:
    order_id = shop.control.place_order()
    shop.control.bucket(500, 2000)
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(shop.store.order, order_id)
    assert shop.control.state()["calls"]["OrderForShipping"] == 8


async def test_a_wait_that_ends_after_the_deadline_is_not_begun(simulator: str, clock: FrozenClock) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    given = settings(simulator)
    target = ShopTarget(given.domain, given.base, given.api_version)
    outgoing = OutgoingClient(allow_private=True)
    client = AdminClient(outgoing)
    tokens = Tokens(given, target, client, clock, MemoryVault())
    api = ShopAPI(client, target, tokens, read_timeout_s=5, write_timeout_s=5, sleep=sleep)
    ShopifyControl(simulator).bucket(100, 1)
    with pytest.raises(Throttled) as caught:
        await api.read(queries.ORDER, {"id": "gid://shopify/Order/1"})
    assert waited == []
    assert caught.value.retry_after_s is not None
    assert caught.value.retry_after_s > 100
    await outgoing.aclose()


# --- tokens -----------------------------------------------------------------------------------------------------------


async def test_a_hundred_calls_ask_for_one_token(shop: ShopifyWorld) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(shop.store.facts)
    assert shop.control.state()["tokens_given"] == 1
    assert shop.vault.saved == 1


async def test_a_token_is_renewed_before_it_ends(shop: ShopifyWorld, clock: FrozenClock) -> None:
    await shop.store.facts()
    clock.advance(hours=22)
    await shop.store.facts()
    assert shop.control.state()["tokens_given"] == 1
    clock.advance(hours=1, seconds=30)
    await shop.store.facts()
    assert shop.control.state()["tokens_given"] == 2


async def test_another_process_finds_the_token_in_the_vault(shop: ShopifyWorld, clock: FrozenClock) -> None:
    await shop.store.facts()
    other = ShopifyWorld(shop.control.base_url, clock, shop.vault)
    await other.store.facts()
    assert shop.control.state()["tokens_given"] == 1
    await other.outgoing.aclose()


async def test_a_dead_token_is_replaced_once_for_all_who_meet_it(shop: ShopifyWorld) -> None:
    await shop.store.facts()
    shop.control.drop_tokens()
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(shop.store.facts)
    assert shop.control.state()["tokens_given"] == 2


async def test_trouble_at_the_token_endpoint_costs_nothing_while_the_old_one_works(
    shop: ShopifyWorld, clock: FrozenClock
) -> None:
    await shop.store.facts()
    clock.advance(hours=23, minutes=30)
    shop.control.fault("token", "status", times=9, status=503)
    assert (await shop.store.facts()).currency == "USD"


async def test_who_waited_for_a_renewal_that_failed_fails_with_it(shop: ShopifyWorld) -> None:
    shop.control.fault("token", "status", times=100, status=503)
    failures: list[StoreError] = []

    async def ask() -> None:
        with pytest.raises(StoreRetryable) as caught:
            await shop.store.facts()
        failures.append(caught.value)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(ask)
    assert len(failures) == 10
    assert len(shop.control.state()["faults_played"]) <= 4


async def test_wrong_credentials_are_for_a_person_and_are_not_shown(simulator: str, clock: FrozenClock) -> None:
    shop = ShopifyWorld(simulator, clock, client_secret="not-the-secret")
    with pytest.raises(StoreMisconfigured) as caught:
        await shop.store.facts()
    assert "not-the-secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    await shop.outgoing.aclose()


async def test_a_token_of_the_settings_is_used_and_never_renewed(simulator: str, clock: FrozenClock) -> None:
    shop = ShopifyWorld(simulator, clock, access_token="shpat_given")
    with pytest.raises(StoreMisconfigured) as caught:
        await shop.store.facts()
    assert "shpat_given" not in str(caught.value)
    assert shop.control.state()["tokens_given"] == 0
    await shop.outgoing.aclose()


async def test_a_rotating_pair_is_renewed_by_its_refresh_token(shop: ShopifyWorld, clock: FrozenClock) -> None:
    shop.control.settings(rotating=True, token_life_s=3600)
    await shop.store.facts()
    first = dict(shop.vault.fields or {})
    clock.advance(minutes=56)
    await shop.store.facts()
    second = dict(shop.vault.fields or {})
    assert first["refresh_token"]
    assert first["refresh_token"] != second["refresh_token"]
    assert first["access_token"] != second["access_token"]
    assert shop.control.state()["tokens_given"] == 2


class Watched:
    """An outgoing client that notes which token went to which address."""

    def __init__(self, inner: OutgoingClient) -> None:
        self.inner = inner
        self.sent: set[tuple[str, str]] = set()

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], **values: Any) -> HTTPAnswer:
        if "x-shopify-access-token" in headers:
            self.sent.add((url.split("/admin", maxsplit=1)[0], headers["x-shopify-access-token"]))
        return await self.inner.request(method, url, headers=headers, **values)


async def test_shops_side_by_side_never_get_each_others_tokens(reference: Path, clock: FrozenClock) -> None:
    domains = ("first.myshopify.com", "second.myshopify.com")
    inner = OutgoingClient(allow_private=True)
    watched: Any = Watched(inner)
    with (
        serve(build(reference, domain=domains[0], now=clock.now)) as one,
        serve(build(reference, domain=domains[1], now=clock.now)) as two,
    ):
        stores = [
            KIND.connect(settings(url, domain=domain), watched, clock, MemoryVault())
            for url, domain in zip((one, two), domains, strict=True)
        ]
        orders = [ShopifyControl(url).place_order() for url in (one, two)]

        async def work(index: int) -> None:
            assert (await stores[index].facts()).domain == domains[index]
            assert await stores[index].order(orders[index]) is not None

        async with anyio.create_task_group() as group:
            for turn in range(20):
                group.start_soon(work, turn % 2)
        ShopifyControl(one).drop_tokens()
        async with anyio.create_task_group() as group:
            for turn in range(20):
                group.start_soon(work, turn % 2)
        await inner.aclose()
    tokens = {url: {token for at, token in watched.sent if at == url} for url in (one, two)}
    assert not tokens[one] & tokens[two]
    assert (len(tokens[one]), len(tokens[two])) == (2, 1)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, StoreMisconfigured),
        (400, StoreRefused),
        (401, StoreMisconfigured),
        (402, StoreMisconfigured),
        (403, StoreMisconfigured),
        (404, StoreMisconfigured),
        (423, StoreMisconfigured),
        (429, StoreRetryable),
        (500, StoreRetryable),
        (504, StoreRetryable),
    ],
)
def test_a_status_says_whether_to_try_again(status: int, kind: type[StoreError]) -> None:
    assert type(from_status(status, request_id=None, retry_after_s=None)) in {kind, *kind.__subclasses__()}


@pytest.mark.parametrize(
    "errors", ["Not Found", [7], [{"message": None, "extensions": [], "path": "x"}], {"a": 1}], ids=itertools.count()
)
def test_errors_of_any_shape_are_read(errors: object) -> None:
    error = from_problems(read_problems(errors), request_id="r1", retry_after_s=None)
    assert isinstance(error, StoreRefused)
    assert error.request_id == "r1"
