"""What rules may know: of the call as a whole, of each of its lines and parcels, and of one service in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from carriers.money import Money
from connector.rules.exchange import ExchangeRate
from connector.words.reason import Reason

Source = Literal["live", "held", "cached", "learned", "safety", "table"]
"""Where a price came from: the carrier just now, shown before, an older answer, learned, the merchant's safety rate, or
a table of the merchant's own."""

ServiceClass = Literal["economy", "standard", "express", "overnight", "freight", "local_delivery", "pickup", "other"]
"""How a buyer would sort services, whoever carries them."""

_NONE: frozenset[str] = frozenset()
_START = datetime(1970, 1, 1, tzinfo=UTC)


class LineFacts(NamedTuple):
    """One line of the call. `price` is per unit in minor units of the call's currency, before discounts, as displayed.

    `grams` per unit, None where nobody knows. `tags` and `collections` are casefolded. `variant` and `product` are the
    catalogue's short ids. `gift_card` is None where the platform does not tell; `hazmat` a class such as 3, or empty.
    `discount` is the line's share of all discounts in minor units, None where the platform does not give shares.
    """

    quantity: int
    price: int
    grams: int | None = None
    sku: str = ""
    name: str = ""
    variant: str = ""
    product: str = ""
    vendor: str = ""
    tags: frozenset[str] = _NONE
    collections: frozenset[str] = _NONE
    hazmat: str = ""
    requires_shipping: bool = True
    taxable: bool = True
    gift_card: bool | None = None
    unit_cost: Money | None = None
    discount: int | None = None

    @property
    def value(self) -> int:
        """All units together, in minor units."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class CartSums:
    """The whole cart's sums in minor units of the call's currency; it may hold more than the call's lines.

    `subtotal` is before discounts; `discount` and `total` are None where the platform does not say. `tax` tells whether
    `subtotal` holds it. `shipping_discount` is the part of `discount` that is taken off shipping, where the platform
    tells it apart.
    """

    subtotal: int
    discount: int | None = None
    total: int | None = None
    tax: Literal["included", "excluded", "unknown"] = "unknown"
    shipping_discount: int | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the parcels go, as far as it is known. `residential` is None where nobody said."""

    country: str
    province: str = ""
    city: str = ""
    postal_code: str = ""
    po_box: bool = False
    residential: bool | None = None


class ParcelFacts(NamedTuple):
    """One planned parcel: gross grams, and outer millimetres where they are known."""

    grams: int
    size: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A carrier that did not answer, or not wholly, and nothing stands in for all of it.

    `offers` are code and service class of what it usually offers and is missing; None where that is not known.
    """

    carrier: str
    offers: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The call that is priced.

    `sums` is None where the platform tells no cart totals; `destination` None where nobody said where to. `location` is
    our id of the place that the goods leave from and `store_location` the store's, empty where unknown.
    `customer_tags` (casefolded) is None where nothing is told of the customer. `now` is in the shop's time zone.
    `rates` are the merchant's exchange rates. `silent` are the carriers whose prices are missing through a failure.
    """

    currency: str
    lines: tuple[LineFacts, ...] = ()
    sums: CartSums | None = None
    destination: Destination | None = None
    location: str = ""
    store_location: str = ""
    customer_tags: frozenset[str] | None = None
    guest: bool = True
    now: datetime = _START
    parcels: tuple[ParcelFacts, ...] = ()
    rates: tuple[ExchangeRate, ...] = ()
    silent: tuple[Silent, ...] = ()

    @property
    def country(self) -> str:
        """The destination's country; empty where it is not known."""
        return self.destination.country if self.destination else ""

    @property
    def subtotal(self) -> Money:
        """The cart's value after discounts, where those are known, as displayed; else that of the call's lines."""
        if self.sums is not None:
            return Money(max(0, self.sums.subtotal - (self.sums.discount or 0)), self.currency)
        return Money(sum(line.price * line.quantity for line in self.lines), self.currency)


class Step(NamedTuple):
    """One step of a price, from the carrier's to the buyer's: why, and what it came to in minor units."""

    reason: Reason
    minor: int
    currency: str

    @property
    def price(self) -> Money:
        """What it came to."""
        return Money(self.minor, self.currency)

    @classmethod
    def to(cls, reason: Reason, price: Money) -> Step:
        """The step to a price."""
        return cls(reason, price.minor, price.currency)


class Priced(NamedTuple):
    """A service with its price so far and the steps that led there.

    `carrier` and `service` are the carrier's own names, `account_id` ours. `transit_days` are working days;
    `earliest` and `latest` the window that is promised. `name` is what a rule calls it, empty for its usual name.
    `marks` are what choosing it asks for (signature, insurance, hold), each with how or why. `by_hand`: a rate that a
    rule added and no carrier sells. A tuple, as a quote makes dozens.
    """

    code: str
    price: Money
    steps: tuple[Step, ...] = ()
    carrier: str = ""
    service: str = ""
    account_id: str = ""
    source: Source = "live"
    service_class: str = "other"
    transit_days: int | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    name: str = ""
    description: str = ""
    marks: tuple[tuple[str, str], ...] = ()
    by_hand: bool = False

    def then(self, reason: Reason, price: Money) -> Priced:
        """The same service after one more step."""
        return Priced._make((self.code, price, (*self.steps, Step(reason, price.minor, price.currency)), *self[3:]))
