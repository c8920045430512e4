"""What a merchant can set for a shop: each key with its default, its reason, and how it is written on a command line.

Stored as one immutable version per change (`storage.settings_versions`); rooms are given the typed model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from carriers.measure import Size, Weight
from carriers.money import Money, MoneyError
from connector import buying_settings, paper_settings, setting_parts, storefront_settings
from connector.buying_settings import BuyingSettings
from connector.catalogue import customs_settings, packing_settings
from connector.catalogue.customs_settings import CustomsSettings
from connector.catalogue.packing_settings import PackingSettings
from connector.packing.plan import Carton
from connector.paper_settings import PaperSettings
from connector.promises import settings as promise_settings
from connector.promises.settings import PromiseSettings
from connector.rules import guard_settings
from connector.rules.exchange import ExchangeRate
from connector.rules.guard_settings import GuardSettings
from connector.rules.ruleset import RuleSet
from connector.setting_parts import (
    MARKUP_FIXED,
    MARKUP_PERCENT,
    THRESHOLD,
    BoughtAsSetting,
    CartonSetting,
    SafetyRate,
)
from connector.storefront_settings import StorefrontSettings
from webhooks.errors import WaybillError


class SettingsError(WaybillError):
    """A key that does not exist, or a value that it cannot take; `detail` names the key."""


class ShopSettings(BaseModel):
    """One version of a shop's settings. A field's description is the reason for its default.

    A key that a later release stored is passed over, so that both may run beside each other.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: Literal["test", "live"] = Field(
        default="test", description="A new shop cannot spend: accounts whose answers say production are refused."
    )
    buy: Literal["manual", "on_paid"] | None = Field(
        default=None, description="on_paid in test, manual in live: on a live shop nothing is bought without a click."
    )
    buy_after_min: int | None = Field(
        default=None,
        ge=0,
        le=10_080,
        description="0 in test, 30 in live: time to cancel or edit an order before money goes.",
    )
    daily_cap: Decimal | None = Field(
        default=None, ge=0, description="Without one, labels that are bought by themselves cost what they cost."
    )
    alert_mail: str = Field(
        default="",
        max_length=200,
        pattern=r"^$|^[^@\s,;<>]+@[^@\s,;<>]+$",
        description="Without one, this shop's alerts go where WAYBILL_ALERT_MAIL_TO says.",
    )
    backup: Literal["platform", "safety"] = Field(
        default="platform", description="Where no price is known the platform's own backup rates appear."
    )
    safety_rates: tuple[SafetyRate, ...] = Field(default=(), description="Needed only with backup=safety.")
    default_location: str = Field(default="", description="The only active location, where there is one.")
    default_carton: CartonSetting | None = Field(
        default=None, description="Without one, carriers price by weight alone."
    )
    default_item_weight_g: int | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="Without one, a product without weight means the price is not known.",
    )
    rules: RuleSet = Field(default=RuleSet(), description="threshold and markups are written here as rules.")
    hmac: Literal["require", "prefer", "off"] = Field(
        default="prefer",
        description="Shopify does not promise to sign rate calls; the URL's token proves them as well.",
    )
    soft_deadline_ms: int = Field(
        default=250, ge=20, le=9000, description="Trusted answers need not wait for live ones."
    )
    hard_deadline_ms: int = Field(
        default=2500, ge=100, le=9000, description="Platforms cut slow answers before their limit."
    )
    bought_as: tuple[BoughtAsSetting, ...] = Field(
        default=(),
        description="A carrier's offer is bought as itself, a safety rate as the cheapest, your own table's by hand.",
    )
    price_basis: Literal["account", "list", "expected"] = Field(
        default="account", description="Buyers pay what your account pays, before your rules."
    )
    exchange_rates: tuple[ExchangeRate, ...] = Field(
        default=(), description="Without a rate, prices in another currency are not shown."
    )
    learned_bound_percent: Decimal = Field(
        default=Decimal(5),
        ge=0,
        le=50,
        decimal_places=1,
        description="A learned price stands in for a slow carrier if it is off by no more, 95 times of 100; 0: never.",
    )
    learned_margin_percent: Decimal = Field(
        default=Decimal(0), ge=0, le=50, decimal_places=1, description="Learned prices are shown as they are."
    )
    packing: PackingSettings = Field(
        default=PackingSettings(), description="Cartons have commands of their own; the rest is written as keys."
    )
    customs: CustomsSettings = Field(
        default=CustomsSettings(), description="What crosses a border is declared as these say."
    )
    promises: PromiseSettings = Field(
        default=PromiseSettings(), description="Dates have commands of their own; the rest is written as keys."
    )
    guard: GuardSettings = Field(
        default=GuardSettings(), description="Whether orders pay for their shipping; written as keys."
    )
    fulfil_when: Literal["label", "handed_over"] = Field(
        default="label", description="The buyer has the number at once."
    )
    store_notifies: bool = Field(default=True, description="The store tells the buyer, as it does for its own labels.")
    buying: BuyingSettings = Field(
        default=BuyingSettings(), description="Written as keys: how far a label may be from its promise."
    )
    paper: PaperSettings = Field(default=PaperSettings(), description="Written as keys: what the packing table prints.")
    storefront: StorefrontSettings = Field(
        default=StorefrontSettings(), description="Prices before the checkout, and the words of options."
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.backup == "safety" and not self.safety_rates:
            raise ValueError("backup=safety needs safety_rates")
        codes = [rate.code for rate in self.safety_rates]
        if len(set(codes)) != len(codes):
            raise ValueError("two safety_rates have one code")
        named = [each.offer for each in self.bought_as]
        if len(set(named)) != len(named):
            raise ValueError("bought_as names one offer twice")
        pairs = [(rate.of, rate.into) for rate in self.exchange_rates]
        if len(set(pairs)) != len(pairs):
            raise ValueError("exchange_rates hold one pair of currencies twice")
        if self.soft_deadline_ms > self.hard_deadline_ms:
            raise ValueError("soft_deadline_ms is greater than hard_deadline_ms")
        return self

    @property
    def buys_when_paid(self) -> bool:
        """Whether a paid order's labels are bought without a click."""
        return (self.buy or ("on_paid" if self.mode == "test" else "manual")) == "on_paid"

    @property
    def minutes_before_buying(self) -> int:
        """How long a paid order waits before its label is bought."""
        default = 0 if self.mode == "test" else 30
        return default if self.buy_after_min is None else self.buy_after_min

    @property
    def carton(self) -> Carton:
        """The default carton as packing takes it."""
        chosen = self.default_carton
        if chosen is None:
            return Carton("none")
        return Carton(
            "default",
            Size(chosen.length_mm, chosen.width_mm, chosen.height_mm),
            Weight(chosen.tare_g),
            None if chosen.max_gross_g is None else Weight(chosen.max_gross_g),
        )

    @property
    def default_weight(self) -> Weight | None:
        """What a unit without weight is taken to weigh."""
        return None if self.default_item_weight_g is None else Weight(self.default_item_weight_g)


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as a merchant sees it: as it is typed, its value now, its default, and the default's reason."""

    key: str
    form: str
    value: str
    default: str
    reason: str


_FORMS = {
    "mode": "test | live",
    "buy": "manual | on_paid",
    "buy_after": "minutes, such as 30",
    "daily_cap": "an amount such as 200.00, or empty",
    "alert_mail": "an e-mail address, or empty",
    "backup": "platform | safety",
    "safety_rates": "NAME:CODE:AMOUNT[:CLASS], several behind commas; empty for none",
    "default_location": "a location's id, or empty",
    "default_carton": "LENGTHxWIDTHxHEIGHT in mm[:TARE in g[:GREATEST GROSS WEIGHT in g]], or empty",
    "default_item_weight_g": "grams, or empty",
    "threshold": "an amount such as 50.00[:SERVICE,…], or empty",
    "markup_percent": "a percentage such as 10 or -5, or empty",
    "markup_fixed": "an amount such as 1.50, or empty",
    "hmac": "require | prefer | off",
    "soft_deadline_ms": "milliseconds",
    "hard_deadline_ms": "milliseconds",
    "bought_as": "OFFER:cheapest | OFFER:by_hand | OFFER:CARRIER/SERVICE, each with :MOST if wanted, behind commas",
    "price_basis": "account | list | expected",
    "exchange_rates": "FROM/TO:RATE[:YYYY-MM-DD[:SOURCE]], such as USD/EUR:0.92, several behind commas; or empty",
    "learned_bound_percent": "a percentage from 0 to 50, such as 5",
    "learned_margin_percent": "a percentage from 0 to 50, such as 2",
    **packing_settings.FORMS,
    **promise_settings.FORMS,
    **customs_settings.FORMS,
    **guard_settings.FORMS,
    "fulfil_when": "label | handed_over",
    "store_notifies": "yes | no",
    **storefront_settings.FORMS,
    **buying_settings.FORMS,
    **paper_settings.FORMS,
}
_RULE_KEYS = {
    "threshold": "Without one, shipping is never free by value.",
    "markup_percent": "Without one, buyers pay the carrier's price.",
    "markup_fixed": "Without one, buyers pay the carrier's price.",
}
KEYS = tuple(_FORMS)


class _Part(Protocol):
    """A room's own settings: the keys that stand for them, and how each is written, read and explained."""

    FORMS: Mapping[str, str]

    def put(self, body: dict[str, Any], key: str, text: str, currency: str, /) -> None: ...
    def text_of(self, settings: Any, key: str, /) -> str: ...
    def reason(self, key: str, /) -> str: ...


_BY_FIELD: Mapping[str, _Part] = {
    "packing": packing_settings,
    "promises": promise_settings,
    "customs": customs_settings,
    "guard": guard_settings,
    "storefront": storefront_settings,
    "buying": buying_settings,
    "paper": paper_settings,
}
_PARTS = {key: (field, part) for field, part in _BY_FIELD.items() for key in part.FORMS}


def load(body: Mapping[str, Any]) -> ShopSettings:
    """The typed settings of a stored version. Raises SettingsError, naming the key."""
    try:
        return ShopSettings.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors()[0]
        key, *inner = first["loc"] or ("settings",)
        where = ".".join(str(part) for part in ("buy_after" if key == "buy_after_min" else key, *inner))
        raise SettingsError(f"{where}: {first['msg'].removeprefix('Value error, ')}.", detail=where) from error


def dump(settings: ShopSettings) -> dict[str, Any]:
    """The JSON body of a version: only what was set."""
    default = ShopSettings().model_dump(mode="json")
    return {key: value for key, value in settings.model_dump(mode="json").items() if value != default[key]}


def change(settings: ShopSettings, changes: Mapping[str, str], currency: str) -> ShopSettings:
    """The settings after `KEY=VALUE` changes, as they are typed. Raises SettingsError; then nothing has changed."""
    body = dump(settings)
    for key, text in changes.items():
        if key not in _FORMS:
            raise SettingsError(f"There is no setting {key}. There are: {', '.join(KEYS)}.", detail=key)
        try:
            if key in _PARTS:
                field, part = _PARTS[key]
                part.put(body.setdefault(field, {}), key, text.strip(), currency)
            else:
                _set(body, key, text.strip(), currency)
        except (ValueError, ArithmeticError) as error:
            why = f" ({_why(error)})" if isinstance(error, ValidationError) else ""
            raise SettingsError(f"{key} takes {_FORMS[key]}; {text!r} is not that{why}.", detail=key) from error
    return load(body)


def show(settings: ShopSettings) -> list[Shown]:
    """Every setting, in the order of the documentation."""
    default = ShopSettings()
    return [
        Shown(
            key,
            _FORMS[key],
            _said(settings, key),
            _said(default.model_copy(update={"mode": settings.mode}) if key != "mode" else default, key),
            _RULE_KEYS.get(key) or _reason(key),
        )
        for key in KEYS
    ]


def _why(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")


def _reason(key: str) -> str:
    if key in _PARTS:
        return _PARTS[key][1].reason(key)
    return str(ShopSettings.model_fields[_field(key)].description)


def _field(key: str) -> str:
    return "buy_after_min" if key == "buy_after" else key


def _set(body: dict[str, Any], key: str, text: str, currency: str) -> None:
    if key in _RULE_KEYS:
        body["rules"] = setting_parts.with_rule(body.get("rules", {}), key, text, currency)
    elif key in setting_parts.LISTS:
        body[key] = [setting_parts.LISTS[key](part.strip(), currency) for part in text.split(",") if part.strip()]
    elif not text:
        body.pop(_field(key), None)
    elif key == "daily_cap":
        body[key] = str(Money.parse(Decimal(text), currency).amount)
    elif key == "default_carton":
        body[key] = setting_parts.read_carton(text)
    elif key == "store_notifies":
        body[key] = {"yes": True, "no": False, "true": True, "false": False}.get(text.lower(), text)
        if not isinstance(body[key], bool):
            raise ValueError(text)
    elif key in {"buy_after", "default_item_weight_g", "soft_deadline_ms", "hard_deadline_ms"}:
        body[_field(key)] = int(text)
    else:
        body[key] = text


def _said(settings: ShopSettings, key: str) -> str:
    """A key's value as it is typed."""
    if key in _PARTS:
        field, part = _PARTS[key]
        return part.text_of(getattr(settings, field), key)
    return _text(settings, key)


def _text(settings: ShopSettings, key: str) -> str:
    if key in _RULE_KEYS:
        return setting_parts.rule_text(settings.rules, key)
    if key == "buy":
        return "on_paid" if settings.buys_when_paid else "manual"
    if key == "buy_after":
        return str(settings.minutes_before_buying)
    if key in setting_parts.LISTS:
        return ",".join(setting_parts.text_of(part) for part in getattr(settings, key))
    if key == "default_carton":
        return "" if settings.default_carton is None else setting_parts.text_of(settings.default_carton)
    value = getattr(settings, key)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


__all__ = [
    "KEYS",
    "MARKUP_FIXED",
    "MARKUP_PERCENT",
    "THRESHOLD",
    "BoughtAsSetting",
    "CartonSetting",
    "MoneyError",
    "SafetyRate",
    "SettingsError",
    "ShopSettings",
    "Shown",
    "change",
    "dump",
    "load",
    "show",
]
