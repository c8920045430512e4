"""Our requests in EasyPost's words. Pure.

Weights are ounces and sizes inches with one decimal, rounded up, the billable side; what customs is told of weights has
the three decimals that EasyPost keeps (its documentation of CustomsItem, November 2026), rounded down, so that lines
never weigh more than their parcel. A number that is sent is the shortest one that reads back as the exact decimal.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

from carriers.address import Address
from carriers.collection import PickupRequest
from carriers.customs import Customs, CustomsItem, TaxId
from carriers.easypost import union
from carriers.measure import GRAMS_PER_OUNCE, Weight
from carriers.parcel import Parcel, RateRequest, Shipment

Body = dict[str, Any]

_SIGNATURES = {"any": "SIGNATURE", "adult": "ADULT_SIGNATURE"}
_TENTH = Decimal("0.1")
_THOUSANDTH = Decimal("0.001")
_MOST_TAX_IDS = 8
_LONGEST_EXPLANATION = 255


def rate_bodies(request: RateRequest, accounts: tuple[str, ...]) -> list[tuple[Body, int]]:
    """One body for each different parcel, and how many parcels it stands for."""
    counts: dict[Parcel, int] = {}
    for parcel in request.parcels:
        counts[parcel] = counts.get(parcel, 0) + 1
    options = _options(request)
    return [(_body(request, parcel, request.accounts or accounts, options), count) for parcel, count in counts.items()]


def create_body(shipment: Shipment, accounts: tuple[str, ...]) -> Body:
    """The body that creates a shipment; `reference` is ours."""
    options = _options(shipment)
    options["label_format"] = shipment.label_format.upper()
    body = _body(shipment, shipment.parcel, shipment.accounts or accounts, options)
    body["shipment"]["reference"] = shipment.reference
    return body


def pickup_body(request: PickupRequest) -> Body:
    """The body that asks for drivers; the shipment or batch is still to be named."""
    pickup: Body = {
        "address": _address(request.address),
        "min_datetime": request.earliest.isoformat(),
        "max_datetime": request.latest.isoformat(),
        "reference": request.reference,
        "is_account_address": False,
    }
    if request.instructions:
        pickup["instructions"] = request.instructions
    return {"pickup": pickup}


def verify_body(address: Address) -> Body:
    """The body that has one address looked up."""
    return {"address": _address(address), "verify": True}


def without(personal: tuple[str, ...], text: str) -> str:
    """A message without the words of an address."""
    for word in personal:
        text = text.replace(word, "…")
    return text


def personal_words(*addresses: Address) -> tuple[str, ...]:
    """What of an address must not come back in a message that we keep."""
    return tuple(
        word
        for one in addresses
        for word in (one.name, one.company, one.street1, one.street2, one.phone, one.email)
        if word
    )


def _body(asked: RateRequest | Shipment, parcel: Parcel, accounts: tuple[str, ...], options: Body) -> Body:
    # EasyPost takes a return with the addresses of the way out, and swaps them itself.
    ends = (asked.destination, asked.origin) if asked.is_return else (asked.origin, asked.destination)
    shipment: Body = {
        "from_address": _address(ends[0]),
        "to_address": _address(ends[1]),
        "parcel": _parcel(parcel),
        "options": options,
    }
    if asked.is_return:
        shipment["is_return"] = True
    if accounts:
        shipment["carrier_accounts"] = list(accounts)
    if asked.customs is not None:
        shipment["customs_info"] = _customs(asked.customs, asked.origin)
        if asked.customs.tax_ids:
            shipment["tax_identifiers"] = [_tax_id(each) for each in asked.customs.tax_ids[:_MOST_TAX_IDS]]
    return {"shipment": shipment}


def _options(asked: RateRequest | Shipment) -> Body:
    customs = asked.customs
    options: Body = {"currency": asked.currency} | union.options(customs, asked.destination.country)
    if asked.signature in _SIGNATURES:
        options["delivery_confirmation"] = _SIGNATURES[asked.signature]
    if customs is not None and customs.incoterm is not None:
        options["incoterm"] = customs.incoterm
    if customs is not None and customs.reference:
        options["invoice_number"] = customs.reference
    if customs is not None and not customs.paperless:
        options["suppress_etd"] = True  # Electronic trade documents are sent unless they are held back.
        # A generic invoice to print, also of carriers that make none (Commercial Invoice Guide, November 2026).
        options["commercial_invoice_format"] = "PNG"
    return options


def _address(address: Address) -> Body:
    said: Body = {
        "name": address.name,
        "company": address.company,
        "street1": address.street1,
        "street2": address.street2,
        "city": address.city,
        "state": address.province,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
        "email": address.email,
        "residential": address.residential,
    }
    return {key: value for key, value in said.items() if value not in {"", None}}


def _parcel(parcel: Parcel) -> Body:
    said: Body = {"weight": _number(max(parcel.weight.ounces(), _TENTH))}
    if parcel.packaging:
        said["predefined_package"] = parcel.packaging
    elif parcel.size is not None:
        length, width, height = parcel.size.inches()
        said |= {"length": _number(length), "width": _number(width), "height": _number(height)}
    return said


def _customs(customs: Customs, origin: Address) -> Body:
    said: Body = {
        "contents_type": customs.contents,
        "contents_explanation": _explanation(customs),
        "restriction_type": "none",
        "non_delivery_option": customs.non_delivery,
        "customs_certify": True,
        "customs_signer": customs.signer,
        "customs_items": [_customs_item(item, origin) for item in customs.items],
    }
    if customs.export_filing:
        said["eel_pfc"] = customs.export_filing
    return said


def _explanation(customs: Customs) -> str:
    """What it is, in words: wanted where the contents are of no kind that EasyPost lists."""
    if customs.contents != "other":
        return ""
    return ", ".join(item.description for item in customs.items)[:_LONGEST_EXPLANATION]


def _tax_id(tax_id: TaxId) -> Body:
    return {
        "entity": tax_id.party.upper(),
        "tax_id": tax_id.number,
        "tax_id_type": tax_id.kind,
        "issuing_country": tax_id.issuer,
    }


def _customs_item(item: CustomsItem, origin: Address) -> Body:
    said: Body = {
        "description": item.description,
        "quantity": item.quantity,
        "value": _number(item.value.amount),
        "currency": item.value.currency,
        "weight": _number(_declared(item.weight)),
        "origin_country": item.origin_country or origin.country,
    }
    if item.hs_code:
        said["hs_tariff_number"] = item.hs_code
    return said | union.identifiers(item)


def _declared(weight: Weight) -> Decimal:
    ounces = (Decimal(weight.grams) / GRAMS_PER_OUNCE / _THOUSANDTH).to_integral_value(ROUND_FLOOR) * _THOUSANDTH
    return max(ounces, _THOUSANDTH)


def _number(value: Decimal) -> float:
    """For JSON only, which writes a float with the fewest digits: up to 15 of them are the decimal's own."""
    return float(value)
