"""What every store must do, whatever the platform behind it: subclass `StoreContract` and give it a `world`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

import pytest

from carriers.measure import Weight
from carriers.money import Money
from carriers.tracking import TrackingStatus
from connector.store import (
    Answer,
    Callbacks,
    FulfilRequest,
    GroupNews,
    GroupState,
    Incoming,
    Offer,
    Order,
    OrderNews,
    ProductFacts,
    RateCall,
    Refusal,
    Store,
    StoreError,
    StoreEventRequest,
    StoreKind,
    UseBackup,
)
from webhooks.receiver import Authentic, Forged

CALLBACKS = Callbacks(
    rates="https://waybill.example/rates/shp_1/first-token", hooks="https://waybill.example/hooks/shp_1/first-token"
)
ELSEWHERE = Callbacks(
    rates="https://elsewhere.example/rates/shp_1/first-token", hooks="https://elsewhere.example/hooks/shp_1/first-token"
)


@dataclass(frozen=True)
class WantedOrder:
    """An order that the world shall place: one line, one address, one shipping line."""

    paid: bool = True
    sku: str = "TEE-1"
    quantity: int = 3
    price: Money = field(default_factory=lambda: Money(1999, "USD"))
    weight: Weight | None = field(default_factory=lambda: Weight(500))
    service_code: str = "ground"
    service_name: str = "Ground"
    shipping: Money = field(default_factory=lambda: Money(700, "USD"))
    country: str = "US"
    postal_code: str = "90277"
    province: str = "CA"


class StoreWorld(Protocol):
    """A shop on its platform, connected, and a hand on what happens there. Money is in USD."""

    @property
    def kind(self) -> StoreKind: ...

    @property
    def store(self) -> Store: ...

    @property
    def shop(self) -> str:
        """The store's own name of the shop, as its headers write it; "" where they name none."""
        ...

    async def place_order(self, wanted: WantedOrder) -> str:
        """A buyer places an order; its id as `Store.order` takes it."""
        ...

    async def pay(self, order_id: str) -> None: ...

    async def cancel(self, order_id: str) -> None: ...

    async def deliveries(self) -> list[tuple[bytes, Mapping[str, str]]]:
        """The webhooks that the platform posted since it was last asked: raw body and lower-case headers."""
        ...

    def rate_call(self) -> Incoming:
        """A rate call as the platform makes it, proved as well as the platform can."""
        ...

    def bad_rate_call(self) -> tuple[Incoming, str]:
        """One with a quantity of zero, proved likewise, and the name of that field as a refusal gives it."""
        ...


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


def _request(order: Order, number: str, quantity: int | None = None) -> FulfilRequest:
    group = order.groups[0]
    lines = tuple((line.id, quantity or line.quantity) for line in group.lines)
    url = f"https://track.example/{number}"
    return FulfilRequest(order.id, group.id, lines, "USPS", number, url, False, group.location_id)


def _shipped(order: Order) -> int:
    return sum(line.quantity for group in order.groups for line in group.shipped)


async def _read(world: StoreWorld, order_id: str) -> Order:
    order = await world.store.order(order_id)
    assert order is not None
    return order


class StoreContract:
    """The promises of `connector.store.Store`."""

    pytestmark = pytest.mark.anyio

    # --- the checkout -------------------------------------------------------------------------------------------------

    async def test_a_rate_call_is_understood_and_reads_the_same_twice(self, world: StoreWorld) -> None:
        call = world.store.read_rate_call(world.rate_call())
        assert isinstance(call, RateCall)
        assert call == world.store.read_rate_call(world.rate_call())
        assert call.cart.lines
        assert all(line.price.currency == call.cart.currency for line in call.cart.lines)
        assert call.signature == ("valid" if world.store.capabilities.signed_rate_calls else "unsigned")

    async def test_a_rate_call_that_cannot_be_names_its_field(self, world: StoreWorld) -> None:
        incoming, wrong = world.bad_rate_call()
        refusal = world.store.read_rate_call(incoming)
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.field) == (400, wrong)

    @pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000])
    async def test_a_rate_call_that_is_not_its_json_is_refused(self, world: StoreWorld, raw: bytes) -> None:
        refusal = world.store.read_rate_call(replace(world.rate_call(), raw=raw))
        assert isinstance(refusal, Refusal)
        assert refusal.status == 400
        assert refusal.field

    async def test_equal_answers_are_equal_bytes(self, world: StoreWorld) -> None:
        call = world.store.read_rate_call(world.rate_call())
        assert isinstance(call, RateCall)
        answer = Answer((Offer("ground", "Ground", Money(700, call.cart.currency)),))
        first, second = (world.store.write_answer(answer, call.echo) for _ in range(2))
        assert first == second
        assert first.status == 200
        assert b"ground" in first.body

    async def test_not_shipping_there_is_an_answer_and_not_knowing_is_none(self, world: StoreWorld) -> None:
        call = world.store.read_rate_call(world.rate_call())
        assert isinstance(call, RateCall)
        nothing = world.store.write_answer(Answer(()), call.echo)
        unknown = world.store.write_answer(UseBackup("no_origin"), call.echo)
        assert nothing.status == 200
        if world.store.capabilities.backup_rates:
            assert unknown.status == 503

    async def test_a_refusal_keeps_its_status(self, world: StoreWorld) -> None:
        reply = world.store.write_answer(Refusal(400, "out_of_range", "rate.items[0].quantity"), {})
        assert reply.status == 400
        assert b"rate.items[0].quantity" in reply.body

    # --- orders -------------------------------------------------------------------------------------------------------

    async def test_a_paid_order_is_read_with_what_a_label_needs(self, world: StoreWorld) -> None:
        wanted = WantedOrder()
        order = await _read(world, await world.place_order(wanted))
        assert order.paid
        assert not order.cancelled
        assert order.currency == "USD"
        assert order.updated_at.tzinfo is not None
        group = order.groups[0]
        assert group.state is GroupState.READY
        assert group.destination is not None
        assert (group.destination.country, group.destination.postal_code) == (wanted.country, wanted.postal_code)
        assert group.destination.province == wanted.province
        assert group.destination.street1
        line = group.lines[0]
        assert (line.sku, line.quantity, line.price, line.weight) == ("TEE-1", 3, wanted.price, wanted.weight)
        assert order.shipping_lines[0].price == wanted.shipping

    async def test_the_offer_that_was_chosen_is_named(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder(service_code="express", service_name="Express")))
        codes = {order.groups[0].service_code, *(line.code for line in order.shipping_lines)}
        assert "express" in codes

    async def test_an_order_that_is_not_there_is_none(self, world: StoreWorld) -> None:
        order_id = await world.place_order(WantedOrder())
        assert await world.store.order(order_id[:-1] + ("1" if order_id[-1] != "1" else "2") + "99") is None
        assert await world.store.order("nonsense") is None

    async def test_paying_is_seen(self, world: StoreWorld) -> None:
        order_id = await world.place_order(WantedOrder(paid=False))
        assert not (await _read(world, order_id)).paid
        await world.pay(order_id)
        assert (await _read(world, order_id)).paid

    async def test_a_cancelled_order_has_nothing_to_ship(self, world: StoreWorld) -> None:
        order_id = await world.place_order(WantedOrder())
        await world.cancel(order_id)
        order = await _read(world, order_id)
        assert order.cancelled
        assert all(group.state is not GroupState.READY for group in order.groups)

    async def test_a_group_leads_to_its_order(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        assert await world.store.order_of_group(order.groups[0].id) == order.id
        assert await world.store.order_of_group("nonsense") is None

    async def test_orders_since_finds_what_changed_and_nothing_older(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        assert (order.id, order.updated_at) in await world.store.orders_since(order.updated_at)
        later = order.updated_at + timedelta(days=1)
        assert order.id not in {order_id for order_id, _ in await world.store.orders_since(later)}

    async def test_past_orders_are_as_they_were_placed_also_when_they_have_left(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder(quantity=3)))
        gone = await world.place_order(WantedOrder())
        await world.cancel(gone)
        await world.store.fulfil(_request(order, "9400100000000000000007"), _yes)
        page = await world.store.past_orders(order.placed_at)
        (past,) = [each for each in page.orders if each.id in {order.id, gone}]
        assert (past.id, past.name, past.placed_at) == (order.id, order.name, order.placed_at)
        assert [(line.quantity, line.sku) for line in past.cart.lines] == [(3, order.groups[0].lines[0].sku)]
        assert past.charged == order.shipping_lines[0].price
        assert (past.cart.totals is not None and past.cart.totals.total) == order.subtotal
        place = past.cart.destination
        assert place is not None
        assert place.country
        assert (place.name, place.street1, place.phone, place.email) == ("", "", "", "")
        assert page.after == ""
        assert (await world.store.past_orders(order.placed_at + timedelta(days=1))).orders == ()

    # --- fulfilments --------------------------------------------------------------------------------------------------

    async def test_a_fulfilment_is_found_by_its_number(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        made = await world.store.fulfil(_request(order, "9400100000000000000001"), _yes)
        assert await world.store.find_fulfilment(order.id, "9400100000000000000001") == made
        assert await world.store.find_fulfilment(order.id, "9400100000000000000002") is None
        assert "9400100000000000000001" in made.tracking_numbers

    async def test_what_was_fulfilled_does_not_wait_any_more(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        await world.store.fulfil(_request(order, "9400100000000000000003"), _yes)
        again = await _read(world, order.id)
        assert sum(line.quantity for group in again.groups for line in group.lines) == 0
        assert all(group.state is not GroupState.READY for group in again.groups)

    async def test_a_part_can_be_fulfilled(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder(quantity=3)))
        assert _shipped(order) == 0
        await world.store.fulfil(_request(order, "9400100000000000000004", quantity=1), _yes)
        assert _shipped(await _read(world, order.id)) == 1
        await world.store.fulfil(_request(order, "9400100000000000000005", quantity=2), _yes)
        again = await _read(world, order.id)
        assert sum(line.quantity for group in again.groups for line in group.lines) == 0
        assert _shipped(again) == 3
        for number in ("9400100000000000000004", "9400100000000000000005"):
            assert await world.store.find_fulfilment(order.id, number) is not None

    async def test_more_than_there_is_cannot_be_fulfilled(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder(quantity=3)))
        with pytest.raises(StoreError):
            await world.store.fulfil(_request(order, "9400100000000000000006", quantity=4), _yes)
        assert await world.store.find_fulfilment(order.id, "9400100000000000000006") is None

    async def test_a_lost_lease_fulfils_nothing(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        with pytest.raises(StoreError):
            await world.store.fulfil(_request(order, "9400100000000000000007"), _no)
        assert await world.store.find_fulfilment(order.id, "9400100000000000000007") is None

    async def test_tracking_is_replaced_and_that_can_be_repeated(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        made = await world.store.fulfil(_request(order, "9400100000000000000008"), _yes)
        for _ in range(2):
            await world.store.update_tracking(made.id, "UPS", "1Z1", "https://track.example/1Z1", False, _yes)
        assert await world.store.find_fulfilment(order.id, "9400100000000000000008") is None
        found = await world.store.find_fulfilment(order.id, "1Z1")
        assert found is not None
        assert found.id == made.id

    async def test_a_fulfilment_taken_back_lets_its_units_wait_again(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder(quantity=3)))
        made = await world.store.fulfil(_request(order, "9400100000000000000009"), _yes)
        await world.store.cancel_fulfilment(made.id, _yes)
        assert await world.store.find_fulfilment(order.id, "9400100000000000000009") is None
        again = await _read(world, order.id)
        ready = [group for group in again.groups if group.state is GroupState.READY]
        assert sum(line.quantity for group in ready for line in group.lines) == 3

    async def test_a_step_is_on_the_timeline_once_it_was_added(self, world: StoreWorld) -> None:
        if not world.store.capabilities.events:
            pytest.skip("This platform has no timeline.")
        order = await _read(world, await world.place_order(WantedOrder()))
        made = await world.store.fulfil(_request(order, "9400100000000000000010"), _yes)
        at = order.placed_at + timedelta(days=1)
        step = StoreEventRequest(order.id, made.id, TrackingStatus.IN_TRANSIT, at, city="Reno", country="US")
        assert not await world.store.has_event(step)
        await world.store.add_event(step, _yes)
        assert await world.store.has_event(step)
        assert not await world.store.has_event(replace(step, status=TrackingStatus.DELIVERED))
        assert not await world.store.has_event(replace(step, at=at + timedelta(hours=1)))

    @pytest.mark.parametrize("status", list(TrackingStatus))
    async def test_every_status_can_be_added_and_is_then_there(self, world: StoreWorld, status: TrackingStatus) -> None:
        if not world.store.capabilities.events:
            pytest.skip("This platform has no timeline.")
        order = await _read(world, await world.place_order(WantedOrder()))
        made = await world.store.fulfil(_request(order, "9400100000000000000011"), _yes)
        step = StoreEventRequest(order.id, made.id, status, order.placed_at + timedelta(days=1))
        await world.store.add_event(step, _yes)
        assert await world.store.has_event(step)

    # --- news ---------------------------------------------------------------------------------------------------------

    async def test_a_payment_is_told_and_leads_to_the_order(self, world: StoreWorld) -> None:
        await world.store.install(CALLBACKS)
        order_id = await world.place_order(WantedOrder(paid=False))
        await world.pay(order_id)
        posted = await world.deliveries()
        assert posted
        orders: set[str | None] = set()
        for raw, headers in posted:
            verdict = world.store.verify_webhook(raw, headers)
            assert isinstance(verdict, Authentic)
            for news in world.store.read_webhook(verdict.topic, raw):
                match news:
                    case OrderNews():
                        orders.add(news.order_id)
                    case GroupNews():
                        orders.add(await world.store.order_of_group(news.group_id))
                    case _:
                        pytest.fail(f"{news} was not to be told")
        assert orders == {(await _read(world, order_id)).id}

    async def test_deliveries_are_told_apart_and_a_repeat_is_recognised(self, world: StoreWorld) -> None:
        await world.store.install(CALLBACKS)
        await world.pay(await world.place_order(WantedOrder(paid=False)))
        posted = await world.deliveries()
        keys = [world.store.verify_webhook(raw, headers) for raw, headers in posted]
        assert keys == [world.store.verify_webhook(raw, headers) for raw, headers in posted]
        assert len({verdict.delivery_key for verdict in keys if isinstance(verdict, Authentic)}) == len(posted)

    async def test_a_changed_or_unsigned_delivery_is_not_believed(self, world: StoreWorld) -> None:
        await world.store.install(CALLBACKS)
        await world.pay(await world.place_order(WantedOrder(paid=False)))
        raw, headers = (await world.deliveries())[0]
        assert isinstance(world.store.verify_webhook(raw + b" ", headers), Forged)
        assert world.store.verify_webhook(raw, {}) == Forged("signature_missing")

    async def test_a_delivery_names_its_shop(self, world: StoreWorld) -> None:
        await world.store.install(CALLBACKS)
        await world.pay(await world.place_order(WantedOrder(paid=False)))
        _, headers = (await world.deliveries())[0]
        assert world.kind.claims_shop(headers) == (world.shop or None)
        assert world.kind.claims_shop({}) is None

    async def test_a_topic_that_means_nothing_tells_nothing(self, world: StoreWorld) -> None:
        assert world.store.read_webhook("themes/publish", b'{"id": 1}') == []

    # --- set-up -------------------------------------------------------------------------------------------------------

    async def test_installing_twice_keeps_what_is_right(self, world: StoreWorld) -> None:
        first = await world.store.install(CALLBACKS)
        second = await world.store.install(CALLBACKS)
        assert {step.state for step in first} <= {"done", "kept"}
        assert {step.state for step in second} <= {"kept"}
        assert [step.what for step in first] == [step.what for step in second]

    async def test_installing_elsewhere_moves_every_callback(self, world: StoreWorld) -> None:
        first = await world.store.install(CALLBACKS)
        moved = await world.store.install(ELSEWHERE)
        was_made = {step.what for step in first if step.state == "done"}
        assert {step.what for step in moved if step.state == "moved"} == was_made
        assert {step.state for step in await world.store.install(ELSEWHERE)} <= {"kept"}

    async def test_rates_are_off_until_switched_on_and_installing_leaves_the_switch(self, world: StoreWorld) -> None:
        assert await world.store.rates_on() is None
        assert not await world.store.switch_rates(True)
        await world.store.install(CALLBACKS)
        assert await world.store.rates_on() is False
        for on in (True, False, True):
            assert await world.store.switch_rates(on)
            assert await world.store.rates_on() is on
        await world.store.install(ELSEWHERE)
        assert await world.store.rates_on() is True

    async def test_what_was_lost_comes_back_as_it_is_told_to_be(self, world: StoreWorld) -> None:
        await world.store.install(CALLBACKS, on=True)
        assert await world.store.rates_on() is True

    async def test_uninstalling_takes_everything_away_once(self, world: StoreWorld) -> None:
        made = await world.store.install(CALLBACKS)
        gone = await world.store.uninstall()
        assert {step.what for step in gone} == {step.what for step in made if step.state == "done"}
        assert {step.state for step in gone} == {"removed"}
        assert {step.state for step in await world.store.uninstall()} <= {"absent"}
        assert await world.store.rates_on() is None

    async def test_a_callback_that_moved_says_from_where_to_where(self, world: StoreWorld) -> None:
        await world.store.install(CALLBACKS)
        moved = [step for step in await world.store.install(ELSEWHERE) if step.state == "moved"]
        assert moved
        assert all(" -> " in step.detail for step in moved)

    async def test_no_step_shows_a_callback_token(self, world: StoreWorld) -> None:
        steps = [*await world.store.install(CALLBACKS), *await world.store.install(ELSEWHERE)]
        assert "first-token" not in repr(steps)

    async def test_the_shop_tells_of_itself(self, world: StoreWorld) -> None:
        facts = await world.store.facts()
        assert facts.currency == "USD"
        assert facts.name

    async def test_goods_leave_from_somewhere(self, world: StoreWorld) -> None:
        places = await world.store.locations()
        assert any(place.active and place.address.country for place in places)
        assert len({place.id for place in places}) == len(places)

    async def test_a_variant_of_an_order_is_known(self, world: StoreWorld) -> None:
        order = await _read(world, await world.place_order(WantedOrder()))
        line = order.groups[0].lines[0]
        known = await world.store.product_facts([line.variant_id])
        assert [(one.variant_id, one.sku, one.weight) for one in known] == [(line.variant_id, line.sku, line.weight)]
        assert await world.store.product_facts([]) == []

    async def test_every_variant_is_found_page_by_page_and_by_its_product(self, world: StoreWorld) -> None:
        if not world.store.capabilities.products:
            return
        order = await _read(world, await world.place_order(WantedOrder()))
        wanted = order.groups[0].lines[0].variant_id
        found: list[ProductFacts] = []
        after = ""
        while True:
            page = await world.store.products(after, ("custom.length",))
            found += page.variants
            after = page.after
            if not after:
                break
        assert len({each.variant_id for each in found}) == len(found)
        (mine,) = [each for each in found if each.variant_id == wanted]
        assert mine in await world.store.variants_of([mine.product_id], ("custom.length",))
        assert await world.store.variants_of([]) == []

    async def test_capabilities_are_those_of_the_kind_or_narrower(self, world: StoreWorld) -> None:
        ours, kinds = world.store.capabilities, world.kind.capabilities
        for name in ("returns", "refund", "restock", "voucher", "hold", "events", "signed_rate_calls", "backup_rates"):
            assert getattr(ours, name) <= getattr(kinds, name)
        assert ours.hard_deadline_s > 0
        assert ours.fulfil_ceiling_s > 0
