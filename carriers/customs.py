"""What customs wants to know about a parcel that crosses a border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carriers.measure import Weight
from carriers.money import Money

ContentsType = Literal["merchandise", "gift", "documents", "returned_goods", "sample", "other"]


@dataclass(frozen=True, slots=True)
class CustomsItem:
    """One line of the declaration. `value` and `weight` are totals for `quantity` pieces."""

    description: str
    quantity: int
    value: Money
    weight: Weight
    hs_code: str = ""
    origin_country: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Customs:
    """The declaration of one parcel; all values are in one currency."""

    items: tuple[CustomsItem, ...]
    contents: ContentsType = "merchandise"
    incoterm: Literal["DDP", "DAP"] | None = None
    signer: str = ""
    reference: str = ""
