"""The sandbox shop keeps the Store's promises, and its people can do what a shop's people do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr, ValidationError

from carriers.address import Address
from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.store import (
    Callbacks,
    FulfilmentGroup,
    FulfilRequest,
    GroupNews,
    GroupState,
    Order,
    OrderNews,
    PrivacyRequest,
    ProductFacts,
    ShopGone,
    Store,
    StoreError,
    StoreEventRequest,
    StoreLocation,
    StoreMisconfigured,
    StoreRefused,
    StoreRetryable,
)
from connector.stores.sandbox import KIND, SandboxStore, SandboxStoreSettings
from connector.stores.sandbox.connection import DEFAULT_LOCATION
from tests.conftest import FrozenClock
from tests.stores.sandbox.conftest import BUYER, CART, OFFER, SECRET, eur
from webhooks.outgoing import OutgoingClient
from webhooks.receiver import Authentic, Forged

pytestmark = pytest.mark.anyio


class NoVault:
    """A vault of a platform without tokens."""

    async def load(self) -> None:
        return None

    async def save(self, fields: object) -> bool:
        raise AssertionError

    async def claim(self, for_s: float) -> bool:
        raise AssertionError

    async def give_up(self) -> None:
        raise AssertionError


def yes() -> bool:
    return True


def no() -> bool:
    return False


async def placed(store: SandboxStore) -> Order:
    made = await store.shopkeeper.place_order([(CART, OFFER)], to=BUYER, email="eleni@example.com", tags=["vip"])
    order = await store.order(made.order_id)
    assert order is not None
    return order


def all_of(order: Order, number: str = "SBX1") -> FulfilRequest:
    group = order.groups[0]
    lines = tuple((line.id, line.quantity) for line in group.lines)
    return FulfilRequest(order.id, group.id, lines, "Sandbox", number, "https://track.example/SBX1", True)


def step(order: Order, fulfilment_id: str) -> StoreEventRequest:
    at = datetime(2026, 11, 24, 8, tzinfo=UTC)
    return StoreEventRequest(order.id, fulfilment_id, TrackingStatus.IN_TRANSIT, at, "Left", "Bratislava")


async def test_it_is_a_store(settings: SandboxStoreSettings, clock: FrozenClock) -> None:
    outgoing = OutgoingClient()
    store: Store = KIND.connect(settings, outgoing, clock, NoVault())
    await outgoing.aclose()
    assert store.capabilities.signed_rate_calls
    assert (await store.facts()).domain == settings.domain
    await store.close()


async def test_an_order_is_what_the_cart_and_the_offer_said(store: SandboxStore, clock: FrozenClock) -> None:
    order = await placed(store)
    (group,) = order.groups
    assert (order.id, order.name, order.paid, order.test) == ("ord_1001", "#1001", False, True)
    assert (order.placed_at, order.updated_at, order.locale, order.tags) == (clock.now(), clock.now(), "el", ("vip",))
    assert order.subtotal == eur("32.50")
    assert (order.shipping_lines[0].code, order.shipping_lines[0].price) == ("standard", OFFER.price)
    assert (group.state, group.service_code, group.location_id) == (GroupState.READY, "standard", "loc_1")
    assert group.destination == BUYER
    assert [(line.sku, line.quantity, line.price, line.weight) for line in group.lines] == [
        (line.sku, line.quantity, line.price, line.weight) for line in CART.lines
    ]


async def test_an_order_of_two_locations_has_two_groups(store: SandboxStore) -> None:
    far = replace(CART, location_id="loc_2")
    made = await store.shopkeeper.place_order([(CART, OFFER), (far, None)])
    order = await store.order(made.order_id)
    assert order is not None
    assert [group.location_id for group in order.groups] == ["loc_1", "loc_2"]
    assert len({line.id for group in order.groups for line in group.lines}) == 4
    assert await store.order_of_group(order.groups[1].id) == order.id
    assert [group.service_code for group in order.groups] == ["standard", ""]


async def test_what_the_shop_does_not_have_is_none(store: SandboxStore) -> None:
    for unknown in ("ord_1", "ord_", "nonsense", "ord_\u0661", "gid://shopify/Order/1"):
        assert await store.order(unknown) is None
        assert await store.order_of_group(unknown) is None
        assert await store.find_fulfilment(unknown, "SBX1") is None
    order = await placed(store)
    assert await store.order_of_group(f"grp_{order.id[4:]}_9") is None
    with pytest.raises(StoreRefused):
        await store.shopkeeper.mark_paid("ord_1")
    with pytest.raises(StoreError):
        await store.shopkeeper.place_order([])


async def test_a_parcel_that_left_is_found_by_its_number_and_closes_its_group(store: SandboxStore) -> None:
    order = await placed(store)
    assert await store.find_fulfilment(order.id, "SBX1") is None
    made = await store.fulfil(all_of(order), yes)
    assert await store.find_fulfilment(order.id, "SBX1") == made
    after = await store.order(order.id)
    assert after is not None
    assert (after.groups[0].state, after.groups[0].lines) == (GroupState.DONE, ())


async def test_no_more_units_leave_than_were_ordered(store: SandboxStore) -> None:
    order = await placed(store)
    line = order.groups[0].lines[0]
    request = replace(all_of(order), lines=((line.id, 2),))
    await store.fulfil(request, yes)
    after = await store.order(order.id)
    assert after is not None
    assert [each.quantity for each in after.groups[0].lines] == [1, 1]
    wrong = [((line.id, 2),), ((line.id, 0),), ((line.id, -1),), (("lin_1", 1),), (), ((line.id, 1), (line.id, 1))]
    for lines in wrong:
        with pytest.raises(StoreRefused):
            await store.fulfil(replace(request, lines=lines), yes)
    assert len(await store.shopkeeper.fulfilments(order.id)) == 1


async def test_many_at_once_take_no_more_than_there_is(settings: SandboxStoreSettings, clock: FrozenClock) -> None:
    order = await placed(SandboxStore(settings, clock))
    done: list[str] = []

    async def fulfil(number: str) -> None:
        try:
            done.append((await SandboxStore(settings, clock).fulfil(all_of(order, number), yes)).id)
        except StoreRefused:
            done.append("refused")

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(fulfil, str(number))
    assert sorted(done) == ["ful_1001_1"] + ["refused"] * 7


async def test_a_fulfilment_taken_back_waits_to_be_shipped_again(store: SandboxStore) -> None:
    order = await placed(store)
    made = await store.fulfil(all_of(order), yes)
    await store.cancel_fulfilment(made.id, yes)
    await store.cancel_fulfilment(made.id, yes)
    assert await store.find_fulfilment(order.id, "SBX1") is None
    again = await store.fulfil(all_of(order), yes)
    assert again.id != made.id


async def test_tracking_can_be_replaced(store: SandboxStore) -> None:
    order = await placed(store)
    made = await store.fulfil(all_of(order), yes)
    await store.update_tracking(made.id, "Sandbox", "SBX2", "https://track.example/SBX2", False, yes)
    assert await store.find_fulfilment(order.id, "SBX1") is None
    found = await store.find_fulfilment(order.id, "SBX2")
    assert found is not None
    assert found.id == made.id


async def test_a_step_on_the_timeline_is_seen_again(store: SandboxStore) -> None:
    order = await placed(store)
    made = await store.fulfil(all_of(order), yes)
    request = step(order, made.id)
    assert not await store.has_event(request)
    await store.add_event(request, yes)
    assert await store.has_event(request)
    assert not await store.has_event(replace(request, status=TrackingStatus.DELIVERED))
    assert not await store.has_event(replace(request, at=request.at + timedelta(seconds=1)))
    (fulfilment,) = await store.shopkeeper.fulfilments(order.id)
    assert [(each.status, each.city) for each in fulfilment.timeline] == [("in_transit", "Bratislava")]
    with pytest.raises(StoreRefused):
        await store.add_event(step(order, "ful_1001_9"), yes)


async def test_our_own_hold_is_told_apart_from_the_shop_s(store: SandboxStore) -> None:
    order = await placed(store)
    group_id = order.groups[0].id

    async def group() -> FulfilmentGroup:
        found = await store.order(order.id)
        assert found is not None
        return found.groups[0]

    assert not await store.holds.find(group_id)
    await store.holds.hold(group_id, "address", "No street.", yes)
    ours = await group()
    assert (ours.state, ours.held_by_us, ours.hold_reasons) == (GroupState.READY, True, ())
    await store.shopkeeper.hold(group_id, "fraud check")
    both = await group()
    assert (both.state, both.held_by_us, both.hold_reasons) == (GroupState.HELD, True, ("fraud check",))
    assert await store.holds.release(group_id, yes)
    assert not await store.holds.release(group_id, yes)
    assert (await group()).hold_reasons == ("fraud check",)


async def test_held_and_cancelled_orders_are_not_shipped(store: SandboxStore) -> None:
    order = await placed(store)
    group_id = order.groups[0].id
    held = await store.shopkeeper.hold(group_id, "fraud check")
    after = await store.order(order.id)
    assert after is not None
    assert (after.groups[0].state, after.groups[0].hold_reasons) == (GroupState.HELD, ("fraud check",))
    with pytest.raises(StoreRefused):
        await store.fulfil(all_of(order), yes)
    released = await store.shopkeeper.release(group_id)
    assert [store.read_webhook(topic(store, call), call.body) for call in (held, released)] == [
        [GroupNews(group_id, "groups/held")],
        [GroupNews(group_id, "groups/released")],
    ]
    cancelled = await store.shopkeeper.cancel(order.id)
    assert store.read_webhook("orders/cancelled", cancelled.body) == [OrderNews(order.id, "orders/cancelled")]
    after = await store.order(order.id)
    assert after is not None
    assert (after.cancelled, after.groups[0].state) == (True, GroupState.CANCELLED)
    with pytest.raises(StoreRefused):
        await store.fulfil(all_of(order), yes)


def topic(store: SandboxStore, call: object) -> str:
    verdict = store.verify_webhook(call.body, call.headers)  # type: ignore[attr-defined]
    assert isinstance(verdict, Authentic)
    return verdict.topic


async def test_an_edit_changes_units_lines_and_destination_but_not_what_left(store: SandboxStore) -> None:
    order = await placed(store)
    first = order.groups[0].lines[0]
    await store.fulfil(replace(all_of(order), lines=((first.id, 2),)), yes)
    with pytest.raises(StoreRefused):
        await store.shopkeeper.edit(order.id, {first.id: 1})
    with pytest.raises(StoreRefused):
        await store.shopkeeper.edit(order.id, {"lin_9": 1})
    moved = Address("SK", city="Košice")
    await store.shopkeeper.edit(order.id, {first.id: 2}, [replace(CART.lines[1], sku="NEW")], to=moved)
    after = await store.order(order.id)
    assert after is not None
    assert [(line.sku, line.quantity) for line in after.groups[0].lines] == [("TEA", 1), ("NEW", 1)]
    assert after.groups[0].destination == moved


async def test_a_lost_lease_changes_nothing(store: SandboxStore) -> None:
    order = await placed(store)
    made = await store.fulfil(all_of(order), yes)
    before = await store.shopkeeper.fulfilments(order.id)
    for write in (
        store.fulfil(all_of(order, "SBX2"), no),
        store.update_tracking(made.id, "X", "SBX2", "", False, no),
        store.cancel_fulfilment(made.id, no),
        store.add_event(step(order, made.id), no),
    ):
        with pytest.raises(StoreRetryable):
            await write
    assert await store.shopkeeper.fulfilments(order.id) == before


async def test_orders_that_changed_are_told_oldest_first(store: SandboxStore, clock: FrozenClock) -> None:
    start = clock.now()
    for _ in range(3):
        await placed(store)
        clock.advance(seconds=0.5)
    await store.shopkeeper.mark_paid("ord_1001")
    assert [each for each, _ in await store.orders_since(start)] == ["ord_1002", "ord_1003", "ord_1001"]
    assert await store.orders_since(clock.now()) == [("ord_1001", clock.now())]
    assert await store.orders_since(clock.now() + timedelta(microseconds=1)) == []


async def test_deliveries_are_signed_and_name_each_change_once(store: SandboxStore) -> None:
    made = await store.shopkeeper.place_order([(CART, OFFER)], to=BUYER)
    paid = await store.shopkeeper.mark_paid(made.order_id)
    verdicts = [store.verify_webhook(call.body, call.headers) for call in (made.delivery, paid)]
    keys = {verdict.delivery_key for verdict in verdicts if isinstance(verdict, Authentic)}
    assert len(keys) == 2
    assert store.read_webhook("orders/paid", paid.body) == [OrderNews(made.order_id, "orders/paid")]
    assert KIND.claims_shop(paid.headers) == "sandbox-shop.sandbox.example"
    assert KIND.claims_shop({}) is None
    assert b"Canary" not in paid.body, "the order is to be read again"
    order = await store.order(made.order_id)
    assert order is not None
    assert order.paid


async def test_forged_and_malformed_deliveries_are_told_apart(store: SandboxStore) -> None:
    paid = await store.shopkeeper.uninstall()
    assert store.verify_webhook(paid.body, {}) == Forged("signature_missing")
    assert store.verify_webhook(paid.body + b" ", paid.headers) == Forged("signature_wrong")
    assert store.read_webhook("orders/paid", b"{") == []
    assert store.read_webhook("carts/seen", paid.body) == []
    assert store.read_webhook("orders/paid", paid.body) == []


async def test_an_app_wide_delivery_names_its_shop_under_the_signature(store: SandboxStore) -> None:
    call = await store.shopkeeper.uninstall()
    assert KIND.verify_app_hook is not None
    found = KIND.verify_app_hook(call.body, call.headers, ("newer", SECRET))
    assert not isinstance(found, Forged)
    assert found.shop == "sandbox-shop.sandbox.example"
    assert KIND.verify_app_hook(call.body, call.headers, ("newer",)) == Forged("signature_wrong")


async def test_the_app_can_be_removed_and_privacy_asked_for(store: SandboxStore) -> None:
    await store.install(Callbacks("https://w.example/rates", "https://w.example/hooks"))
    gone = await store.shopkeeper.uninstall()
    assert store.read_webhook("app/uninstalled", gone.body) == [ShopGone()]
    assert await store.shopkeeper.callbacks() is None
    one = store.shopkeeper.privacy("erase", ["ord_1001"])
    assert store.read_webhook("privacy/erase", one.body) == [PrivacyRequest("erase", "customer", ("ord_1001",))]
    whole = store.shopkeeper.privacy("export", None)
    assert store.read_webhook("privacy/export", whole.body) == [PrivacyRequest("export", "shop")]


async def test_installing_says_what_was_done_kept_and_moved(store: SandboxStore) -> None:
    first = Callbacks("https://w.example/rates/1", "https://w.example/hooks/1")
    assert [step.state for step in await store.install(first)] == ["done", "done"]
    assert [step.state for step in await store.install(first)] == ["kept", "kept"]
    assert [step.state for step in await store.install(replace(first, hooks="https://w.example/h"))] == [
        "kept",
        "moved",
    ]
    kept = await store.shopkeeper.callbacks()
    assert kept is not None
    assert kept.hooks == "https://w.example/h"


async def test_locations_and_products_are_what_the_shop_says(store: SandboxStore) -> None:
    assert await store.locations() == [DEFAULT_LOCATION]
    own = StoreLocation("loc_7", "Brno", Address("CZ", "602 00", city="Brno"), active=False)
    await store.shopkeeper.put_location(own)
    assert await store.locations() == [own]
    assert await store.product_facts(["var_1"]) == []
    await placed(store)
    assert [fact.name for fact in await store.product_facts(["var_1", "var_2"])] == ["Mug", "Tea"]
    mug = ProductFacts("var_1", "MUG", "Mug", CART.lines[0].weight, "691200", "SK")
    await store.shopkeeper.put_product(mug)
    await placed(store)
    assert await store.product_facts(["var_9", "var_1", "var_1"]) == [mug]


async def test_books_are_shared_between_connections_and_not_between_shops(
    settings: SandboxStoreSettings, clock: FrozenClock
) -> None:
    order = await placed(SandboxStore(settings, clock))
    assert await SandboxStore(settings, clock).order(order.id) == order
    other = SandboxStore(settings.model_copy(update={"domain": "other.sandbox.example"}), clock)
    assert await other.order(order.id) is None
    assert (await placed(other)).id == "ord_1001"


async def test_another_secret_does_not_open_the_shop_and_no_name_lies_open(
    settings: SandboxStoreSettings, store: SandboxStore, clock: FrozenClock
) -> None:
    order = await placed(store)
    assert b"Canary" not in settings.path.read_bytes()
    assert b"eleni@" not in settings.path.read_bytes()
    stranger = SandboxStore(settings.model_copy(update={"secret": SecretStr("another-secret-yes")}), clock)
    with pytest.raises(StoreMisconfigured):
        await stranger.order(order.id)


async def test_the_same_deeds_on_fresh_books_give_the_same_deliveries(tmp_path: Path, clock: FrozenClock) -> None:
    told = []
    for name in ("a.db", "b.db"):
        store = SandboxStore(SandboxStoreSettings(path=tmp_path / name, secret=SecretStr(SECRET)), clock)
        order = await placed(store)
        told.append((order, await store.shopkeeper.mark_paid(order.id)))
    assert told[0] == told[1]


async def test_faults_can_be_played(settings: SandboxStoreSettings, clock: FrozenClock) -> None:
    well = SandboxStore(settings, clock)
    order = await placed(well)
    down = SandboxStore(settings.model_copy(update={"fault": "down"}), clock)
    with pytest.raises(StoreRetryable):
        await down.order(order.id)
    with pytest.raises(StoreRetryable):
        await down.facts()
    deaf = SandboxStore(settings.model_copy(update={"fault": "lost-answer"}), clock)
    with pytest.raises(StoreRetryable):
        await deaf.fulfil(all_of(order), yes)
    assert await well.find_fulfilment(order.id, "SBX1") is not None


async def test_amounts_without_minor_units_survive(store: SandboxStore) -> None:
    yen = replace(CART, currency="JPY", lines=(replace(CART.lines[0], price=Money(1200, "JPY")),), totals=None)
    made = await store.shopkeeper.place_order([(yen, replace(OFFER, price=Money(810, "JPY")))])
    order = await store.order(made.order_id)
    assert order is not None
    assert order.subtotal == Money(3600, "JPY")
    assert order.shipping_lines[0].price == Money(810, "JPY")


@pytest.mark.parametrize("change", [{"secret": "short"}, {"domain": "Not A Domain"}, {"currency": "euro"}])
def test_settings_out_of_range_are_refused(settings: SandboxStoreSettings, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SandboxStoreSettings.model_validate(settings.model_dump() | change)


@pytest.mark.parametrize(("name", "domain"), [("Čaj & Káva", "caj-kava"), ("茶", "shop"), ("My  Shop 2", "my-shop-2")])
def test_a_shop_has_a_domain_by_its_name(settings: SandboxStoreSettings, name: str, domain: str) -> None:
    made = SandboxStoreSettings(path=settings.path, secret=settings.secret, name=name)
    assert made.domain == f"{domain}.sandbox.example"


async def test_the_switch_is_off_until_it_is_turned_on_and_a_repair_leaves_it(store: SandboxStore) -> None:
    here = Callbacks("https://w.example/rates", "https://w.example/hooks")
    assert await store.rates_on() is None
    assert not await store.switch_rates(True)
    await store.install(here)
    assert await store.rates_on() is False
    assert await store.switch_rates(True)
    steps = await store.install(replace(here, rates="https://new.example/rates"))
    assert steps[0].detail == "https://w.example -> https://new.example"
    assert await store.rates_on() is True


async def test_what_is_taken_away_is_gone_and_can_be_put_back_switched_on(store: SandboxStore) -> None:
    here = Callbacks("https://w.example/rates", "https://w.example/hooks")
    await store.install(here)
    assert {step.state for step in await store.uninstall()} == {"removed"}
    assert {step.state for step in await store.uninstall()} == {"absent"}
    assert await store.rates_on() is None
    await store.install(here, on=True)
    assert await store.rates_on() is True
