"""What customs is told of a parcel, what is missing for it, and what a buyer is told of duties. Pure.

Sources: Universal Postal Union CN 23 (a line has description, quantity, net weight, value, HS code and origin);
EasyPost's guide to customs and 15 CFR 30.36 and 30.37(a) for exports from the United States; all read in November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carriers.customs import Customs, CustomsItem, TaxId
from carriers.measure import Weight
from carriers.money import Money, MoneyError
from connector.catalogue.borders import Spot, meets_customs
from connector.catalogue.customs_settings import CustomsSettings
from connector.catalogue.product import Product
from connector.words.reason import Reason

_NO_FILING_TO_CANADA = "NOEEI 30.36"
_NO_FILING_BELOW = 250_000  # USD cents for each HS code: 15 CFR 30.37(a).
_IOSS_UP_TO = Money(15_000, "EUR")  # Regulation of the import one-stop shop: consignments of no more than 150 EUR.
_LONGEST = 100
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class DeclaredLine:
    """Units of one line in a parcel. `price` is per unit after discounts; None where it is not known."""

    name: str
    sku: str
    units: int
    price: Money | None
    product: Product | None = None
    grams: int | None = None
    hs_code: str = ""
    origin_country: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What nobody has said: a column of the catalogue for a product, or a setting of the shop (no product)."""

    field: str
    product: str = ""


def missing(lines: Sequence[DeclaredLine], settings: CustomsSettings, origin: Spot, destination: Spot) -> list[Missing]:
    """What customs would ask and nobody has said; empty: nothing."""
    found = [] if settings.signer else [Missing("customs_signer")]
    if not lines:
        found.append(Missing("goods"))
    for line in lines:
        product = line.name or line.sku or "?"
        if not _hs_code(line):
            found.append(Missing("hs_code", product))
        if not _origin(line):
            found.append(Missing("origin_country", product))
        if _value(line) is None:
            found.append(Missing("value", product))
        if not _description(line):
            found.append(Missing("customs_description", product))
    if origin.country == "US" and destination.country != "CA" and not found:
        found += _filing_needed(lines)
    if not found and len({value.currency for line in lines if (value := _value(line))}) > 1:
        found.append(Missing("currency"))
    return found


def why_missing(gaps: Sequence[Missing]) -> Reason:
    """The reason that a person reads: every product with its fields."""
    fields: dict[str, list[str]] = {}
    for gap in gaps:
        fields.setdefault(gap.product, []).append(gap.field)
    said = [f"{product}: {', '.join(names)}" if product else ", ".join(names) for product, names in fields.items()]
    more = len(said) - _MOST_NAMED
    return Reason("customs_missing", {"gaps": "; ".join(said[:_MOST_NAMED]) + (f" (+{more})" if more > 0 else "")})


def declaration(
    lines: Sequence[DeclaredLine],
    settings: CustomsSettings,
    origin: Spot,
    destination: Spot,
    *,
    gross_g: int,
    incoterm: str = "",
    reference: str = "",
) -> Customs | list[Missing]:
    """The declaration of a parcel, or what is missing for it.

    `incoterm` is what the store says of the order (it may have taken the duties); `gross_g` bounds the lines' weights:
    where some are not known, what is left of it is shared out by units. Values and weights are totals of their line.
    """
    gaps = missing(lines, settings, origin, destination)
    if gaps:
        return gaps
    values = [value for line in lines if (value := _value(line)) is not None]  # Of every line, as no gap says.
    items = tuple(
        CustomsItem(
            _description(line)[:_LONGEST], line.units, value, Weight(grams), _hs_code(line), _origin(line), line.sku
        )
        for line, value, grams in zip(lines, values, _weights(lines, gross_g), strict=True)
    )
    to_canada = (origin.country, destination.country) == ("US", "CA")
    return Customs(
        items=items,
        contents=settings.contents,
        incoterm="DDP" if (incoterm or settings.incoterm).upper() == "DDP" else "DAP",
        signer=settings.signer,
        reference=reference,
        tax_ids=_tax_ids(settings, origin, destination, items),
        export_filing=_NO_FILING_TO_CANADA if to_canada else "",
        non_delivery=settings.non_delivery,
        paperless=settings.paperless,
    )


def duties_note(settings: CustomsSettings, origin: Spot, destination: Spot, goods: Money) -> Reason | None:
    """What a buyer is told of duties and taxes; None where no customs is met.

    The estimate is the merchant's: a percentage of the goods' value, rounded up to the minor unit.
    """
    if not meets_customs(origin, destination):
        return None
    if settings.incoterm == "DDP":
        return Reason("offer_duties_included")
    known = next((each for each in settings.duties if each.country == destination.country), None)
    if known is None:
        return Reason("offer_duties_extra")
    try:
        limit = Money.parse(known.above, goods.currency)
    except MoneyError:
        limit = Money.rounded(known.above, goods.currency)
    if goods < limit or not known.percent:
        return Reason("offer_duties_none")
    per_myriad = int(known.percent * 100)
    return Reason("offer_duties_about", {"amount": Money(-(-goods.minor * per_myriad // 10_000), goods.currency)})


def _filing_needed(lines: Sequence[DeclaredLine]) -> list[Missing]:
    """Exports of more than 2,500 USD under one HS code are filed with AES first; the number is typed at the carrier."""
    sums: dict[str, int] = {}
    for line in lines:
        value = _value(line)
        if value is not None and value.currency == "USD":
            sums[_hs_code(line)] = sums.get(_hs_code(line), 0) + value.minor
    return [Missing("export_filing", code) for code, sum_ in sums.items() if sum_ > _NO_FILING_BELOW]


def _tax_ids(
    settings: CustomsSettings, origin: Spot, destination: Spot, items: Sequence[CustomsItem]
) -> tuple[TaxId, ...]:
    """The shop's numbers that one of both ends knows; the import one-stop shop only up to its limit."""
    value = sum(item.value.minor for item in items)
    too_much = items[0].value.currency == _IOSS_UP_TO.currency and value > _IOSS_UP_TO.minor
    return tuple(
        TaxId(each.kind, each.number, each.issuer)
        for each in settings.tax_numbers
        if (each.serves(destination.country) and not (each.kind == "IOSS" and too_much))
        or (each.kind != "IOSS" and each.serves(origin.country))
    )


def _weights(lines: Sequence[DeclaredLine], gross_g: int) -> list[int]:
    """Each line's net weight in grams, together no more than the parcel's."""
    known = [_grams(line) for line in lines]
    spare = max(0, gross_g - sum(grams for grams in known if grams is not None))
    unknown = sum(line.units for line, grams in zip(lines, known, strict=True) if grams is None)
    weights = [
        max(1, spare * line.units // unknown) if grams is None else max(1, grams)
        for line, grams in zip(lines, known, strict=True)
    ]
    total = sum(weights)
    return weights if total <= gross_g else [max(1, weight * gross_g // total) for weight in weights]


def _grams(line: DeclaredLine) -> int | None:
    each = line.grams
    if line.product is not None and line.product.weight_g is not None:
        each = line.product.weight_g
    return None if each is None else each * line.units


def _hs_code(line: DeclaredLine) -> str:
    return (line.product.hs_code if line.product is not None else "") or line.hs_code


def _origin(line: DeclaredLine) -> str:
    return (line.product.origin_country if line.product is not None else "") or line.origin_country


def _description(line: DeclaredLine) -> str:
    said = line.product.customs_description if line.product is not None else ""
    return (said or line.name or line.sku).strip()


def _value(line: DeclaredLine) -> Money | None:
    """The line's value: what the catalogue says of a unit, else what the buyer paid for it; never nothing."""
    each = line.price
    if line.product is not None and line.product.value is not None:
        said = line.product.value.money
        each = said if each is None or said.currency == each.currency else each
    return None if each is None or each.minor <= 0 else Money(each.minor * line.units, each.currency)
