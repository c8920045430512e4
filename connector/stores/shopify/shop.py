"""A shop at Shopify as a Store: each promise of the Protocol, on the pieces beside this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel

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
    StoreMisconfigured,
    StoreNews,
    StoreRefused,
    StoreRetryable,
    TokenVault,
    UseBackup,
)
from connector.stores.shopify import install, mapping, past, products, queries, rates, webhook
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.client import AdminClient, Data, ShopTarget
from connector.stores.shopify.discounts import ShopifyDiscounts
from connector.stores.shopify.holds import ShopifyHolds
from connector.stores.shopify.mapping import gid, understood
from connector.stores.shopify.settings import ShopifySettings
from connector.stores.shopify.timeline import event_input, moment, same_step, status_of
from connector.stores.shopify.tokens import Tokens
from webhooks.outgoing import Outgoing
from webhooks.ports import Clock, Fence
from webhooks.receiver import Authentic, Forged, Reply

CAPABILITIES = StoreCapabilities(
    hard_deadline_s=10.0,
    rate_cache_s=900,
    fulfil_ceiling_s=60,
    rate_headers=("x-shopify-hmac-sha256", "shopify-hmac-sha256"),
    signed_rate_calls=True,
    backup_rates=True,
    cart_totals=True,
    events=True,
    products=True,
    discounts=True,
    hold=True,
)

# Protected customer data that a shop may not have granted: an order is still readable without it.
_PERSONAL = frozenset({"email", "phone", "shippingAddress", "destination", "customerLocale"})
_VARIANTS_AT_ONCE = 100


class ShopifyStore:
    """One shop's connection; see `connector.store.Store` for what each call promises. Ids are Shopify's gids."""

    def __init__(self, settings: ShopifySettings, api: ShopAPI, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self.api = api
        self._now = now
        self._secrets = settings.secrets
        self._capabilities = replace(CAPABILITIES, fulfil_ceiling_s=settings.fulfil_ceiling_s)

    @property
    def settings(self) -> ShopifySettings:
        """How this shop is connected."""
        return self._settings

    @property
    def capabilities(self) -> StoreCapabilities:
        """What Shopify can do, with this shop's own look-up ceiling."""
        return self._capabilities

    @property
    def discounts(self) -> ShopifyDiscounts:
        """See `discounts`."""
        return ShopifyDiscounts(self.api, self._now)

    @property
    def holds(self) -> ShopifyHolds:
        """See `holds`."""
        return ShopifyHolds(self.api)

    # --- the checkout -------------------------------------------------------------------------------------------------

    def read_rate_call(self, incoming: Incoming) -> RateCall | Refusal:
        """See `rates.read_rate_call`."""
        return rates.read_rate_call(incoming, self._secrets, self._settings.hmac)

    def write_answer(self, answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:  # noqa: ARG002
        """See `rates.write_answer`; Shopify's answer needs nothing of the question."""
        return rates.write_answer(answer)

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def verify_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Authentic | Forged:
        """See `webhook.verify_webhook`."""
        return webhook.verify_webhook(raw, headers, self._secrets)

    def read_webhook(self, topic: str, raw: bytes) -> list[StoreNews]:
        """See `webhook.read_webhook`."""
        return webhook.read_webhook(topic, raw)

    # --- orders -------------------------------------------------------------------------------------------------------

    async def order(self, order_id: str) -> Order | None:
        """The order as it is now, with every group and every line; a number is taken as the order's plain id."""
        known = gid("Order", order_id)
        if not known:
            return None
        data = await self.api.read(queries.ORDER, {"id": known}, spare=_PERSONAL)
        with understood("order"):
            node = data["order"]
            if node is None:
                return None
            first = node["fulfillmentOrders"]
            groups = [*first["nodes"]]
            if first["pageInfo"]["hasNextPage"]:
                groups += await self._more_groups(known, first["pageInfo"]["endCursor"])
            whole = [await self._with_all_lines(group) for group in groups]
            return mapping.order(node, whole)

    async def _more_groups(self, order_id: str, after: str) -> list[Data]:
        found = self.api.pages(
            queries.ORDER_GROUPS,
            {"id": order_id},
            lambda data: data["order"] and data["order"]["fulfillmentOrders"],
            after=after,
            spare=_PERSONAL,
        )
        return [node async for node in found]

    async def _with_all_lines(self, group: Data) -> Data:
        lines = group["lineItems"]
        if not lines["pageInfo"]["hasNextPage"]:
            return group
        more = self.api.pages(
            queries.GROUP_LINES,
            {"id": group["id"]},
            lambda data: data["fulfillmentOrder"] and data["fulfillmentOrder"]["lineItems"],
            after=lines["pageInfo"]["endCursor"],
        )
        return {**group, "lineItems": {"nodes": [*lines["nodes"], *[node async for node in more]]}}

    async def order_of_group(self, group_id: str) -> str | None:
        """The gid of the order that a fulfillment order belongs to."""
        known = gid("FulfillmentOrder", group_id)
        if not known:
            return None
        node = (await self.api.read(queries.ORDER_OF_GROUP, {"id": known}))["fulfillmentOrder"]
        return None if node is None else gid("Order", node["orderId"]) or None

    async def orders_since(self, since: datetime) -> list[tuple[str, datetime]]:
        """Orders that changed at or after `since`, oldest first; an order that changes meanwhile is told once.

        Shopify's search lags behind by seconds, so the caller asks with an overlap.
        """
        changed: dict[str, datetime] = {}
        query = f"updated_at:>='{moment(since)}'"
        with understood("orders"):
            async for node in self.api.pages(queries.ORDERS_SINCE, {"query": query}, lambda data: data["orders"]):
                changed[str(node["id"])] = mapping.moment_of(node["updatedAt"])
        return sorted(changed.items(), key=lambda entry: (entry[1], entry[0]))

    async def past_orders(self, since: datetime, after: str = "") -> PastOrders:
        """Seven orders a page: Shopify prices what a query may return. Over 60 days ago needs `read_all_orders`."""
        variables = {"query": f"created_at:>='{moment(since)}'", "after": after or None}
        data = await self.api.read(queries.PAST_ORDERS, variables, spare=_PERSONAL)
        with understood("past orders"):
            page = data["orders"]
            found = []
            for node in page["nodes"]:
                lines = [*node["lineItems"]["nodes"]]
                if node["lineItems"]["pageInfo"]["hasNextPage"]:
                    lines += await self._more_past_lines(node["id"], node["lineItems"]["pageInfo"]["endCursor"])
                order = past.past_order(node, lines)
                if order is not None:
                    found.append(order)
            more = page["pageInfo"]
            return PastOrders(tuple(found), str(more["endCursor"]) if more["hasNextPage"] else "")

    async def _more_past_lines(self, order_id: str, after: str) -> list[Data]:
        found = self.api.pages(
            queries.PAST_LINES,
            {"id": order_id},
            lambda data: data["order"] and data["order"]["lineItems"],
            after=after,
        )
        return [node async for node in found]

    # --- fulfilments --------------------------------------------------------------------------------------------------

    async def find_fulfilment(self, order_id: str, number: str) -> Fulfilment | None:
        """The order's live fulfilment that carries this tracking number."""
        known = gid("Order", order_id)
        if not known:
            return None
        # The list cannot be paged, and what it may hold is priced in query points: first the usual size, then the most.
        for first, numbers in ((40, 5), (240, 3)):
            variables = {"id": known, "first": first, "numbers": numbers}
            node = (await self.api.read(queries.FULFILMENTS, variables))["order"]
            if node is None:
                return None
            with understood("fulfilments"):
                found = [mapping.fulfilment(entry) for entry in node["fulfillments"]]
            match = next((one for one in found if not one.cancelled and number in one.tracking_numbers), None)
            if match is not None or len(found) < first:
                return match
        raise StoreRefused("This order has more fulfilments than Shopify shows at once.", detail=known)

    async def fulfil(self, request: FulfilRequest, fence: Fence) -> Fulfilment:
        """Create the fulfilment. Shopify does not recognise a repeat: look it up by its tracking number first."""
        node = await self._write(queries.FULFIL, {"fulfillment": mapping.fulfilment_input(request)}, fence)
        with understood("fulfilment"):
            return mapping.fulfilment(node["fulfillment"])

    async def update_tracking(
        self, fulfilment_id: str, company: str, number: str, url: str, notify: bool, fence: Fence
    ) -> None:
        """Replace company, number and URL."""
        info = mapping.tracking_input(company, number, url)
        await self._write(queries.UPDATE_TRACKING, {"id": fulfilment_id, "info": info, "notify": notify}, fence)

    async def cancel_fulfilment(self, fulfilment_id: str, fence: Fence) -> None:
        """Take a fulfilment back; Shopify opens its group again."""
        await self._write(queries.CANCEL_FULFILMENT, {"id": fulfilment_id}, fence)

    async def has_event(self, request: StoreEventRequest) -> bool:
        """Whether the timeline shows this step; True for statuses that it has no word for (`timeline.UNSHOWN`)."""
        status = status_of(request.status)
        if status is None:
            return True
        events = self.api.pages(
            queries.EVENTS,
            {"id": request.fulfilment_id},
            lambda data: data["fulfillment"] and data["fulfillment"]["events"],
        )
        async with aclosing(events):
            with understood("events"):
                async for node in events:
                    if same_step(node, status, request.at):
                        return True
        return False

    async def add_event(self, request: StoreEventRequest, fence: Fence) -> None:
        """Add a step to the timeline; nothing for statuses that it has no word for."""
        status = status_of(request.status)
        if status is not None:
            await self._write(queries.ADD_EVENT, {"event": event_input(request, status)}, fence)

    async def _write(self, operation: str, variables: Mapping[str, Any], fence: Fence) -> Data:
        data = await self.api.write(operation, variables, fence)
        payload = next(iter(data.values()), None)
        if not isinstance(payload, dict):
            raise StoreRetryable("Shopify's answer cannot be understood.", detail="no payload")
        return payload

    # --- set-up -------------------------------------------------------------------------------------------------------

    async def facts(self) -> ShopFacts:
        """What the shop says of itself. Raises StoreMisconfigured if the token belongs to another shop."""
        shop = (await self.api.read(queries.SHOP_FACTS, {}))["shop"]
        with understood("shop"):
            facts = mapping.shop_facts(shop)
        if facts.domain.lower() != self._settings.domain:
            raise StoreMisconfigured("These credentials belong to another shop.", detail=facts.domain)
        return facts

    async def locations(self) -> list[StoreLocation]:
        """Every location, the inactive ones too."""
        with understood("locations"):
            pages = self.api.pages(queries.LOCATIONS, {}, lambda data: data["locations"])
            return [mapping.location(node) async for node in pages]

    async def product_facts(self, variant_ids: list[str]) -> list[ProductFacts]:
        """What the shop knows of these variants (gids or numbers); unknown ones are left out."""
        ids = [known for known in dict.fromkeys(gid("ProductVariant", one) for one in variant_ids) if known]
        found: list[ProductFacts] = []
        for start in range(0, len(ids), _VARIANTS_AT_ONCE):
            data = await self.api.read(queries.VARIANTS, {"ids": ids[start : start + _VARIANTS_AT_ONCE]})
            with understood("variants"):
                nodes = [node for node in data["nodes"] if node and node["__typename"] == "ProductVariant"]
                found += [mapping.product_facts(node) for node in nodes]
        return found

    async def products(self, after: str = "", fields: tuple[str, ...] = ()) -> ProductPage:
        """See `products.page`."""
        return await products.page(self.api, after, fields)

    async def variants_of(self, product_ids: list[str], fields: tuple[str, ...] = ()) -> list[ProductFacts]:
        """See `products.variants_of`."""
        return await products.variants_of(self.api, product_ids, fields)

    async def install(self, callbacks: Callbacks, *, on: bool = False) -> list[InstallStep]:
        """See `install.install`."""
        return await install.install(self.api, callbacks, name=self._settings.service_name, on=on)

    async def rates_on(self) -> bool | None:
        """See `install.is_on`."""
        return await install.is_on(self.api, name=self._settings.service_name)

    async def switch_rates(self, on: bool) -> bool:
        """See `install.switch`."""
        return await install.switch(self.api, name=self._settings.service_name, active=on)

    async def uninstall(self) -> list[InstallStep]:
        """See `install.remove`."""
        return await install.remove(self.api, name=self._settings.service_name)

    async def close(self) -> None:
        """Nothing is held here: connections belong to the outgoing client."""


def connect(settings: BaseModel, outgoing: Outgoing, clock: Clock, vault: TokenVault) -> ShopifyStore:
    """One shop's connection. Raises TypeError for another kind's settings."""
    if not isinstance(settings, ShopifySettings):
        raise TypeError(type(settings).__name__)
    target = ShopTarget(settings.domain, settings.base, settings.api_version)
    client = AdminClient(outgoing)
    api = ShopAPI(
        client,
        target,
        Tokens(settings, target, client, clock, vault),
        read_timeout_s=settings.read_timeout_s,
        write_timeout_s=settings.write_timeout_s,
    )
    return ShopifyStore(settings, api, clock.now)
