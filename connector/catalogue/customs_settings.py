"""What a shop tells customs, as a part of its settings: who signs, who pays duties, which tax numbers it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TaxNumber(BaseModel):
    """A number of the shop's, such as IOSS, EORI or VAT, and who gave it: a country's two letters, EU or XI.

    `up_to`: told only for parcels whose goods are worth no more than this, in their currency.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str = Field(pattern="^[A-Z]{2,10}$")
    number: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .-]{2,38}$")
    issuer: str = Field(pattern="^[A-Z]{2}$")
    up_to: Decimal | None = Field(default=None, gt=0, max_digits=12)


class DutyEstimate(BaseModel):
    """What duties and taxes come to in a country, or in the Union (EU): per cent of the goods' value, from `above` on.

    `each` comes on top for every kind of goods, where they are worth no more than `up_to` together. Amounts are in the
    goods' currency. The Union takes 3 EUR up to 150 EUR since July 2026 (Regulation (EU) 2026/382).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    country: str = Field(pattern="^[A-Z]{2}$")
    percent: Decimal = Field(ge=0, le=300, decimal_places=2)
    above: Decimal = Field(default=Decimal(0), ge=0)
    each: Decimal = Field(default=Decimal(0), ge=0)
    up_to: Decimal | None = Field(default=None, gt=0)


class CustomsSettings(BaseModel):
    """A description is the reason for its default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    signer: str = Field(
        default="", max_length=60, description="Customs wants a name; without one no label abroad is bought."
    )
    contents: Literal["merchandise", "gift", "documents", "returned_goods", "sample", "other"] = Field(
        default="merchandise", description="What a shop sends was sold."
    )
    incoterm: Literal["DAP", "DDP"] = Field(
        default="DAP", description="The buyer pays duties, and is told so; what the store says of an order goes first."
    )
    tax_numbers: tuple[TaxNumber, ...] = Field(default=(), description="Only numbers that you have can be told.")
    duties: tuple[DutyEstimate, ...] = Field(
        default=(), description="Without an estimate the buyer reads that duties are not included."
    )
    non_delivery: Literal["return", "abandon"] = Field(
        default="return", description="Goods that nobody takes come back, at your cost."
    )
    paperless: bool = Field(default=True, description="Papers go as data where the carrier can do that.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        kinds = [(each.kind, each.issuer) for each in self.tax_numbers]
        if len(set(kinds)) != len(kinds):
            raise ValueError("tax_numbers hold one kind of one issuer twice")
        countries = [each.country for each in self.duties]
        if len(set(countries)) != len(countries):
            raise ValueError("duties name one country twice")
        return self


FORMS: Mapping[str, str] = {
    "customs_signer": "a name, or empty",
    "customs_contents": "merchandise | gift | documents | returned_goods | sample | other",
    "incoterm": "DAP | DDP",
    "tax_numbers": "KIND:NUMBER:ISSUER[:UP_TO], such as IOSS:IM0123456789:EU, several behind commas; or empty",
    "duties": "COUNTRY:PERCENT[:ABOVE[:EACH[:UP_TO]]], such as GB:20:135 or EU:0:0:3:150, behind commas; or empty",
    "non_delivery": "return | abandon",
    "paperless": "yes | no",
}
"""The keys of the command line that stand for parts of these settings, and how each is written."""

_FIELDS = {"customs_signer": "signer", "customs_contents": "contents"}
_SWITCH = {"yes": True, "no": False, "true": True, "false": False}


def reason(key: str) -> str:
    """Why the default is as it is."""
    return str(CustomsSettings.model_fields[_FIELDS.get(key, key)].description)


def put(body: dict[str, Any], key: str, text: str, _currency: str) -> None:
    """Set a key in a stored body, as it is typed; empty goes back to the default. Raises ValueError."""
    field = _FIELDS.get(key, key)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not text:
        body.pop(field, None)
    elif key == "tax_numbers":
        body[field] = [_tax_number(part) for part in parts]
    elif key == "duties":
        body[field] = [_estimate(part) for part in parts]
    elif key == "paperless":
        if text.lower() not in _SWITCH:
            raise ValueError(text)
        body[field] = _SWITCH[text.lower()]
    else:
        body[field] = text
    CustomsSettings.model_validate(body)


def text_of(settings: CustomsSettings, key: str) -> str:
    """A key's value, as it is typed."""
    if key == "tax_numbers":
        return ",".join(_tax_number_text(each) for each in settings.tax_numbers)
    if key == "duties":
        return ",".join(_estimate_text(each) for each in settings.duties)
    if key == "paperless":
        return "yes" if settings.paperless else "no"
    return str(getattr(settings, _FIELDS.get(key, key)))


def _tax_number(text: str) -> dict[str, Any]:
    found = re.fullmatch(r"([^:]+):([^:]+):([^:]+)(?::([^:]+))?", text)
    if found is None:
        raise ValueError(text)
    body = {"kind": found[1].upper(), "number": found[2], "issuer": found[3].upper()}
    return body | ({"up_to": found[4].strip()} if found[4] else {})


def _tax_number_text(each: TaxNumber) -> str:
    up_to = "" if each.up_to is None else f":{each.up_to:f}"
    return f"{each.kind}:{each.number}:{each.issuer}{up_to}"


def _estimate(text: str) -> dict[str, Any]:
    country, percent, *rest = (part.strip() for part in text.split(":"))
    names = ("above", "each", "up_to")
    if len(rest) > len(names):
        raise ValueError(text)
    return {"country": country.upper(), "percent": str(Decimal(percent)), **dict(zip(names, rest, strict=False))}


def _estimate_text(each: DutyEstimate) -> str:
    parts = [f"{each.above:f}", f"{each.each:f}", *([] if each.up_to is None else [f"{each.up_to:f}"])]
    said = 3 if each.up_to is not None else 2 if each.each else 1 if each.above else 0
    return ":".join([each.country, f"{each.percent:f}", *parts[:said]])
