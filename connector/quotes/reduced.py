"""A cart without personal data: what is kept of a rate call, and all that a decision may see of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from carriers.address import Address
from carriers.money import Money
from connector.catalogue.product import Product
from connector.quotes.kept import Kept
from connector.store import Cart

_PO_BOXES = (
    r"p\.?[\s-]*o\.?[\s-]*box", r"post\s*office\s*box",  # English, and Slovak and Polish as they write it abroad
    "postfach", "postbus", "postbo[xk]s?", "postilokero",  # German, Dutch, Scandinavian, Finnish
    "apartado", "caixa postal", "casella postale", "bo[iî]te postale",  # Spanish, Portuguese, Italian, French
    r"po[sš]tov[yýaá] prie[cč]ino?k", r"po[sš]tovn[ií] p[rř]ihr[aá]dka",  # Slovak, Czech
    r"skrytka poczt\w*", r"skr\.?\s*poczt\w*",  # Polish
    r"τ\.?\s*θ\.?(?=\s*\d)", "ταχυδρομικ[ηή] θυρ[ιί]δα",  # Greek
    r"ص\s*\.?\s*ب", "صندوق (?:ال)?بريد", "փոստարկղ", "փ/ա",  # Arabic, Armenian  # noqa: RUF001
)  # fmt: skip
_PO_BOX = re.compile(rf"(?<!\w)(?:{'|'.join(_PO_BOXES)})(?!\w)", re.IGNORECASE)


class Place(Kept, frozen=True, kw_only=True):
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


class ReducedLine(Kept, frozen=True, kw_only=True):
    """One line; `price` in minor units of the cart's currency, `grams` per unit; `product` is what is known of it."""

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
    product: Product | None = None
    gift_card: bool | None = None


class ReducedTotals(Kept, frozen=True, kw_only=True):
    """The cart's sums in minor units, as far as the platform tells them."""

    subtotal: int
    discount: int | None = None
    total: int | None = None
    tax: Literal["included", "excluded", "unknown"] = "unknown"
    shipping_discount: int | None = None


class ReducedCart(Kept, frozen=True, kw_only=True):
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


ProductOf = Callable[[str, str], Product | None]


def _nothing(_variant_id: str, _sku: str) -> Product | None:
    return None


def reduce(cart: Cart, keyed_hash: Callable[[bytes], str], product_of: ProductOf = _nothing) -> ReducedCart:
    """Take out names, companies, streets, phones, e-mail addresses, coordinates, line properties and customer ids.

    `product_of` (variant id, SKU) says what the catalogue knows; only what a quote needs of it is kept.
    """
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
                product=product_of(line.variant_id, line.sku),
                gift_card=line.gift_card,
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
            shipping_discount=None if cart.totals.shipping_discount is None else cart.totals.shipping_discount.minor,
        ),
        customer_tags=cart.customer_tags,
        guest=cart.guest,
        location_id=cart.location_id,
    )


def without_person(address: Address) -> Address:
    """What a carrier is told that does not need the street: that it is a company, not which one."""
    return replace(
        address, street1="", street2="", name="", company="", phone="", email="", residential=_residential(address)
    )


def place_of(address: Address) -> Place:
    """Where goods leave from."""
    return Place(country=address.country, province=address.province, city=address.city, postal_code=address.postal_code)


def _place(address: Address | None) -> Place | None:
    if address is None or not address.country:
        return None
    return Place(
        country=address.country,
        province=address.province,
        city=address.city,
        postal_code=address.postal_code,
        po_box=is_po_box(address),
        residential=_residential(address),
    )


def is_po_box(address: Address) -> bool:
    """Whether the street is a post office box, in the languages that are known."""
    return bool(_PO_BOX.search(_plain(f"{address.street1} {address.street2}")))


def _residential(address: Address) -> bool | None:
    """What was said, else False where a company is named."""
    return False if address.residential is None and address.company.strip() else address.residential


def _person(address: Address | None, keyed_hash: Callable[[bytes], str]) -> str:
    if address is None:
        return ""
    fields = (address.name, address.street1, address.street2, address.postal_code, address.country)
    return keyed_hash("\n".join(_plain(field) for field in fields).encode())


def _plain(text: str) -> str:
    """One spelling for equal words: accents composed, one blank between words, no case."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", " ".join(composed.split()))
