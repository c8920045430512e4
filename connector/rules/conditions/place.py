"""Conditions on where the goods leave from and where they go; a destination that is not known is nowhere."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from connector.rules.conditions.condition import CallCondition, OfCall, World
from connector.rules.places import Area, PostalPattern, in_areas
from connector.rules.state import CallState
from connector.rules.term import Country, Text
from connector.words.reason import Reason


class CountryIn(CallCondition):
    """The parcel goes to one of these countries."""

    help: ClassVar[str] = "The destination is in one of these countries."
    kind: Literal["country_in"] = "country_in"
    countries: tuple[Country, ...] = Field(min_length=1, description="ISO 3166-1 alpha-2 codes.")

    def of_call(self, world: World) -> OfCall:
        """An unknown destination is in none."""
        del world
        countries = frozenset(self.countries)
        return lambda state: (place := state.facts.destination) is not None and place.country in countries

    def why_not(self, state: CallState) -> Reason:
        """It goes elsewhere."""
        return Reason("condition_other_country", {"country": state.facts.country or "?"})


class ProvinceIn(CallCondition):
    """The parcel goes to one of these provinces or states."""

    help: ClassVar[str] = "The destination is in one of these provinces or states of a country."
    kind: Literal["province_in"] = "province_in"
    country: Country = Field(description="ISO 3166-1 alpha-2.")
    provinces: tuple[Text, ...] = Field(min_length=1, description="Their codes, such as CA or NY.")

    def of_call(self, world: World) -> OfCall:
        """By code, with or without the country before it."""
        del world
        return _within((Area(country=self.country, provinces=self.provinces),))


class PostalCodeIn(CallCondition):
    """The parcel goes to one of these postal codes."""

    help: ClassVar[str] = "The destination's postal code is one of these."
    kind: Literal["postal_code_in"] = "postal_code_in"
    country: Country = Field(description="ISO 3166-1 alpha-2: equal codes are in many countries.")
    patterns: tuple[PostalPattern, ...] = Field(
        min_length=1, description="Codes (8010), beginnings (80*), forms (?A1*) or ranges (1000..1999)."
    )

    def of_call(self, world: World) -> OfCall:
        """Without regard to blanks, hyphens and case."""
        del world
        return _within((Area(country=self.country, postal_codes=self.patterns),))


class ZoneIn(CallCondition):
    """The parcel goes to one of the merchant's zones."""

    help: ClassVar[str] = "The destination is in one of your zones."
    kind: Literal["zone_in"] = "zone_in"
    zones: tuple[Text, ...] = Field(min_length=1, description="Names of zones of this rule set.")

    def of_call(self, world: World) -> OfCall:
        """A zone that is not there has no places."""
        places = [world.zones[name] for name in self.zones if name in world.zones]
        return lambda state: any(place(state.facts.destination) for place in places)


class LocationIn(CallCondition):
    """The goods leave from one of these locations."""

    help: ClassVar[str] = "The goods leave from one of these locations."
    kind: Literal["location_in"] = "location_in"
    locations: tuple[Text, ...] = Field(min_length=1, description="Ids of locations, ours or the store's.")

    def of_call(self, world: World) -> OfCall:
        """By our id, or by the store's."""
        del world
        wanted = frozenset(self.locations)
        return lambda state: state.facts.location in wanted or state.facts.store_location in wanted


class Residential(CallCondition):
    """The parcel goes to somebody's home."""

    help: ClassVar[str] = "The destination is a home, and no business."
    kind: Literal["residential"] = "residential"
    unknown: bool = Field(default=False, description="Hold also where nobody said what it is.")

    def of_call(self, world: World) -> OfCall:
        """As the store or the address says."""
        del world
        unknown = self.unknown

        def holds(state: CallState) -> bool:
            place = state.facts.destination
            known = None if place is None else place.residential
            return unknown if known is None else known

        return holds


class PoBox(CallCondition):
    """The parcel goes to a P.O. box."""

    help: ClassVar[str] = "The destination is a P.O. box."
    kind: Literal["po_box"] = "po_box"

    def of_call(self, world: World) -> OfCall:
        """As the street says, in the languages that Waybill knows."""
        del world
        return lambda state: (place := state.facts.destination) is not None and place.po_box


class DestinationKnown(CallCondition):
    """Somebody said where the parcel goes."""

    help: ClassVar[str] = "The destination is known, at least its country."
    kind: Literal["destination_known"] = "destination_known"

    def of_call(self, world: World) -> OfCall:
        """Pages before the checkout may not know it."""
        del world
        return lambda state: state.facts.destination is not None


def _within(areas: tuple[Area, ...]) -> OfCall:
    holds = in_areas(areas)
    return lambda state: holds(state.facts.destination)
