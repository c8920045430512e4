"""Between the sandbox platform's JSON and our values, both ways. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, assert_never

from pydantic import ValidationError

from carriers.address import Address
from carriers.measure import Weight
from carriers.money import Money, MoneyError
from connector.store import (
    Answer,
    Cart,
    CartLine,
    CartTotals,
    Fulfilment,
    FulfilmentGroup,
    GroupState,
    Offer,
    Order,
    OrderLine,
    PastOrder,
    RateCall,
    Refusal,
    ShippingLine,
    StoreRetryable,
    UseBackup,
)
from connector.stores.sandbox.documents import (
    AddressJSON,
    AnswerJSON,
    FulfilmentJSON,
    GroupJSON,
    ItemJSON,
    LineJSON,
    OfferJSON,
    OrderJSON,
    RateCallJSON,
)
from webhooks.receiver import Reply

_JSON = (("content-type", "application/json"),)

# --- the checkout -------------------------------------------------------------------------------------------------


def read_rate_call(raw: bytes) -> RateCall | Refusal:
    """A rate call's cart, or which field of it is wrong. The signature is the caller's to add."""
    try:
        call = RateCallJSON.model_validate_json(raw)
        return RateCall(_read_cart(call), echo={"call": call.call})
    except ValidationError as error:
        code, field = wrong_field(error)
        return Refusal(400, code, field)
    except _NotAnAmount as error:
        return Refusal(400, "not_an_amount", str(error))


def wrong_field(error: ValidationError) -> tuple[str, str]:
    """A code of ours and the path of the first field that is wrong, such as `items[0].price`."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    kinds = {
        "json_invalid": "malformed",
        "missing": "missing",
        "too_short": "missing",
        "string_type": "not_text",
        "string_too_long": "too_long",
        "list_type": "not_a_list",
        "model_type": "not_an_object",
        "model_attributes_type": "not_an_object",
        "string_pattern_mismatch": "out_of_range",
        "greater_than_equal": "out_of_range",
        "less_than_equal": "out_of_range",
        "finite_number": "out_of_range",
        "too_long": "out_of_range",
    }
    kind = first["type"]
    fallback = "not_a_number" if kind.startswith(("int_", "decimal_")) else "malformed"
    return kinds.get(kind, fallback), place or "body"


class _NotAnAmount(ValueError):
    """The message is the path of the field."""


def _amount(value: Decimal, currency: str, place: str) -> Money:
    try:
        return Money.parse(value, currency)
    except MoneyError as error:
        raise _NotAnAmount(place) from error


def _read_cart(call: RateCallJSON) -> Cart:
    currency, totals = call.currency, call.totals
    sums = None
    if totals is not None:
        sums = CartTotals(
            subtotal=_amount(totals.subtotal, currency, "totals.subtotal"),
            discount=None if totals.discount is None else _amount(totals.discount, currency, "totals.discount"),
            total=None if totals.total is None else _amount(totals.total, currency, "totals.total"),
            tax=totals.tax,
            shipping_discount=None
            if totals.shipping_discount is None
            else _amount(totals.shipping_discount, currency, "totals.shipping_discount"),
        )
    told = "customer" in call.model_fields_set
    return Cart(
        lines=tuple(_read_item(item, currency, f"items[{at}].price") for at, item in enumerate(call.items)),
        currency=currency,
        origin=read_address(call.origin),
        destination=read_address(call.destination),
        totals=sums,
        locale=call.locale or "en",
        customer_tags=(tuple(call.customer.tags) if call.customer else ()) if told else None,
        guest=call.customer is None,
        location_id=call.location,
    )


def _read_item(item: ItemJSON, currency: str, place: str) -> CartLine:
    return CartLine(
        quantity=item.quantity,
        price=_amount(item.price, currency, place),
        weight=Weight(item.grams) if item.grams is not None else None,
        sku=item.sku,
        name=item.name,
        variant_id=item.variant_id,
        product_id=item.product_id,
        vendor=item.vendor,
        requires_shipping=item.requires_shipping is not False,
        taxable=item.taxable is not False,
        gift_card=item.gift_card,
        properties={name: str(value) for name, value in (item.properties or {}).items()},
    )


def read_address(address: AddressJSON | None) -> Address | None:
    """An address; None where nothing is known."""
    if address is None:
        return None
    found = Address(**(address.model_dump() | {"country": address.country.upper()}))
    return None if found == Address("") else found


def write_address(address: Address | None) -> AddressJSON | None:
    """An address as the platform has it."""
    return None if address is None else AddressJSON.model_validate(address, from_attributes=True)


def write_cart(cart: Cart, call_id: str) -> bytes:
    """The rate call that the sandbox's checkout sends for a cart; equal carts give equal bytes."""
    body: dict[str, Any] = {
        "call": call_id,
        "currency": cart.currency,
        "items": [_write_item(line) for line in cart.lines],
        "origin": _dump(write_address(cart.origin)),
        "destination": _dump(write_address(cart.destination)),
        "locale": cart.locale,
        "location": cart.location_id,
    }
    if cart.totals is not None:
        amounts = {"subtotal": cart.totals.subtotal, "discount": cart.totals.discount, "total": cart.totals.total}
        if cart.totals.shipping_discount is not None:
            amounts["shipping_discount"] = cart.totals.shipping_discount
        body["totals"] = {name: None if value is None else str(value.amount) for name, value in amounts.items()}
        body["totals"]["tax"] = cart.totals.tax
    if cart.customer_tags is not None:
        body["customer"] = None if cart.guest else {"tags": list(cart.customer_tags)}
    return dump(body)


def _write_item(line: CartLine) -> dict[str, Any]:
    return {
        "quantity": line.quantity,
        "price": str(line.price.amount),
        "grams": None if line.weight is None else line.weight.grams,
        "sku": line.sku,
        "name": line.name,
        "variant_id": line.variant_id,
        "product_id": line.product_id,
        "vendor": line.vendor,
        "requires_shipping": line.requires_shipping,
        "taxable": line.taxable,
        "properties": dict(line.properties),
        **({} if line.gift_card is None else {"gift_card": line.gift_card}),
    }


def write_answer(answer: Answer | UseBackup | Refusal, echo: Mapping[str, str]) -> Reply:
    """Offers with 200; 503 upon which the checkout shows the shop's own backup rates; else what was wrong."""
    match answer:
        case Answer():
            offers = [write_offer(offer).model_dump(mode="json") for offer in answer.offers]
            return Reply(200, dump({"call": echo.get("call", ""), "offers": offers}), _JSON)
        case UseBackup():
            return Reply(503, dump({"error": {"code": answer.code}}), _JSON)
        case Refusal():
            named = {"field": answer.field} if answer.field else {}
            return Reply(answer.status, dump({"error": {"code": answer.code} | named}), _JSON)
        case _:
            assert_never(answer)


def write_offer(offer: Offer) -> OfferJSON:
    """An option of our answer."""
    return OfferJSON(
        code=offer.code,
        name=offer.name,
        price=str(offer.price.amount),
        currency=offer.price.currency,
        description=offer.description,
        earliest=offer.earliest,
        latest=offer.latest,
        phone_required=offer.phone_required,
    )


def read_offers(raw: bytes) -> tuple[Offer, ...]:
    """The offers in our own answer, as the sandbox's checkout reads them. Raises StoreRetryable if garbled."""
    try:
        answer = AnswerJSON.model_validate_json(raw)
    except ValidationError as error:
        raise StoreRetryable("The answer to the rate call cannot be read.", detail=wrong_field(error)[1]) from None
    return tuple(
        Offer(
            code=offer.code,
            name=offer.name,
            price=Money.parse(offer.price, offer.currency),
            description=offer.description,
            earliest=offer.earliest,
            latest=offer.latest,
            phone_required=offer.phone_required,
        )
        for offer in answer.offers
    )


# --- orders -------------------------------------------------------------------------------------------------------


def order_id(number: int) -> str:
    """The platform's id of an order."""
    return f"ord_{number}"


def number_of(some_id: str) -> int | None:
    """The number of the order that an id of an order, group, line or fulfilment belongs to."""
    kind, _, rest = some_id.partition("_")
    digits = rest.partition("_")[0]
    known = kind in {"ord", "grp", "lin", "ful"} and digits.isascii() and digits.isdigit() and len(digits) <= 15
    return int(digits) if known else None


def read_order(order: OrderJSON) -> Order:
    """The order in our words."""
    lines = [line for group in order.groups for line in group.lines]
    subtotal = sum(
        (Money.parse(line.price, order.currency) * line.quantity for line in lines), Money(0, order.currency)
    )
    offers = [group.offer for group in order.groups if group.offer is not None]
    return Order(
        id=order_id(order.number),
        name=f"#{order.number}",
        currency=order.currency,
        paid=order.paid,
        cancelled=order.cancelled,
        updated_at=order.updated_at,
        placed_at=order.placed_at,
        groups=tuple(_read_group(order, group) for group in order.groups),
        shipping_lines=tuple(_read_shipping(order, offers)),
        subtotal=Money(max(0, subtotal.minor - Money.parse(order.discount, order.currency).minor), order.currency),
        tags=tuple(order.tags),
        risky=order.risky,
        email=order.email,
        phone=order.phone,
        locale=order.locale,
        test=True,
    )


def _read_shipping(order: OrderJSON, offers: Sequence[OfferJSON]) -> Iterator[ShippingLine]:
    """What was charged for each group's shipping; a discount on shipping is taken off the first lines."""
    left = Money.parse(order.shipping_discount, order.currency).minor
    for offer in offers:
        price = Money.parse(offer.price, offer.currency)
        off = min(left, price.minor)
        left -= off
        yield ShippingLine(offer.code, offer.name, price, "waybill", Money(price.minor - off, price.currency))


def read_past_order(order: OrderJSON) -> PastOrder | None:
    """The order as it was placed; None if it was cancelled or nothing in it needs shipping."""
    lines = tuple(
        CartLine(
            quantity=line.quantity,
            price=Money.parse(line.price, order.currency),
            weight=None if line.grams is None else Weight(line.grams),
            sku=line.sku,
            name=line.name,
            variant_id=line.variant_id,
            requires_shipping=line.requires_shipping,
        )
        for group in order.groups
        for line in group.lines
        if line.quantity > 0
    )
    if order.cancelled or not any(line.requires_shipping for line in lines):
        return None
    offers = [group.offer for group in order.groups if group.offer is not None]
    charged = sum(line.paid.minor for line in _read_shipping(order, offers) if line.paid is not None)
    subtotal = Money(sum(line.price.minor * line.quantity for line in lines), order.currency)
    discount = Money(min(subtotal.minor, Money.parse(order.discount, order.currency).minor), order.currency)
    place = read_address(order.groups[0].destination)
    return PastOrder(
        id=order_id(order.number),
        name=f"#{order.number}",
        placed_at=order.placed_at,
        cart=Cart(
            lines,
            order.currency,
            destination=None
            if place is None
            else Address(place.country, place.postal_code, place.province, place.city, residential=place.residential),
            totals=CartTotals(subtotal, discount, subtotal - discount),
            locale=order.locale,
        ),
        charged=Money(charged, order.currency),
        shipping_title=offers[0].name if offers else "",
    )


def _read_group(order: OrderJSON, group: GroupJSON) -> FulfilmentGroup:
    gone = {line.id: order.shipped(line.id) for line in group.lines}
    left = [(line, line.quantity - gone[line.id]) for line in group.lines]
    lines = tuple(_read_line(line, units, order.currency) for line, units in left if units > 0)
    state = GroupState.HELD if group.others_holds else GroupState.READY
    if order.cancelled or not lines:
        state = GroupState.CANCELLED if order.cancelled else GroupState.DONE
    return FulfilmentGroup(
        id=group.id,
        state=state,
        lines=lines,
        destination=read_address(group.destination),
        origin=read_address(group.origin),
        location_id=group.location,
        service_code=group.offer.code if group.offer else "",
        service_name=group.offer.name if group.offer else "",
        hold_reasons=tuple(group.others_holds),
        held_by_us=len(group.others_holds) < len(group.holds),
        shipped=tuple(_read_line(line, gone[line.id], order.currency) for line in group.lines if gone[line.id] > 0),
    )


def _read_line(line: LineJSON, left: int, currency: str) -> OrderLine:
    return OrderLine(
        id=line.id,
        quantity=left,
        price=Money.parse(line.price, currency),
        weight=None if line.grams is None else Weight(line.grams),
        sku=line.sku,
        name=line.name,
        variant_id=line.variant_id,
        requires_shipping=line.requires_shipping,
        hs_code=line.hs_code,
        origin_country=line.origin_country,
    )


def write_line(line: CartLine, line_id: str) -> LineJSON:
    """A cart's line on an order."""
    return LineJSON(
        id=line_id,
        quantity=line.quantity,
        price=str(line.price.amount),
        grams=None if line.weight is None else line.weight.grams,
        sku=line.sku,
        name=line.name,
        variant_id=line.variant_id,
        requires_shipping=line.requires_shipping,
    )


def read_fulfilment(fulfilment: FulfilmentJSON) -> Fulfilment:
    """A parcel that left, in our words."""
    return Fulfilment(fulfilment.id, (fulfilment.number,), fulfilment.cancelled)


def dump(body: Any) -> bytes:
    """JSON, the same bytes for the same body; what UTF-8 cannot hold becomes `?`."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _dump(document: AddressJSON | None) -> dict[str, Any] | None:
    return None if document is None else document.model_dump(mode="json")
