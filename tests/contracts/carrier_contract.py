"""What every carrier must do, whoever it is: one suite that each of them passes.

To add a carrier, subclass `CarrierContract` in `test_<name>_carrier.py` and give it one fixture, `connected`:

    class TestMyCarrier(CarrierContract):
        @pytest.fixture
        async def connected(self) -> AsyncIterator[Connected]:
            carrier = KIND.connect(MySettings(...), outgoing, clock)
            yield Connected(KIND, carrier, MyWorld())
            await carrier.close()

`MyWorld` is the carrier's own side, as `World` describes it: a simulator, usually. What the party cannot play, its
`arrange` answers with None, and those tests are skipped with that reason. Tests follow the declared capabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Literal, Protocol

import anyio
import pytest
from pydantic import SecretStr

from carriers.address import Address
from carriers.carrier import Carrier, CarrierKind
from carriers.customs import Customs, CustomsItem, TaxId
from carriers.errors import CarrierError
from carriers.label import Created, NotBought, Purchased, Rejected, Unknown
from carriers.measure import Size, Weight
from carriers.money import Money
from carriers.parcel import Parcel, RateRequest, Shipment
from carriers.rate import Rate
from carriers.tracking import TrackingEvent, TrackingStatus, TrackingUpdate
from webhooks.receiver import Authentic, Forged

Fault = Literal[
    "no_service",  # rating: no service goes there
    "down",  # rating: the carrier cannot be reached
    "slow",  # rating: the answer comes after seconds
    "lost_answer",  # a purchase takes effect, and its answer never comes
    "lost_request",  # a purchase gets lost on the way: no effect, no answer
    "wallet_empty",  # a purchase is refused for want of money
    "address_refused",  # a purchase is refused for the address
    "rate_gone",  # a purchase is refused as its price is not to be had any more
]
PROBLEM_CODES = {
    "rate_refused",
    "no_service",
    "credentials",
    "timeout",
    "unreachable",
    "overloaded",
    "carrier_error",
    "garbled",
}
VOID_STATES = {"requested", "voided", "refused", "nothing_charged", "unknown"}
_MAGIC = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "application/zpl": b"^XA"}
_MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "zpl": "application/zpl"}

BUYER = Address(
    country="US",
    postal_code="90277",
    province="CA",
    city="Redondo Beach",
    street1="12 Canary Row",
    name="Canary Nightingale",
    phone="+1 555 010 7788",
    email="canary@nightingale.example",
    residential=True,
)
SHOP = Address(
    country="US", postal_code="94107", province="CA", city="San Francisco", street1="1 Quay", company="Shop", phone="1"
)
ABROAD = replace(BUYER, country="GB", postal_code="SW1A 1AA", province="", city="London", residential=None)
IN_THE_UNION = replace(BUYER, country="DE", postal_code="10115", province="", city="Berlin", residential=None)
DECLARATION = Customs(
    items=(
        CustomsItem(
            "Stoneware mug", 2, Money(4650, "USD"), Weight(311), "691200", "SK", "MUG-1", "4420", "4006381333931"
        ),
        CustomsItem("Tea tin", 1, Money(999, "USD"), Weight(220), "09024000", "CN", "TEA-1"),
        CustomsItem("Sticker", 3, Money(1, "USD"), Weight(1), "491199", "US"),
    ),
    contents="gift",
    incoterm="DDP",
    signer="Sample Shop",
    reference="1001",
    tax_ids=(TaxId("EORI", "GB123456789000", "GB"), TaxId("VAT", "GB999999973", "GB", "receiver")),
    export_filing="NOEEI 30.37(a)",
    non_delivery="abandon",
    paperless=False,
)
SHIPMENT = Shipment(
    origin=SHOP,
    destination=BUYER,
    parcel=Parcel(Weight(900), Size(300, 200, 100), value=Money(5000, "USD")),
    reference="prc_contract",
    currency="USD",
)


class World(Protocol):
    """The carrier's side, in a test's hand."""

    def arrange(self, fault: Fault, shipment: Shipment) -> Shipment | None:
        """Make the next call of that kind go wrong; the shipment to make it with. None: this party cannot."""
        ...

    async def sold(self, reference: str) -> int:
        """How many labels the carrier sold for this reference of ours."""
        ...

    async def declared(self, bought: Purchased) -> Customs | None:
        """What the carrier holds as the declaration of a parcel that it sold a label for; None: it keeps none."""
        ...

    async def deliveries(self, bought: Purchased) -> list[tuple[Mapping[str, str], bytes]]:
        """Let the parcel travel until it is delivered: two or more signed webhook deliveries, oldest first."""
        ...


@dataclass(frozen=True)
class Connected:
    """A carrier to be tested."""

    kind: CarrierKind
    carrier: Carrier
    world: World


def allowed() -> bool:
    """A fence that is open."""
    return True


def request_for(shipment: Shipment) -> RateRequest:
    """The question that a checkout would have asked for this shipment."""
    return RateRequest(
        shipment.origin, shipment.destination, (shipment.parcel,), shipment.currency, signature=shipment.signature
    )


class CarrierContract:
    """Subclass this; see the module's first lines."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def connected(self) -> Connected:
        """The carrier under test; the one thing that a subclass gives."""
        pytest.fail("A subclass gives the fixture `connected`.")

    @pytest.fixture
    def shipment(self) -> Shipment:
        """A parcel that the carrier takes; a subclass may give another one."""
        return SHIPMENT

    @pytest.fixture
    def carrier(self, connected: Connected) -> Carrier:
        return connected.carrier

    @pytest.fixture
    def world(self, connected: Connected) -> World:
        return connected.world

    # --- rates ---

    async def test_rates_have_prices_in_the_asked_currency_and_names(
        self, carrier: Carrier, shipment: Shipment
    ) -> None:
        found = await carrier.rates(request_for(shipment), 10)
        assert found.rates
        assert not found.partial
        for rate in found.rates:
            assert rate.price.currency == shipment.currency
            assert rate.price.minor > 0
            assert rate.carrier
            assert rate.service
            assert rate.transit_days is None or rate.transit_days >= 0
            assert rate.delivery_at is None or rate.delivery_at.tzinfo is not None
        assert len({rate.key for rate in found.rates}) == len(found.rates)

    async def test_an_answer_says_that_it_is_of_a_test_account(
        self, connected: Connected, carrier: Carrier, shipment: Shipment
    ) -> None:
        """What sells nothing spends nothing either, and says neither."""
        said = True if connected.kind.capabilities.sells_labels else None
        assert (await carrier.rates(request_for(shipment), 10)).test_mode is said
        assert (await carrier.create(shipment)).test_mode is said

    async def test_two_equal_parcels_cost_twice_as_much_where_several_are_taken(
        self, carrier: Carrier, shipment: Shipment
    ) -> None:
        asked = request_for(shipment)
        one = {rate.key: rate.price for rate in (await carrier.rates(asked, 10)).rates}
        two = await carrier.rates(replace(asked, parcels=asked.parcels * 2), 10)
        assert two.rates or two.problems
        for rate in two.rates:
            assert one[rate.key] < rate.price <= one[rate.key] * 2

    async def test_where_no_service_goes_the_reason_is_named(
        self, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        found = await carrier.rates(request_for(_arranged(world, "no_service", shipment)), 10)
        assert found.rates == ()
        assert found.problems
        assert {problem.code for problem in found.problems} <= PROBLEM_CODES

    async def test_a_carrier_that_is_down_is_an_error_for_merchants(
        self, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        asked = request_for(_arranged(world, "down", shipment))
        with pytest.raises(CarrierError) as raised:
            await carrier.rates(asked, 2)
        assert raised.value.code in PROBLEM_CODES
        assert raised.value.message
        assert_impersonal(str(raised.value))

    async def test_slow_rates_end_at_the_deadline(self, carrier: Carrier, world: World, shipment: Shipment) -> None:
        asked = request_for(_arranged(world, "slow", shipment))
        with anyio.fail_after(5):
            try:
                found = await carrier.rates(asked, 0.3)
            except CarrierError as error:
                assert error.code == "timeout"  # noqa: PT017 (either way of saying it is right)
            else:
                assert found.partial
                assert "timeout" in {problem.code for problem in found.problems}

    # --- create ---

    async def test_a_created_shipment_has_the_prices_of_the_checkout_with_ids(
        self, carrier: Carrier, shipment: Shipment
    ) -> None:
        quoted = await carrier.rates(request_for(shipment), 10)
        created = await carrier.create(shipment)
        assert created.handle
        assert all(rate.rate_id for rate in created.rates)
        assert len({rate.rate_id for rate in created.rates}) == len(created.rates)
        assert {rate.key: rate.price for rate in created.rates} == {rate.key: rate.price for rate in quoted.rates}

    async def test_creating_costs_nothing(self, carrier: Carrier, world: World, shipment: Shipment) -> None:
        created = await carrier.create(shipment)
        assert await world.sold(shipment.reference) == 0
        assert await carrier.look_up(created.handle) == NotBought(created.handle)

    # --- purchase ---

    async def test_what_sells_no_labels_refuses_to_sell_one(
        self, connected: Connected, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        if connected.kind.capabilities.sells_labels:
            pytest.skip("The carrier sells labels.")
        created = await carrier.create(shipment)
        for _ in range(2):
            outcome = await carrier.purchase(created.handle, created.rates[0], allowed)
            assert isinstance(outcome, Rejected)
            assert outcome.code == "by_hand"
            assert outcome.message
        assert await world.sold(shipment.reference) == 0
        assert await carrier.look_up(created.handle) == NotBought(created.handle)

    async def test_a_purchase_gives_a_label_with_tracking(self, carrier: Carrier, shipment: Shipment) -> None:
        created, bought = await _buy(carrier, shipment)
        assert bought.handle == created.handle
        assert bought.tracking_code
        assert bought.test_mode is True
        assert [file.kind for file in bought.files].count("label") == 1
        for file in bought.files:
            media_type, content = (
                (file.media_type, file.content) if file.content else await carrier.fetch_file(file.url)
            )
            assert media_type == file.media_type
            assert content.startswith(_MAGIC[media_type])

    @pytest.mark.need(61)
    async def test_what_is_declared_to_customs_is_what_arrives_and_its_papers_come_back(
        self, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        _must_sell(carrier)
        asked = replace(shipment, destination=ABROAD, customs=DECLARATION, reference="prc_abroad")
        _, bought = await _buy(carrier, asked)
        assert await world.declared(bought) == DECLARATION
        (paper,) = [file for file in bought.files if file.kind == "customs"]
        media_type, content = await carrier.fetch_file(paper.url)
        assert media_type == paper.media_type
        assert content.startswith(_MAGIC[media_type])
        assert await carrier.look_up(bought.handle) == bought

    async def test_goods_are_sold_into_the_union_under_their_numbers(self, carrier: Carrier, world: World) -> None:
        """From outside it: carriers want to know who sells to whom, and by which numbers the goods go."""
        _must_sell(carrier)
        numbered = tuple(replace(item, sku=f"S-{n}", mpn=f"M-{n}") for n, item in enumerate(DECLARATION.items))
        told = replace(DECLARATION, items=numbered, contents="merchandise")
        _, bought = await _buy(carrier, replace(SHIPMENT, destination=IN_THE_UNION, customs=told, reference="prc_eu"))
        arrived = await world.declared(bought)
        assert arrived is not None
        assert arrived.items == numbered

    async def test_every_declared_label_format_is_delivered(
        self, connected: Connected, carrier: Carrier, shipment: Shipment
    ) -> None:
        for label_format in ("pdf", "png", "zpl"):
            if label_format not in connected.kind.capabilities.label_formats:
                continue
            asked = replace(shipment, label_format=label_format, reference=f"prc_{label_format}")
            _, bought = await _buy(carrier, asked)
            label = next(file for file in bought.files if file.kind == "label")
            media_type, _ = await carrier.fetch_file(label.url)
            assert media_type == _MEDIA_TYPES[label_format]

    async def test_what_is_bought_is_what_was_asked_for(self, carrier: Carrier, shipment: Shipment) -> None:
        """Each of the first rates, and those of equal service names, buys itself: account, service and price."""
        _must_sell(carrier)
        created = await carrier.create(shipment)
        for rate in _telling(created.rates):
            again = await carrier.create(replace(shipment, reference=f"prc_{rate.rate_id}"))
            same = next(one for one in again.rates if one.key == rate.key)
            bought = await carrier.purchase(again.handle, same, allowed)
            assert isinstance(bought, Purchased)
            assert bought.rate.key == rate.key
            assert bought.rate.price == same.price

    async def test_a_second_purchase_of_a_handle_does_not_sell_twice(
        self, connected: Connected, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        repeat = connected.kind.capabilities.repeat_purchase
        if repeat == "unsafe":
            pytest.skip("The carrier declares that a second purchase may sell a second label.")
        created, first = await _buy(carrier, shipment)
        second = await carrier.purchase(created.handle, created.rates[-1], allowed)
        if repeat == "refused":
            assert isinstance(second, Unknown)
        else:
            assert isinstance(second, Purchased)
            assert second.tracking_code == first.tracking_code
        assert await world.sold(shipment.reference) == 1
        found = await carrier.look_up(created.handle)
        assert isinstance(found, Purchased)
        assert found.tracking_code == first.tracking_code
        assert found.rate.key == first.rate.key

    async def test_purchases_of_one_handle_at_the_same_time_sell_one_label(
        self, connected: Connected, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        if connected.kind.capabilities.repeat_purchase == "unsafe":
            pytest.skip("The carrier declares that a second purchase may sell a second label.")
        _must_sell(carrier)
        created = await carrier.create(shipment)
        outcomes: list[Purchased | Rejected | Unknown] = []

        async def buy() -> None:
            outcomes.append(await carrier.purchase(created.handle, created.rates[0], allowed))

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(buy)
        assert await world.sold(shipment.reference) == 1
        assert not [one for one in outcomes if isinstance(one, Rejected)]
        assert len({one.tracking_code for one in outcomes if isinstance(one, Purchased)}) <= 1

    async def test_a_purchase_without_an_answer_is_unknown_and_the_look_up_finds_it(
        self, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        asked = _arranged(world, "lost_answer", shipment)
        created = await carrier.create(asked)
        outcome = await carrier.purchase(created.handle, created.rates[0], allowed)
        assert isinstance(outcome, Unknown)
        assert outcome.handle == created.handle
        found = await carrier.look_up(created.handle)
        assert isinstance(found, Purchased)
        assert found.rate.key == created.rates[0].key
        assert found.rate.price == created.rates[0].price
        assert await world.sold(asked.reference) == 1

    async def test_a_purchase_that_got_lost_is_unknown_and_the_look_up_finds_nothing(
        self, carrier: Carrier, world: World, shipment: Shipment
    ) -> None:
        asked = _arranged(world, "lost_request", shipment)
        created = await carrier.create(asked)
        assert isinstance(await carrier.purchase(created.handle, created.rates[0], allowed), Unknown)
        assert isinstance(await carrier.look_up(created.handle), NotBought)
        assert await world.sold(asked.reference) == 0

    @pytest.mark.parametrize("reason", ["wallet_empty", "address_refused", "rate_gone"])
    async def test_a_refused_purchase_has_a_reason_and_sells_nothing(
        self, carrier: Carrier, world: World, shipment: Shipment, reason: Fault
    ) -> None:
        asked = _arranged(world, reason, shipment)
        created = await carrier.create(asked)
        outcome = await carrier.purchase(created.handle, created.rates[0], allowed)
        assert isinstance(outcome, Rejected)
        assert outcome.code == reason
        assert_impersonal(outcome.message)
        assert await world.sold(asked.reference) == 0
        assert isinstance(await carrier.look_up(created.handle), NotBought)

    async def test_a_closed_fence_buys_nothing(self, carrier: Carrier, world: World, shipment: Shipment) -> None:
        created = await carrier.create(shipment)
        outcome = await carrier.purchase(created.handle, created.rates[0], lambda: False)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "fenced"
        assert await world.sold(shipment.reference) == 0
        assert isinstance(await carrier.look_up(created.handle), NotBought)

    async def test_the_fence_is_asked_for_each_purchase(self, carrier: Carrier, shipment: Shipment) -> None:
        asked: list[str] = []

        def fence() -> bool:
            asked.append("asked")
            return True

        _must_sell(carrier)
        created = await carrier.create(shipment)
        await carrier.purchase(created.handle, created.rates[0], fence)
        assert asked == ["asked"]

    async def test_a_handle_that_the_carrier_does_not_know_is_an_error(self, carrier: Carrier) -> None:
        with pytest.raises(CarrierError):
            await carrier.look_up("no_such_handle")

    # --- void ---

    async def test_a_label_can_be_given_back_and_asking_twice_is_safe(
        self, connected: Connected, carrier: Carrier, shipment: Shipment
    ) -> None:
        if not connected.kind.capabilities.void:
            pytest.skip("The carrier declares that it takes no label back.")
        created, _ = await _buy(carrier, shipment)
        states = [(await carrier.void(created.handle, allowed)).state for _ in range(2)]
        assert set(states) <= VOID_STATES
        assert states[0] in {"requested", "voided", "nothing_charged"}
        assert states[1] in {"requested", "voided", "nothing_charged"}

    async def test_giving_back_what_was_never_bought_charges_nothing(
        self, connected: Connected, carrier: Carrier, shipment: Shipment
    ) -> None:
        if not connected.kind.capabilities.void:
            pytest.skip("The carrier declares that it takes no label back.")
        created = await carrier.create(shipment)
        assert (await carrier.void(created.handle, allowed)).state == "nothing_charged"

    async def test_a_closed_fence_gives_nothing_back(
        self, connected: Connected, carrier: Carrier, shipment: Shipment
    ) -> None:
        if not connected.kind.capabilities.void:
            pytest.skip("The carrier declares that it takes no label back.")
        created, _ = await _buy(carrier, shipment)
        with pytest.raises(CarrierError):
            await carrier.void(created.handle, lambda: False)
        assert isinstance(await carrier.look_up(created.handle), Purchased)

    # --- webhooks and tracking ---

    async def test_a_signed_delivery_is_believed_and_a_repeat_has_the_same_key(
        self, connected: Connected, shipment: Shipment
    ) -> None:
        deliveries = await _travel(connected, shipment)
        keys = []
        for headers, raw in deliveries:
            verdict = connected.carrier.verify_webhook(raw, headers)
            assert isinstance(verdict, Authentic)
            assert verdict.delivery_key
            assert verdict == connected.carrier.verify_webhook(raw, dict(headers))
            keys.append(verdict.delivery_key)
        assert len(set(keys)) == len(keys)

    async def test_a_changed_delivery_is_not_believed(self, connected: Connected, shipment: Shipment) -> None:
        headers, raw = (await _travel(connected, shipment))[0]
        changed = {name: value + "0" for name, value in headers.items()}
        without: dict[str, str] = {}
        not_ascii = dict.fromkeys(headers, "ÿ\u2603")
        for forged_raw, forged_headers in [(raw + b" ", headers), (raw, changed), (raw, without), (raw, not_ascii)]:
            verdict = connected.carrier.verify_webhook(forged_raw, forged_headers)
            assert isinstance(verdict, Forged)
            assert verdict.reason

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"id": 1}', b"\xff\xfe", b"[" * 5000])
    async def test_garbage_is_neither_believed_nor_news(self, carrier: Carrier, raw: bytes) -> None:
        assert isinstance(carrier.verify_webhook(raw, {}), Forged)
        assert carrier.read_webhook(raw) == []

    async def test_news_can_be_put_together_in_any_order(self, connected: Connected, shipment: Shipment) -> None:
        deliveries = await _travel(connected, shipment)
        news = [update for _, raw in deliveries for update in _tracking(connected.carrier, raw)]
        assert len({update.tracking_code for update in news}) == 1
        assert len({update.tracker for update in news}) == 1
        events = [event for update in news for event in update.events]
        assert events
        assert all(event.at.tzinfo is not None for event in events)
        assert TrackingStatus.DELIVERED in {event.status for event in events}
        by_order = {_union(order) for order in permutations([update.events for update in news][:4])}
        assert len(by_order) == 1
        again = [event for _, raw in deliveries for u in _tracking(connected.carrier, raw) for event in u.events]
        assert {event.key for event in again} == {event.key for event in events}

    async def test_asking_for_the_history_tells_what_the_webhooks_told(
        self, connected: Connected, shipment: Shipment
    ) -> None:
        if not connected.kind.capabilities.track:
            pytest.skip("The carrier declares that it cannot be asked for a history.")
        _, bought = await _buy(connected.carrier, shipment)
        deliveries = await connected.world.deliveries(bought)
        told = {e.key for _, raw in deliveries for u in _tracking(connected.carrier, raw) for e in u.events}
        history = await connected.carrier.track(bought.tracker)
        assert history.tracking_code == bought.tracking_code
        assert history.test_mode is True
        assert {event.key for event in history.events} >= told

    # --- what is declared ---

    async def test_what_a_connection_can_do_is_what_its_kind_declares(self, connected: Connected) -> None:
        ceiling = connected.carrier.capabilities.look_up_ceiling_s
        assert ceiling >= 0
        assert connected.carrier.capabilities == replace(connected.kind.capabilities, look_up_ceiling_s=ceiling)
        assert connected.kind.capabilities.label_formats <= set(_MEDIA_TYPES)
        assert bool(connected.kind.capabilities.label_formats) is connected.kind.capabilities.sells_labels

    async def test_credentials_are_secrets_and_do_not_show(self, connected: Connected) -> None:
        annotations = {name: field.annotation for name, field in connected.kind.settings.model_fields.items()}
        assert (SecretStr in annotations.values()) is connected.kind.capabilities.sells_labels
        assert connected.kind.name.isidentifier()
        assert "secret" not in repr(connected.carrier).lower()


def assert_impersonal(text: str) -> None:
    """No word of the buyer comes back in what we keep or show."""
    for word in (BUYER.name, BUYER.street1, BUYER.phone, BUYER.email):
        assert word.lower() not in text.lower()


def _must_sell(carrier: Carrier) -> None:
    if not carrier.capabilities.sells_labels:
        pytest.skip("The carrier declares that it sells no labels.")


def _arranged(world: World, fault: Fault, shipment: Shipment) -> Shipment:
    asked = world.arrange(fault, shipment)
    if asked is None:
        pytest.skip(f"This party cannot play {fault}.")
    return asked


async def _buy(carrier: Carrier, shipment: Shipment) -> tuple[Created, Purchased]:
    _must_sell(carrier)
    created = await carrier.create(shipment)
    bought = await carrier.purchase(created.handle, created.rates[0], allowed)
    assert isinstance(bought, Purchased)
    assert bought.rate.key == created.rates[0].key
    assert bought.rate.price == created.rates[0].price
    return created, bought


async def _travel(connected: Connected, shipment: Shipment) -> list[tuple[Mapping[str, str], bytes]]:
    if not connected.kind.capabilities.webhooks:
        pytest.skip("The carrier declares that it sends no webhooks.")
    _, bought = await _buy(connected.carrier, shipment)
    deliveries = await connected.world.deliveries(bought)
    assert len(deliveries) >= 2
    return deliveries


def _telling(rates: tuple[Rate, ...]) -> list[Rate]:
    """The first two rates, and up to four whose service name another account or carrier has too."""
    names = [rate.service for rate in rates]
    twins = [rate for rate in rates if names.count(rate.service) > 1]
    return list(dict.fromkeys([*rates[:2], *twins[:4]]))


def _tracking(carrier: Carrier, raw: bytes) -> list[TrackingUpdate]:
    return [each for each in carrier.read_webhook(raw) if isinstance(each, TrackingUpdate)]


def _union(updates: tuple[tuple[TrackingEvent, ...], ...]) -> tuple[TrackingEvent, ...]:
    by_key = {event.key: event for events in updates for event in events}
    return tuple(sorted(by_key.values(), key=lambda event: (event.at, event.key)))
