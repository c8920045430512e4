"""Settings of a shop: every key sets, shows, is stored and read again; what is wrong is named and changes nothing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.measure import Size, Weight
from connector import shop_settings
from connector.rules.actions import Free, PercentChange
from connector.rules.ruleset import Rule, RuleSet
from connector.shop_settings import KEYS, MARKUP_FIXED, MARKUP_PERCENT, THRESHOLD, SettingsError, ShopSettings

SETTABLE = {
    "mode": ["live"],
    "buy": ["manual"],
    "buy_after": ["15", "10080"],
    "backup": ["safety"],
    "safety_rates": ["Standard:standard:6.90", "Standard:standard:6.90,A: B:express-24:0.00"],
    "default_location": ["loc_1"],
    "default_carton": ["300x200x150:0", "300x200x150:180", "300x200x150:180:20000"],
    "default_item_weight_g": ["250"],
    "threshold": ["50.00", "0", "50.00:usps-priority,dhl-express"],
    "markup_percent": ["10", "-5", "12.50", "0"],
    "markup_fixed": ["1.50", "-0.99"],
    "hmac": ["require", "off"],
    "soft_deadline_ms": ["2500", "20"],
    "hard_deadline_ms": ["9000", "250"],
    "fulfil_when": ["handed_over"],
    "store_notifies": ["no"],
}
NEEDED = {"backup": {"safety_rates": "Standard:standard:6.90"}}
SHORTHAND = {"threshold": "50.00", "markup_percent": "10", "markup_fixed": "1.50"}


def change(settings: ShopSettings | None = None, /, **changes: str) -> ShopSettings:
    return shop_settings.change(settings or ShopSettings(), changes, "EUR")


def value(settings: ShopSettings, key: str) -> str:
    return next(shown.value for shown in shop_settings.show(settings) if shown.key == key)


def stored(settings: ShopSettings) -> ShopSettings:
    return shop_settings.load(json.loads(json.dumps(shop_settings.dump(settings))))


def fault(settings: ShopSettings | None = None, /, **changes: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        change(settings, **changes)
    return caught.value


# --- every key ----------------------------------------------------------------------------------------------------


def test_every_key_is_tried_here() -> None:
    assert tuple(SETTABLE) == KEYS


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in SETTABLE.items() for text in texts])
def test_a_key_is_set_shown_as_it_was_typed_and_stored(key: str, text: str) -> None:
    settings = change(**NEEDED.get(key, {}), **{key: text})
    assert value(settings, key) == text
    assert stored(settings) == settings


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_value_takes_a_setting_back(key: str) -> None:
    settings = change(**NEEDED.get(key, {}), **{key: SETTABLE[key][0]})
    cleared = change(settings, **dict.fromkeys(NEEDED.get(key, {}), ""), **{key: " "})
    assert cleared == ShopSettings()
    assert shop_settings.dump(cleared) == {}


def test_only_what_was_set_is_stored() -> None:
    assert shop_settings.dump(change(hmac="off", mode="test")) == {"hmac": "off"}


@given(st.data())
def test_any_settings_are_the_same_after_they_were_stored_and_shown_and_typed_again(data: st.DataObject) -> None:
    chosen = {
        key: data.draw(st.sampled_from(SETTABLE[key]), label=key)
        for key in data.draw(st.sets(st.sampled_from(KEYS)))
        if key not in {"soft_deadline_ms", "hard_deadline_ms"}
    }
    settings = change(**(NEEDED["backup"] if "backup" in chosen else {}) | chosen)
    assert stored(settings) == settings
    typed = {shown.key: shown.value for shown in shop_settings.show(settings)}
    again = change(settings, **typed)
    assert shop_settings.show(again) == shop_settings.show(settings)
    assert change(**typed).rules == settings.rules


def test_what_each_setting_is_by_default_and_why_stands_beside_it() -> None:
    for shown in shop_settings.show(ShopSettings()):
        assert shown.value == shown.default
        assert shown.reason.endswith(".")
        assert shown.form


def test_values_reach_the_rooms_in_their_own_units() -> None:
    settings = change(default_carton="300x200x150:180:20000", default_item_weight_g="250")
    carton = settings.carton
    assert (carton.size, carton.tare, carton.max_gross) == (Size(300, 200, 150), Weight(180), Weight(20_000))
    assert settings.default_weight == Weight(250)
    assert ShopSettings().default_weight is None
    assert ShopSettings().carton.size is None


# --- buying -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "buys", "minutes"),
    [
        ({}, True, 0),
        ({"mode": "live"}, False, 30),
        ({"mode": "live", "buy": "on_paid"}, True, 30),
        ({"mode": "live", "buy": "on_paid", "buy_after": "0"}, True, 0),
        ({"buy": "manual", "buy_after": "5"}, False, 5),
    ],
)
def test_a_live_shop_buys_nothing_by_itself_until_told_to(changes: dict[str, str], buys: bool, minutes: int) -> None:
    settings = change(**changes)
    assert (settings.buys_when_paid, settings.minutes_before_buying) == (buys, minutes)
    shown = {each.key: (each.value, each.default) for each in shop_settings.show(settings)}
    live = changes.get("mode") == "live"
    assert shown["buy"] == ("on_paid" if buys else "manual", "manual" if live else "on_paid")
    assert shown["buy_after"] == (str(minutes), "30" if live else "0")


def test_an_explicit_choice_outlives_a_change_of_mode() -> None:
    assert change(change(buy="on_paid", buy_after="0"), mode="live").minutes_before_buying == 0


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("mode", "prod"),
        ("mode", "LIVE"),
        ("buy", "always"),
        ("buy_after", "-1"),
        ("buy_after", "10081"),
        ("buy_after", "half an hour"),
        ("buy_after", "1.5"),
        ("backup", "none"),
        ("safety_rates", "Standard"),
        ("safety_rates", "Standard:standard"),
        ("safety_rates", "Standard:standard:free"),
        ("safety_rates", "Standard:standard:-1"),
        ("safety_rates", "Standard:standard:1.999"),
        ("safety_rates", "Standard:Not A Code:1"),
        ("safety_rates", ":standard:1"),
        ("safety_rates", "A:same:1,B:same:2"),
        ("default_carton", "300x200"),
        ("default_carton", "300x200x0"),
        ("default_carton", "300x200x3001"),
        ("default_carton", "300x200x150:500:500"),
        ("default_carton", "30cm x 20cm x 10cm"),
        ("default_item_weight_g", "0"),
        ("default_item_weight_g", "heavy"),
        ("default_item_weight_g", "9" * 5000),
        ("threshold", "-1"),
        ("threshold", "fifty"),
        ("threshold", "50.001"),
        ("threshold", "NaN"),
        ("threshold", "Infinity"),
        ("threshold", "1e20"),
        ("markup_percent", "1001"),
        ("markup_percent", "-101"),
        ("markup_percent", "10:usps"),
        ("markup_percent", "sNaN"),
        ("markup_fixed", "1.999"),
        ("markup_fixed", "1 EUR"),
        ("hmac", "maybe"),
        ("soft_deadline_ms", "19"),
        ("soft_deadline_ms", "2501"),
        ("hard_deadline_ms", "9001"),
        ("hard_deadline_ms", "249"),
        ("fulfil_when", "delivered"),
        ("store_notifies", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_naming_the_key_and_nothing_changes(key: str, text: str) -> None:
    settings = change(hmac="off")
    before = shop_settings.dump(settings)
    error = fault(settings, **{"store_notifies": "no", key: text})
    assert key in error.message
    assert "buy_after_min" not in error.message
    assert shop_settings.dump(settings) == before


@pytest.mark.parametrize("key", ["colour", "buy_after_min", "rules", "", "Mode"])
def test_an_unknown_key_is_refused_with_those_that_there_are(key: str) -> None:
    error = fault(**{key: "1"})
    assert error.detail == key
    assert all(known in error.message for known in KEYS)


def test_own_rates_as_backup_need_such_rates() -> None:
    assert "safety_rates" in fault(backup="safety").message
    with_rates = change(safety_rates="Standard:standard:6.90", backup="safety")
    assert "safety_rates" in fault(with_rates, safety_rates="").message


def test_a_soft_deadline_is_not_later_than_the_hard_one() -> None:
    assert "soft_deadline_ms" in fault(soft_deadline_ms="900", hard_deadline_ms="800").message
    assert change(soft_deadline_ms="800", hard_deadline_ms="800").soft_deadline_ms == 800


@pytest.mark.parametrize(("currency", "wrong", "right"), [("JPY", "500.50", "500"), ("KWD", "1.2345", "1.234")])
def test_amounts_have_the_decimals_of_the_shop_s_currency(currency: str, wrong: str, right: str) -> None:
    for key in ("threshold", "markup_fixed"):
        with pytest.raises(SettingsError):
            shop_settings.change(ShopSettings(), {key: wrong}, currency)
        assert value(shop_settings.change(ShopSettings(), {key: right}, currency), key) == right


@given(key=st.sampled_from(KEYS), text=st.text(max_size=20))
def test_whatever_is_typed_is_taken_or_refused_with_a_reason(key: str, text: str) -> None:
    try:
        settings = change(**{key: text})
    except SettingsError as error:
        assert error.message  # noqa: PT017 - both ends are right.
    else:
        assert stored(settings) == settings


def test_stored_settings_that_cannot_be_read_name_the_key() -> None:
    with pytest.raises(SettingsError) as caught:
        shop_settings.load({"default_carton": {"length_mm": 1, "width_mm": 1}})
    assert caught.value.detail == "default_carton.height_mm"
    with pytest.raises(SettingsError) as caught:
        shop_settings.load({"from_a_later_version": 1})
    assert caught.value.detail == "from_a_later_version"


# --- shorthand for rules ------------------------------------------------------------------------------------------


def names(settings: ShopSettings) -> list[str]:
    return [rule.name for rule in settings.rules.rules]


@given(st.permutations(list(SHORTHAND)), st.sampled_from(list(SHORTHAND)))
def test_threshold_and_markups_are_rules_in_an_order_that_does_not_depend_on_the_typing(
    keys: list[str], again: str
) -> None:
    settings = ShopSettings()
    for key in (*keys, again):
        settings = change(settings, **{key: SHORTHAND[key]})
    assert names(settings) == [MARKUP_PERCENT, MARKUP_FIXED, THRESHOLD]
    assert settings == change(**SHORTHAND)


def test_the_merchant_s_own_rules_stay_where_they_are() -> None:
    first = Rule(name="first", then=(Free(),))
    second = Rule(name="second", then=(PercentChange(percent=Decimal(1)),))
    settings = ShopSettings(rules=RuleSet(rules=(first, second)))
    with_threshold = change(settings, threshold="50.00", markup_percent="10")
    assert names(with_threshold) == ["first", "second", MARKUP_PERCENT, THRESHOLD]
    assert change(with_threshold, threshold="", markup_percent="") == settings


def test_a_threshold_keeps_the_currency_it_was_set_in() -> None:
    (rule,) = change(threshold="50.00").rules.rules
    assert rule.when[0].model_dump()["currency"] == "EUR"


def test_free_services_are_named_behind_the_threshold() -> None:
    (rule,) = change(threshold="50: usps-priority , dhl-express,").rules.rules
    assert rule.then == (Free(services=("usps-priority", "dhl-express")),)
