"""The Protocol that every store platform fulfils, and what a cart, an order and a fulfilment are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from carriers.tracking import TrackingStatus
from webhooks.errors import WaybillError
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged, Reply

# --- errors -------------------------------------------------------------------------------------------------------


class StoreError(WaybillError):
    """A call to a store did not give what was asked for."""


class StoreRetryable(StoreError):
    """A passing fault: throttled, down, too slow. The same read may be made again; a write is looked up first."""


class StoreRefused(StoreError):
    """The store understood and said no; asking again changes nothing."""


class StoreMisconfigured(StoreError):
    """Token, scope, plan or app are wrong; a person must act."""


# --- the checkout -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of a cart. Prices are per unit, before discounts, as the store displays them.

    `weight` is per unit; None where the store has none (Shopify's 0 g, Saleor's unset 0.0 KG). `gift_card` says whether
    it is one that is bought; None where the platform does not tell.
    """

    quantity: int
    price: Money
    weight: Weight | None = None
    sku: str = ""
    name: str = ""
    variant_id: str = ""
    product_id: str = ""
    vendor: str = ""
    requires_shipping: bool = True
    taxable: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)
    gift_card: bool | None = None


@dataclass(frozen=True, slots=True)
class CartTotals:
    """Sums over the whole cart, which may hold more than the lines of this call.

    `subtotal` is before discounts; `discount` and `total` are None where the platform does not say. `tax` says
    whether `subtotal` holds it. `shipping_discount` is the part of `discount` that is taken off shipping; None where
    the platform does not tell it apart.
    """

    subtotal: Money
    discount: Money | None = None
    total: Money | None = None
    tax: Literal["included", "excluded", "unknown"] = "unknown"
    shipping_discount: Money | None = None


@dataclass(frozen=True, slots=True)
class Cart:
    """What a checkout asks prices for: one group of lines that leaves one origin.

    Origin and destination may be partial or None. `customer_tags` is None where the platform tells nothing of the
    customer; an empty tuple with `guest` False is a known customer without tags.
    """

    lines: tuple[CartLine, ...]
    currency: str
    origin: Address | None = None
    destination: Address | None = None
    totals: CartTotals | None = None
    locale: str = ""
    customer_tags: tuple[str, ...] | None = None
    guest: bool = True
    location_id: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A rate call as it arrived. Header names are lower case; `shop` is the store's own name of the shop."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    raw: bytes
    shop: str


@dataclass(frozen=True, slots=True)
class RateCall:
    """A rate call that was understood. `echo` is what the adapter needs again to write the answer.

    `signature` says how the call was proved: valid, absent, wrong, or unsigned where the platform signs nothing.
    """

    cart: Cart
    echo: Mapping[str, str] = field(default_factory=dict)
    signature: Literal["valid", "absent", "wrong", "unsigned"] = "unsigned"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that is not answered with prices: `status` 400, 401 or 404; `field` names what was wrong in it."""

    status: int
    code: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the buyer sees. `code` and `name` are stable: no date, price or id in them."""

    code: str
    name: str
    price: Money
    description: str = ""
    earliest: datetime | None = None
    latest: datetime | None = None
    phone_required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The offers, in the order to show. Empty means: we do not ship this there.

    `at` is when it was decided and `valid_until` when its dates are out of date: for platforms that want days to count
    (Saleor, BigCommerce) or a time to live. `quote_id` is echoed by platforms that carry one to the order.
    """

    offers: tuple[Offer, ...]
    quote_id: str = ""
    at: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UseBackup:
    """We do not know a price: the platform shall use its own backup. `code` is the reason kept in the ledger."""

    code: str


# --- orders -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Units of one line that still wait to be shipped. `id` is the platform's id of the line in its group.

    `price` is of a unit, after the discounts of its line. `total` is what `total_units` of them, shipped or not, cost
    together after every discount and without tax, to the minor unit, where the platform tells it.
    """

    id: str
    quantity: int
    price: Money
    weight: Weight | None = None
    sku: str = ""
    name: str = ""
    variant_id: str = ""
    requires_shipping: bool = True
    hs_code: str = ""
    origin_country: str = ""
    total: Money | None = None
    total_units: int = 0


class GroupState(StrEnum):
    """Whether a group of an order may be shipped now."""

    READY = "ready"
    HELD = "held"
    SCHEDULED = "scheduled"
    NOT_YET = "not_yet"
    DONE = "done"
    CANCELLED = "cancelled"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, slots=True)
class FulfilmentGroup:
    """What ships together from one location by one method (Shopify: a fulfillment order).

    Platforms without groups give one group with the order's own id. `service_code` is the offer's code, and `quote_id`
    ours, where the platform kept them, else empty. `state` NOT_OURS covers pick-up, local delivery and other services'
    groups. A hold of our own is none: `state` is what it is without it, and `held_by_us` says that it is there.
    `shipped` are the units of the group that the store counts as shipped, whoever told it so.
    """

    id: str
    state: GroupState
    lines: tuple[OrderLine, ...]
    destination: Address | None
    origin: Address | None = None
    location_id: str = ""
    service_code: str = ""
    service_name: str = ""
    quote_id: str = ""
    hold_reasons: tuple[str, ...] = ()
    incoterm: str = ""
    held_by_us: bool = False
    shipped: tuple[OrderLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ShippingLine:
    """What the buyer was charged for shipping. `code` is what our answer called it, where the platform kept it.

    `price` is before the store's own discounts on shipping, `paid` after them (None: the same).
    """

    code: str
    title: str
    price: Money
    source: str = ""
    paid: Money | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the store has it now.

    `paid`: the money was captured. `pays_on_delivery`: it never is before the parcel arrives (cash on delivery,
    invoice), and the order ships all the same.
    """

    id: str
    name: str
    currency: str
    paid: bool
    cancelled: bool
    updated_at: datetime
    placed_at: datetime
    groups: tuple[FulfilmentGroup, ...]
    shipping_lines: tuple[ShippingLine, ...] = ()
    subtotal: Money | None = None
    tags: tuple[str, ...] = ()
    risky: bool = False
    email: str = ""
    phone: str = ""
    locale: str = "en"
    test: bool = False
    pays_on_delivery: bool = False

    @property
    def may_ship(self) -> bool:
        """Whether the merchant need not wait for money."""
        return self.paid or self.pays_on_delivery


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order as it was placed, for asking what shipping it would cost: nobody is named in it.

    `cart` holds what was ordered, shipped or not, and where it went (country, province, city, postal code).
    `charged` is what the buyer paid for shipping, after discounts.
    """

    id: str
    name: str
    placed_at: datetime
    cart: Cart
    charged: Money
    shipping_title: str = ""


@dataclass(frozen=True, slots=True)
class PastOrders:
    """Some of the past orders; `after` asks for the next ones, and is empty behind the last."""

    orders: tuple[PastOrder, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """What the store keeps of a parcel that left. `id` is the platform's."""

    id: str
    tracking_numbers: tuple[str, ...]
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class FulfilRequest:
    """Tell the store that these units left with this tracking. `lines` maps line ids of the group to quantities.

    `company` is `Rate.carrier` as the carrier names it; each adapter maps it to its platform's word.
    """

    order_id: str
    group_id: str
    lines: tuple[tuple[str, int], ...]
    company: str
    number: str
    url: str
    notify_buyer: bool
    location_id: str = ""


@dataclass(frozen=True, slots=True)
class StoreEventRequest:
    """One step of a parcel for the store's own timeline."""

    order_id: str
    fulfilment_id: str
    status: TrackingStatus
    at: datetime
    message: str = ""
    city: str = ""
    province: str = ""
    country: str = ""
    postal_code: str = ""
    estimated_delivery: datetime | None = None


# --- news from the store ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderNews:
    """Something happened to an order: read it again. `hint` is the platform's topic, kept for the log only."""

    order_id: str
    hint: str


@dataclass(frozen=True, slots=True)
class GroupNews:
    """Something happened to a group whose order the message does not name; `order_of_group` finds it."""

    group_id: str
    hint: str


@dataclass(frozen=True, slots=True)
class ProductNews:
    """A product was added, changed or removed: read its variants again."""

    product_id: str
    hint: str


@dataclass(frozen=True, slots=True)
class ShopGone:
    """The merchant removed the app: its token is dead."""


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """A request about personal data. `scope`: customer (these orders) or shop (everything)."""

    kind: Literal["export", "erase"]
    scope: Literal["customer", "shop"]
    order_ids: tuple[str, ...] = ()


StoreNews = OrderNews | GroupNews | ProductNews | ShopGone | PrivacyRequest


# --- set-up -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """A place that goods leave from, as the store has it."""

    id: str
    name: str
    address: Address
    active: bool = True


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What the store says of itself."""

    name: str
    domain: str
    currency: str
    timezone: str = "UTC"
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """The URLs that a store has to know."""

    rates: str
    hooks: str


@dataclass(frozen=True, slots=True)
class InstallStep:
    """One thing that `install` found or did.

    `state`: done (was missing), kept (was right), moved (`detail`: from where to where), failed (`detail`: what the
    store said), todo (a step that only the merchant can take; `detail` says what to do); of `uninstall`: removed, or
    absent (was not there).
    """

    what: str
    state: Literal["done", "kept", "moved", "failed", "todo", "removed", "absent"]
    detail: str = ""


def from_to(old: str, new: str) -> str:
    """How a callback moved, for people: old -> new, without the paths, which hold tokens."""
    old_place, new_place = ("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in (old, new))
    return f"{old_place} -> {new_place}" if old_place != new_place else f"to a new address at {new_place}"


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What the store knows of a variant.

    `fields` are the metafields or metadata that were asked for, by `namespace.key`; a variant's own come before its
    product's. `stock` is units by the store's id of the location, where the store tells it. `price` is what one unit
    sells for, in major units of the shop's currency, as the store displays it and before discounts.
    """

    variant_id: str
    sku: str = ""
    name: str = ""
    weight: Weight | None = None
    hs_code: str = ""
    origin_country: str = ""
    product_id: str = ""
    barcode: str = ""
    vendor: str = ""
    tags: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    unit_cost: Money | None = None
    price: Decimal | None = None
    requires_shipping: bool = True
    fields: Mapping[str, str] = field(default_factory=dict)
    stock: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some of the store's variants; `after` asks for the next ones, and is empty behind the last."""

    variants: tuple[ProductFacts, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class StoreCapabilities:
    """What a platform can do; what is not declared here is never called.

    `rate_cache_s` is how long the platform may show an answer without asking again; `hard_deadline_s` the longest it
    waits. `fulfil_ceiling_s`: after so many seconds a fulfilment that is not to be seen did not happen. `rate_headers`
    are the headers of a rate call, in lower case, that its reading depends on (a signature, say): equal bodies with
    equal ones may share an answer. None: it may depend on any, and every call is read anew.
    """

    hard_deadline_s: float
    rate_cache_s: int
    fulfil_ceiling_s: int
    rate_headers: tuple[str, ...] | None = None
    signed_rate_calls: bool = False
    backup_rates: bool = False
    cart_totals: bool = False
    events: bool = False
    products: bool = False
    returns: bool = False
    refund: bool = False
    restock: bool = False
    voucher: bool = False
    hold: bool = False
    discounts: bool = False


@dataclass(frozen=True, slots=True)
class FreeShippingDiscount:
    """Free shipping that the store itself takes off, for every buyer, from a value of the cart on.

    `countries` empty: everywhere. `up_to` is the greatest shipping price that becomes free; None: any.
    """

    title: str
    amount: Money
    countries: tuple[str, ...] = ()
    up_to: Money | None = None


# --- the Protocols ------------------------------------------------------------------------------------------------


class StoreDiscounts(Protocol):
    """The automatic free-shipping discounts of one shop. Raises StoreError."""

    async def find(self, title: str) -> str | None:
        """The id of the automatic free-shipping discount of that title."""
        ...

    async def put(self, discount: FreeShippingDiscount, known_id: str, fence: Fence) -> str:
        """Make it, or change the one that is known by its id; its id. One that is gone is made anew."""
        ...

    async def drop(self, known_id: str, fence: Fence) -> bool:
        """Take it away; False if it was not there any more."""
        ...


HoldReason = Literal["address", "stock", "other"]


class StoreHolds(Protocol):
    """Our own hold on a group of an order, as the store shows it; others' holds are left alone. Raises StoreError."""

    async def find(self, group_id: str) -> bool:
        """Whether our hold is there."""
        ...

    async def hold(self, group_id: str, reason: HoldReason, note: str, fence: Fence) -> None:
        """Hold the group with a reason for people; the caller looked first. `note` has at most 250 characters."""
        ...

    async def release(self, group_id: str, fence: Fence) -> bool:
        """Take our hold off; False if it was not there."""
        ...


class Store(Protocol):
    """One shop's connection. Reads and writes raise StoreError; writes are never repeated inside a call."""

    @property
    def capabilities(self) -> StoreCapabilities:
        """What this platform can do."""
        ...

    @property
    def discounts(self) -> StoreDiscounts | None:
        """The store's own free-shipping discounts; None where the platform has none (capability `discounts`)."""
        ...

    @property
    def holds(self) -> StoreHolds | None:
        """Our holds, as the store shows them; None where the platform has none (capability `hold`)."""
        ...

    def read_rate_call(self, incoming: Incoming) -> RateCall | Refusal:
        """Understand a rate call. Pure and fast; names the field of what it refuses."""
        ...

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        """The platform's own form of an answer. Pure: equal input gives equal bytes."""
        ...

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """Check a delivery on its raw bytes; header names are lower case. Never raises."""
        ...

    def read_webhook(self, topic: str, raw: bytes) -> list[StoreNews]:
        """What a verified delivery tells; an empty list for topics that mean nothing to us."""
        ...

    async def order(self, order_id: str) -> Order | None:
        """The order as it is now; None if the store has no such order."""
        ...

    async def order_of_group(self, group_id: str) -> str | None:
        """The id of the order that a group belongs to."""
        ...

    async def orders_since(self, since: datetime) -> list[tuple[str, datetime]]:
        """Ids and update times of every order that changed at or after `since`, oldest first."""
        ...

    async def past_orders(self, since: datetime, after: str = "") -> PastOrders:
        """Orders placed at or after `since` that need shipping, oldest first; without cancelled and test orders."""
        ...

    async def find_fulfilment(self, order_id: str, number: str) -> Fulfilment | None:
        """The order's live fulfilment that carries this tracking number."""
        ...

    async def fulfil(self, request: FulfilRequest, fence: Fence) -> Fulfilment:
        """Tell the store that a parcel left; the caller looked it up first."""
        ...

    async def update_tracking(
        self, fulfilment_id: str, company: str, number: str, url: str, notify: bool, fence: Fence
    ) -> None:
        """Replace the tracking of a fulfilment; safe to repeat."""
        ...

    async def cancel_fulfilment(self, fulfilment_id: str, fence: Fence) -> None:
        """Take a fulfilment back; its units wait to be shipped again."""
        ...

    async def has_event(self, request: StoreEventRequest) -> bool:
        """Whether the store's timeline already shows this step (same fulfilment, status and time)."""
        ...

    async def add_event(self, request: StoreEventRequest, fence: Fence) -> None:
        """Add a step to the store's timeline; the caller looked first."""
        ...

    async def facts(self) -> ShopFacts:
        """What the store says of itself; also the cheapest proof that the credentials work."""
        ...

    async def locations(self) -> list[StoreLocation]:
        """The places that goods leave from."""
        ...

    async def product_facts(self, variant_ids: list[str]) -> list[ProductFacts]:
        """What the store knows of these variants."""
        ...

    async def products(self, after: str = "", fields: tuple[str, ...] = ()) -> ProductPage:
        """The next variants behind the cursor `after` (empty: the first ones), in an order that stays.

        `fields` names the metafields to read along. Only by capability `products`.
        """
        ...

    async def variants_of(self, product_ids: list[str], fields: tuple[str, ...] = ()) -> list[ProductFacts]:
        """Every variant of these products as it is now; none of a product that is gone. By capability `products`."""
        ...

    async def install(self, callbacks: Callbacks, *, on: bool = False) -> list[InstallStep]:
        """Register rate service and webhooks at these URLs, repairing what is missing or moved; safe to repeat.

        A rate service that is there stays switched as it is; one that has to be made is made `on` or off.
        """
        ...

    async def rates_on(self) -> bool | None:
        """Whether the checkout asks us for prices; None where no rate service of ours is registered."""
        ...

    async def switch_rates(self, on: bool) -> bool:
        """Let the checkout ask us for prices, or not; the store's own rates stay. False: no service is registered."""
        ...

    async def uninstall(self) -> list[InstallStep]:
        """Take rate service and webhooks away; safe to repeat. What the store refuses is a failed step."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class AppDelivery:
    """Whose delivery an app-wide hook is, after its signature held: the store's own name of the shop."""

    shop: str
    verdict: Authentic


class TokenVault(Protocol):
    """Where a connection keeps access tokens that it renews, encrypted, shared between processes."""

    async def load(self) -> Mapping[str, str] | None:
        """The token fields last saved, or None."""
        ...

    async def save(self, fields: Mapping[str, str]) -> bool:
        """Replace the token fields in one go (a rotating pair is never half saved), and end the claim.

        False, and nothing is kept, if the claim was lost meanwhile: then what another has saved holds.
        """
        ...

    async def claim(self, for_s: float) -> bool:
        """Whether this connection alone may renew the tokens, for so many seconds at most; False while another may."""
        ...

    async def give_up(self) -> None:
        """End the claim without a change."""
        ...


class ConnectStore(Protocol):
    """Makes a shop's connection from validated settings."""

    def __call__(self, settings: BaseModel, outgoing: Outgoing, clock: Clock, vault: TokenVault) -> Store:
        """`settings` is an instance of the kind's settings model."""
        ...


class VerifyAppHook(Protocol):
    """Checks a delivery to an app-wide endpoint."""

    def __call__(self, raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> AppDelivery | Forged:
        """`secrets` are the app's client secrets, newest first. Never raises."""
        ...


class ReadAppHook(Protocol):
    """Reads a verified delivery to an app-wide endpoint, also one about a shop that left."""

    def __call__(self, topic: str, raw: bytes) -> list[StoreNews]:
        """What it tells; see `Store.read_webhook`."""
        ...


@dataclass(frozen=True, slots=True)
class StoreKind:
    """A platform that Waybill knows. One registration line each.

    `settings` is a pydantic model of one shop's connection; fields of type SecretStr are secrets.
    `claims_shop(headers)` reads the shop that a request's own headers name (None: they name none), to be compared
    with the shop of the path.
    """

    name: str
    title: str
    settings: type[BaseModel]
    capabilities: StoreCapabilities
    connect: ConnectStore = field(repr=False)
    claims_shop: ClaimsShop = field(repr=False)
    verify_app_hook: VerifyAppHook | None = field(default=None, repr=False)
    read_app_hook: ReadAppHook | None = field(default=None, repr=False)


class ClaimsShop(Protocol):
    """Reads which shop a request says it is from."""

    def __call__(self, headers: Mapping[str, str]) -> str | None:
        """The store's own name of the shop, lower case; None where the headers name none."""
        ...
