"""Set a shop up: its carrier service and its webhook subscriptions, found, repaired, moved, removed."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Literal

from connector.store import Callbacks, InstallStep, StoreMisconfigured, StoreRefused, from_to
from connector.stores.shopify import queries
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.client import Data
from connector.stores.shopify.webhook import SUBSCRIBED

Change = tuple[Literal["done", "kept", "moved", "removed"], str]
"""What was done, and a detail for people."""

RATE_SERVICE = "rate service"


def _always() -> bool:
    return True  # Set-up is a person's own act, not leased work.


async def install(api: ShopAPI, callbacks: Callbacks, *, name: str, on: bool = False) -> list[InstallStep]:
    """Make the shop know these URLs; safe to repeat.

    A carrier service that is there stays switched as it is; a new one is made `on` or off. Reading what is there
    raises StoreError; a step that Shopify refuses (plan, scope) is reported as failed, with Shopify's sentence, and
    the others go on.
    """
    services = await _all(api, queries.RATE_SERVICES, "carrierServices")
    subscriptions = await _all(api, queries.SUBSCRIPTIONS, "webhookSubscriptions")
    steps = [await _step(RATE_SERVICE, _set_service(api, services, callbacks.rates, name, on=on))]
    for topic in SUBSCRIBED:
        ours = [node for node in subscriptions if node["topic"] == topic_enum(topic)]
        steps.append(await _step(f"webhook {topic}", _set_subscription(api, ours, topic, callbacks.hooks)))
    return steps


async def is_on(api: ShopAPI, *, name: str) -> bool | None:
    """Whether the carrier service is active; None if the shop has none of ours. Raises StoreError."""
    service = _ours(await _all(api, queries.RATE_SERVICES, "carrierServices"), "", name)
    return None if service is None else bool(service["active"])


async def switch(api: ShopAPI, *, name: str, active: bool) -> bool:
    """Turn the carrier service on or off; False if the shop has none. Raises StoreError."""
    service = _ours(await _all(api, queries.RATE_SERVICES, "carrierServices"), "", name)
    if service is None:
        return False
    if service["active"] != active:
        await api.write(queries.CHANGE_RATE_SERVICE, {"input": {"id": service["id"], "active": active}}, _always)
    return True


async def remove(api: ShopAPI, *, name: str) -> list[InstallStep]:
    """Take the carrier service and every subscription of the app away, each a step. Raises StoreError if unreadable."""
    service = _ours(await _all(api, queries.RATE_SERVICES, "carrierServices"), "", name)
    steps = [InstallStep(RATE_SERVICE, "absent")]
    if service is not None:
        steps = [await _step(RATE_SERVICE, _drop(api, queries.REMOVE_RATE_SERVICE, service))]
    for node in await _all(api, queries.SUBSCRIPTIONS, "webhookSubscriptions"):
        topic = str(node["topic"])
        known = next((each for each in SUBSCRIBED if topic_enum(each) == topic), topic.lower())
        steps.append(await _step(f"webhook {known}", _drop(api, queries.UNSUBSCRIBE, node)))
    return steps


def topic_enum(topic: str) -> str:
    """A topic as GraphQL names it: `orders/paid` is ORDERS_PAID."""
    return topic.upper().replace("/", "_")


async def _all(api: ShopAPI, operation: str, root: str) -> list[Data]:
    return [node async for node in api.pages(operation, {}, lambda data: data[root])]


async def _step(what: str, act: Awaitable[Change]) -> InstallStep:
    try:
        return InstallStep(what, *await act)
    except (StoreRefused, StoreMisconfigured) as error:
        return InstallStep(what, "failed", error.detail or error.message)


def _ours(services: list[Data], url: str, name: str) -> Data | None:
    """Our service: by its URL, else by its name, which is unique in a shop."""
    by_url = [service for service in services if url and service["callbackUrl"] == url]
    by_name = [service for service in services if service["name"] == name]
    return next(iter([*by_url, *by_name]), None)


async def _drop(api: ShopAPI, operation: str, node: Data) -> Change:
    await api.write(operation, {"id": node["id"]}, _always)
    return "removed", ""


async def _set_service(api: ShopAPI, services: list[Data], url: str, name: str, *, on: bool) -> Change:
    found = _ours(services, url, name)
    if found is None:
        wanted = {"name": name, "callbackUrl": url, "active": on, "supportsServiceDiscovery": True}
        await api.write(queries.ADD_RATE_SERVICE, {"input": wanted}, _always)
        return "done", ""
    change: dict[str, Any] = {}
    if found["callbackUrl"] != url:
        change["callbackUrl"] = url
    if not found["supportsServiceDiscovery"]:
        change["supportsServiceDiscovery"] = True
    if not change:
        return "kept", ""
    await api.write(queries.CHANGE_RATE_SERVICE, {"input": {"id": found["id"]} | change}, _always)
    return ("moved", from_to(found["callbackUrl"], url)) if "callbackUrl" in change else ("done", "")


async def _set_subscription(api: ShopAPI, found: list[Data], topic: str, url: str) -> Change:
    """One subscription of the topic at our URL; what is left over from earlier ones goes."""
    fields = SUBSCRIBED[topic]
    found = sorted(found, key=lambda node: node["uri"] != url)
    for extra in found[1:]:
        await api.write(queries.UNSUBSCRIBE, {"id": extra["id"]}, _always)
    wanted: dict[str, Any] = {"uri": url, "includeFields": list(fields)}
    if not found:
        variables = {"topic": topic_enum(topic), "subscription": wanted | {"format": "JSON"}}
        await api.write(queries.SUBSCRIBE, variables, _always)
        return "done", ""
    moved = found[0]["uri"] != url
    if not moved and sorted(found[0]["includeFields"]) == sorted(fields):
        return ("done" if found[1:] else "kept"), ""
    await api.write(queries.CHANGE_SUBSCRIPTION, {"id": found[0]["id"], "subscription": wanted}, _always)
    return ("moved", from_to(found[0]["uri"], url)) if moved else ("done", "")
