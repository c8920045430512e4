"""Shopify's orders, groups, locations and variants as Waybill's values, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money
from connector.store import (
    Fulfilment,
    FulfilmentGroup,
    FulfilRequest,
    GroupState,
    Order,
    OrderLine,
    ProductFacts,
    ShippingLine,
    ShopFacts,
    StoreLocation,
    StoreRetryable,
)
from connector.stores.shopify.timeline import company_of

Node = Mapping[str, Any]

_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED"})  # What is refunded in part was captured in full before.
_OTHERS = frozenset({"REQUEST_FULFILLMENT", "REQUEST_CANCELLATION", "EXTERNAL"})  # Offered for services' groups only.


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Turns an answer that lacks what the schema promises into StoreRetryable: it is not to be built on."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"{what}: {type(error).__name__}"
        raise StoreRetryable("Shopify's answer cannot be understood.", detail=detail) from error


# --- values -----------------------------------------------------------------------------------------------------------


def gid(kind: str, value: object) -> str:
    """An id as Shopify's global one: digits get `gid://shopify/{kind}/` in front; "" for what is no such id."""
    text = str(value if value is not None else "").strip()
    if text.isdecimal() and text.isascii() and len(text) <= 20:
        return f"gid://shopify/{kind}/{int(text)}"
    return text if re.fullmatch(rf"gid://shopify/{kind}/[0-9]{{1,20}}", text) else ""


def text_of(value: object) -> str:
    """Text, free of what no database or printer takes (lone surrogates, control characters); "" for null."""
    if value is None:
        return ""
    if isinstance(value, str) and value.isprintable():
        return value.strip()  # The usual case, told apart cheaply: a checkout waits.
    clean = str(value).encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f]+", " ", clean).strip()


def grams(value: Decimal | int) -> Weight | None:
    """Whole grams, parts of a gram rounded up; None for nothing, which is how Shopify writes an unknown weight."""
    if type(value) is int:
        return Weight(value) if value > 0 else None
    whole = int(Decimal(value).to_integral_value(ROUND_CEILING))
    return Weight(whole) if whole > 0 else None


def weight_of(node: Node | None) -> Weight | None:
    """A weight in whole grams, rounded up; None for null, zero, and a unit that is not known."""
    if not node:
        return None
    try:
        value = Decimal(str(node["value"]))
    except InvalidOperation:
        return None
    if not value.is_finite() or value <= 0:
        return None
    match node["unit"]:
        case "GRAMS":
            return grams(value)
        case "KILOGRAMS":
            return grams(value * 1000)
        case "OUNCES":
            return Weight.from_ounces(value)
        case "POUNDS":
            return Weight.from_pounds(value)
        case _:
            return None


def money_of(bag: Node) -> Money:
    """The shop's own amount of a `MoneyBag`: decimal major units."""
    money = bag["shopMoney"]
    return Money.rounded(str(money["amount"]), str(money["currencyCode"]))


def moment_of(value: object) -> datetime:
    """An aware time. Raises ValueError."""
    at = datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


# --- the shop ---------------------------------------------------------------------------------------------------------


def shop_facts(shop: Node) -> ShopFacts:
    """What the shop says of itself."""
    return ShopFacts(
        name=text_of(shop["name"]),
        domain=str(shop["myshopifyDomain"]),
        currency=str(shop["currencyCode"]),
        timezone=str(shop["ianaTimezone"]),
        plan=text_of(shop["plan"]["publicDisplayName"]),
    )


def location(node: Node) -> StoreLocation:
    """A place that goods leave from."""
    address = node["address"]
    return StoreLocation(
        id=str(node["id"]),
        name=text_of(node["name"]),
        address=_address(address, province=address.get("provinceCode") or address.get("province")),
        active=bool(node["isActive"]),
    )


def product_facts(node: Node) -> ProductFacts:
    """What the shop knows of a variant."""
    item = node["inventoryItem"]
    return ProductFacts(
        variant_id=str(node["id"]),
        sku=text_of(node["sku"]),
        name=text_of(node["displayName"]),
        weight=weight_of(item["measurement"]["weight"]),
        hs_code=text_of(item["harmonizedSystemCode"]),
        origin_country=text_of(item["countryCodeOfOrigin"]),
    )


# --- orders -----------------------------------------------------------------------------------------------------------


def order(node: Node, groups: Iterable[Node]) -> Order:
    """An order with all its groups, each with all its lines."""
    to, currency = _ship_to(node), str(node["currencyCode"])
    return Order(
        id=str(node["id"]),
        name=text_of(node["name"]),
        currency=currency,
        paid=node["displayFinancialStatus"] in _PAID,
        cancelled=node["cancelledAt"] is not None,
        updated_at=moment_of(node["updatedAt"]),
        placed_at=moment_of(node["processedAt"]),
        groups=tuple(_group(group, to, currency) for group in groups),
        shipping_lines=tuple(
            ShippingLine(
                code=text_of(line["code"]),
                title=text_of(line["title"]),
                price=money_of(line["originalPriceSet"]),
                source=text_of(line["source"]),
                paid=money_of(line["discountedPriceSet"]) if line.get("discountedPriceSet") else None,
            )
            for line in node["shippingLines"]["nodes"]
        ),
        subtotal=money_of(node["subtotalPriceSet"]) if node.get("subtotalPriceSet") else None,
        tags=tuple(text_of(tag) for tag in node["tags"]),
        risky=(node.get("risk") or {}).get("recommendation") in {"CANCEL", "INVESTIGATE"},
        email=text_of(node.get("email")),
        phone=text_of(node.get("phone")),
        locale=text_of(node.get("customerLocale")) or "en",
        test=bool(node["test"]),
    )


def _group(node: Node, to: Address | None, currency: str) -> FulfilmentGroup:
    state, reasons = group_state(node)
    method = node.get("deliveryMethod") or {}
    at = node["assignedLocation"]
    place = at.get("location") or {}
    origin = _address(at, province=(place.get("address") or {}).get("provinceCode") or at.get("province"))
    units = [(line, int(line["remainingQuantity"]), int(line["totalQuantity"])) for line in node["lineItems"]["nodes"]]
    return FulfilmentGroup(
        id=str(node["id"]),
        state=state,
        lines=tuple(_line(line, left, currency) for line, left, _ in units if left > 0),
        destination=_goes_to(node.get("destination"), to, state),
        origin=origin,
        location_id=text_of(place.get("id")),
        service_code=text_of(method.get("serviceCode")),
        service_name=text_of(method.get("presentedName")),
        hold_reasons=reasons,
        incoterm=text_of((node.get("internationalDuties") or {}).get("incoterm")),
        held_by_us=held_by_us(node),
        shipped=tuple(_line(line, whole - left, currency) for line, left, whole in units if whole > left),
    )


def group_state(node: Node) -> tuple[GroupState, tuple[str, ...]]:
    """Whether a fulfillment order may be shipped now, and what holds it if it is held.

    READY is OPEN, by SHIPPING, with CREATE_FULFILLMENT among its supported actions, and nothing else. A group that
    its service gave up (INCOMPLETE) waits for a person. A status that is not known is not acted on.
    """
    status = node["status"]
    if status == "CANCELLED":
        return GroupState.CANCELLED, ()
    if (node.get("deliveryMethod") or {}).get("methodType") != "SHIPPING":
        return GroupState.NOT_OURS, ()
    actions = {entry["action"] for entry in node["supportedActions"]}
    match status:
        case "CLOSED":
            return GroupState.DONE, ()
        case "ON_HOLD":
            reasons = tuple(hold["reason"].lower() for hold in node["fulfillmentHolds"] if not is_our_hold(hold))
            return (GroupState.HELD, reasons) if reasons or not held_by_us(node) else (GroupState.READY, ())
        case "INCOMPLETE":
            return GroupState.HELD, ("incomplete",)
        case "SCHEDULED":
            return GroupState.SCHEDULED, ()
        case "OPEN" if "CREATE_FULFILLMENT" in actions:
            return GroupState.READY, ()
        case _ if "CREATE_FULFILLMENT" not in actions and actions & _OTHERS:
            return GroupState.NOT_OURS, ()
        case _:
            return GroupState.NOT_YET, ()


def held_by_us(node: Node) -> bool:
    """Whether a hold of our own is on a fulfillment order."""
    return any(is_our_hold(hold) for hold in node["fulfillmentHolds"])


def is_our_hold(hold: Node) -> bool:
    """Ours is this app's hold with our handle."""
    return bool(hold.get("heldByRequestingApp")) and hold.get("handle") == "waybill"


def _line(node: Node, units: int, currency: str) -> OrderLine:
    variant = node.get("variant") or {}
    item = variant.get("inventoryItem") or {}
    name = " - ".join(part for part in (text_of(node["productTitle"]), text_of(node.get("variantTitle"))) if part)
    return OrderLine(
        id=str(node["id"]),
        quantity=units,
        price=_unit_price(node["financialSummaries"], currency),
        weight=weight_of(node.get("weight")),
        sku=text_of(node.get("sku")),
        name=name,
        variant_id=text_of(variant.get("id")),
        requires_shipping=bool(node["requiresShipping"]),
        hs_code=text_of(item.get("harmonizedSystemCode")),
        origin_country=text_of(item.get("countryCodeOfOrigin")),
        **_sold(node.get("lineItem") or {}),
    )


def _sold(line: Node) -> dict[str, Any]:
    """What the units of an order's line that were not taken back cost together, and how many they are."""
    told, units = line.get("priceAfterAllDiscountsBeforeTaxesSet"), int(line.get("currentQuantity") or 0)
    return {"total": money_of(told), "total_units": units} if told and units > 0 else {}


def _unit_price(summaries: Iterable[Node], currency: str) -> Money:
    """What a unit was sold for after discounts: the mean where units of one line have different prices."""
    parts = [(int(part["quantity"]), money_of(part["approximateDiscountedUnitPriceSet"])) for part in summaries]
    units = sum(quantity for quantity, _ in parts)
    if units <= 0:
        return parts[0][1] if parts else Money.zero(currency)
    total = sum(quantity * price.amount for quantity, price in parts)
    return Money.rounded(Decimal(total) / units, parts[0][1].currency)


# --- addresses --------------------------------------------------------------------------------------------------------


def _ship_to(node: Node) -> Address | None:
    """The order's own address, for all its groups: merchants edit it also after a group is fulfilled and closed.

    Groups repeat it, but name their province only in words.
    """
    address = node.get("shippingAddress")
    if not address or not address.get("countryCode"):
        return None
    said = _address(address, province=address.get("provinceCode") or address.get("province"))
    return replace(said, email=text_of(node.get("email")))


def _goes_to(node: Node | None, to: Address | None, state: GroupState) -> Address | None:
    """Where a group goes: as the order says, else as it says itself; a closed one says what was, not what is."""
    if not node or not node.get("countryCode"):
        return None
    if to is None and state is not GroupState.DONE:
        return _address(node, province=node.get("province"))
    return to


def _address(node: Node, *, province: object) -> Address:
    persons = (text_of(node.get("firstName")), text_of(node.get("lastName")))
    return Address(
        country=text_of(node.get("countryCode")),
        postal_code=text_of(node.get("zip")),
        province=text_of(province),
        city=text_of(node.get("city")),
        street1=text_of(node.get("address1")),
        street2=text_of(node.get("address2")),
        name=" ".join(part for part in persons if part) or text_of(node.get("name")),
        company=text_of(node.get("company")),
        phone=text_of(node.get("phone")),
        email=text_of(node.get("email")),
    )


# --- fulfilments ------------------------------------------------------------------------------------------------------


def fulfilment(node: Node) -> Fulfilment:
    """What Shopify keeps of a parcel that left."""
    numbers = tuple(str(info["number"]) for info in node["trackingInfo"] if info.get("number"))
    return Fulfilment(str(node["id"]), numbers, cancelled=node["status"] in {"CANCELLED", "ERROR", "FAILURE"})


def tracking_input(company: str, number: str, url: str) -> dict[str, str]:
    """A `FulfillmentTrackingInput`, with the company in Shopify's spelling; what is empty is left out."""
    given = {"company": company_of(company), "number": number, "url": url}
    return {name: value for name, value in given.items() if value}


def fulfilment_input(request: FulfilRequest) -> dict[str, Any]:
    """A `FulfillmentInput` for these units of one group."""
    lines = [{"id": line_id, "quantity": quantity} for line_id, quantity in request.lines]
    return {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": request.group_id, "fulfillmentOrderLineItems": lines}],
        "trackingInfo": tracking_input(request.company, request.number, request.url),
        "notifyCustomer": request.notify_buyer,
    }
