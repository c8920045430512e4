"""What a rule may ask about a call and about its services; each kind says in one line what it asks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from connector.rules.conditions.buyer import CurrencyIn, CustomerTag, Guest
from connector.rules.conditions.cart import Items, QuantityBetween, SubtotalAtLeast, SubtotalBelow, WeightBetween
from connector.rules.conditions.condition import CallCondition, Condition, ServiceCondition, World
from connector.rules.conditions.moment import DateBetween, TimeBetween, WeekdayIn
from connector.rules.conditions.parcels import ParcelCount, ParcelSize
from connector.rules.conditions.place import (
    CountryIn,
    DestinationKnown,
    LocationIn,
    PoBox,
    PostalCodeIn,
    ProvinceIn,
    Residential,
    ZoneIn,
)
from connector.rules.conditions.service import CarrierIn, PriceBetween, ServiceClassIn, ServiceIn, TransitDays


class AllOf(Condition):
    """Every one of several conditions holds."""

    help: ClassVar[str] = "All of these hold."
    kind: Literal["all"] = "all"
    conditions: tuple[AnyCondition, ...] = Field(min_length=1, description="Conditions.")


class AnyOf(Condition):
    """One of several conditions holds."""

    help: ClassVar[str] = "At least one of these holds."
    kind: Literal["any"] = "any"
    conditions: tuple[AnyCondition, ...] = Field(min_length=1, description="Conditions.")


class Not(Condition):
    """A condition does not hold."""

    help: ClassVar[str] = "This does not hold."
    kind: Literal["not"] = "not"
    condition: AnyCondition = Field(description="A condition.")


AnyCondition = Annotated[
    SubtotalAtLeast
    | SubtotalBelow
    | WeightBetween
    | QuantityBetween
    | Items
    | ParcelCount
    | ParcelSize
    | CountryIn
    | ProvinceIn
    | PostalCodeIn
    | ZoneIn
    | DestinationKnown
    | LocationIn
    | Residential
    | PoBox
    | CustomerTag
    | Guest
    | CurrencyIn
    | WeekdayIn
    | TimeBetween
    | DateBetween
    | CarrierIn
    | ServiceIn
    | ServiceClassIn
    | TransitDays
    | PriceBetween
    | AllOf
    | AnyOf
    | Not,
    Field(discriminator="kind"),
]

for _nested in (AllOf, AnyOf, Not):
    _nested.model_rebuild()


def depth_of(condition: Condition) -> int:
    """How deep conditions are nested: 1 for a plain one."""
    match condition:
        case AllOf() | AnyOf():
            return 1 + max(depth_of(each) for each in condition.conditions)
        case Not():
            return 1 + depth_of(condition.condition)
        case _:
            return 1


def parts_of(condition: Condition) -> list[Condition]:
    """The plain conditions in one, however deep."""
    match condition:
        case AllOf() | AnyOf():
            return [part for each in condition.conditions for part in parts_of(each)]
        case Not():
            return parts_of(condition.condition)
        case _:
            return [condition]


__all__ = [
    "AllOf",
    "AnyCondition",
    "AnyOf",
    "CallCondition",
    "CarrierIn",
    "Condition",
    "CountryIn",
    "CurrencyIn",
    "CustomerTag",
    "DateBetween",
    "DestinationKnown",
    "Guest",
    "Items",
    "LocationIn",
    "Not",
    "ParcelCount",
    "ParcelSize",
    "PoBox",
    "PostalCodeIn",
    "PriceBetween",
    "ProvinceIn",
    "QuantityBetween",
    "Residential",
    "ServiceClassIn",
    "ServiceCondition",
    "ServiceIn",
    "SubtotalAtLeast",
    "SubtotalBelow",
    "TimeBetween",
    "TransitDays",
    "WeekdayIn",
    "WeightBetween",
    "World",
    "ZoneIn",
    "depth_of",
    "parts_of",
]
