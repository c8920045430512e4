"""Set a shop up: its carrier service and its webhook subscriptions, found, repaired, moved, removed."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Literal

from connector.store import Callbacks, InstallStep, StoreMisconfigured, StoreRefused
from connector.stores.shopify import queries
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.client import Data
from connector.stores.shopify.webhook import SUBSCRIBED

State = Literal["done", "kept", "moved"]

RATE_SERVICE = "rate service"


def _always() -> bool:
    return True  # Set-up is a person's own act, not leased work.


async def install(api: ShopAPI, callbacks: Callbacks, *, name: str, active: bool | None = True) -> list[InstallStep]:
    """Make the shop know these URLs; safe to repeat.

    `active`: whether the carrier service is on; None leaves an existing one as it is and makes a new one inactive.
    Reading what is there raises StoreError; a step that Shopify refuses (plan, scope) is reported as failed, with
    Shopify's sentence, and the others go on.
    """
    services = await _all(api, queries.RATE_SERVICES, "carrierServices")
    subscriptions = await _all(api, queries.SUBSCRIPTIONS, "webhookSubscriptions")
    steps = [await _step(RATE_SERVICE, _set_service(api, services, callbacks.rates, name, active))]
    for topic in SUBSCRIBED:
        ours = [node for node in subscriptions if node["topic"] == topic_enum(topic)]
        steps.append(await _step(f"webhook {topic}", _set_subscription(api, ours, topic, callbacks.hooks)))
    return steps


async def switch(api: ShopAPI, *, name: str, active: bool) -> bool:
    """Turn the carrier service on or off; False if the shop has none. Raises StoreError."""
    service = _ours(await _all(api, queries.RATE_SERVICES, "carrierServices"), "", name)
    if service is None:
        return False
    if service["active"] != active:
        await api.write(queries.CHANGE_RATE_SERVICE, {"input": {"id": service["id"], "active": active}}, _always)
    return True


async def remove(api: ShopAPI, *, name: str) -> int:
    """Take the carrier service and every subscription of the app away; how many were there. Raises StoreError."""
    service = _ours(await _all(api, queries.RATE_SERVICES, "carrierServices"), "", name)
    if service is not None:
        await api.write(queries.REMOVE_RATE_SERVICE, {"id": service["id"]}, _always)
    subscriptions = await _all(api, queries.SUBSCRIPTIONS, "webhookSubscriptions")
    for node in subscriptions:
        await api.write(queries.UNSUBSCRIBE, {"id": node["id"]}, _always)
    return len(subscriptions) + (service is not None)


def topic_enum(topic: str) -> str:
    """A topic as GraphQL names it: `orders/paid` is ORDERS_PAID."""
    return topic.upper().replace("/", "_")


async def _all(api: ShopAPI, operation: str, root: str) -> list[Data]:
    return [node async for node in api.pages(operation, {}, lambda data: data[root])]


async def _step(what: str, act: Awaitable[State]) -> InstallStep:
    try:
        return InstallStep(what, await act)
    except (StoreRefused, StoreMisconfigured) as error:
        return InstallStep(what, "failed", error.detail or error.message)


def _ours(services: list[Data], url: str, name: str) -> Data | None:
    """Our service: by its URL, else by its name, which is unique in a shop."""
    by_url = [service for service in services if url and service["callbackUrl"] == url]
    by_name = [service for service in services if service["name"] == name]
    return next(iter([*by_url, *by_name]), None)


async def _set_service(api: ShopAPI, services: list[Data], url: str, name: str, active: bool | None) -> State:
    found = _ours(services, url, name)
    if found is None:
        wanted = {"name": name, "callbackUrl": url, "active": bool(active), "supportsServiceDiscovery": True}
        await api.write(queries.ADD_RATE_SERVICE, {"input": wanted}, _always)
        return "done"
    change: dict[str, Any] = {}
    if found["callbackUrl"] != url:
        change["callbackUrl"] = url
    if active is not None and found["active"] != active:
        change["active"] = active
    if not found["supportsServiceDiscovery"]:
        change["supportsServiceDiscovery"] = True
    if not change:
        return "kept"
    await api.write(queries.CHANGE_RATE_SERVICE, {"input": {"id": found["id"]} | change}, _always)
    return "moved" if "callbackUrl" in change else "done"


async def _set_subscription(api: ShopAPI, found: list[Data], topic: str, url: str) -> State:
    """One subscription of the topic at our URL; what is left over from earlier ones goes."""
    fields = SUBSCRIBED[topic]
    found = sorted(found, key=lambda node: node["uri"] != url)
    for extra in found[1:]:
        await api.write(queries.UNSUBSCRIBE, {"id": extra["id"]}, _always)
    wanted: dict[str, Any] = {"uri": url, "includeFields": list(fields)}
    if not found:
        variables = {"topic": topic_enum(topic), "subscription": wanted | {"format": "JSON"}}
        await api.write(queries.SUBSCRIBE, variables, _always)
        return "done"
    moved = found[0]["uri"] != url
    if not moved and sorted(found[0]["includeFields"]) == sorted(fields):
        return "done" if found[1:] else "kept"
    await api.write(queries.CHANGE_SUBSCRIPTION, {"id": found[0]["id"], "subscription": wanted}, _always)
    return "moved" if moved else "done"
