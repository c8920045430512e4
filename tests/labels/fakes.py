"""A carrier and a store that do what a test tells them, and keep what really happened: sales, fulfilments, events."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import anyio.lowlevel

from carriers.carrier import Capabilities
from carriers.collection import Collector
from carriers.errors import CarrierError, Refused
from carriers.label import Created, LabelFile, NotBought, Purchased, Rejected, Unknown, Voided
from carriers.money import Money
from carriers.parcel import RateRequest, Shipment
from carriers.rate import Problem, Rate, Rates
from carriers.tracking import TrackingEvent, TrackingStatus, TrackingUpdate
from carriers.verification import Verifier
from connector.store import (
    Answer,
    Callbacks,
    Fulfilment,
    FulfilmentGroup,
    FulfilRequest,
    GroupNews,
    GroupState,
    Incoming,
    InstallStep,
    Order,
    OrderNews,
    PastOrders,
    PrivacyRequest,
    ProductFacts,
    ProductPage,
    RateCall,
    Refusal,
    ShopFacts,
    ShopGone,
    StoreCapabilities,
    StoreError,
    StoreEventRequest,
    StoreHolds,
    StoreLocation,
    StoreNews,
    StoreRefused,
    StoreRetryable,
    UseBackup,
)
from webhooks.ports import Fence
from webhooks.receiver import Authentic, Forged, Reply

Sale = Literal[
    "sell",
    "lost-answer",
    "lost-request",
    "not-sent",
    "refuse",
    "empty-wallet",
    "dearer",
    "other-service",
    "late",
    "refuse-late",
    "overloaded",
    "no-file",
]


REJECTIONS: dict[str, Rejected] = {
    "not-sent": Rejected("not_sent", retry_after_s=30),
    "refuse": Rejected("address_refused", "The address is not good enough."),
    "refuse-late": Rejected("refused", "The purchase failed."),
    "overloaded": Rejected("overloaded", "Please be patient.", retry_after_s=20),
    "empty-wallet": Rejected("wallet_empty", "There is not enough money in the account."),
}


def _a_label() -> bytes:
    """The smallest PDF that is one: a page of 4 by 6 inches with a name and a street."""
    drawn = b"BT /F1 12 Tf 20 400 Td (a label with a name and a street) Tj ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 288 432] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count, start = len(parts) + 1, len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return made + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)


A_LABEL = _a_label()


def _file(handle: str) -> LabelFile:
    return LabelFile("label", "application/pdf", url=f"fake://{handle}.pdf")


class Killed(BaseException):
    """The worker's process ended here, as by kill -9: nothing that follows in it happens."""


@dataclass(eq=False)
class FakeCarrier:
    """One account. `plays` is what the next purchases do (then: sell); `sales` is what was really paid for."""

    capabilities: Capabilities = field(default_factory=lambda: Capabilities("refused", look_up_ceiling_s=60))
    account: str = "ca_1"
    name: str = "Fake"
    prices: dict[str, int] = field(default_factory=lambda: {"Ground": 700, "Express": 1500})
    currency: str = "EUR"
    test_mode: bool | None = True
    fees: tuple[tuple[str, Money], ...] = ()
    file_content: bytes = field(default_factory=lambda: A_LABEL)
    plays: deque[Sale] = field(default_factory=deque)
    rate_error: CarrierError | None = None
    create_error: CarrierError | None = None
    look_up_errors: deque[CarrierError] = field(default_factory=deque)
    file_errors: deque[CarrierError] = field(default_factory=deque)
    void_answers: deque[Voided] = field(default_factory=deque)
    created: list[Shipment] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    look_ups: list[str] = field(default_factory=list)
    sales: list[Purchased] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)
    after_sale: Callable[[], None] | None = None
    unsold: dict[str, Rate] = field(default_factory=dict)
    asked: list[RateRequest] = field(default_factory=list)
    verifier: Verifier | None = None
    collector: Collector | None = None

    # --- prices

    async def rates(self, request: RateRequest, deadline_s: float) -> Rates:
        self.asked.append(request)
        await anyio.lowlevel.checkpoint()
        if self.rate_error is not None:
            raise self.rate_error
        if request.destination.country == "AQ":
            return Rates(problems=(Problem(self.account, self.name, "no_service"),), test_mode=self.test_mode)
        return Rates(self._rates("", len(request.parcels)), test_mode=self.test_mode)

    async def create(self, shipment: Shipment) -> Created:
        await anyio.lowlevel.checkpoint()
        if self.create_error is not None:
            raise self.create_error
        self.created.append(shipment)
        handle = f"shp_{len(self.created)}"
        return Created(handle, self._rates(handle, 1), test_mode=self.test_mode)

    # --- money

    async def purchase(self, handle: str, rate: Rate, fence: Fence) -> Purchased | Rejected | Unknown:
        await anyio.lowlevel.checkpoint()
        if not fence():
            return Rejected("fenced")
        self.attempts.append(handle)
        play = self.plays.popleft() if self.plays else "sell"
        if play == "refuse-late":
            self.unsold[handle] = rate
        if play in REJECTIONS:
            return REJECTIONS[play]
        if play in {"lost-request", "late"}:
            if play == "late":
                self.unsold[handle] = rate
            return Unknown(handle, "no answer")
        if play == "dearer":
            rate = replace(rate, price=rate.price + Money(1, rate.price.currency))
        elif play == "other-service":
            rate = replace(rate, service="Express")
        return await self._sell(play, handle, rate)

    async def _sell(self, play: Sale, handle: str, rate: Rate) -> Purchased | Unknown:
        known = self._sold(handle)
        if known is not None and self.capabilities.repeat_purchase == "refused":
            return Unknown(handle, "exists")
        if known is not None and self.capabilities.repeat_purchase == "by_reference":
            return known
        sold = self.sell(handle, rate)
        if play == "no-file":
            sold = replace(sold, files=())
            self.sales[-1] = sold
        if self.after_sale is not None:
            after, self.after_sale = self.after_sale, None
            after()
        await anyio.lowlevel.checkpoint()
        return Unknown(handle, "no answer") if play == "lost-answer" else sold

    def sell(self, handle: str, rate: Rate) -> Purchased:
        """Money goes here, and nowhere else."""
        number = f"TRK{handle.removeprefix('shp_')}"
        files = (_file(handle),)
        sold = Purchased(
            handle, rate, number, f"trk_{handle}", f"https://track.example/{number}", files, self.fees, self.test_mode
        )
        self.sales.append(sold)
        return sold

    def give_files(self) -> None:
        """The carrier has drawn the labels that it sold without a file."""
        self.sales = [
            each if each.files else replace(each, files=(_file(each.handle),)) for each in self.sales
        ]  # fmt: skip

    def finish_late(self) -> None:
        """The carrier gets round to the purchases that it was slow with."""
        for handle, rate in self.unsold.items():
            if self._sold(handle) is None:
                self.sell(handle, rate)
        self.unsold.clear()

    async def look_up(self, handle: str, rate: Rate | None = None) -> Purchased | Rejected | NotBought:
        await anyio.lowlevel.checkpoint()
        self.look_ups.append(handle)
        if self.look_up_errors:
            raise self.look_up_errors.popleft()
        return self._sold(handle) or NotBought(handle)

    async def fetch_file(self, url: str) -> tuple[str, bytes]:
        await anyio.lowlevel.checkpoint()
        if self.file_errors:
            raise self.file_errors.popleft()
        if not any(file.url == url for sold in self.sales for file in sold.files):
            raise Refused("There is no such document.")
        return "application/pdf", self.file_content

    async def void(self, handle: str, fence: Fence) -> Voided:
        await anyio.lowlevel.checkpoint()
        self.voids.append(handle)
        return self.void_answers.popleft() if self.void_answers else Voided("voided")

    async def void_state(self, handle: str) -> Voided:
        await anyio.lowlevel.checkpoint()
        return self.void_answers.popleft() if self.void_answers else Voided("voided")

    # --- tracking

    async def track(self, tracker: str) -> TrackingUpdate:
        return TrackingUpdate(tracker, "", self.name, ())

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        return Authentic(headers.get("x-delivery", "1"), "tracking")

    def read_webhook(self, raw: bytes) -> list[TrackingUpdate]:
        told = json.loads(raw)
        events = tuple(
            TrackingEvent(TrackingStatus(each["status"]), datetime.fromisoformat(each["at"]), city=each.get("city", ""))
            for each in told["events"]
        )
        return [TrackingUpdate(told.get("tracker", ""), told["number"], self.name, events)]

    async def close(self) -> None:
        """Nothing is held."""

    # --- pieces

    def _rates(self, handle: str, parcels: int) -> tuple[Rate, ...]:
        return tuple(
            Rate(
                self.account,
                self.name,
                service,
                Money(minor * parcels, self.currency),
                transit_days=3 if service == "Ground" else 1,
                rate_id=f"{handle}.{service}" if handle else "",
            )
            for service, minor in self.prices.items()
        )

    def _sold(self, handle: str) -> Purchased | None:
        return next((sold for sold in self.sales if sold.handle == handle), None)


@dataclass(eq=False)
class FakeStore:
    """One shop. `orders` are as the store has them now; fulfilments take units out of their groups, as stores do."""

    partly_shipped: GroupState = GroupState.NOT_YET
    capabilities: StoreCapabilities = field(
        default_factory=lambda: StoreCapabilities(10.0, 0, fulfil_ceiling_s=60, events=True, cart_totals=True)
    )
    orders: dict[str, Order] = field(default_factory=dict)
    fulfilments: dict[str, FulfilRequest] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    timeline: list[StoreEventRequest] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    fulfil_plays: deque[Literal["take", "lost-answer", "lost-request", "refuse"]] = field(default_factory=deque)
    event_plays: deque[Literal["take", "lost-answer", "lost-request", "refuse"]] = field(default_factory=deque)
    correction_plays: deque[Literal["take", "lost-answer", "lost-request", "refuse"]] = field(default_factory=deque)
    errors: deque[StoreError] = field(default_factory=deque)
    registered: bool | None = None

    # --- the checkout

    def read_rate_call(self, incoming: Incoming) -> RateCall | Refusal:
        return Refusal(400, "malformed")

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        match answer:
            case Answer():
                offers = [
                    [each.code, each.name, str(each.price), each.description, str(each.earliest), str(each.latest)]
                    for each in answer.offers
                ]
                return Reply(200, json.dumps({"offers": offers, "echo": dict(echo)}).encode())
            case UseBackup():
                return Reply(503, json.dumps({"backup": answer.code}).encode())
            case Refusal():
                return Reply(answer.status, answer.code.encode())

    # --- webhooks

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        return Authentic(headers.get("x-delivery", "1"), headers.get("x-topic", "order"))

    def read_webhook(self, topic: str, raw: bytes) -> list[StoreNews]:
        told = json.loads(raw)
        match topic:
            case "order":
                return [OrderNews(told["id"], topic)]
            case "group":
                return [GroupNews(told["id"], topic)]
            case "gone":
                return [ShopGone()]
            case "erase" | "export":
                ids = told.get("orders")
                return [PrivacyRequest(topic, "shop" if ids is None else "customer", tuple(ids or ()))]
            case _:
                return []

    async def rates_on(self) -> bool | None:
        return self.registered

    # --- orders

    async def order(self, order_id: str) -> Order | None:
        await anyio.lowlevel.checkpoint()
        self.read.append(order_id)
        if self.errors:
            raise self.errors.popleft()
        return self.orders.get(order_id)

    async def order_of_group(self, group_id: str) -> str | None:
        return next((order.id for order in self.orders.values() if any(g.id == group_id for g in order.groups)), None)

    async def orders_since(self, since: datetime) -> list[tuple[str, datetime]]:
        found = [(each.id, each.updated_at) for each in self.orders.values() if each.updated_at >= since]
        return sorted(found, key=lambda pair: pair[1])

    discounts = None
    holds: StoreHolds | None = None

    async def past_orders(self, since: datetime, after: str = "") -> PastOrders:
        return PastOrders(())

    # --- fulfilments

    async def find_fulfilment(self, order_id: str, number: str) -> Fulfilment | None:
        await anyio.lowlevel.checkpoint()
        if self.errors:
            raise self.errors.popleft()
        for fulfilment_id, request in self.fulfilments.items():
            if request.order_id == order_id and request.number == number and fulfilment_id not in self.cancelled:
                return Fulfilment(fulfilment_id, (number,))
        return None

    async def fulfil(self, request: FulfilRequest, fence: Fence) -> Fulfilment:
        await anyio.lowlevel.checkpoint()
        if not fence():
            raise StoreRetryable("This process may not act.")
        play = self.fulfil_plays.popleft() if self.fulfil_plays else "take"
        if play == "refuse":
            raise StoreRefused("The units have left already.")
        if play != "lost-request":
            fulfilment_id = f"ful_{len(self.fulfilments) + 1}"
            self._move(request, -1)
            self.fulfilments[fulfilment_id] = request
            await anyio.lowlevel.checkpoint()
            if play == "take":
                return Fulfilment(fulfilment_id, (request.number,))
        raise StoreRetryable("The store did not answer.")

    async def update_tracking(
        self, fulfilment_id: str, company: str, number: str, url: str, notify: bool, fence: Fence
    ) -> None:
        await anyio.lowlevel.checkpoint()
        play = self.correction_plays.popleft() if self.correction_plays else "take"
        if play == "refuse":
            raise StoreRefused("The number cannot be changed any more.")
        if play != "lost-request":
            kept = self.fulfilments[fulfilment_id]
            self.fulfilments[fulfilment_id] = replace(kept, company=company, number=number, url=url)
        if play != "take":
            raise StoreRetryable("The store did not answer.")

    async def cancel_fulfilment(self, fulfilment_id: str, fence: Fence) -> None:
        await anyio.lowlevel.checkpoint()
        if fulfilment_id in self.cancelled:
            raise StoreRefused("The fulfilment was cancelled before.")
        self.cancelled.append(fulfilment_id)
        self._move(self.fulfilments[fulfilment_id], 1)

    async def has_event(self, request: StoreEventRequest) -> bool:
        await anyio.lowlevel.checkpoint()
        key = (request.fulfilment_id, request.status, request.at)
        return any((each.fulfilment_id, each.status, each.at) == key for each in self.timeline)

    async def add_event(self, request: StoreEventRequest, fence: Fence) -> None:
        await anyio.lowlevel.checkpoint()
        play = self.event_plays.popleft() if self.event_plays else "take"
        if play == "refuse":
            raise StoreRefused("There is no such status.")
        if play != "lost-request":
            self.timeline.append(request)
            await anyio.lowlevel.checkpoint()
            if play == "take":
                return
        raise StoreRetryable("The store did not answer.")

    # --- set-up

    async def facts(self) -> ShopFacts:
        return ShopFacts("Fake shop", "fake.example", "EUR")

    async def locations(self) -> list[StoreLocation]:
        return []

    async def product_facts(self, variant_ids: list[str]) -> list[ProductFacts]:
        return []

    async def products(self, after: str = "", fields: tuple[str, ...] = ()) -> ProductPage:
        return ProductPage(())

    async def variants_of(self, product_ids: list[str], fields: tuple[str, ...] = ()) -> list[ProductFacts]:
        return []

    async def install(self, callbacks: Callbacks, *, on: bool = False) -> list[InstallStep]:
        return []

    async def switch_rates(self, on: bool) -> bool:
        return True

    async def uninstall(self) -> list[InstallStep]:
        return []

    async def close(self) -> None:
        """Nothing is held."""

    # --- what the people of the shop do

    def put(self, order: Order, at: datetime | None = None) -> Order:
        """The order is like this from now on."""
        self.orders[order.id] = order if at is None else replace(order, updated_at=at)
        return self.orders[order.id]

    def put_group(self, order_id: str, group: FulfilmentGroup, at: datetime) -> Order:
        """One group of an order is like this from now on."""
        order = self.orders[order_id]
        groups = tuple(group if each.id == group.id else each for each in order.groups)
        return self.put(replace(order, groups=groups), at)

    def ship_by_hand(self, order_id: str, group_id: str, *lines: tuple[str, int]) -> None:
        """Somebody fulfils units in the store, without a label of ours."""
        self._move(FulfilRequest(order_id, group_id, lines, "", "", "", notify_buyer=False), -1)

    def _move(self, request: FulfilRequest, sign: int) -> None:
        """Units leave their group, or come back into it."""
        order = self.orders[request.order_id]
        units = dict(request.lines)
        groups = []
        for group in order.groups:
            if group.id != request.group_id:
                groups.append(group)
                continue
            lines = tuple(replace(each, quantity=each.quantity + sign * units.get(each.id, 0)) for each in group.lines)
            left = {each.id: each for each in (*group.lines, *group.shipped)}
            if any(line.quantity < 0 for line in lines) or not units.keys() <= left.keys():
                raise StoreRefused("More units than wait to be shipped.")
            state = self.partly_shipped if any(line.quantity for line in lines) else GroupState.DONE
            gone = Counter({each.id: each.quantity for each in group.shipped})
            for line_id, count in units.items():
                gone[line_id] -= sign * count
            shipped = tuple(replace(left[line_id], quantity=count) for line_id, count in gone.items() if count > 0)
            here = GroupState.READY if sign > 0 else state
            groups.append(replace(group, lines=lines, state=here, shipped=shipped))
        self.orders[order.id] = replace(order, groups=tuple(groups))
