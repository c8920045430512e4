"""What EasyPost wants of a declaration, and the papers that it makes of one.

Rules from EasyPost's documentation of CustomsInfo, CustomsItem, TaxIdentifier, Form and Options and its list of error
codes (November 2026); no refusal was ever recorded, so that statuses and texts are this simulator's. Carriers' own
rules stand here as far as they hold for all: no filing without an exemption or its number, and lines that weigh no
more than their parcel.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.simulators.easypost_truth import Body

_CONTENTS = {
    "documents", "gift", "merchandise", "returned_goods", "sample", "dangerous_goods", "humanitarian_donation", "other",
}  # fmt: skip
_INCOTERMS = {"EXW", "FCA", "CPT", "CIP", "DAT", "DAP", "DDP", "FAS", "FOB", "CFR", "CIF"}
_UNION = set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())  # noqa: SIM905
_MOST_TAX_IDS = 8

# Guides "EU Regulatory Updates" and "USPS Ship: EU Regulatory Updates".
_WANT_COMMERCE = set(
    "AT AX BE BG BL CY CZ DE DK EE ES FI FR GF GI GP GR HR HU IE IT LT LU LV MC MF MQ MT NL PL PT RE RO SE SI SK SM YT".split()  # noqa: E501, SIM905
)
_COMMERCE = {"B2C", "B2B", "C2C", "C2B"}
_LONGEST = {"code": 128, "manufacturer_product_id": 64}

Fault = tuple[str, str, str]
"""A refusal: its code, the field, and what is wrong with it."""


def fault_of(shipment: Body) -> Fault | None:
    """Why a shipment with this declaration, these numbers and these options is not created."""
    options = shipment.get("options") or {}
    if options.get("incoterm") not in {None, *_INCOTERMS}:
        return "SHIPMENT.OPTIONS.INVALID", "options.incoterm", "is not a term"
    if options.get("commercial_invoice_format") not in {None, "PDF", "PNG"}:
        return "SHIPMENT.OPTIONS.INVALID", "options.commercial_invoice_format", "is not a format"
    if (options.get("commerce_type") or "B2C").upper() not in _COMMERCE:
        return "SHIPMENT.OPTIONS.INVALID", "options.commerce_type", "is not a type"
    numbers = shipment.get("tax_identifiers") or []
    if len(numbers) > _MOST_TAX_IDS:
        return "SHIPMENT.INVALID_PARAMS", "tax_identifiers", f"has more than {_MOST_TAX_IDS}"
    for number in numbers:
        if number.get("entity") not in {"SENDER", "RECEIVER"}:
            return "SHIPMENT.INVALID_PARAMS", "tax_identifiers.entity", "is SENDER or RECEIVER"
        if not all(number.get(name) for name in ("tax_id", "tax_id_type", "issuing_country")):
            return "SHIPMENT.INVALID_PARAMS", "tax_identifiers", "lacks a part"
    info = shipment.get("customs_info")
    return _fault_of_info(info) if info and "id" not in info else None


def _fault_of_info(info: Body) -> Fault | None:
    explained, kind = info.get("contents_explanation") or "", info.get("contents_type", "merchandise")
    lacks_comments = info.get("restriction_type", "none") != "none" and not info.get("restriction_comments")
    wrong = {
        "contents_type": kind not in _CONTENTS,
        "contents_explanation": (kind == "other" and not explained) or len(explained) > 255,
        "customs_signer": bool(info.get("customs_certify")) and not info.get("customs_signer"),
        "restriction_comments": lacks_comments,
        "non_delivery_option": info.get("non_delivery_option", "return") not in {"return", "abandon"},
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            return "CUSTOMS_INFO.PARAMETERS.INVALID", field, "is missing or invalid"
    items = info.get("customs_items") or []
    if len({item.get("currency") or "USD" for item in items}) > 1:
        return "CUSTOMS_ITEM.CURRENCY.ONE_CURRENCY_SUPPORTED", "currency", "has to be one for all items"
    return next((fault for item in items if (fault := _fault_of_item(item)) is not None), None)


def _fault_of_item(item: Body) -> Fault | None:
    if not item.get("description"):
        return "SHIPMENT.CUSTOMS_INFO.DESCRIPTION_REQUIRED", "description", "is required"
    if "origin_country" in item and len(item["origin_country"] or "") != 2:
        return "CUSTOMS_ITEM.ORIGIN_COUNTRY.REQUIRED", "origin_country", "is required"
    wrong = {
        "weight": "weight" in item and not _kept(item["weight"]) > 0,
        "value": not Decimal(str(item.get("value") or 0)) > 0,
        "quantity": not Decimal(str(item.get("quantity") or 0)) > 0,
        "hs_tariff_number": bool(item.get("hs_tariff_number")) and len(_digits(item["hs_tariff_number"])) < 6,
    } | {name: len(item.get(name) or "") > most for name, most in _LONGEST.items()}
    for field, is_wrong in wrong.items():
        if is_wrong:
            return "CUSTOMS_ITEM.PARAMETERS.INVALID", field, "is invalid"
    return None


def needs_declaration(shipment: Body) -> bool:
    """Whether the two addresses lie in two customs areas, as far as their countries tell."""
    ends = [((shipment.get(end) or {}).get("country") or "US") for end in ("from_address", "to_address")]
    return ends[0] != ends[1] and not set(ends) <= _UNION


def why_not_bought(shipment: Body, carrier: str) -> Fault | None:
    """Why this carrier sells no label for a shipment that crosses a border."""
    if not needs_declaration(shipment):
        return None
    info = shipment["customs_info"]
    if not info or not info["customs_items"]:
        return "SHIPMENT.CUSTOMS_INFO.REQUIRED", "customs_info", "is required"
    if any(not item["origin_country"] for item in info["customs_items"]):
        return "CUSTOMS_ITEM.ORIGIN_COUNTRY.REQUIRED", "origin_country", "is required"
    if shipment["from_address"]["country"] == "US" and not info.get("eel_pfc"):
        return "SHIPMENT.POSTAGE.FAILURE", "eel_pfc", "is required for exports"
    if sum(_kept(item["weight"]) for item in info["customs_items"]) > Decimal(str(shipment["parcel"]["weight"])):
        return "SHIPMENT.POSTAGE.FAILURE", "customs_items", "weigh more than the parcel"
    return _why_not_into_the_union(shipment, info) if carrier == "USPS" else None


def _why_not_into_the_union(shipment: Body, info: Body) -> Fault | None:
    """USPS wants to know who sells to whom, and of what is sold to people the numbers of every product."""
    is_sold = info["contents_type"] in {"merchandise", "sample"}
    if not is_sold or shipment["to_address"]["country"] not in _WANT_COMMERCE:
        return None
    kind = (shipment["options"].get("commerce_type") or "").upper()
    if not kind:
        return "SHIPMENT.POSTAGE.FAILURE", "options.commerce_type", "is required"
    lacking = [name for name in _LONGEST for item in info["customs_items"] if not item.get(name)]
    if kind == "B2C" and lacking:
        return "SHIPMENT.POSTAGE.FAILURE", f"customs_items.{lacking[0]}", "is required"
    return None


def invoice(shipment: Body, template: Body, url: str, made_at: str) -> Body:
    """The form that a bought shipment brings; the carrier has it as data unless it was held back."""
    return template | {
        "form_type": "commercial_invoice",
        "form_url": url,
        "submitted_electronically": not shipment["options"].get("suppress_etd"),
        "mode": shipment["mode"],
        "created_at": made_at,
        "updated_at": made_at,
    }


def _kept(weight: Any) -> Decimal:
    """Ounces with the three decimals that are retained."""
    return Decimal(str(weight or 0)).quantize(Decimal("0.001"), rounding="ROUND_DOWN")


def _digits(code: str) -> str:
    return "".join(each for each in code if each.isdigit())
