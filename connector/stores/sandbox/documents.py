"""The sandbox platform's JSON: rate calls and orders. Amounts are decimal strings, weights whole grams."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


def _no_null(value: Any) -> Any:
    return "" if value is None else value


Text = Annotated[str, Field(max_length=1000), BeforeValidator(_no_null)]
Amount = Annotated[Decimal, Field(ge=0, le=10**13, allow_inf_nan=False)]


class Document(BaseModel):
    """Unknown fields are let through: a platform adds some any day."""

    model_config = ConfigDict(extra="ignore")


class AddressJSON(Document):
    """An address, as far as it is known."""

    country: Annotated[str, BeforeValidator(_no_null), Field(pattern=r"^([A-Za-z]{2})?$")] = ""
    postal_code: Text = ""
    province: Text = ""
    city: Text = ""
    street1: Text = ""
    street2: Text = ""
    name: Text = ""
    company: Text = ""
    phone: Text = ""
    email: Text = ""
    residential: bool | None = None


class ItemJSON(Document):
    """A line of a cart; `price` is per unit, `grams` per unit and null where it is not known."""

    quantity: int = Field(ge=1, le=1_000_000)
    price: Amount
    grams: int | None = Field(default=None, ge=0, le=100_000_000)
    sku: Text = ""
    name: Text = ""
    variant_id: Text = ""
    product_id: Text = ""
    vendor: Text = ""
    requires_shipping: bool | None = True
    taxable: bool | None = True
    gift_card: bool | None = None
    properties: dict[str, Any] | None = None


class TotalsJSON(Document):
    """Sums over the whole cart."""

    subtotal: Amount
    discount: Amount | None = None
    total: Amount | None = None
    tax: Literal["included", "excluded", "unknown"] = "unknown"
    shipping_discount: Amount | None = None


class CustomerJSON(Document):
    """Who is logged in."""

    tags: list[Text] = Field(default_factory=list)


class RateCallJSON(Document):
    """What the sandbox's checkout asks. Without `customer` nothing is known of the buyer; null is a guest."""

    call: Text = ""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    items: list[ItemJSON] = Field(min_length=1, max_length=1000)
    origin: AddressJSON | None = None
    destination: AddressJSON | None = None
    totals: TotalsJSON | None = None
    locale: Text = "en"
    location: Text = ""
    customer: CustomerJSON | None = None


class OfferJSON(Document):
    """One option of our answer, as the checkout shows it and as the order keeps it."""

    code: str
    name: str
    price: str
    currency: str
    description: str = ""
    earliest: AwareDatetime | None = None
    latest: AwareDatetime | None = None
    phone_required: bool = False


class AnswerJSON(Document):
    """Our answer to a rate call."""

    call: str = ""
    offers: list[OfferJSON]


class LineJSON(Document):
    """A line of an order; `quantity` is what is ordered now, whether shipped or not."""

    id: str
    quantity: int
    price: str
    grams: int | None = None
    sku: str = ""
    name: str = ""
    variant_id: str = ""
    requires_shipping: bool = True
    hs_code: str = ""
    origin_country: str = ""


class GroupJSON(Document):
    """What ships together."""

    id: str
    location: str
    lines: list[LineJSON]
    destination: AddressJSON | None = None
    origin: AddressJSON | None = None
    offer: OfferJSON | None = None
    holds: list[str] = Field(default_factory=list)

    @property
    def others_holds(self) -> list[str]:
        """The holds that Waybill did not set itself."""
        return [each for each in self.holds if not each.startswith("waybill (")]


class StepJSON(Document):
    """One step on the timeline of a fulfilment."""

    status: str
    at: AwareDatetime
    message: str = ""
    city: str = ""
    country: str = ""


class FulfilmentJSON(Document):
    """A parcel that left."""

    id: str
    group: str
    units: dict[str, int]
    company: str
    number: str
    url: str
    notified: bool
    cancelled: bool = False
    timeline: list[StepJSON] = Field(default_factory=list)


class OrderJSON(Document):
    """An order with all that hangs on it."""

    number: int
    currency: str
    placed_at: AwareDatetime
    updated_at: AwareDatetime
    groups: list[GroupJSON]
    fulfilments: list[FulfilmentJSON] = Field(default_factory=list)
    paid: bool = False
    cancelled: bool = False
    risky: bool = False
    email: str = ""
    phone: str = ""
    locale: str = "en"
    tags: list[str] = Field(default_factory=list)
    events: int = 0
    discount: str = "0"
    shipping_discount: str = "0"

    def shipped(self, line_id: str) -> int:
        """Units of a line that left in fulfilments that still count."""
        return sum(each.units.get(line_id, 0) for each in self.fulfilments if not each.cancelled)
