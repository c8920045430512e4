"""Signed deliveries of the Shopify simulator: bodies in the documented shape, slim where a subscription says so."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from tests.simulators.shopify_world import Body, News, World


@dataclass
class Delivery:
    """One POST that Shopify makes."""

    topic: str
    url: str
    headers: dict[str, str]
    body: str

    def as_json(self) -> Body:
        return asdict(self)


def sign(raw: bytes, secret: str) -> str:
    """`X-Shopify-Hmac-Sha256`: base64 of HMAC-SHA256 over the body."""
    return base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()


def deliveries(world: World) -> list[Delivery]:
    """What waits, for whoever subscribed to it; the line is empty afterwards."""
    waiting, world.news = world.news, []
    made: list[Delivery] = []
    for news in waiting:
        enum = news.topic.upper().replace("/", "_")
        for node in world.subscriptions:
            if node["topic"] == enum:
                body = _slim(_whole(news), node["includeFields"])
                made.append(delivery(world, news.topic, body, node["uri"], event_id=news.event_id))
    if not world.installed:
        world.subscriptions = []  # They went with the app; its last news was still told.
    return made


def delivery(world: World, topic: str, body: Any, url: str, *, event_id: str = "") -> Delivery:
    """A signed delivery of any topic, as app-wide ones are made."""
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": sign(raw.encode(), world.client_secret),
        "x-shopify-shop-domain": world.domain,
        "x-shopify-api-version": "2026-10",
        "x-shopify-webhook-id": secrets.token_hex(16),
        "x-shopify-event-id": event_id or secrets.token_hex(16),
        "x-shopify-triggered-at": world.stamp(),
    }
    return Delivery(topic, url, headers, raw)


def _whole(news: News) -> Body:
    return _order(news.body) if news.body.get("__typename") == "Order" else news.body


def _slim(body: Body, fields: list[str]) -> Body:
    return {name: value for name, value in body.items() if name in fields} if fields else body


def _order(order: Body) -> Body:
    """An order as `orders/*` tells it: snake case, numbers for ids, personal data and all."""
    to = order["shippingAddress"]
    shipping = order["shippingLines"][0]
    return {
        "id": int(order["id"].rsplit("/", 1)[1]),
        "admin_graphql_api_id": order["id"],
        "name": order["name"],
        "email": order["email"],
        "phone": order["phone"],
        "currency": order["currencyCode"],
        "financial_status": order["displayFinancialStatus"].lower(),
        "cancelled_at": order["cancelledAt"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "tags": ", ".join(order["tags"]),
        "shipping_address": {
            "first_name": to["firstName"],
            "last_name": to["lastName"],
            "address1": to["address1"],
            "city": to["city"],
            "zip": to["zip"],
            "province": to["province"],
            "province_code": to["provinceCode"],
            "country_code": to["countryCodeV2"],
        },
        "shipping_lines": [
            {
                "code": shipping["code"],
                "title": shipping["title"],
                "source": shipping["source"],
                "price": shipping["originalPriceSet"]["shopMoney"]["amount"],
            }
        ],
    }
