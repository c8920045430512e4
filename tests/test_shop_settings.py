"""What a merchant can set: each key as it is typed and shown, its default, and refusals that change nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.measure import Size, Weight
from connector.rules.actions import Free
from connector.rules.ruleset import Rule, RuleSet
from connector.rules.thresholds import Threshold
from connector.shop_settings import KEYS, THRESHOLD, SettingsError, ShopSettings, Shown, change, dump, load, show

EXAMPLES = {
    "mode": "live",
    "buy": "manual",
    "buy_after": "45",
    "daily_cap": "250.00",
    "alert_mail": "desk@shop.example",
    "backup": "platform",
    "safety_rates": "Standard: 3 to 5 days:standard:4.90,Express:express:12.00",
    "default_location": "loc_1",
    "default_carton": "300x200x150:180:20000",
    "default_item_weight_g": "350",
    "threshold": "50.00:usps-priority,usps-ground",
    "markup_percent": "12.5",
    "markup_fixed": "-1.50",
    "hmac": "require",
    "soft_deadline_ms": "300",
    "hard_deadline_ms": "3000",
    "bought_as": "standard:cheapest,own-express:FedEx/PRIORITY_OVERNIGHT:19.90,own-slow:by_hand",
    "price_basis": "list",
    "exchange_rates": "USD/EUR:0.92:2026-11-20:ECB,GBP/EUR:1.17,CZK/EUR:0.0405::my bank",
    "divisor": "4000",
    "price_per_billed_kg": "2.40",
    "packing_effort": "20000",
    "unsized": "200",
    "unfit": "own_box",
    "carrier_packing": "easypost:divisor=5000:gross=30000:longest=1200:girth=3000,acc_1:divisor=6000",
    "catalogue_fields": "length=custom.length:cm,width=custom.width:cm,height=custom.height:cm,upright=custom.upright",
    "learned_bound_percent": "7.5",
    "learned_margin_percent": "2",
    "cut_off": "mon-fri=14:00 sat=11:30",
    "handling_days": "2",
    "promise_coverage": "95",
    "promise_history": "no",
    "hide_not_sooner": "no",
    "tolerance": "8%:1.00",
    "unpromised": "substitute",
    "buy_up_to": "500.00",
    "buy_countries": "DE,AT",
    "buy_in_stock": "yes",
    "check_address": "no",
    "verify_address": "required",
    "void_on_cancel": "no",
    "void_on_edit": "no",
    "tell_store_of_holds": "no",
    "customs_signer": "Tea and Pots Ltd",
    "customs_contents": "sample",
    "incoterm": "DDP",
    "tax_numbers": "IOSS:IM0123456789:EU,EORI:GB123456789000:GB",
    "duties": "GB:20:135,CH:8.1",
    "non_delivery": "abandon",
    "paperless": "no",
    "guard": "cap",
    "guard_share": "80",
    "guard_cost_share": "55.5",
    "guard_fee": "2.9+0.30",
    "guard_adjustment": "1.5",
    "guard_tax": "20",
    "fulfil_when": "handed_over",
    "store_notifies": "no",
    "print_sheet": "a4",
    "print_slips": "no",
    "slip_brand": "Tea & Pots",
    "slip_color": "#1a4d8f",
    "slip_note": "Enjoy your tea.",
    "slip_inserts": "Welcome card:first_order;Gold voucher:tag=vip:country=DE&AT:over=100.00;Leaflet",
    "scan_to_pack": "required",
    "storefront": "on",
    "storefront_key": "0123456789abcdefghjk",
    "storefront_origins": "https://www.tea.example,https://tea.example:8443",
    "storefront_places": "25",
    "language": "sk",
    "wording": "usps-priority@sk:Kuriér {carrier}|Doručíme {from} až {to};class/express:Express 12:00;*@pl:|{days} dni",
}


def shown(settings: ShopSettings) -> dict[str, Shown]:
    return {each.key: each for each in show(settings)}


def values(settings: ShopSettings) -> dict[str, str]:
    return {each.key: each.value for each in show(settings)}


def test_there_is_an_example_of_every_key() -> None:
    assert set(EXAMPLES) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_what_is_set_is_shown_as_it_was_typed_and_survives_being_stored(key: str) -> None:
    settings = change(ShopSettings(), {key: EXAMPLES[key]}, "EUR")
    assert values(settings)[key] == EXAMPLES[key]
    assert load(dump(settings)) == settings
    assert change(ShopSettings(), {key: values(settings)[key]}, "EUR") == settings


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_value_brings_the_default_back(key: str) -> None:
    settings = change(change(ShopSettings(), {key: EXAMPLES[key]}, "EUR"), {key: ""}, "EUR")
    assert settings == ShopSettings()


def test_keys_are_set_together_and_leave_each_other_alone() -> None:
    together = change(ShopSettings(), EXAMPLES, "EUR")
    one_by_one = ShopSettings()
    for key, text in EXAMPLES.items():
        one_by_one = change(one_by_one, {key: text}, "EUR")
    assert one_by_one == together
    assert values(together) == EXAMPLES


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("mode", "production"),
        ("buy", "always"),
        ("buy_after", "-1"),
        ("buy_after", "soon"),
        ("buy_after", "10081"),
        ("backup", "none"),
        ("safety_rates", "Standard"),
        ("safety_rates", "Standard:Not A Code:4.90"),
        ("safety_rates", "Standard:standard:4.905"),
        ("safety_rates", "Standard:standard:-1"),
        ("safety_rates", "Standard:standard:nan"),
        ("default_carton", "300x200"),
        ("default_carton", "0x200x150"),
        ("default_item_weight_g", "0"),
        ("default_item_weight_g", "1.5"),
        ("threshold", "fifty"),
        ("threshold", "-1"),
        ("threshold", "49.999"),
        ("threshold", "inf"),
        ("markup_percent", "-101"),
        ("markup_percent", "NaN"),
        ("markup_percent", "10:usps"),
        ("markup_fixed", "1e99"),
        ("markup_fixed", "0.001"),
        ("hmac", "maybe"),
        ("soft_deadline_ms", "1"),
        ("hard_deadline_ms", "60000"),
        ("divisor", "0"),
        ("price_per_billed_kg", "-1"),
        ("price_per_billed_kg", "2.405"),
        ("packing_effort", "1"),
        ("unsized", "heavy"),
        ("unfit", "shrink"),
        ("carrier_packing", "easypost"),
        ("carrier_packing", "easypost:divisor=0"),
        ("carrier_packing", "easypost:colour=5"),
        ("catalogue_fields", "colour=custom.colour"),
        ("catalogue_fields", "length=custom.length:kg"),
        ("fulfil_when", "never"),
        ("store_notifies", "perhaps"),
        ("print_sheet", "a5"),
        ("print_slips", "perhaps"),
        ("slip_color", "blue"),
        ("slip_inserts", "Card:colour=red"),
        ("slip_inserts", "Card:over=cheap"),
        ("slip_inserts", "Card:country=Germany"),
        ("scan_to_pack", "always"),
        ("storefront", "yes"),
        ("storefront_key", "short"),
        ("storefront_origins", "www.tea.example"),
        ("storefront_origins", "https://tea.example/cart"),
        ("storefront_places", "0"),
        ("language", "Slovak"),
        ("wording", "Courier"),
        ("wording", "usps-priority:Arrives 24.12.2026"),
        ("wording", "usps-priority:Courier for 4.90 EUR"),
        ("wording", "usps-priority:Courier {days}"),
        ("wording", "usps-priority:Courier {colour}"),
        ("wording", "usps-priority:Courier {carrier!r}"),
        ("wording", "usps-priority:Courier {"),
        ("wording", "usps-priority@:Courier quo_01hf3k9999999"),
        ("wording", "usps-priority:A;usps-priority:B"),
    ],
)
def test_a_wrong_value_is_refused_naming_the_key(key: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        change(ShopSettings(), {"default_item_weight_g": "200", key: text}, "EUR")
    assert key in refused.value.message
    assert refused.value.detail.split(".")[0] == key


@given(st.sampled_from(KEYS), st.text(max_size=30))
def test_whatever_is_typed_is_taken_or_refused_with_the_key(key: str, text: str) -> None:
    try:
        settings = change(ShopSettings(), {key: text}, "EUR")
    except SettingsError as refused:
        assert key in refused.message  # noqa: PT017 - either outcome is right.
    else:
        assert load(dump(settings)) == settings


def test_a_wrong_key_is_refused_and_the_right_ones_are_named() -> None:
    with pytest.raises(SettingsError, match="There is no setting threshhold") as refused:
        change(ShopSettings(), {"threshhold": "50"}, "EUR")
    assert refused.value.detail == "threshhold"
    assert all(key in refused.value.message for key in KEYS)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"backup": "safety"}, ["backup", "safety_rates"]),
        ({"safety_rates": "A:same:1,B:same:2"}, ["safety_rates"]),
        ({"soft_deadline_ms": "2000", "hard_deadline_ms": "1000"}, ["soft_deadline_ms", "hard_deadline_ms"]),
        ({"default_carton": "100x100x100:500:500"}, ["default_carton"]),
    ],
)
def test_values_that_do_not_fit_each_other_are_refused(changes: dict[str, str], names: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        change(ShopSettings(), changes, "EUR")
    assert all(name in refused.value.message for name in names)


# --- defaults


def test_a_new_shop_is_in_test_mode_and_buys_at_once() -> None:
    settings = ShopSettings()
    assert (settings.mode, settings.buys_when_paid, settings.minutes_before_buying) == ("test", True, 0)


def test_a_live_shop_buys_nothing_without_a_click_and_waits_half_an_hour_otherwise() -> None:
    live = change(ShopSettings(), {"mode": "live"}, "EUR")
    assert (live.buys_when_paid, live.minutes_before_buying) == (False, 30)
    assert change(live, {"buy": "on_paid"}, "EUR").buys_when_paid


def test_the_defaults_that_are_shown_are_those_of_the_shops_mode() -> None:
    live = shown(change(ShopSettings(), {"mode": "live"}, "EUR"))
    assert (live["buy"].default, live["buy_after"].default, live["mode"].default) == ("manual", "30", "test")
    assert (shown(ShopSettings())["buy"].default, shown(ShopSettings())["buy_after"].default) == ("on_paid", "0")


def test_every_key_is_shown_with_its_form_and_the_reason_for_its_default() -> None:
    for each in show(ShopSettings()):
        assert each.value == each.default
        assert each.form
        assert each.reason.endswith("."), each.key


# --- what the rooms get


def test_shorthands_are_rules_markups_first_and_the_threshold_last() -> None:
    settings = change(ShopSettings(), {"threshold": "50", "markup_fixed": "1", "markup_percent": "10"}, "EUR")
    assert [rule.then[0].kind for rule in settings.rules.rules] == ["percent_change", "fixed_change"]
    (threshold,) = settings.rules.thresholds
    assert (threshold.name, threshold.amount, threshold.currency) == (THRESHOLD, Decimal(50), "EUR")
    assert (threshold.services, threshold.service_class, threshold.faster) == ((), "", "full_price")


def test_a_shorthand_leaves_the_merchants_own_rules_alone() -> None:
    own = Rule(name="Ours", then=(Free(services=("usps-ground",)),))
    settings = change(ShopSettings(rules=RuleSet(rules=(own,))), {"markup_percent": "10"}, "EUR")
    assert settings.rules.rules[0] == own
    assert change(settings, {"markup_percent": ""}, "EUR").rules.rules == (own,)


FORMER = {
    "name": THRESHOLD,
    "when": [{"kind": "subtotal_at_least", "amount": "50.00", "currency": "EUR"}],
    "then": [{"kind": "free", "services": ["usps-priority"]}],
}


def test_a_threshold_of_an_earlier_release_loads_shows_and_stays_until_it_is_set_again() -> None:
    old = load({"rules": {"rules": [FORMER]}})
    assert {each.key: each.value for each in show(old)}["threshold"] == "50.00:usps-priority"
    (kept,) = change(old, {"markup_percent": "10"}, "EUR").rules.rules[1:]
    assert kept == old.rules.rules[0]
    new = change(old, {"threshold": "60"}, "EUR")
    assert (new.rules.rules, [each.amount for each in new.rules.thresholds]) == ((), [Decimal(60)])
    assert change(old, {"threshold": ""}, "EUR").rules == RuleSet()


def test_a_shorthand_leaves_other_thresholds_alone() -> None:
    own = Threshold(name="Swiss", amount=Decimal(150), currency="EUR", where=("CH",))
    settings = ShopSettings(rules=RuleSet(thresholds=(own,)))
    both = change(change(settings, {"threshold": "50"}, "EUR"), {"markup_fixed": "1"}, "EUR")
    assert [each.name for each in both.rules.thresholds] == ["Swiss", THRESHOLD]
    assert change(both, {"threshold": ""}, "EUR").rules.thresholds == (own,)


def test_a_safety_rate_may_name_its_class() -> None:
    settings = change(ShopSettings(), {"safety_rates": "A: b:a:5.00,Fast:fast:9.00:express"}, "EUR")
    assert [(each.name, each.service_class) for each in settings.safety_rates] == [
        ("A: b", ""),
        ("Fast", "express"),
    ]


def test_amounts_are_in_the_shops_currency() -> None:
    settings = change(ShopSettings(), {"threshold": "5000", "safety_rates": "Standard:standard:500"}, "JPY")
    assert settings.rules.thresholds[0].currency == "JPY"
    assert (settings.safety_rates[0].amount, settings.safety_rates[0].currency) == (Decimal(500), "JPY")
    with pytest.raises(SettingsError):
        change(ShopSettings(), {"threshold": "50.00:x", "markup_fixed": "0.50"}, "JPY")


def test_the_carton_is_what_packing_takes() -> None:
    carton = change(ShopSettings(), {"default_carton": "300x200x150:180:20000"}, "EUR").carton
    assert (carton.size, carton.tare, carton.max_gross) == (Size(300, 200, 150), Weight(180), Weight(20000))
    assert ShopSettings().carton.size is None


@pytest.mark.parametrize("body", [{"mode": 5}, {"rules": {"rules": [{"name": ""}]}}])
def test_a_stored_version_that_cannot_be_read_is_refused_naming_what(body: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(body))):
        load(body)
