"""Webhooks: believed only with a signature, told apart by their id, and read for what they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.store import AppDelivery, GroupNews, OrderNews, PrivacyRequest, ProductNews, ShopGone, StoreNews
from connector.stores.shopify.install import topic_enum
from connector.stores.shopify.webhook import (
    SUBSCRIBED,
    claims_shop,
    read_webhook,
    verify_app_hook,
    verify_webhook,
)
from tests.simulators.shopify_graphql import load_schema
from tests.simulators.shopify_hooks import sign
from webhooks.receiver import Authentic, Forged

SECRET = "secret"
RAW = b'{"id":1,"admin_graphql_api_id":"gid://shopify/Order/1"}'


def headers(raw: bytes = RAW, secret: str = SECRET, prefix: str = "x-shopify-", **more: str) -> dict[str, str]:
    given = {
        "hmac-sha256": sign(raw, secret),
        "topic": "orders/paid",
        "webhook-id": "delivery-1",
        "shop-domain": "Shop.myshopify.com",
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return {prefix + name: value for name, value in given.items() if value}


# --- believing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["x-shopify-", "shopify-"])
def test_a_signed_delivery_of_either_header_family_is_believed(prefix: str) -> None:
    assert verify_webhook(RAW, headers(prefix=prefix), ("secret",)) == Authentic("delivery-1", "orders/paid")


def test_the_newer_family_may_name_topic_and_action_apart() -> None:
    given = headers(prefix="shopify-", topic="orders", action="paid")
    assert verify_webhook(RAW, given, ("secret",)) == Authentic("delivery-1", "orders/paid")


def test_the_secret_before_a_change_still_proves_a_delivery() -> None:
    assert isinstance(verify_webhook(RAW, headers(secret="older"), ("newer", "older")), Authentic)


@pytest.mark.parametrize(
    ("raw", "given", "reason"),
    [
        (RAW, {}, "signature_missing"),
        (RAW, headers(secret="another"), "signature_wrong"),
        (RAW + b" ", headers(), "signature_wrong"),
        (RAW, headers() | {"x-shopify-hmac-sha256": "snö☃"}, "signature_wrong"),
        (RAW, headers(topic=""), "malformed"),
        (b"{", headers(b"{"), "malformed"),
        (b"[]", headers(b"[]"), "malformed"),
    ],
)
def test_a_delivery_that_is_not_proved_says_why(raw: bytes, given: dict[str, str], reason: str) -> None:
    assert verify_webhook(raw, given, ("secret",)) == Forged(reason)


def test_without_a_secret_nothing_is_believed() -> None:
    assert isinstance(verify_webhook(RAW, headers(secret=""), ()), Forged)


def test_a_delivery_without_an_id_is_told_apart_by_its_bytes() -> None:
    first = verify_webhook(RAW, headers(webhook_id=""), ("secret",))
    other = b'{"id":2}'
    second = verify_webhook(other, headers(other, webhook_id=""), ("secret",))
    assert isinstance(first, Authentic)
    assert isinstance(second, Authentic)
    assert first.delivery_key != second.delivery_key
    assert first == verify_webhook(RAW, headers(webhook_id=""), ("secret",))


def test_an_app_wide_delivery_belongs_to_the_shop_of_its_header() -> None:
    verdict = verify_app_hook(RAW, headers(), ("secret",))
    assert verdict == AppDelivery("shop.myshopify.com", Authentic("delivery-1", "orders/paid"))
    assert verify_app_hook(RAW, headers(shop_domain=""), ("secret",)) == Forged("malformed")
    assert verify_app_hook(RAW, headers(secret="x"), ("secret",)) == Forged("signature_wrong")


def test_the_shop_of_a_request_is_read_in_small_letters() -> None:
    assert claims_shop(headers()) == "shop.myshopify.com"
    assert claims_shop(headers(shop_domain="")) is None


# --- reading ----------------------------------------------------------------------------------------------------------

ORDER = "gid://shopify/Order/820982911946154508"  # Its number in the samples is rounded to …500.
ROUNDED = "gid://shopify/Order/820982911946154500"
GROUPS = [f"gid://shopify/FulfillmentOrder/{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("orders/paid", [OrderNews(ORDER, "orders/paid")]),
        ("orders/updated", [OrderNews(ORDER, "orders/updated")]),
        ("orders/cancelled", [OrderNews(ORDER, "orders/cancelled")]),
        ("orders/fulfilled", [OrderNews(ORDER, "orders/fulfilled")]),
        ("orders/edited", [OrderNews(ROUNDED, "orders/edited")]),
        ("fulfillments/create", [OrderNews(ROUNDED, "fulfillments/create")]),
        ("fulfillments/update", [OrderNews(ROUNDED, "fulfillments/update")]),
        ("refunds/create", [OrderNews(ROUNDED, "refunds/create")]),
        (
            "fulfillment_orders/order_routing_complete",
            [GroupNews(GROUPS[0], "fulfillment_orders/order_routing_complete")],
        ),
        ("fulfillment_orders/hold_released", [GroupNews(GROUPS[0], "fulfillment_orders/hold_released")]),
        (
            "fulfillment_orders/placed_on_hold",
            [GroupNews(one, "fulfillment_orders/placed_on_hold") for one in GROUPS[:2]],
        ),
        ("fulfillment_orders/moved", [GroupNews(one, "fulfillment_orders/moved") for one in GROUPS[:2]]),
        ("fulfillment_orders/split", [GroupNews(one, "fulfillment_orders/split") for one in GROUPS]),
        ("fulfillment_orders/merged", [GroupNews(GROUPS[0], "fulfillment_orders/merged")]),
        ("fulfillment_orders/cancelled", [GroupNews(one, "fulfillment_orders/cancelled") for one in GROUPS[:2]]),
        ("app/uninstalled", [ShopGone()]),
        ("shop/redact", [PrivacyRequest("erase", "shop")]),
        (
            "customers/redact",
            [PrivacyRequest("erase", "customer", tuple(f"gid://shopify/Order/{n}" for n in (299938, 280263, 220458)))],
        ),
        (
            "customers/data_request",
            [PrivacyRequest("export", "customer", tuple(f"gid://shopify/Order/{n}" for n in (299938, 280263, 220458)))],
        ),
        ("products/update", [ProductNews("gid://shopify/Product/788032119674292922", "products/update")]),
        ("fulfillment_events/create", []),
    ],
)
def test_a_documented_body_tells_what_its_topic_means(reference: Path, topic: str, expected: list[StoreNews]) -> None:
    raw = (reference / f"shopify/webhooks-2026-07/payloads/{topic.replace('/', '-')}.json").read_bytes()
    assert read_webhook(topic, raw) == expected


def test_every_documented_body_is_read_without_a_crash(reference: Path) -> None:
    files = sorted((reference / "shopify/webhooks-2026-07/payloads").glob("*.json"))
    assert len(files) > 50
    for file in files:
        read_webhook(file.stem.replace("-", "/", 1), file.read_bytes())


def test_every_subscribed_topic_that_is_documented_tells_something_when_slim(reference: Path) -> None:
    """What `includeFields` leaves of a body is enough to know what to read again."""
    folder = reference / "shopify/webhooks-2026-07/payloads"
    read = 0
    for topic, fields in SUBSCRIBED.items():
        file = folder / f"{topic.replace('/', '-')}.json"
        if not file.exists():
            continue
        body = json.loads(file.read_bytes())
        slim = {name: value for name, value in body.items() if name in fields} if fields else body
        assert read_webhook(topic, json.dumps(slim).encode()), topic
        read += 1
    assert read >= 14


def test_a_slim_order_body_holds_no_personal_data(reference: Path) -> None:
    body = json.loads((reference / "shopify/webhooks-2026-07/payloads/orders-paid.json").read_bytes())
    slim = {name for name in body if name in SUBSCRIBED["orders/paid"]}
    assert slim == {"id", "admin_graphql_api_id", "updated_at"}


def test_every_subscribed_topic_is_one_of_the_schema(reference: Path) -> None:
    known: Any = load_schema(reference).type_map["WebhookSubscriptionTopic"]
    assert {topic_enum(topic) for topic in SUBSCRIBED} <= set(known.values)


@given(topic=st.sampled_from([*SUBSCRIBED, "shop/redact", "customers/redact"]), body=st.binary(max_size=60))
def test_no_body_makes_reading_raise(topic: str, body: bytes) -> None:
    read_webhook(topic, body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_names = st.sampled_from(
    ["id", "admin_graphql_api_id", "order_id", "order_edit", "fulfillment_order", "orders_to_redact", "x"]
)


@given(topic=st.sampled_from([*SUBSCRIBED, "customers/redact"]), body=st.dictionaries(_names, _json))
def test_a_damaged_body_tells_only_ids_that_are_ids(topic: str, body: dict[str, Any]) -> None:
    for news in read_webhook(topic, json.dumps(body).encode()):
        match news:
            case OrderNews():
                assert news.order_id.startswith("gid://shopify/Order/")
            case GroupNews():
                assert news.group_id.startswith("gid://shopify/FulfillmentOrder/")
            case PrivacyRequest():
                assert all(one.startswith("gid://shopify/Order/") for one in news.order_ids)
            case ShopGone():
                assert topic == "app/uninstalled"
