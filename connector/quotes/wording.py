"""What an option is called and what is said of it: the merchant's templates by language, else the usual texts. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from connector.quotes.lru import Bounded
from connector.rules.facts import Priced
from connector.shop_settings import ShopSettings
from connector.storefront_settings import ANY, CLASS, StorefrontSettings
from connector.words.arrival import arrival_text
from connector.words.locale import day_text, fallbacks, spoken
from connector.words.reason import Reason

_MOST_KEPT = 256
_MOST_BYTES = 2 * 1024 * 1024
_TEXT_BYTES = 500


@dataclass(frozen=True, slots=True)
class Said:
    """An option's name, which stays the same from call to call, and its description."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The templates of one settings version, ready to be asked."""

    language: str
    templates: Mapping[tuple[str, str], tuple[str, str]]
    _said: Bounded[tuple[object, ...], Said] = field(default_factory=lambda: Bounded(_MOST_BYTES), compare=False)

    @classmethod
    def of(cls, settings: StorefrontSettings) -> Wording:
        """From the settings; for every call of one version the same object is best used."""
        templates = {(each.offer, each.locale): (each.name, each.description) for each in settings.wording}
        return cls(settings.language, templates)

    def say(
        self,
        service: Priced,
        carrier: str,
        usual: str,
        locale: str,
        days: int | None = None,
        earliest: datetime | None = None,
        latest: datetime | None = None,
        coverage: int | None = None,
    ) -> Said:
        """The words for a carrier's service. `usual` is its name where no template has one; a rule's name goes first.

        Looked for by code, then by service class, then among those for all; in each by the exact locale, its language,
        templates without one, the shop's language, English. Name and description are found apart.
        """
        first = None if earliest is None else earliest.date()
        last = None if latest is None else latest.date()
        key = (service.code, service.service_class, service.name, service.description, carrier, usual, locale, days,
               first, last, coverage)  # fmt: skip
        known = self._said.get(key)
        if known is None:
            known = self._make(service, carrier, usual, locale, days, first, last, coverage)
            self._said.put(key, known, _TEXT_BYTES)
        return known

    def _make(
        self,
        service: Priced,
        carrier: str,
        usual: str,
        locale: str,
        days: int | None,
        first: date | None,
        last: date | None,
        coverage: int | None,
    ) -> Said:
        names = {"carrier": carrier, "service": usual}
        name, described = service.name, service.description
        for offer in (service.code, f"{CLASS}{service.service_class}", ANY) if self.templates else ():
            for where in _places(locale, self.language):
                called, about = self.templates.get((offer, where), ("", ""))
                name = name or (_filled(called, names) if called else "")
                if about and not described:
                    described = _filled(about, names | _times(days, first, last, where, locale, self.language))
        return Said(name or usual, described or usual_description(days, locale, self.language, first, last, coverage))

    def own(self, service: Priced, locale: str) -> Said:
        """The words for a safety rate or an option that a rule added: its own, where no template has its code.

        What is said of carriers' services in general, by class or for all, is not said of the merchant's own.
        """
        name = described = ""
        for where in _places(locale, self.language) if self.templates else ():
            called, about = self.templates.get((service.code, where), ("", ""))
            name = name or (_filled(called, {"service": service.name}) if called else "")
            described = described or (_filled(about, {"service": service.name}) if about else "")
        return Said(name or service.name, described or service.description)


def _places(locale: str, shop_language: str) -> tuple[str, ...]:
    """Where templates are looked for: those without a language come behind the buyer's own ones."""
    exact, *rest = fallbacks(locale, shop_language) or ("en",)
    mine = [each for each in (exact, *rest) if each == exact or exact.startswith(f"{each}-")]
    return tuple(dict.fromkeys((*mine, "", *rest)))


def _times(
    days: int | None, first: date | None, last: date | None, where: str, locale: str, shop_language: str
) -> dict[str, str]:
    language = spoken(where or locale, shop_language)
    known = {} if days is None else {"days": str(days)}
    if first is not None and last is not None:
        known |= {"from": day_text(first, language), "to": day_text(last, language)}
    return known


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with its parts; empty where one of them is not known, so that the usual text is said."""
    try:
        return " ".join(template.format_map(parts).split())
    except KeyError:
        return ""


def usual_description(
    days: int | None,
    locale: str,
    shop_language: str = "en",
    first: date | None = None,
    last: date | None = None,
    coverage: int | None = None,
) -> str:
    """What is said of an option without a template: its days of arrival, else how many days it takes."""
    language = spoken(locale, shop_language)
    if first is not None and last is not None:
        return arrival_text(first, last, coverage, language)
    return (Reason("offer_plain") if days is None else Reason("offer_days", {"days": days})).say(language)


_made: OrderedDict[int, tuple[ShopSettings, Wording]] = OrderedDict()


def wording_of(settings: ShopSettings) -> Wording:
    """The words of a settings version, made once for each in memory."""
    found = _made.get(id(settings))
    if found is not None and found[0] is settings:
        return found[1]
    made = Wording.of(settings.storefront)
    _made[id(settings)] = (settings, made)
    while len(_made) > _MOST_KEPT:
        _made.popitem(last=False)
    return made
