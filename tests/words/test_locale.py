"""Amounts and days as each language writes them."""

from __future__ import annotations

from datetime import date

import pytest

from carriers.money import Money
from connector.words.locale import LANGUAGES, amount_text, day_text, days_text, fallbacks, spoken

GAP = "\u00a0"


@pytest.mark.parametrize(
    ("language", "money", "text"),
    [
        ("en", Money(123450, "EUR"), "€1,234.50"),
        ("en", Money(500, "CHF"), f"CHF{GAP}5.00"),
        ("sk", Money(123450, "EUR"), f"1{GAP}234,50{GAP}€"),
        ("pl", Money(1240, "PLN"), f"12,40{GAP}zł"),
        ("el", Money(123450, "EUR"), f"1.234,50{GAP}€"),
        ("hy", Money(5000, "JPY"), f"5{GAP}000{GAP}¥"),
        ("ar", Money(1500, "KWD"), f"\u20661.500{GAP}KWD\u2069"),
        ("xx", Money(-100, "USD"), "-$1.00"),
    ],
)
def test_an_amount_is_written_as_the_language_does(language: str, money: Money, text: str) -> None:
    assert amount_text(money, language) == text


def test_days_are_said_once_where_they_share_a_month() -> None:
    first, last = date(2026, 11, 24), date(2026, 11, 26)
    assert day_text(first, "sk").replace(GAP, " ") == "24. novembra"
    assert days_text(first, last).replace(GAP, " ") == "24 \u2013 26 November"
    assert days_text(first, date(2026, 12, 1), "pl").replace(GAP, " ") == "24 listopada \u2013 1 grudnia"
    assert days_text(first, first, "ar").replace(GAP, " ") == "24 نوفمبر"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_month_has_a_name(language: str) -> None:
    assert len({day_text(date(2026, month, 1), language) for month in range(1, 13)}) == 12


def test_a_buyer_hears_their_own_language_else_the_shops_else_english() -> None:
    assert [spoken(each, "sk") for each in ("pl-PL", "de_DE", "", "AR")] == ["pl", "sk", "sk", "ar"]
    assert spoken("de", "cs") == "en"
    assert fallbacks("pt_BR", "sk") == ("pt-br", "pt", "sk", "en")
