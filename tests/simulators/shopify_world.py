"""The shop that the Shopify simulator plays: orders, groups, fulfilments, services and subscriptions in memory.

Objects are plain dicts with the field names of the Admin API, so that GraphQL reads them as they are; a connection is
a list here. What the real shop refuses (units that are not there, names that are taken) is refused here by `Refusal`.
"""

from __future__ import annotations

import copy
import itertools
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.simulators.shopify_setup import ShippingSetUp

Body = dict[str, Any]
ACTIVE = ("OPEN", "IN_PROGRESS")


class Refusal(Exception):
    """A mutation that ends in `userErrors`."""

    def __init__(self, message: str, *field: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = list(field) or None
        self.code = code


@dataclass
class News:
    """Something that webhooks tell: its topic, the object, and the action that caused it."""

    topic: str
    body: Body
    event_id: str


@dataclass
class World:
    """One shop and its app. `scopes` None grants everything; `offset_s` sets its clock ahead of `now`."""

    domain: str = "waybill-test.myshopify.com"
    client_id: str = "client-id"
    client_secret: str = "client-secret"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    scopes: frozenset[str] | None = None
    currency: str = "USD"
    plan_allows_services: bool = True
    setup: ShippingSetUp = field(default_factory=ShippingSetUp)
    token_life_s: int = 86399
    rotating: bool = False
    offset_s: float = 0.0
    tokens: dict[str, datetime] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    orders: list[Body] = field(default_factory=list)
    locations: list[Body] = field(default_factory=list)
    services: list[Body] = field(default_factory=list)
    discounts: list[Body] = field(default_factory=list)
    subscriptions: list[Body] = field(default_factory=list)
    variants: dict[str, Body] = field(default_factory=dict)
    products: dict[str, Body] = field(default_factory=dict)
    news: list[News] = field(default_factory=list)
    notified: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tokens_given: int = 0
    installed: bool = True
    codes: set[str] = field(default_factory=set)
    _replaces: dict[str, str] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(5_100_000_000_001))

    def __post_init__(self) -> None:
        if not self.locations:
            self.add_location({"name": "Warehouse"})

    def copy(self) -> World:
        """The same shop, apart from this one."""
        return copy.deepcopy(self)

    # --- small things -------------------------------------------------------------------------------------------------

    def gid(self, kind: str) -> str:
        return f"gid://shopify/{kind}/{next(self._ids)}"

    def time(self) -> datetime:
        return self.now().astimezone(UTC) + timedelta(seconds=self.offset_s)

    def stamp(self) -> str:
        return self.time().strftime("%Y-%m-%dT%H:%M:%SZ")

    def give_token(self, replaces: str = "", *, rotating: bool | None = None) -> Body:
        """A new access token, and with `rotating` a refresh token beside it.

        The refresh token that it replaces goes on working until the new pair is used, as since 2026-08-28.
        """
        token = "shpat_" + secrets.token_hex(16)
        self.tokens[token] = self.time() + timedelta(seconds=self.token_life_s)
        self.tokens_given += 1
        answer: Body = {
            "access_token": token,
            "scope": ",".join(sorted(self.scopes or {"write_shipping"})),
            "expires_in": self.token_life_s,
        }
        if self.rotating if rotating is None else rotating:
            answer |= {"refresh_token": "shprt_" + secrets.token_hex(16), "refresh_token_expires_in": 7_776_000}
            self.refresh_tokens.add(answer["refresh_token"])
            self._replaces |= {token: replaces, answer["refresh_token"]: replaces}
        return answer

    def used(self, token: str) -> None:
        """A pair is used: what it replaced is over."""
        self.refresh_tokens.discard(self._replaces.get(token, ""))

    def takes(self, token: str) -> bool:
        good = token in self.tokens and self.time() < self.tokens[token]
        if good:
            self.used(token)
        return good

    def add_location(self, spec: Body) -> Body:
        address = {
            "address1": spec.get("address1", "417 Montgomery Street"),
            "address2": spec.get("address2"),
            "city": spec.get("city", "San Francisco"),
            "province": spec.get("province", "California"),
            "provinceCode": spec.get("province_code", "CA"),
            "zip": spec.get("zip", "94104"),
            "countryCode": spec.get("country_code", "US"),
            "phone": spec.get("phone", "4155550100"),
        }
        node = {
            "__typename": "Location",
            "id": self.gid("Location"),
            "name": spec.get("name", "Warehouse"),
            "isActive": spec.get("active", True),
            "fulfillsOnlineOrders": True,
            "shipsInventory": True,
            "address": address,
        }
        self.locations.append(node)
        return node

    def money(self, amount: object) -> Body:
        said = {"amount": f"{Decimal(str(amount)):.2f}", "currencyCode": self.currency}
        return {"shopMoney": said, "presentmentMoney": said}

    def order(self, order_id: str) -> Body | None:
        return next((order for order in self.orders if order["id"] == order_id), None)

    def groups(self) -> Iterator[tuple[Body, Body]]:
        for order in self.orders:
            for group in order["fulfillmentOrders"]:
                yield order, group

    def group(self, group_id: str) -> tuple[Body, Body] | None:
        return next(((order, group) for order, group in self.groups() if group["id"] == group_id), None)

    def fulfilment(self, fulfilment_id: str) -> tuple[Body, Body] | None:
        for order in self.orders:
            for fulfilment in order["fulfillments"]:
                if fulfilment["id"] == fulfilment_id:
                    return order, fulfilment
        return None

    def tell(self, topics: list[str], body: Body, *more: tuple[str, Body]) -> None:
        """Put news in line, all of one merchant action."""
        event_id = secrets.token_hex(8)
        self.news += [News(topic, body, event_id) for topic in topics]
        self.news += [News(topic, other, event_id) for topic, other in more]

    def touch(self, order: Body) -> None:
        order["updatedAt"] = self.stamp()

    # --- what a buyer and a merchant do -------------------------------------------------------------------------------

    def place(self, spec: Body) -> Body:
        """Place an order from a compact spec (see `ShopifyControl.place_order`)."""
        to = {
            "first_name": "Ada",
            "last_name": "Byron",
            "company": None,
            "address1": "179 N Harbor Dr",
            "address2": None,
            "city": "Redondo Beach",
            "province": "California",
            "province_code": "CA",
            "zip": "90277",
            "country_code": "US",
            "phone": "3105550199",
            "email": "ada@example.com",
        } | spec.get("destination", {})
        shipping = {"code": "ground", "title": "Ground", "price": "7.00", "source": "Waybill"} | spec.get(
            "shipping", {}
        )
        lines = [self._order_line(line) for line in spec.get("lines", [{}])]
        subtotal = sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal(0))
        order: Body = {
            "__typename": "Order",
            "id": self.gid("Order"),
            "name": spec.get("name", f"#{1001 + len(self.orders)}"),
            "currencyCode": self.currency,
            "displayFinancialStatus": "PAID" if spec.get("paid") else "PENDING",
            "cancelledAt": None,
            "createdAt": spec.get("placed_at") or self.stamp(),
            "processedAt": self.stamp(),
            "updatedAt": self.stamp(),
            "test": bool(spec.get("test", False)),
            "tags": spec.get("tags", []),
            "customerLocale": spec.get("locale", "en"),
            "email": to["email"],
            "phone": to["phone"],
            "risk": {"recommendation": spec.get("risk", "ACCEPT"), "assessments": []},
            "subtotalPriceSet": self.money(subtotal - Decimal(str(spec.get("discount", 0)))),
            "taxesIncluded": bool(spec.get("taxes_included", False)),
            "lineItems": [self._line_item(line) for line in lines],
            "shippingAddress": _mailing_address(to),
            "shippingLines": [self._shipping_line(shipping, lost=bool(spec.get("code_lost")))],
            "fulfillments": [],
        }
        order["fulfillmentOrders"] = self._route(lines, to, shipping, spec)
        self.orders.append(order)
        routed = [
            ("fulfillment_orders/order_routing_complete", {"fulfillment_order": _group_body(group)})
            for group in order["fulfillmentOrders"]
        ]
        paid = ["orders/paid"] if spec.get("paid") else []
        self.tell(["orders/create", *paid, "orders/updated"], order, *routed)
        return order

    def _order_line(self, spec: Body) -> Body:
        variant = f"gid://shopify/ProductVariant/{spec['variant']}" if "variant" in spec else self.gid("ProductVariant")
        line = {
            "title": "Short Sleeve T-Shirt",
            "sku": "TEE-1",
            "price": "19.99",
            "quantity": 1,
            "weight": {"unit": "GRAMS", "value": 500},
            "requires_shipping": True,
            "method": "SHIPPING",
            "location": self.locations[0]["id"],
            "hs_code": None,
            "origin_country": None,
        } | spec
        self.variants[variant] = {
            "__typename": "ProductVariant",
            "id": variant,
            "sku": line["sku"],
            "displayName": line["title"],
            "barcode": line.get("barcode"),
            "price": line["price"],
            "metafields": [],
            "product": self.product(line.get("product", 7)),
            "inventoryItem": {
                "requiresShipping": line["requires_shipping"],
                "unitCost": line.get("unit_cost"),
                "id": self.gid("InventoryItem"),
                "harmonizedSystemCode": line["hs_code"],
                "countryCodeOfOrigin": line["origin_country"],
                "measurement": {"id": self.gid("InventoryItemMeasurement"), "weight": line["weight"]},
            },
        }
        return line | {"variant": variant}

    def product(self, number: int) -> Body:
        """A product by its number, made where there is none."""
        known = f"gid://shopify/Product/{number}"
        fresh = {"id": known, "vendor": "Acme", "tags": ["tee"], "collections": [{"handle": "wear"}], "metafields": []}
        return self.products.setdefault(known, fresh)

    def _shipping_line(self, shipping: Body, *, lost: bool) -> Body:
        return {
            "id": self.gid("ShippingLine"),
            "code": "Shipping" if lost else shipping["code"],
            "title": "Shipping" if lost else shipping["title"],
            "source": shipping["source"],
            "carrierIdentifier": "a8d3f2627e998fa88786188bf6b81331",
            "isRemoved": False,
            "originalPriceSet": self.money(shipping["price"]),
            "discountedPriceSet": self.money(shipping.get("discounted", shipping["price"])),
        }

    def _line_item(self, line: Body) -> Body:
        """A line as it was ordered, shipped or not."""
        return {
            "id": self.gid("LineItem"),
            "quantity": line["quantity"],
            "name": line["title"],
            "sku": line["sku"],
            "vendor": self.variants[line["variant"]]["product"]["vendor"],
            "requiresShipping": line["requires_shipping"],
            "taxable": line.get("taxable", True),
            "originalUnitPriceSet": self.money(line["price"]),
            "variant": self.variants[line["variant"]],
            "product": self.variants[line["variant"]]["product"],
        }

    def _route(self, lines: list[Body], to: Body, shipping: Body, spec: Body) -> list[Body]:
        """One group for each location and method, as order routing makes them."""
        parts: dict[tuple[str, str], list[Body]] = defaultdict(list)
        for line in lines:
            parts[line["location"], line["method"]].append(line)
        made = [self._group(parts[key], key, to, shipping) for key in parts]
        for group in made:
            group["status"] = spec.get("group_status", "OPEN")
        return made

    def _group(self, lines: list[Body], key: tuple[str, str], to: Body, shipping: Body) -> Body:
        location_id, method = key
        location = next(one for one in self.locations if one["id"] == location_id)
        return {
            "__typename": "FulfillmentOrder",
            "id": self.gid("FulfillmentOrder"),
            "status": "OPEN",
            "requestStatus": "UNSUBMITTED",
            "fulfillmentHolds": [],
            "deliveryMethod": {
                "id": self.gid("DeliveryMethod"),
                "methodType": method,
                "serviceCode": shipping["code"],
                "presentedName": shipping["title"],
            },
            "assignedLocation": {**location["address"], "name": location["name"], "location": location},
            "destination": None if method != "SHIPPING" else _destination(self.gid("FulfillmentOrderDestination"), to),
            "internationalDuties": None,
            "lineItems": [self._group_line(line) for line in lines],
        }

    def _group_line(self, line: Body) -> Body:
        return {
            "id": self.gid("FulfillmentOrderLineItem"),
            "remainingQuantity": line["quantity"],
            "totalQuantity": line["quantity"],
            "sku": line["sku"],
            "productTitle": line["title"],
            "variantTitle": line.get("variant_title"),
            "requiresShipping": line["requires_shipping"],
            "weight": line["weight"],
            "financialSummaries": [
                {"quantity": line["quantity"], "approximateDiscountedUnitPriceSet": self.money(line["price"])}
            ],
            "variant": self.variants[line["variant"]],
            "lineItem": {
                "__typename": "LineItem",
                "id": self.gid("LineItem"),
                "currentQuantity": line["quantity"],
                "priceAfterAllDiscountsBeforeTaxesSet": self.money(
                    line.get("total") or Decimal(line["price"]) * line["quantity"]
                ),
            },
        }

    def pay(self, order: Body) -> None:
        order["displayFinancialStatus"] = "PAID"
        self.touch(order)
        self.tell(["orders/paid", "orders/updated"], order)

    def cancel(self, order: Body) -> None:
        order["cancelledAt"] = self.stamp()
        self.touch(order)
        gone = [group for group in order["fulfillmentOrders"] if group["status"] not in {"CLOSED", "CANCELLED"}]
        for group in gone:
            group["status"] = "CANCELLED"
        told = [("fulfillment_orders/cancelled", {"fulfillment_order": _group_body(group)}) for group in gone]
        self.tell(["orders/cancelled", "orders/updated"], order, *told)

    def edit(self, order: Body, changes: Body) -> None:
        """Change quantities (`quantities`: by place in the first group), the address, money or tags."""
        for place, quantity in enumerate(changes.get("quantities", [])):
            line = order["fulfillmentOrders"][0]["lineItems"][place]
            line["remainingQuantity"] += quantity - line["totalQuantity"]
            line["totalQuantity"] = quantity
            sold = line["lineItem"]
            whole = Decimal(sold["priceAfterAllDiscountsBeforeTaxesSet"]["shopMoney"]["amount"])
            sold["priceAfterAllDiscountsBeforeTaxesSet"] = self.money(whole * quantity / (sold["currentQuantity"] or 1))
            sold["currentQuantity"] = quantity
        if "destination" in changes:
            order["shippingAddress"] |= _mailing_address(changes["destination"], sparse=True)
            for group in order["fulfillmentOrders"]:
                there = group["destination"]
                if there is not None and group["status"] != "CLOSED":
                    there |= _destination(there["id"], changes["destination"], sparse=True)
        if "financial" in changes:
            order["displayFinancialStatus"] = changes["financial"]
        if "tags" in changes:
            order["tags"] = changes["tags"]
        self.touch(order)
        edited = ("orders/edited", {"order_edit": {"id": next(self._ids), "order_id": _number(order["id"])}})
        self.tell(["orders/updated"], order, *([edited] if "quantities" in changes else []))

    def hold(self, order: Body, reason: str | None) -> None:
        """Put every open group on hold for a reason, or with None release those that are held."""
        came, went = ("OPEN", "ON_HOLD") if reason else ("ON_HOLD", "OPEN")
        topic = "fulfillment_orders/placed_on_hold" if reason else "fulfillment_orders/hold_released"
        for group in order["fulfillmentOrders"]:
            if group["status"] == came:
                group["status"] = went
                hold: dict[str, Any] = {"id": self.gid("FulfillmentHold"), "reason": reason, "displayReason": reason}
                hold |= {"handle": "", "heldByRequestingApp": False}
                group["fulfillmentHolds"] = [hold] if reason else []
                self.tell([], order, (topic, {"fulfillment_order": _group_body(group)}))
        self.touch(order)

    def uninstall(self) -> None:
        """The merchant removes the app: tokens are dead at once, its things are gone, the last delivery says so."""
        self.tokens.clear()
        self.refresh_tokens.clear()
        self.installed = False
        self.services = []
        self.discounts = []
        shop = {"id": 548380009, "name": self.domain, "myshopify_domain": self.domain, "email": "owner@example.com"}
        self.tell(["app/uninstalled"], shop)


def _number(gid: str) -> int:
    return int(gid.rsplit("/", 1)[1])


def _group_body(group: Body) -> Body:
    return {"id": group["id"], "status": group["status"].lower()}


_ADDRESS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "province": "province",
    "zip": "zip",
    "phone": "phone",
}


def _mailing_address(to: Body, *, sparse: bool = False) -> Body:
    names = _ADDRESS | {"provinceCode": "province_code", "countryCodeV2": "country_code"}
    return {name: to.get(key) for name, key in names.items() if not sparse or key in to}


def _destination(gid: str, to: Body, *, sparse: bool = False) -> Body:
    names = _ADDRESS | {"countryCode": "country_code", "email": "email"}
    return {"id": gid} | {name: to.get(key) for name, key in names.items() if not sparse or key in to}
