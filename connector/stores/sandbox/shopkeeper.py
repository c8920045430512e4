"""The shop's own side, for demos, lessons and tests: ask for prices, place orders, change them, tell us about it.

Every function that changes something returns the deliveries that the platform would post to our hooks; the caller
posts them, in any order, any number of times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from pydantic import TypeAdapter

from carriers.address import Address
from connector.store import Callbacks, Cart, CartLine, Offer, ProductFacts, StoreLocation
from connector.stores.sandbox import webhook
from connector.stores.sandbox.client import PretendPlatform, group_of
from connector.stores.sandbox.documents import FulfilmentJSON, GroupJSON, OrderJSON
from connector.stores.sandbox.errors import SaidNo, error_of
from connector.stores.sandbox.mapping import order_id, read_offers, write_address, write_cart, write_line, write_offer
from connector.stores.sandbox.webhook import SignedCall

_PRODUCT: TypeAdapter[ProductFacts] = TypeAdapter(ProductFacts)
_LOCATION: TypeAdapter[StoreLocation] = TypeAdapter(StoreLocation)


@dataclass(frozen=True, slots=True)
class Placed:
    """A new order, and what the platform would post about it."""

    order_id: str
    delivery: SignedCall


class Shopkeeper:
    """What the people of a sandbox shop do. Raises StoreError where the platform refuses."""

    def __init__(self, platform: PretendPlatform) -> None:
        self._platform = platform
        self._domain = platform.settings.domain
        self._secret = platform.settings.secret.get_secret_value()

    # --- the checkout

    def rate_call(self, cart: Cart, call_id: str = "1") -> SignedCall:
        """The signed rate call that the checkout posts for a cart."""
        return webhook.sign(write_cart(cart, call_id), self._domain, self._secret)

    def offers(self, answer: bytes) -> tuple[Offer, ...]:
        """The offers that the checkout reads from our answer. Raises StoreRetryable if it cannot be read."""
        return read_offers(answer)

    # --- orders

    async def place_order(
        self,
        checkout: Sequence[tuple[Cart, Offer | None]],
        *,
        to: Address | None = None,
        email: str = "",
        phone: str = "",
        tags: Sequence[str] = (),
        risky: bool = False,
        discount: str = "0",
        shipping_discount: str = "0",
    ) -> Placed:
        """Order one or several groups of lines, each with the offer that was chosen for it. Not paid yet.

        `to` replaces the carts' destination, which has neither a name nor a street before checkout. `discount` is a
        coupon's, in major units, typed when the shipping prices were already there; `shipping_discount` is the store's.
        """

        def make(number: int, now: datetime) -> OrderJSON:
            groups = []
            line_no = 0
            for at, (cart, offer) in enumerate(checkout, 1):
                lines = [write_line(line, f"lin_{number}_{line_no + i}") for i, line in enumerate(cart.lines, 1)]
                line_no += len(lines)
                group = GroupJSON(
                    id=f"grp_{number}_{at}",
                    location=cart.location_id,
                    lines=lines,
                    destination=write_address(to or cart.destination),
                    origin=write_address(cart.origin),
                    offer=None if offer is None else write_offer(offer),
                )
                groups.append(group)
            first = checkout[0][0]
            return OrderJSON(
                number=number,
                currency=first.currency,
                placed_at=now,
                updated_at=now,
                groups=groups,
                email=email,
                phone=phone,
                locale=first.locale,
                tags=list(tags),
                risky=risky,
                events=1,
                discount=discount,
                shipping_discount=shipping_discount,
            )

        if not checkout:
            raise error_of(SaidNo("line_unknown", "An order needs something that was ordered."))
        await self._learn_products([line for cart, _ in checkout for line in cart.lines])
        order = await self._platform.place(make)
        told = {"order_id": order_id(order.number)}
        return Placed(told["order_id"], self._delivery(f"order {order.number} 1", "orders/created", told))

    async def mark_paid(self, any_id: str) -> SignedCall:
        """The money arrived."""

        def change(order: OrderJSON) -> None:
            order.paid = True

        return await self._told(any_id, "orders/paid", change)

    async def cancel(self, any_id: str) -> SignedCall:
        """Call the order off."""

        def change(order: OrderJSON) -> None:
            order.cancelled = True

        return await self._told(any_id, "orders/cancelled", change)

    async def edit(
        self, any_id: str, quantities: Mapping[str, int], add: Sequence[CartLine] = (), *, to: Address | None = None
    ) -> SignedCall:
        """Change how many units of lines are ordered, add lines to the first group, change the destination.

        Raises StoreRefused for fewer units than have left already.
        """

        def change(order: OrderJSON) -> None:
            lines = {line.id: line for group in order.groups for line in group.lines}
            for line_id, quantity in quantities.items():
                if line_id not in lines:
                    raise SaidNo("line_unknown", "The order has no such line.")
                if quantity < order.shipped(line_id):
                    raise SaidNo("too_many_units", "More units have left already.")
                lines[line_id].quantity = quantity
            for at, line in enumerate(add, len(lines) + 1):
                order.groups[0].lines.append(write_line(line, f"lin_{order.number}_{at}"))
            for group in order.groups if to is not None else ():
                group.destination = write_address(to)

        return await self._told(any_id, "orders/edited", change)

    async def hold(self, group_id: str, reason: str = "checking the payment") -> SignedCall:
        """Put a group of an order on hold."""

        def change(order: OrderJSON) -> None:
            group_of(order, group_id).holds.append(reason)

        return await self._told(group_id, "groups/held", change)

    async def release(self, group_id: str) -> SignedCall:
        """Take every hold off a group."""

        def change(order: OrderJSON) -> None:
            group_of(order, group_id).holds.clear()

        return await self._told(group_id, "groups/released", change)

    async def fulfilments(self, any_id: str) -> list[FulfilmentJSON]:
        """What left of an order, each with its timeline, as the shop's own pages show it."""
        try:
            order = await self._platform.order(any_id)
        except SaidNo as said:
            raise error_of(said) from None
        return [] if order is None else order.fulfilments

    # --- the shop

    async def callbacks(self) -> Callbacks | None:
        """The URLs that `install` registered; None before, and after the app was removed."""
        kept = await self._facts("callbacks")
        return Callbacks(**json.loads(kept["callbacks"])) if kept else None

    async def uninstall(self) -> SignedCall:
        """Remove the app: its URLs are forgotten."""
        await self._put("callbacks", "callbacks", None)
        return self._delivery("uninstalled", "app/uninstalled", {})

    def privacy(self, kind: Literal["export", "erase"], order_ids: Sequence[str] | None) -> SignedCall:
        """A customer (these orders) or with None the whole shop asks for personal data, or to have it erased."""
        told: dict[str, Any] = {} if order_ids is None else {"order_ids": list(order_ids)}
        return self._delivery(f"privacy {kind} {order_ids}", f"privacy/{kind}", told)

    async def put_product(self, product: ProductFacts) -> SignedCall:
        """Say what the shop knows of a variant."""
        document = _PRODUCT.dump_json(product)
        await self._put("product", product.variant_id, document)
        said = sha256(document).hexdigest()[:16]
        return self._delivery(f"product {said}", "products/update", {"product_id": product.product_id})

    async def drop_product(self, variant_id: str) -> SignedCall:
        """Take a variant out of the shop."""
        known = await self._facts("product")
        product_id = read_product(known[variant_id]).product_id if variant_id in known else ""
        await self._put("product", variant_id, None)
        return self._delivery(f"product {variant_id} gone", "products/delete", {"product_id": product_id})

    async def put_location(self, location: StoreLocation) -> None:
        """Add a place that goods leave from, or change it."""
        await self._put("location", location.id, _LOCATION.dump_json(location))

    # --- pieces

    async def _learn_products(self, lines: Sequence[CartLine]) -> None:
        """What is sold is known: variants that `put_product` did not describe are kept as the cart has them."""
        known = await self._facts("product")
        for line in lines:
            if line.variant_id and line.variant_id not in known:
                product_id = line.product_id or line.variant_id
                fresh = ProductFacts(
                    line.variant_id, line.sku, line.name, line.weight, product_id=product_id, price=line.price.amount
                )
                await self.put_product(fresh)

    async def _facts(self, kind: str) -> dict[str, bytes]:
        try:
            return await self._platform.facts(kind)
        except SaidNo as said:
            raise error_of(said) from None

    async def _put(self, kind: str, fact_id: str, document: bytes | None) -> None:
        try:
            await self._platform.put_fact(kind, fact_id, document)
        except SaidNo as said:
            raise error_of(said) from None

    async def _told(self, any_id: str, topic: str, change: Any) -> SignedCall:
        def counted(order: OrderJSON) -> tuple[int, int]:
            change(order)
            order.events += 1
            return order.number, order.events

        try:
            number, event = await self._platform.change(any_id, counted)
        except SaidNo as said:
            raise error_of(said) from None
        about = {"group_id": any_id} if topic.startswith("groups/") else {"order_id": order_id(number)}
        return self._delivery(f"order {number} {event}", topic, about)

    def _delivery(self, what: str, topic: str, about: Mapping[str, Any]) -> SignedCall:
        delivery_id = "dlv_" + sha256(f"{self._domain} {what}".encode()).hexdigest()[:24]
        return webhook.delivery(delivery_id, topic, self._domain, self._secret, **about)


def read_product(document: bytes) -> ProductFacts:
    """A variant from the books."""
    return _PRODUCT.validate_json(document)


def read_location(document: bytes) -> StoreLocation:
    """A location from the books."""
    return _LOCATION.validate_json(document)


def write_callbacks(callbacks: Callbacks) -> bytes:
    """Our URLs for the books."""
    return json.dumps(asdict(callbacks)).encode()
