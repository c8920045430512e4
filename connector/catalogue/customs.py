"""What customs is told of a parcel, what is missing for it, and what a buyer is told of duties. Pure.

Sources: Universal Postal Union CN 23 (a line has description, quantity, net weight, value, HS code and origin);
EasyPost's guide to customs and 15 CFR 30.36 and 30.37(a) for exports from the United States; all read in November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise

from carriers.customs import Customs, CustomsItem, TaxId
from carriers.measure import Weight
from carriers.money import Money
from connector.catalogue.borders import Spot, collects_union_vat, issuers, meets_customs
from connector.catalogue.customs_settings import CustomsSettings, DutyEstimate, TaxNumber
from connector.catalogue.identifiers import Identifiers, identifiers
from connector.catalogue.product import Product
from connector.words.reason import Reason

FIELDS = (
    "customs_signer",
    "goods",
    "hs_code",
    "origin_country",
    "value",
    "customs_description",
    "sku",
    "currency",
    "export_filing",
    "ioss_limit",
)
"""What may be missing; each has its text as `field_NAME`. The last one is followed by `_in_` and a currency."""

_FILES_EXPORTS = frozenset({"US", "PR", "VI"})  # 15 CFR 30.2: exports from the United States, Puerto Rico included.
_NO_FILING_TO_CANADA = "NOEEI 30.36"
_NO_FILING_FOR_LITTLE = "NOEEI 30.37(a)"
_NO_FILING_BELOW = Decimal(2500)  # USD for each HS code: 15 CFR 30.37(a).
# What a unit of a currency is worth in USD at the very most: nobody tells us more, and a claim must not be too bold.
_DEARER_THAN_USD = frozenset({"EUR", "GBP", "CHF", "KWD", "BHD", "OMR", "JOD", "KYD", "GIP", "FKP", "SHP"})
_DEAREST = 4
_IOSS_UP_TO = Decimal(150)  # EUR, the consignment: Directive 2006/112/EC, article 369l, as of November 2026.
_HS_CODE = re.compile(r"\d{6,13}")
_LONGEST = 100
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class DeclaredLine:
    """Units of one line in a parcel. `price` is per unit after discounts; None where it is not known.

    `total` is what these units cost together, to the minor unit, where that is told. `key` is how the store or the
    catalogue names the variant.
    """

    name: str
    sku: str
    units: int
    price: Money | None
    product: Product | None = None
    grams: int | None = None
    hs_code: str = ""
    origin_country: str = ""
    total: Money | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What nobody has said, one of FIELDS: a column of the catalogue for a product, or a setting of the shop."""

    field: str
    product: str = ""


def missing(lines: Sequence[DeclaredLine], settings: CustomsSettings, origin: Spot, destination: Spot) -> list[Missing]:
    """What customs would ask and nobody has said; empty: nothing."""
    found = [] if settings.signer else [Missing("customs_signer")]
    if not lines:
        found.append(Missing("goods"))
    numbered = _enters_union(origin, destination)
    for line in lines:
        known = {
            "hs_code": bool(_hs_code(line)),
            "origin_country": bool(_origin(line)),
            "value": _value(line) is not None,
            "customs_description": bool(_description(line)),
            "sku": not numbered or all(_identifiers(line)[:2]),
        }
        found += [Missing(field, line.name or line.sku or "?") for field, is_known in known.items() if not is_known]
    values = [value for line in lines if (value := _value(line)) is not None]
    if not found and len({value.currency for value in values}) > 1:
        found.append(Missing("currency"))
    if not found and origin.country in _FILES_EXPORTS and destination.country != "CA":
        found += _filing_needed(lines)
    if not found and _ioss_of_unknown_limit(settings, origin, destination, values[0].currency):
        found.append(Missing(f"ioss_limit_in_{values[0].currency}"))
    return found


def why_missing(gaps: Sequence[Missing]) -> Reason:
    """The reason that a person reads: every product with its fields, kept by name (`words.naming` has their words)."""
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
    weights = _weights(lines, gross_g)
    items = tuple(_item(*each) for each in zip(lines, values, weights, strict=True))
    filing = _NO_FILING_TO_CANADA if destination.country == "CA" else _NO_FILING_FOR_LITTLE
    return Customs(
        items=items,
        contents=settings.contents,
        incoterm="DDP" if (incoterm or settings.incoterm).upper() == "DDP" else "DAP",
        signer=settings.signer,
        reference=reference,
        tax_ids=_tax_ids(settings, origin, destination, items),
        export_filing=filing if origin.country in _FILES_EXPORTS else "",
        non_delivery=settings.non_delivery,
        paperless=settings.paperless,
    )


def _item(line: DeclaredLine, value: Money, grams: int) -> CustomsItem:
    seller, maker, gtin = _identifiers(line)
    return CustomsItem(
        _description(line)[:_LONGEST],
        line.units,
        value,
        Weight(grams),
        _hs_code(line),
        _origin(line),
        sku=seller,
        mpn=maker,
        gtin=gtin,
    )


def duties_note(settings: CustomsSettings, origin: Spot, destination: Spot, goods: Money, kinds: int) -> Reason | None:
    """What a buyer is told of duties and taxes; None where no customs is met.

    The estimate is the merchant's: a percentage of the goods' value, and an amount for each of their kinds, that is
    lines of a declaration; rounded up to the minor unit.
    """
    if not meets_customs(origin, destination):
        return None
    if settings.incoterm == "DDP":
        return Reason("offer_duties_included")
    known = _estimate(settings, destination)
    if known is None:
        return Reason("offer_duties_extra")
    per_myriad = 0 if goods.amount < known.above else int(known.percent * 100)
    about = Money(-(-goods.minor * per_myriad // 10_000), goods.currency)
    if known.up_to is None or goods.amount <= known.up_to:
        about += Money.rounded(known.each, goods.currency) * kinds
    return Reason("offer_duties_about", {"amount": about}) if about.minor else Reason("offer_duties_none")


def kinds(lines: Sequence[DeclaredLine]) -> int:
    """Of how many kinds the goods are, as customs counts: those of one HS code are one, if their origin is one, too."""
    codes = {(_hs_code(line), _origin(line)) for line in lines if _hs_code(line)}
    return len(codes) + sum(1 for line in lines if not _hs_code(line))


def _estimate(settings: CustomsSettings, destination: Spot) -> DutyEstimate | None:
    """The merchant's word for a country, else the one for the whole Union."""
    by_country = {each.country: each for each in settings.duties}
    return by_country.get(destination.country) or (by_country.get("EU") if collects_union_vat(destination) else None)


def _filing_needed(lines: Sequence[DeclaredLine]) -> list[Missing]:
    """Exports of more than 2,500 USD under one HS code are filed with AES first; the number is typed at the carrier."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        value = _value(line)
        if value is not None:
            at_most = value.amount * (_DEAREST if value.currency in _DEARER_THAN_USD else 1)
            sums[_hs_code(line)] = sums.get(_hs_code(line), Decimal(0)) + at_most
    return [Missing("export_filing", code) for code, sum_ in sums.items() if sum_ > _NO_FILING_BELOW]


def _tax_ids(
    settings: CustomsSettings, origin: Spot, destination: Spot, items: Sequence[CustomsItem]
) -> tuple[TaxId, ...]:
    """The shop's numbers that count at one of both ends; the import one-stop shop's on its own terms."""
    value = Money(sum(item.value.minor for item in items), items[0].value.currency)
    here_or_there = issuers(origin) | issuers(destination)
    told = []
    for each in settings.tax_numbers:
        limit = _limit(each, value.currency)
        counts = _enters_union(origin, destination) if each.kind == "IOSS" else each.issuer in here_or_there
        if counts and (value.amount <= limit if limit is not None else each.kind != "IOSS"):
            told.append(TaxId(each.kind, each.number, each.issuer))
    return tuple(told)


def _enters_union(origin: Spot, destination: Spot) -> bool:
    """From outside the Union's VAT into it: the one-stop shop may pay VAT, and customs asks for products' numbers."""
    return collects_union_vat(destination) and not collects_union_vat(origin)


def _ioss_of_unknown_limit(settings: CustomsSettings, origin: Spot, destination: Spot, currency: str) -> bool:
    """An IOSS number may be told up to 150 EUR, and nobody has said what that is in this currency."""
    known = [each for each in settings.tax_numbers if each.kind == "IOSS"]
    return _enters_union(origin, destination) and any(_limit(each, currency) is None for each in known)


def _limit(number: TaxNumber, currency: str) -> Decimal | None:
    """Up to which value of the goods, in their currency, a number is told; None: not known, or none."""
    if number.kind == "IOSS" and currency == "EUR":
        return _IOSS_UP_TO if number.up_to is None else min(number.up_to, _IOSS_UP_TO)
    return number.up_to


def _identifiers(line: DeclaredLine) -> Identifiers:
    product = line.product if line.product is not None else Product()
    return identifiers(key=line.key or product.key, sku=line.sku, mpn=product.mpn, barcode=product.barcode)


def _weights(lines: Sequence[DeclaredLine], gross_g: int) -> list[int]:
    """Each line's net weight in grams: what is known of it, together no more than the parcel's, and never nothing."""
    known = [_grams(line) for line in lines]
    spare = max(0, gross_g - sum(grams for grams in known if grams is not None))
    unknown = [line.units for line, grams in zip(lines, known, strict=True) if grams is None]
    shares = iter(_shared(spare, unknown))
    weights = [next(shares) if grams is None else grams for grams in known]
    if sum(weights) > gross_g:
        weights = _shared(gross_g, weights)
    # What weighs nothing is not declared: a gram comes from the heaviest line.
    for at, weight in enumerate(weights):
        if weight <= 0:
            heaviest = max(range(len(weights)), key=weights.__getitem__)
            weights[heaviest] -= 1 if weights[heaviest] > 1 else 0
            weights[at] = 1
    return weights


def _shared(grams: int, by: Sequence[int]) -> list[int]:
    """Grams shared out by these numbers, to the gram."""
    total, upto = max(1, sum(by)), list(accumulate(by, initial=0))
    return [grams * end // total - grams * start // total for start, end in pairwise(upto)]


def _grams(line: DeclaredLine) -> int | None:
    each = line.grams
    if line.product is not None and line.product.weight_g is not None:
        each = line.product.weight_g
    return None if each is None else each * line.units


def _hs_code(line: DeclaredLine) -> str:
    """The code's digits; empty where there are fewer than the six that customs of all countries share."""
    for said in (line.product.hs_code if line.product is not None else "", line.hs_code):
        digits = re.sub(r"[ .-]", "", said)
        if _HS_CODE.fullmatch(digits):
            return digits
    return ""


def _origin(line: DeclaredLine) -> str:
    return (line.product.origin_country if line.product is not None else "") or line.origin_country


def _description(line: DeclaredLine) -> str:
    said = line.product.customs_description if line.product is not None else ""
    return (said or line.name or line.sku).strip()


def _value(line: DeclaredLine) -> Money | None:
    """The line's value: what the catalogue says of a unit, else what the buyer paid for it; never nothing."""
    paid = line.total
    if paid is None and line.price is not None:
        paid = line.price * line.units
    if line.product is not None and line.product.value is not None:
        said = line.product.value.money
        if paid is None or said.currency == paid.currency:
            paid = said * line.units
    return paid if paid is not None and paid.minor > 0 else None
