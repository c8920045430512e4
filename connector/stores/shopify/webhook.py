"""Shopify's webhooks: prove a delivery on its raw bytes, then read what it tells. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from connector.store import AppDelivery, GroupNews, OrderNews, PrivacyRequest, ProductNews, ShopGone, StoreNews
from connector.stores.shopify.mapping import gid
from webhooks.receiver import Authentic, Forged
from webhooks.signatures import Valid, check_shopify

# Which fields a subscription asks for, so that no name or address comes over the line. `orders/edited` and
# `fulfillment_orders/*` are wrapped in an object of their own and hold ids and states only.
_SLIM: Final = ("id", "admin_graphql_api_id", "updated_at")

SUBSCRIBED: Final[Mapping[str, tuple[str, ...]]] = {
    "orders/paid": _SLIM,
    "orders/updated": _SLIM,
    "orders/edited": ("order_edit",),
    "orders/cancelled": _SLIM,
    "orders/fulfilled": _SLIM,
    "fulfillment_orders/order_routing_complete": (),
    "fulfillment_orders/placed_on_hold": (),
    "fulfillment_orders/hold_released": (),
    "fulfillment_orders/moved": (),
    "fulfillment_orders/split": (),
    "fulfillment_orders/merged": (),
    "fulfillment_orders/cancelled": (),
    "fulfillment_orders/rescheduled": (),
    "fulfillment_orders/scheduled_fulfillment_order_ready": (),
    "fulfillments/create": (*_SLIM, "order_id"),
    "fulfillments/update": (*_SLIM, "order_id"),
    "products/create": _SLIM,
    "products/update": _SLIM,
    "products/delete": ("id",),
    "app/uninstalled": ("id",),
}
"""The topics that a shop's connection subscribes to, with their `includeFields` (none: the whole body)."""


def header(headers: Mapping[str, str], name: str) -> str:
    """A header of either family: `X-Shopify-…`, or `Shopify-…` of the newer events; "" if neither is there."""
    return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}") or ""


def claims_shop(headers: Mapping[str, str]) -> str | None:
    """The myshopify.com domain that the headers name, in small letters; None if they name none."""
    return header(headers, "shop-domain").strip().lower() or None


def verify_webhook(raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> Authentic | Forged:
    """Check a delivery. Its key is the `Webhook-Id`, which is the same when Shopify repeats the delivery.

    What is signed and still no JSON object, or names no topic, is `malformed`. Without an id (no delivery has been
    seen without) equal bytes on one topic are one delivery.
    """
    signature = header(headers, "hmac-sha256")
    if not signature:
        return Forged("signature_missing")
    if not isinstance(check_shopify(raw, signature, secrets), Valid):
        return Forged("signature_wrong")
    topic = _topic(headers)
    if not topic or _parse(raw) is None:
        return Forged("malformed")
    key = header(headers, "webhook-id").strip() or hashlib.sha256(topic.encode() + b"\n" + raw).hexdigest()
    return Authentic(delivery_key=key[:200], topic=topic)


def verify_app_hook(raw: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> AppDelivery | Forged:
    """Check a delivery to an app-wide endpoint: whose it is stands in a header, believed once the bytes are proved."""
    verdict = verify_webhook(raw, headers, secrets)
    if isinstance(verdict, Forged):
        return verdict
    shop = claims_shop(headers)
    return AppDelivery(shop, verdict) if shop else Forged("malformed")


def read_webhook(topic: str, raw: bytes) -> list[StoreNews]:
    """What a verified delivery tells; nothing for topics and bodies that mean nothing to us."""
    body = _parse(raw)
    if body is None:
        return []
    match topic.strip().lower().split("/", 1):
        case ["orders", "edited"]:
            return _order_news(_inner(body, "order_edit").get("order_id"), topic)
        case ["orders", _]:
            return _order_news(body.get("admin_graphql_api_id") or body.get("id"), topic)
        case ["fulfillments" | "refunds", _]:
            return _order_news(body.get("order_id"), topic)
        case ["fulfillment_orders", _]:
            return [GroupNews(group_id, topic) for group_id in _groups(body)]
        case ["products", _]:
            product_id = gid("Product", body.get("admin_graphql_api_id") or body.get("id"))
            return [ProductNews(product_id, topic)] if product_id else []
        case ["app", "uninstalled"]:
            return [ShopGone()]
        case ["customers" | "shop" as whose, what]:
            return _privacy(whose, what, body)
        case _:
            return []


def _privacy(whose: str, what: str, body: Mapping[str, Any]) -> list[StoreNews]:
    match whose, what:
        case "customers", "data_request":
            return [PrivacyRequest("export", "customer", _orders(body.get("orders_requested")))]
        case "customers", "redact":
            return [PrivacyRequest("erase", "customer", _orders(body.get("orders_to_redact")))]
        case "shop", "redact":
            return [PrivacyRequest("erase", "shop")]
        case _:
            return []


def _topic(headers: Mapping[str, str]) -> str:
    topic, action = header(headers, "topic").strip().lower(), header(headers, "action").strip().lower()
    return f"{topic}/{action}" if topic and action and "/" not in topic else topic


def _parse(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _inner(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _order_news(order_id: object, topic: str) -> list[StoreNews]:
    known = gid("Order", order_id)
    return [OrderNews(known, topic)] if known else []


def _groups(body: Mapping[str, Any]) -> list[str]:
    """Every group that a `fulfillment_orders/*` body names, each once, in the body's order."""
    parts = [body, *body.values(), *_inner(body, "fulfillment_order_merges").values()]
    named = (part.get("id") for part in parts if isinstance(part, dict))
    ids = (gid("FulfillmentOrder", name) for name in named if isinstance(name, str))
    return list(dict.fromkeys(group_id for group_id in ids if group_id))


def _orders(ids: object) -> tuple[str, ...]:
    given: Iterable[object] = ids if isinstance(ids, list) else ()
    return tuple(known for known in (gid("Order", order_id) for order_id in given) if known)
