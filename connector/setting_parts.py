"""Settings that have several parts: what each part holds, and how it is typed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from carriers.money import Money
from connector.rules.actions import FixedChange, Free, PercentChange
from connector.rules.conditions import SubtotalAtLeast
from connector.rules.exchange import ExchangeRate
from connector.rules.ruleset import Rule, RuleSet
from connector.rules.thresholds import Threshold

SafetyClass = Literal["economy", "standard", "express", "overnight", "freight", "local_delivery", "pickup", "other"]
_CLASSES = get_args(SafetyClass)

THRESHOLD, MARKUP_PERCENT, MARKUP_FIXED = "Free shipping threshold", "Markup in percent", "Fixed markup"
SHORTHAND_ORDER = (MARKUP_PERCENT, MARKUP_FIXED, THRESHOLD)


class SafetyRate(BaseModel):
    """The merchant's own price for when no carrier's price is known.

    `service_class` is what it stands in for; empty: told from its name, as a carrier's service.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=60)
    code: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,48}$")
    amount: Decimal = Field(ge=0)
    currency: str = Field(pattern="^[A-Z]{3}$")
    service_class: SafetyClass | Literal[""] = ""

    @model_validator(mode="after")
    def _amount_fits_its_currency(self) -> Self:
        Money.parse(self.amount, self.currency)
        return self


class CartonSetting(BaseModel):
    """Outer millimetres, grams of the empty carton, and the most that it may weigh packed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    length_mm: int = Field(gt=0, le=3000)
    width_mm: int = Field(gt=0, le=3000)
    height_mm: int = Field(gt=0, le=3000)
    tare_g: int = Field(default=0, ge=0, le=50_000)
    max_gross_g: int | None = Field(default=None, gt=0, le=1_000_000)

    @model_validator(mode="after")
    def _room_is_left(self) -> Self:
        if self.max_gross_g is not None and self.max_gross_g <= self.tare_g:
            raise ValueError("the empty carton weighs as much as it may weigh packed")
        return self


class BoughtAsSetting(BaseModel):
    """What an offer's label is bought as: the named carrier service, the cheapest of all, or by hand.

    `limit` is the most that a label may cost, in major units of the currency of the price behind the offer; without
    one, that price and the usual tolerance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    offer: str = Field(pattern=r"^[a-z0-9][\w-]{0,78}$")
    how: Literal["service", "cheapest", "by_hand"]
    carrier: str = ""
    service: str = ""
    limit: Decimal | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _service_is_named(self) -> Self:
        if (self.how == "service") != bool(self.carrier and self.service):
            raise ValueError("a service is named as CARRIER/SERVICE, and only a service is")
        return self


def rule_name(key: str) -> str:
    """The rule that a key is written as."""
    return {"threshold": THRESHOLD, "markup_percent": MARKUP_PERCENT, "markup_fixed": MARKUP_FIXED}[key]


def read_rule(key: str, text: str, currency: str) -> Rule:
    """A markup as it is typed. Raises ValueError."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    if key == "markup_percent":
        return Rule(name=MARKUP_PERCENT, then=(PercentChange(percent=value),))
    Money.parse(value, currency)
    return Rule(name=MARKUP_FIXED, then=(FixedChange(amount=value, currency=currency),))


def read_threshold(text: str, currency: str) -> Threshold:
    """A threshold as it is typed: an amount, and perhaps the codes of services. Raises ValueError."""
    amount, _, services = text.partition(":")
    value = Decimal(amount)
    if not value.is_finite():
        raise ValueError(text)
    named = tuple(part.strip() for part in services.split(",") if part.strip())
    return Threshold(name=THRESHOLD, amount=value, currency=currency, services=named, faster="full_price")


def with_rule(stored: dict[str, Any], key: str, text: str, currency: str) -> dict[str, Any]:
    """The stored rules with what a short form says: markups in their order behind the merchant's own rules.

    Raises ValueError.
    """
    if key == "threshold":
        return with_threshold(stored, text, currency)
    rules = [rule for rule in stored.get("rules", []) if rule["name"] != rule_name(key)]
    if text:
        rules.append(read_rule(key, text, currency).model_dump(mode="json"))
    ours = [rule for name in SHORTHAND_ORDER for rule in rules if rule["name"] == name]
    return {**stored, "rules": [rule for rule in rules if rule["name"] not in SHORTHAND_ORDER] + ours}


def with_threshold(rules: dict[str, Any], text: str, currency: str) -> dict[str, Any]:
    """The stored rules with the short form's threshold: the former one goes, also as the rule that it once was."""
    thresholds = [each for each in rules.get("thresholds", []) if each["name"] != THRESHOLD]
    if text:
        thresholds.append(read_threshold(text, currency).model_dump(mode="json"))
    others = [each for each in rules.get("rules", []) if each["name"] != THRESHOLD]
    return {**rules, "rules": others, "thresholds": thresholds}


def _safety_rate(text: str, currency: str) -> dict[str, Any]:
    front, _, last = text.rpartition(":")
    named = {"service_class": last.strip()} if last.strip() in _CLASSES else {}
    name, code, amount = (part.strip() for part in (front if named else text).rsplit(":", 2))
    Money.parse(amount, currency)
    return {"name": name, "code": code, "amount": amount, "currency": currency, **named}


def _bought_as(text: str, _currency: str) -> dict[str, Any]:
    offer, how, *most = text.split(":")
    carrier, named, service = how.partition("/")
    body: dict[str, Any] = {"offer": offer, "how": "service" if named else how, "carrier": carrier, "service": service}
    if not named:
        body |= {"carrier": "", "service": ""}
    if most:
        (limit,) = most
        body["limit"] = str(Decimal(limit))
    return body


def _exchange_rate(text: str, _currency: str) -> dict[str, Any]:
    pair, rate, *rest = text.split(":", 3)
    of, _, into = pair.partition("/")
    known = {name: value for name, value in zip(("on", "source"), rest, strict=False) if value}
    return {"of": of, "into": into, "rate": str(Decimal(rate)), **known}


LISTS = {"safety_rates": _safety_rate, "bought_as": _bought_as, "exchange_rates": _exchange_rate}
"""Settings of several parts behind commas, and how one part is read."""


def read_carton(text: str) -> dict[str, Any]:
    """The default carton as it is typed. Raises ValueError."""
    found = re.fullmatch(r"(\d+)x(\d+)x(\d+)(?::(\d+)(?::(\d+))?)?", text)
    if found is None:
        raise ValueError(text)
    names = ("length_mm", "width_mm", "height_mm", "tare_g", "max_gross_g")
    return {name: int(value) for name, value in zip(names, found.groups(), strict=True) if value is not None}


def text_of(part: SafetyRate | BoughtAsSetting | ExchangeRate | CartonSetting) -> str:
    """A part as it is typed."""
    match part:
        case SafetyRate():
            plain = f"{part.name}:{part.code}:{part.amount:f}"
            return f"{plain}:{part.service_class}" if part.service_class else plain
        case BoughtAsSetting():
            how = f"{part.carrier}/{part.service}" if part.how == "service" else part.how
            return ":".join([part.offer, how, *([] if part.limit is None else [f"{part.limit:f}"])])
        case ExchangeRate():
            rest = [part.on.isoformat() if part.on else "", part.source] if part.on or part.source else []
            return ":".join([f"{part.of}/{part.into}", f"{part.rate:f}", *rest]).removesuffix(":")
        case CartonSetting():
            sides = f"{part.length_mm}x{part.width_mm}x{part.height_mm}:{part.tare_g}"
            return sides if part.max_gross_g is None else f"{sides}:{part.max_gross_g}"


def rule_text(rules: RuleSet, key: str) -> str:
    """A threshold or a markup as it is typed; empty where there is none."""
    threshold = next((each for each in rules.thresholds if each.name == THRESHOLD), None)
    if key == "threshold" and threshold is not None:
        named = ",".join(threshold.services)
        return f"{threshold.amount:f}:{named}" if named else f"{threshold.amount:f}"
    rule = next((rule for rule in rules.rules if rule.name == rule_name(key)), None)
    if rule is None:
        return ""
    action = rule.then[0]
    if isinstance(action, PercentChange):
        return f"{action.percent:f}"
    if isinstance(action, FixedChange):
        return f"{action.amount:f}"
    conditions = [part for part in rule.when if isinstance(part, SubtotalAtLeast)]
    amount = f"{conditions[0].amount:f}" if conditions else ""
    free = action.services if isinstance(action, Free) else ()
    return f"{amount}:{','.join(free)}" if free else amount
