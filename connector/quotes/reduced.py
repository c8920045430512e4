"""A cart without personal data: what is kept of a rate call, and all that a decision may see of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict

from carriers.address import Address
from carriers.money import Money
from connector.store import Cart

_PO_BOX = re.compile(
    r"\b(p\.?\s*o\.?\s*box|post\s*office\s*box|postfach|apartado|postbus|bo[iî]te postale)\b", re.IGNORECASE
)


class Kept(BaseModel):
    """A value that is stored with a quote and read again by a later version: unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Place(Kept):
    """An address without the fields that could name a person."""

    country: str
    province: str = ""
    city: str = ""
    postal_code: str = ""
    po_box: bool = False
    residential: bool | None = None

    def address(self) -> Address:
        """As a carrier is asked."""
        return Address(self.country, self.postal_code, self.province, self.city, residential=self.residential)


class ReducedLine(Kept):
    """One line; `price` in minor units of the cart's currency, `grams` per unit."""

    quantity: int
    price: int
    grams: int | None = None
    sku: str = ""
    name: str = ""
    variant_id: str = ""
    product_id: str = ""
    vendor: str = ""
    requires_shipping: bool = True
    taxable: bool = True


class ReducedTotals(Kept):
    """The cart's sums in minor units, as far as the platform tells them."""

    subtotal: int
    discount: int | None = None
    total: int | None = None
    tax: Literal["included", "excluded", "unknown"] = "unknown"


class ReducedCart(Kept):
    """A cart whose personal fields became flags and a keyed hash. `person` is equal for equal people and streets."""

    lines: tuple[ReducedLine, ...]
    currency: str
    locale: str = ""
    origin: Place | None = None
    destination: Place | None = None
    person: str = ""
    totals: ReducedTotals | None = None
    customer_tags: tuple[str, ...] | None = None
    guest: bool = True
    location_id: str = ""

    @property
    def goods(self) -> Money:
        """The value that thresholds look at: after discounts where they are known, else the lines of this call."""
        if self.totals is not None:
            return Money(max(0, self.totals.subtotal - (self.totals.discount or 0)), self.currency)
        return Money(sum(line.price * line.quantity for line in self.lines), self.currency)

    @property
    def units(self) -> int:
        """How many pieces need shipping."""
        return sum(line.quantity for line in self.lines if line.requires_shipping)


def reduce(cart: Cart, keyed_hash: Callable[[bytes], str]) -> ReducedCart:
    """Take out names, companies, streets, phones, e-mail addresses, coordinates, line properties and customer ids."""
    return ReducedCart(
        lines=tuple(
            ReducedLine(
                quantity=line.quantity,
                price=line.price.minor,
                grams=None if line.weight is None else line.weight.grams,
                sku=line.sku,
                name=line.name,
                variant_id=line.variant_id,
                product_id=line.product_id,
                vendor=line.vendor,
                requires_shipping=line.requires_shipping,
                taxable=line.taxable,
            )
            for line in cart.lines
        ),
        currency=cart.currency,
        locale=cart.locale,
        origin=_place(cart.origin),
        destination=_place(cart.destination),
        person=_person(cart.destination, keyed_hash),
        totals=None
        if cart.totals is None
        else ReducedTotals(
            subtotal=cart.totals.subtotal.minor,
            discount=None if cart.totals.discount is None else cart.totals.discount.minor,
            total=None if cart.totals.total is None else cart.totals.total.minor,
            tax=cart.totals.tax,
        ),
        customer_tags=cart.customer_tags,
        guest=cart.guest,
        location_id=cart.location_id,
    )


def without_person(address: Address) -> Address:
    """What a carrier is told that does not need the street."""
    return replace(address, street1="", street2="", name="", company="", phone="", email="")


def _place(address: Address | None) -> Place | None:
    if address is None or not address.country:
        return None
    return Place(
        country=address.country,
        province=address.province,
        city=address.city,
        postal_code=address.postal_code,
        po_box=bool(_PO_BOX.search(f"{address.street1} {address.street2}")),
        residential=False if address.company and address.residential is None else address.residential,
    )


def _person(address: Address | None, keyed_hash: Callable[[bytes], str]) -> str:
    if address is None:
        return ""
    fields = (address.name, address.street1, address.street2, address.postal_code, address.country)
    known = "\n".join(" ".join(field.split()).casefold() for field in fields)
    return keyed_hash(known.encode())
