"""How amounts and days are written in each language, and which language a text is said in. Pure."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from carriers.money import Money, exponent

LANGUAGES = ("en", "sk", "ar", "pl", "hy", "el")
"""Every text that a buyer reads is there in these."""

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

_GAP = "\u00a0"  # A blank at which no line breaks.
_SEPARATORS = {  # Between thousands, before decimals.
    "en": (",", "."), "sk": (_GAP, ","), "ar": (",", "."), "pl": (_GAP, ","), "hy": (_GAP, ","), "el": (".", ","),
}  # fmt: skip
_SIGNS = {
    "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "PLN": "zł", "CZK": "Kč", "HUF": "Ft", "AMD": "֏", "INR": "₹",
    "TRY": "₺", "UAH": "₴", "ILS": "₪", "KRW": "₩",
}  # fmt: skip
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "sk": "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "el": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου "
    "Δεκεμβρίου",
    "hy": "հունվարի փետրվարի մարտի ապրիլի մայիսի հունիսի հուլիսի օգոստոսի սեպտեմբերի հոկտեմբերի նոյեմբերի դեկտեմբերի",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
}
_NAMES = {language: tuple(names.split()) for language, names in _MONTHS.items()}
_DASH = f"{_GAP}– "  # noqa: RUF001 - between two days.


@lru_cache(maxsize=1024)
def language_of(locale: str) -> str:
    """The language of a locale such as `sk-SK`, in lower case; empty where there is none."""
    return locale.replace("_", "-").partition("-")[0].lower()


@lru_cache(maxsize=1024)
def spoken(locale: str, shop_language: str = "en") -> str:
    """The language of ours for a buyer: their own, else the shop's, else English."""
    return next((each for each in (language_of(locale), shop_language) if each in LANGUAGES), "en")


def fallbacks(locale: str, shop_language: str) -> tuple[str, ...]:
    """Where a text is looked for: the exact locale, its language, the shop's, English; each once, in lower case."""
    exact = locale.replace("_", "-").lower()
    return tuple(dict.fromkeys(each for each in (exact, language_of(locale), shop_language, "en") if each))


def amount_text(money: Money, language: str = "en") -> str:
    """An amount as a buyer reads it, such as €1,234.50 or 1 234,50 €."""
    between, before = _SEPARATORS.get(language, _SEPARATORS["en"])
    text = f"{money.amount:,.{exponent(money.currency)}f}".replace(",", "\0").replace(".", before)
    text = text.replace("\0", between)
    sign = _SIGNS.get(money.currency)
    if language == "en" or language not in _SEPARATORS:
        negative, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        return f"{negative}{sign}{digits}" if sign else f"{money.currency}{_GAP}{text}"
    written = f"{text}{_GAP}{sign or money.currency}"
    return f"\u2066{written}\u2069" if language in RIGHT_TO_LEFT else written


def day_text(day: date, language: str = "en") -> str:
    """A day without its year, such as 24 November."""
    return f"{number_text(day, language)}{_GAP}{_month(day, language)}"


def days_text(earliest: date, latest: date, language: str = "en") -> str:
    """One day, or the first and the last of several."""
    if earliest == latest:
        return day_text(earliest, language)
    if (earliest.year, earliest.month) == (latest.year, latest.month):
        first, last = number_text(earliest, language), number_text(latest, language)
        return f"{first}{_DASH}{last}{_GAP}{_month(latest, language)}"
    return f"{day_text(earliest, language)}{_DASH}{day_text(latest, language)}"


def number_text(day: date, language: str) -> str:
    """A day of the month."""
    return f"{day.day}." if language == "sk" else str(day.day)


def _month(day: date, language: str) -> str:
    return _NAMES.get(language, _NAMES["en"])[day.month - 1]
