"""Shopify, over its Admin GraphQL API 2026-10, its rate callback and its webhooks."""

from __future__ import annotations

from connector.store import StoreKind
from connector.stores.shopify.settings import ShopifySettings
from connector.stores.shopify.shop import CAPABILITIES, connect
from connector.stores.shopify.webhook import claims_shop, read_webhook, verify_app_hook

KIND = StoreKind(
    name="shopify",
    title="Shopify",
    settings=ShopifySettings,
    capabilities=CAPABILITIES,
    connect=connect,
    claims_shop=claims_shop,
    verify_app_hook=verify_app_hook,
    read_app_hook=read_webhook,
)
