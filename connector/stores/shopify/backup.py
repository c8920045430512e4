"""Paid orders whose shipping price is not ours: what the store showed while our prices were not to be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

from connector.stores.shopify import check_queries
from connector.stores.shopify.api import ShopAPI
from connector.stores.shopify.client import Data
from connector.stores.shopify.mapping import moment_of, text_of, understood
from connector.stores.shopify.timeline import moment

_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED"})
_COMBINED = "Shipping"  # Prices of several profiles or places, added up by Shopify: ours may be among them.
_MOST_ORDERS = 500


async def orders_of_others(
    api: ShopAPI, since: datetime, service_name: str, own_rates: Collection[str]
) -> Mapping[date, int]:
    """Paid orders by day (UTC) that took neither our price nor one of the merchant's own. Raises StoreError."""
    found: Counter[date] = Counter()
    query = f"updated_at:>='{moment(since)}'"
    seen = 0
    with understood("orders"):
        async for node in api.pages(check_queries.CHECK_ORDERS, {"query": query}, lambda data: data["orders"]):
            seen += 1
            created = moment_of(node["createdAt"])
            if created >= since and _took_another(node, service_name, own_rates):
                found[created.astimezone(UTC).date()] += 1
            if seen >= _MOST_ORDERS:
                break
    return found


def _took_another(node: Data, service_name: str, own_rates: Collection[str]) -> bool:
    lines = node["shippingLines"]["nodes"]
    if node["cancelledAt"] or node["displayFinancialStatus"] not in _PAID or not lines:
        return False
    return all(not _is_ours(line, service_name) and text_of(line["title"]) not in own_rates for line in lines)


def _is_ours(line: Data, service_name: str) -> bool:
    return text_of(line["source"]) == service_name or text_of(line["title"]) == _COMBINED
