"""What customs wants to know about a parcel that crosses a border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carriers.measure import Weight
from carriers.money import Money

ContentsType = Literal["merchandise", "gift", "documents", "returned_goods", "sample", "other"]


@dataclass(frozen=True, slots=True)
class CustomsItem:
    """One line of the declaration. `value` and `weight` are totals for `quantity` pieces.

    `sku` is the seller's number of the product, `mpn` its maker's, `gtin` the standard one (GTIN, EAN, UPC, ISBN-13).
    """

    description: str
    quantity: int
    value: Money
    weight: Weight
    hs_code: str = ""
    origin_country: str = ""
    sku: str = ""
    mpn: str = ""
    gtin: str = ""


@dataclass(frozen=True, slots=True)
class TaxId:
    """A number that a tax office gave: its kind (such as `IOSS`, `EORI`, `VAT`), who gave it, and whose it is."""

    kind: str
    number: str
    issuer: str
    party: Literal["sender", "receiver"] = "sender"


@dataclass(frozen=True, slots=True)
class Customs:
    """The declaration of one parcel; all values are in one currency.

    `export_filing`: the proof or the exemption of an export filing, where the origin's country asks for one (US: an
    ITN, or an exemption such as `NOEEI 30.36`). `non_delivery`: what becomes of a parcel that nobody takes.
    `paperless`: the papers go to customs as data, where the carrier can do that.
    """

    items: tuple[CustomsItem, ...]
    contents: ContentsType = "merchandise"
    incoterm: Literal["DDP", "DAP"] | None = None
    signer: str = ""
    reference: str = ""
    tax_ids: tuple[TaxId, ...] = ()
    export_filing: str = ""
    non_delivery: Literal["return", "abandon"] = "return"
    paperless: bool = True
