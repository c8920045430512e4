"""The days of arrival as a buyer reads them: weekdays, days and month, in each language. Pure."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from connector.words.locale import day_text, number_text
from connector.words.reason import Reason

_WEEKDAYS = {
    "en": "Mon Tue Wed Thu Fri Sat Sun",
    "sk": "po ut st št pi so ne",
    "pl": "pon. wt. śr. czw. pt. sob. niedz.",
    "el": "Δευ Τρί Τετ Πέμ Παρ Σάβ Κυρ",  # noqa: RUF001
    "hy": "երկ երք չրք հնգ ուրբ շբթ կիր",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
}
_NAMES = {language: tuple(names.split()) for language, names in _WEEKDAYS.items()}
_GAP = "\u00a0"
_DASH = f"{_GAP}– "  # noqa: RUF001 - between two days.
_SHARES = ((990, "99", "100"), (950, "19", "20"), (900, "9", "10"), (800, "8", "10"), (700, "7", "10"),
           (600, "6", "10"), (500, "5", "10"))  # fmt: skip
"""How a share of 1000 is said: never more than it is."""


@lru_cache(maxsize=4096)
def arrival_text(first: date, last: date, coverage: int | None, language: str = "en") -> str:
    """`Arrives Tue 24 – Thu 26 November`; with a share of 1000 that was seen, `9 of 10 arrive by then` behind it."""  # noqa: RUF002
    said = Reason("offer_arrives", {"when": weekdays_text(first, last, language)}).say(language)
    share = _share(coverage)
    if share is None:
        return said
    return f"{said}; {Reason('offer_share', {'n': share[0], 'of': share[1]}).say(language)}"


def weekdays_text(first: date, last: date, language: str = "en") -> str:
    """One day, or the first and the last of several; the month once where it is the same."""
    whole = f"{_weekday(last, language)}{_GAP}{day_text(last, language)}"
    if first >= last:
        return whole
    same_month = (first.year, first.month) == (last.year, last.month)
    start = number_text(first, language) if same_month else day_text(first, language)
    return f"{_weekday(first, language)}{_GAP}{start}{_DASH}{whole}"


def _weekday(day: date, language: str) -> str:
    return _NAMES.get(language, _NAMES["en"])[day.weekday()]


def _share(coverage: int | None) -> tuple[str, str] | None:
    return next(((n, of) for least, n, of in _SHARES if coverage is not None and coverage >= least), None)
