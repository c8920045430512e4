"""A shop of the sandbox platform as Waybill sees it: the Store Protocol over the pretend platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from carriers.address import Address
from connector.store import (
    Answer,
    Callbacks,
    Fulfilment,
    FulfilRequest,
    Incoming,
    InstallStep,
    Order,
    PastOrders,
    ProductFacts,
    ProductPage,
    RateCall,
    Refusal,
    ShopFacts,
    StoreCapabilities,
    StoreEventRequest,
    StoreLocation,
    StoreNews,
    UseBackup,
)
from connector.stores.sandbox import install, mapping, webhook
from connector.stores.sandbox.client import PretendPlatform, fulfilment_of
from connector.stores.sandbox.discounts import SandboxDiscounts
from connector.stores.sandbox.errors import SaidNo, error_of
from connector.stores.sandbox.holds import SandboxHolds
from connector.stores.sandbox.settings import SandboxStoreSettings
from connector.stores.sandbox.shopkeeper import Shopkeeper, read_location, read_product
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged, Reply

CAPABILITIES = StoreCapabilities(
    hard_deadline_s=10.0,
    rate_cache_s=0,
    fulfil_ceiling_s=5,
    signed_rate_calls=True,
    backup_rates=True,
    cart_totals=True,
    events=True,
    products=True,
    discounts=True,
    hold=True,
)

DEFAULT_LOCATION = StoreLocation(
    "loc_1",
    "Sandbox warehouse",
    Address("SK", "811 01", "BL", "Bratislava", "Skladová 1", company="Sandbox Shop", name="Sandbox Shop"),
)
"""Where goods leave from until `Shopkeeper.put_location` says otherwise."""


_PAGE = 100


class SandboxStore:
    """One shop's connection. `shopkeeper` does what the people of the shop would do."""

    def __init__(self, settings: SandboxStoreSettings, clock: Clock) -> None:
        self._settings = settings
        self._secret = settings.secret.get_secret_value()
        self._platform = PretendPlatform(settings, clock)
        self._capabilities = replace(CAPABILITIES, fulfil_ceiling_s=settings.fulfil_ceiling_s)
        self.shopkeeper = Shopkeeper(self._platform)

    @property
    def capabilities(self) -> StoreCapabilities:
        """What this platform can do."""
        return self._capabilities

    # --- the checkout

    def read_rate_call(self, incoming: Incoming) -> RateCall | Refusal:
        """Understand a rate call and say how it was proved; a wrong signature is the caller's to judge."""
        call = mapping.read_rate_call(incoming.raw)
        if isinstance(call, Refusal):
            return call
        return replace(call, signature=webhook.signature_state(incoming.raw, incoming.headers, self._secret))

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
        """The checkout's JSON."""
        return mapping.write_answer(answer, echo)

    # --- webhooks

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """Check a delivery's signature."""
        return webhook.verify(raw, headers, (self._secret,))

    def read_webhook(self, topic: str, raw: bytes) -> list[StoreNews]:
        """What a verified delivery tells."""
        return webhook.read(topic, raw)

    # --- orders

    async def order(self, order_id: str) -> Order | None:
        """The order as it is now."""
        try:
            found = await self._platform.order(order_id)
        except SaidNo as said:
            raise error_of(said) from None
        return None if found is None else mapping.read_order(found)

    async def order_of_group(self, group_id: str) -> str | None:
        """The id of the order that a group belongs to."""
        order = await self.order(group_id)
        known = order is not None and any(group.id == group_id for group in order.groups)
        return order.id if order is not None and known else None

    async def orders_since(self, since: datetime) -> list[tuple[str, datetime]]:
        """Orders that changed at or after `since`, oldest first."""
        try:
            return await self._platform.orders_since(since)
        except SaidNo as said:
            raise error_of(said) from None

    async def past_orders(self, since: datetime, after: str = "") -> PastOrders:
        """A hundred orders a page, by number."""
        try:
            changed = await self._platform.orders_since(since)  # What was placed since has changed since.
            numbers = sorted(number for each, _ in changed if (number := mapping.number_of(each)) is not None)
            waiting = [number for number in numbers if number > int(after or 0)]
            orders = [await self._platform.order(mapping.order_id(number)) for number in waiting[:_PAGE]]
        except SaidNo as said:
            raise error_of(said) from None
        placed = [order for order in orders if order is not None and order.placed_at >= since]
        found = [known for order in placed if (known := mapping.read_past_order(order)) is not None]
        return PastOrders(tuple(found), str(waiting[_PAGE - 1]) if len(waiting) > _PAGE else "")

    # --- fulfilments

    async def find_fulfilment(self, order_id: str, number: str) -> Fulfilment | None:
        """The order's live fulfilment with this tracking number."""
        try:
            order = await self._platform.order(order_id)
        except SaidNo as said:
            raise error_of(said) from None
        for each in order.fulfilments if order is not None else ():
            if each.number == number and not each.cancelled:
                return mapping.read_fulfilment(each)
        return None

    async def fulfil(self, request: FulfilRequest, fence: Fence) -> Fulfilment:
        """Note that units left. Raises StoreRefused for more units than remain."""
        try:
            return mapping.read_fulfilment(await self._platform.fulfil(request, fence))
        except SaidNo as said:
            raise error_of(said) from None

    async def update_tracking(
        self, fulfilment_id: str, company: str, number: str, url: str, notify: bool, fence: Fence
    ) -> None:
        """Replace the tracking of a fulfilment."""
        try:
            await self._platform.update_tracking(fulfilment_id, company, number, url, notify, fence)
        except SaidNo as said:
            raise error_of(said) from None

    async def cancel_fulfilment(self, fulfilment_id: str, fence: Fence) -> None:
        """Take a fulfilment back."""
        try:
            await self._platform.cancel_fulfilment(fulfilment_id, fence)
        except SaidNo as said:
            raise error_of(said) from None

    async def has_event(self, request: StoreEventRequest) -> bool:
        """Whether the timeline shows this status at this time already."""
        try:
            order = await self._platform.order(request.fulfilment_id)
            if order is None:
                return False
            timeline = fulfilment_of(order, request.fulfilment_id).timeline
        except SaidNo as said:
            raise error_of(said) from None
        return any((step.status, step.at) == (request.status.value, request.at) for step in timeline)

    async def add_event(self, request: StoreEventRequest, fence: Fence) -> None:
        """Add a step to the timeline."""
        try:
            await self._platform.add_event(request, fence)
        except SaidNo as said:
            raise error_of(said) from None

    # --- set-up

    @property
    def discounts(self) -> SandboxDiscounts:
        """Kept in the platform's books."""
        return SandboxDiscounts(self._platform)

    @property
    def holds(self) -> SandboxHolds:
        """Among the holds of a group, in the platform's books."""
        return SandboxHolds(self._platform)

    async def facts(self) -> ShopFacts:
        """What the shop says of itself. Raises StoreMisconfigured if the secret is not the shop's."""
        await self._facts("callbacks")
        settings = self._settings
        return ShopFacts(settings.name, settings.domain, settings.currency, settings.timezone, "sandbox")

    async def locations(self) -> list[StoreLocation]:
        """The places that goods leave from: `DEFAULT_LOCATION` until the shop names its own."""
        own = [read_location(document) for document in (await self._facts("location")).values()]
        return own or [DEFAULT_LOCATION]

    async def product_facts(self, variant_ids: list[str]) -> list[ProductFacts]:
        """What the shop knows of these variants; unknown ones are left out."""
        known = await self._facts("product")
        return [read_product(known[each]) for each in dict.fromkeys(variant_ids) if each in known]

    async def products(self, after: str = "", fields: tuple[str, ...] = ()) -> ProductPage:
        """A hundred variants behind `after`, by id."""
        known = await self._facts("product")
        ids = [each for each in known if each > after]
        shown = tuple(_with_fields(read_product(known[each]), fields) for each in ids[:_PAGE])
        return ProductPage(shown, ids[_PAGE - 1] if len(ids) > _PAGE else "")

    async def variants_of(self, product_ids: list[str], fields: tuple[str, ...] = ()) -> list[ProductFacts]:
        """Every variant of these products."""
        known = [read_product(document) for document in (await self._facts("product")).values()]
        return [_with_fields(each, fields) for each in known if each.product_id in set(product_ids)]

    async def install(self, callbacks: Callbacks, *, on: bool = False) -> list[InstallStep]:
        """Register rate service and webhooks."""
        try:
            return await install.install(self._platform, callbacks, on=on)
        except SaidNo as said:
            raise error_of(said) from None

    async def rates_on(self) -> bool | None:
        """Whether the checkout asks us."""
        try:
            return await install.is_on(self._platform)
        except SaidNo as said:
            raise error_of(said) from None

    async def switch_rates(self, on: bool) -> bool:
        """Turn the rate service on or off."""
        try:
            return await install.switch(self._platform, on=on)
        except SaidNo as said:
            raise error_of(said) from None

    async def uninstall(self) -> list[InstallStep]:
        """Take rate service and webhooks away."""
        try:
            return await install.remove(self._platform)
        except SaidNo as said:
            raise error_of(said) from None

    async def close(self) -> None:
        """Nothing is held between calls."""

    async def _facts(self, kind: str) -> dict[str, bytes]:
        try:
            return await self._platform.facts(kind)
        except SaidNo as said:
            raise error_of(said) from None


def _with_fields(product: ProductFacts, fields: tuple[str, ...]) -> ProductFacts:
    """Only the metafields that were asked for are told."""
    return replace(product, fields={name: value for name, value in product.fields.items() if name in fields})
