"""Names and descriptions of options: the merchant's templates by language, and what a name must not hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.money import Money
from connector.quotes.decide import decide
from connector.quotes.wording import Said, Wording, wording_of
from connector.rules.facts import Priced
from connector.shop_settings import SettingsError, ShopSettings, change
from connector.storefront_settings import fault_of_name
from tests.quotes.world import NOW, answered, cart, facts, rate, settings

FIRST, LAST = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 26, 12, tzinfo=UTC)
LANGUAGES = ("en", "sk", "ar", "pl", "hy", "el")


def said(typed: str, locale: str, *, language: str = "", code: str = "usps-ground", **changes: Any) -> Said:
    chosen = change(ShopSettings(), {"wording": typed, "language": language}, "EUR").storefront
    service = Priced(code, Money(700, "EUR"), service_class=changes.pop("service_class", "standard"))
    asked: dict[str, Any] = {"days": 3, "earliest": FIRST, "latest": LAST} | changes
    return Wording.of(chosen).say(service, "USPS", "USPS Ground", locale, **asked)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("locale", "name"),
    [("pt-BR", "Brasil"), ("pt_pt", "Portugal"), ("sk", "Kuriér"), ("de", "Kuriér"), ("en-GB", "Courier")],
)
def test_the_exact_locale_then_its_language_then_the_shops_then_english(locale: str, name: str) -> None:
    typed = "usps-ground@pt-br:Brasil;usps-ground@pt:Portugal;usps-ground@sk:Kuriér;usps-ground@en:Courier"
    assert said(typed, locale, language="sk").name == name


def test_english_is_the_last_resort() -> None:
    assert said("usps-ground@en:Courier", "de", language="sk").name == "Courier"
    assert said("usps-ground@pl:Kurier", "de", language="sk").name == "USPS Ground"


def test_an_offers_own_template_goes_before_its_classs_and_that_before_the_one_for_all() -> None:
    typed = "*:All;class/standard:Class;usps-ground:Own"
    assert said(typed, "en").name == "Own"
    assert said(typed, "en", code="dhl-x").name == "Class"
    assert said(typed, "en", code="dhl-x", service_class="express").name == "All"


def test_placeholders_are_filled_in_the_templates_language() -> None:
    found = said("*@sk:Kuriér {carrier}|Doručíme {from} až {to}, {days} dni", "sk-SK")
    assert (found.name, plain(found.description)) == ("Kuriér USPS", "Doručíme 24. novembra až 26. novembra, 3 dni")


def test_a_template_whose_dates_are_not_known_gives_way_to_the_usual_text() -> None:
    found = said("*:|By {to}", "en", earliest=None, latest=None, days=None)
    assert found.name == "USPS Ground"
    assert "By" not in found.description


def test_a_name_that_a_rule_gave_stays() -> None:
    chosen = change(ShopSettings(), {"wording": "*:All"}, "EUR")
    service = Priced("usps-ground", Money(700, "EUR"), name="Bicycle")
    assert wording_of(chosen).say(service, "USPS", "USPS Ground", "en").name == "Bicycle"
    assert wording_of(chosen) is wording_of(chosen)


@pytest.mark.parametrize(("locale", "name"), [("sk-SK", "Bežné"), ("en", "Standard"), ("pl", "Standard")])
def test_a_safety_rate_is_worded_by_its_code_and_else_called_as_it_is(locale: str, name: str) -> None:
    chosen = settings(
        backup="safety", safety_rates="Standard:standard:6.90", wording="standard@sk:Bežné|Do dverí;*:All"
    )
    (worded,) = decide(cart(locale=locale), facts(chosen), [], NOW).offers
    assert (worded.name, worded.description) == (name, "Do dverí" if name == "Bežné" else "")


@pytest.mark.parametrize("locale", LANGUAGES)
def test_what_a_checkout_shows_is_worded_for_the_buyer(locale: str) -> None:
    typed = ";".join(f"*@{each}:{each.upper()} {{carrier}}" for each in LANGUAGES)
    using = facts(settings(wording=typed))
    decision = decide(cart(locale=f"{locale}-XX"), using, (answered(rate()),), NOW)
    assert [(each.code, each.name) for each in decision.offers] == [("fake-ground", f"{locale.upper()} Fake")]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("Express 12:00", ""), ("Courier 24/7", ""), ("Post 2 to 3 days", ""), ("DPD 18", ""), ("Balík 24 h", ""),
        ("By 24.12.", "date"), ("2026-12-24", "date"), ("12/24/2026", "date"), ("3 December", "date"),
        ("Dec 3", "date"),
        ("Courier €5", "price"), ("Courier 4.90", "price"), ("5 EUR", "price"), ("12 zł", "price"),
        ("Offer 12345678", "id"), ("quo_01hf3k99999999", "id"), ("A1B2C3D4E5F6G7H8", "id"),
    ],
)  # fmt: skip
def test_a_name_holds_no_date_no_price_and_no_id(name: str, fault: str) -> None:
    assert fault in fault_of_name(name)
    assert bool(fault_of_name(name)) == bool(fault)


def test_a_refused_template_says_why_and_which_setting() -> None:
    with pytest.raises(SettingsError, match="a name holds no price") as refused:
        change(ShopSettings(), {"wording": "usps-ground:Courier for 4.90 EUR"}, "EUR")
    assert refused.value.detail == "wording"
