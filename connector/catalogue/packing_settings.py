"""How a shop packs, as a part of its settings: cartons, what is billed, limits of carriers, and what is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from carriers.money import Money
from connector.catalogue.cartons import CartonEntry
from connector.catalogue.fields import FieldName, read_names, write_names
from connector.packing.carton import Limits
from connector.packing.rules import EFFORT, Rules


class CarrierPacking(BaseModel):
    """What is different for one carrier: its divisor (cm3 per kg), and what it takes at all (g, mm)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str = Field(min_length=1, max_length=80)
    divisor: int | None = Field(default=None, gt=0, le=100_000)
    gross: int | None = Field(default=None, gt=0, le=2_000_000)
    longest: int | None = Field(default=None, gt=0, le=20_000)
    girth: int | None = Field(default=None, gt=0, le=100_000)


class PackingSettings(BaseModel):
    """A description is the reason for its default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cartons: tuple[CartonEntry, ...] = ()
    divisor: int = Field(
        default=5000, gt=0, le=100_000, description="Most couriers count 5000 cm3 as a kilogram; yours may not."
    )
    price_per_billed_kg: Decimal | None = Field(
        default=None, ge=0, description="Without one, the least billed weight is packed, then the cheapest cartons."
    )
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")
    effort: int = Field(
        default=EFFORT, ge=100, le=1_000_000, description="Steps that a plan may take: enough for 1,000 units in 0.1 s."
    )
    density_kg_m3: int | None = Field(
        default=None, gt=0, le=25_000, description="Goods without a size go by weight into default_carton."
    )
    unfit: Literal["own_box", "withhold"] = Field(
        default="withhold", description="What fits no carton has no price until you say how it ships."
    )
    carriers: tuple[CarrierPacking, ...] = Field(
        default=(), description="Carriers that are not named have divisor and no limits."
    )
    fields: str = Field(default="", description="Without names, only the store's weight and customs data are read.")

    @field_validator("fields")
    @classmethod
    def _are_names(cls, value: str) -> str:
        return write_names(read_names(value))

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        names = [each.name for each in self.cartons]
        if len(set(names)) != len(names):
            raise ValueError("two cartons have one name")
        currencies = {each.currency for each in self.cartons if each.cost is not None}
        if self.price_per_billed_kg is not None:
            currencies.add(self.currency)
        if len(currencies) > 1:
            raise ValueError("cartons and price_per_billed_kg share a currency")
        named = [each.name.casefold() for each in self.carriers]
        if len(set(named)) != len(named):
            raise ValueError("carrier_packing names one carrier twice")
        return self

    @property
    def field_names(self) -> tuple[FieldName, ...]:
        """Which of the store's fields are read, and what they mean."""
        return read_names(self.fields)

    def differs_by_carrier(self) -> bool:
        """Whether carriers may need plans of their own."""
        return bool(self.carriers) or any(each.carriers for each in self.cartons)

    def rules_for(self, account_id: str, carrier: str) -> Rules:
        """What is aimed at for that account: what is said of its id counts before what is said of its kind."""
        known = {each.name.casefold(): each for each in self.carriers}
        chosen = known.get(account_id.casefold()) or known.get(carrier.casefold()) or CarrierPacking(name="any")
        price = self.price_per_billed_kg
        return Rules(
            objective="billed",
            divisor=chosen.divisor or self.divisor,
            price_per_kg=None if price is None else Money.parse(price, self.currency),
            limits=Limits(chosen.gross, chosen.longest, chosen.girth),
            effort=self.effort,
        )


FORMS: Mapping[str, str] = {
    "divisor": "cm3 that count as one kg, such as 5000",
    "price_per_billed_kg": "an amount such as 2.40, or empty",
    "packing_effort": "steps, such as 30000",
    "unsized": "carton | kg per m3 such as 200",
    "unfit": "own_box | withhold",
    "carrier_packing": "NAME[:divisor=CM3][:gross=G][:longest=MM][:girth=MM], several behind commas; or empty",
    "catalogue_fields": "FIELD=NAMESPACE.KEY[:UNIT], such as length=custom.length:cm, several behind commas; or empty",
}
"""The keys of the command line that stand for parts of these settings, and how each is written."""

_FIELDS = {
    "packing_effort": "effort",
    "unsized": "density_kg_m3",
    "carrier_packing": "carriers",
    "catalogue_fields": "fields",
}


def reason(key: str) -> str:
    """Why the default is as it is."""
    return str(PackingSettings.model_fields[_FIELDS.get(key, key)].description)


def put(body: dict[str, Any], key: str, text: str, currency: str) -> None:
    """Set a key in a stored body, as it is typed; empty goes back to the default. Raises ValueError."""
    field = _FIELDS.get(key, key)
    if not text or (key == "unsized" and text == "carton"):
        body.pop(field, None)
        if key == "price_per_billed_kg":
            body.pop("currency", None)
    elif key == "price_per_billed_kg":
        body[field], body["currency"] = str(Money.parse(text, currency).amount), currency
    elif key in {"divisor", "packing_effort", "unsized"}:
        body[field] = int(text)
    elif key == "carrier_packing":
        body[field] = [_carrier(part.strip()) for part in text.split(",") if part.strip()]
    elif key == "catalogue_fields":
        body[field] = write_names(read_names(text))
    else:
        body[field] = text
    PackingSettings.model_validate(body)


def text_of(settings: PackingSettings, key: str) -> str:
    """A key's value, as it is typed."""
    if key == "unsized":
        return "carton" if settings.density_kg_m3 is None else str(settings.density_kg_m3)
    if key == "carrier_packing":
        return ",".join(_carrier_text(each) for each in settings.carriers)
    if key == "price_per_billed_kg":
        return "" if settings.price_per_billed_kg is None else f"{settings.price_per_billed_kg:f}"
    return str(getattr(settings, _FIELDS.get(key, key)))


def _carrier(text: str) -> dict[str, Any]:
    name, *parts = (each.strip() for each in text.split(":"))
    body: dict[str, Any] = {"name": name}
    for part in parts:
        found = re.fullmatch(r"(divisor|gross|longest|girth)=(\d{1,7})", part)
        if found is None or found[1] in body:
            raise ValueError(text)
        body[found[1]] = int(found[2])
    if len(body) == 1:
        raise ValueError(text)
    return body


def _carrier_text(each: CarrierPacking) -> str:
    said = [(name, getattr(each, name)) for name in ("divisor", "gross", "longest", "girth")]
    return ":".join([each.name, *(f"{name}={value}" for name, value in said if value is not None)])
