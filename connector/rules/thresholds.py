"""Free-shipping thresholds as a merchant sets them. docs/thresholds.md says what each field means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from carriers.money import Money
from connector.rules.exchange import ExchangeRate, exchange_up
from connector.rules.thresholds_places import Place, PlaceText, read_place

EVERY = "*"
"""In `services`: every service."""

CheapestOrNamed = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][\w-]{0,78})$")]
FreedClass = Literal["", "economy", "standard", "express", "overnight", "freight", "local_delivery", "pickup", "other"]
Word = Annotated[str, Field(min_length=1, max_length=120)]


def _no_doubles(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


Words = Annotated[tuple[Word, ...], Field(max_length=200), AfterValidator(_no_doubles)]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tier(_Stored):
    """From this amount on, these services cost `price` (0: free). Without services and class, the cheapest one."""

    amount: Decimal = Field(ge=0, description="From this amount on, inclusive, in major units.")
    service_class: FreedClass = Field(default="", description="Every service of this class.")
    services: tuple[CheapestOrNamed, ...] = Field(default=(), description="Codes of services; * for every service.")
    price: Decimal = Field(default=Decimal(0), ge=0, description="What they cost from there on; 0 is free.")

    @model_validator(mode="after")
    def _one_way_of_naming(self) -> Self:
        if self.service_class and self.services:
            raise ValueError("name a service_class or services, not both")
        if EVERY in self.services and len(self.services) > 1:
            raise ValueError("services: * stands alone")
        return self


class Exclusions(_Stored):
    """What makes a whole call not free."""

    tags: Words = Field(default=(), description="A product with one of these tags.")
    collections: Words = Field(default=(), description="A product in one of these collections (handles).")
    skus: Words = Field(default=(), description="One of these SKUs.")
    hazmat: bool = Field(default=False, description="Dangerous goods.")
    unit_over_g: int | None = Field(default=None, ge=0, description="A unit that weighs more, in grams.")
    parcel_over_mm: int | None = Field(default=None, ge=0, description="A parcel with a longer side, in millimetres.")
    places: tuple[PlaceText, ...] = Field(default=(), description="Remote areas; an unknown destination is one.")


class Threshold(Tier):
    """From `amount` on, shipping is free. The fields of Tier are its first tier; `tiers` are further ones."""

    name: str = Field(min_length=1, max_length=80, description="How it is called in explanations and reports.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217; other currencies by your exchange rate.")
    tiers: tuple[Tier, ...] = Field(default=(), max_length=20, description="Further amounts, each with its services.")
    faster: Literal["pays_difference", "full_price"] = Field(
        default="pays_difference", description="What faster services cost once the class is free."
    )
    basis: Literal["after_discounts", "before_discounts"] = Field(
        default="after_discounts", description="Whether coupons and order discounts are taken off first."
    )
    tax: Literal["as_shown", "with", "without"] = Field(
        default="as_shown", description="Which reading of the prices is compared."
    )
    tax_percent: Decimal | None = Field(
        default=None, ge=0, le=100, description="The highest rate in your prices; needed for tax=without."
    )
    counts_gift_cards: bool = Field(default=False, description="Whether buying a gift card counts.")
    counts_digital: bool = Field(default=True, description="Whether goods that need no shipping count.")
    counts_unlisted: bool = Field(default=True, description="Whether what the call does not list counts.")
    where: tuple[PlaceText, ...] = Field(default=(), max_length=300, description="Only these places; none: everywhere.")
    customer_tags: Words = Field(default=(), description="Only customers with one of these tags.")
    excludes: Exclusions = Field(default=Exclusions(), description="What makes a whole call not free.")
    by_store: bool = Field(default=False, description="Published as the store's own discount: left to the store.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for number, tier in enumerate((self, *self.tiers)):
            for field in ("amount", "price"):
                try:
                    Money.parse(getattr(tier, field), self.currency)
                except ValueError as error:
                    place = field if number == 0 else f"tiers.{number - 1}.{field}"
                    raise ValueError(f"{place}: {error}") from error
        if self.tax == "without" and self.tax_percent is None:
            raise ValueError("tax=without needs tax_percent, the highest rate in your prices")
        return self

    @property
    def all_tiers(self) -> tuple[Tier, ...]:
        """The first tier and the further ones, the lowest amount first."""
        return tuple(sorted((self, *self.tiers), key=lambda tier: tier.amount))


@dataclass(frozen=True, slots=True)
class Level:
    """A tier as calls ask for it: amounts in minor units of the threshold's currency."""

    limit: Money
    price: Money
    service_class: str
    services: frozenset[str]

    @property
    def frees_cheapest(self) -> bool:
        """Whether no service and no class is named."""
        return not self.service_class and not self.services

    def names(self, code: str, service_class: str) -> bool:
        """Whether a service is one of the class that this tier frees."""
        if self.services:
            return code in self.services or EVERY in self.services
        return bool(self.service_class) and service_class == self.service_class


@dataclass(frozen=True, slots=True)
class Ready:
    """A threshold made ready for many calls: words casefolded, places read, amounts parsed."""

    rule: Threshold
    levels: tuple[Level, ...]
    where: tuple[Place, ...]
    groups: frozenset[str]
    tags: frozenset[str]
    collections: frozenset[str]
    skus: frozenset[str]
    remote: tuple[Place, ...]

    @property
    def is_special(self) -> bool:
        """Whether it names a place or a group, and so replaces those that name neither."""
        return bool(self.where or self.groups)

    @property
    def scope(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """For whom it is: two of equal scope are the same offer in two currencies."""
        return tuple(sorted(self.rule.where)), self.groups


def ready(thresholds: Sequence[Threshold]) -> tuple[Ready, ...]:
    """Made once for each version of the settings."""
    return tuple(_ready(each) for each in thresholds)


def _ready(rule: Threshold) -> Ready:
    excluded = rule.excludes
    return Ready(
        rule=rule,
        levels=tuple(
            Level(
                Money.parse(tier.amount, rule.currency),
                Money.parse(tier.price, rule.currency),
                tier.service_class,
                frozenset(tier.services),
            )
            for tier in rule.all_tiers
        ),
        where=tuple(read_place(text) for text in rule.where),
        groups=_folded(rule.customer_tags),
        tags=_folded(excluded.tags),
        collections=_folded(excluded.collections),
        skus=_folded(excluded.skus),
        remote=tuple(read_place(text) for text in excluded.places),
    )


def in_currency(money: Money, currency: str, rates: Sequence[ExchangeRate]) -> Money | None:
    """An amount in the call's currency, rounded up; None without a rate."""
    return money if money.currency == currency else exchange_up(money, currency, rates)


def without_rate(thresholds: Sequence[Threshold], currency: str, rates: Sequence[ExchangeRate]) -> list[Threshold]:
    """Those that cannot be told in the shop's currency: publishing refuses them."""
    return [each for each in thresholds if in_currency(Money.zero(each.currency), currency, rates) is None]


def _folded(words: Sequence[str]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)
