"""Conditions on one service of the call: who carries it, what it is called, how fast it is and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fnmatch import translate
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from connector.rules.classes import ClassName
from connector.rules.conditions.cart import between
from connector.rules.conditions.condition import Condition, OfPrice, OfService, Scope, ServiceCondition, World
from connector.rules.facts import Priced
from connector.rules.term import Currency, Text, minor_of


class CarrierIn(ServiceCondition):
    """The service is one of these carriers'."""

    help: ClassVar[str] = "The service belongs to one of these carriers."
    kind: Literal["carrier_in"] = "carrier_in"
    carriers: tuple[Text, ...] = Field(min_length=1, description="Carriers as they name themselves; * for any letters.")

    def of_service(self, world: World) -> OfService:
        """Capitals do not matter."""
        del world
        matches = form_of(self.carriers)
        return lambda service: matches(service.carrier.casefold())


class ServiceIn(ServiceCondition):
    """It is one of these services."""

    help: ClassVar[str] = "It is one of these services, by the offer's code or the carrier's name of it."
    kind: Literal["service_in"] = "service_in"
    services: tuple[Text, ...] = Field(
        min_length=1, description="Codes such as usps-priority, or names such as Priority; * for any letters."
    )

    def of_service(self, world: World) -> OfService:
        """Capitals do not matter."""
        del world
        matches = form_of(self.services)
        return lambda service: matches(service.code.casefold()) or matches(service.service.casefold())


class ServiceClassIn(ServiceCondition):
    """The service is of one of these classes."""

    help: ClassVar[str] = "The service is of one of these classes."
    kind: Literal["service_class_in"] = "service_class_in"
    classes: tuple[ClassName, ...] = Field(min_length=1, description="Such as economy, standard, express, overnight.")

    def of_service(self, world: World) -> OfService:
        """As the rule set's classes say."""
        del world
        wanted: frozenset[str] = frozenset(self.classes)
        return lambda service: service.service_class in wanted


class TransitDays(ServiceCondition):
    """How long the parcel is under way."""

    help: ClassVar[str] = "The carrier's working days under way lie between two limits, both included."
    kind: Literal["transit_days"] = "transit_days"
    at_least: int | None = Field(default=None, ge=0, description="This many or more.")
    at_most: int | None = Field(default=None, ge=0, description="This many or fewer.")
    unknown: bool = Field(default=False, description="Hold also where the carrier does not say.")

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        between(self.at_least, None if self.at_most is None else self.at_most + 1)
        return self

    def of_service(self, world: World) -> OfService:
        """Days as the carrier counts them."""
        del world
        low, high, unknown = self.at_least or 0, self.at_most, self.unknown

        def holds(service: Priced) -> bool:
            days = service.transit_days
            return unknown if days is None else days >= low and (high is None or days <= high)

        return holds


class PriceBetween(Condition):
    """What the service costs when the rule's turn comes."""

    help: ClassVar[str] = "The price so far lies between two limits."
    kind: Literal["price"] = "price"
    scope: ClassVar[Scope] = "price"
    at_least: Decimal | None = Field(default=None, ge=0, description="From this price on, in major units.")
    below: Decimal | None = Field(default=None, gt=0, description="Below this price, in major units.")
    currency: Currency = Field(description="ISO 4217; other currencies do not match.")

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        between(*(None if each is None else minor_of(each, self.currency) for each in (self.at_least, self.below)))
        return self

    def of_price(self, world: World) -> OfPrice:
        """Compared exactly, in minor units."""
        del world
        low = 0 if self.at_least is None else minor_of(self.at_least, self.currency)
        high = None if self.below is None else minor_of(self.below, self.currency)
        currency = self.currency
        return lambda service, state: (
            state.facts.currency == currency and service.price >= low and (high is None or service.price < high)
        )


def form_of(texts: tuple[str, ...]) -> Callable[[str], bool]:
    """A test of casefolded words against names in which * stands for any letters."""
    folded = [text.casefold() for text in texts]
    exact = frozenset(text for text in folded if "*" not in text)
    forms = [translate(text.replace("[", "[[]").replace("?", "[?]")) for text in folded if "*" in text]
    if not forms:
        return exact.__contains__
    matches = re.compile("|".join(forms)).match
    return lambda word: word in exact or matches(word) is not None
