"""From carriers' rates to the services that rules work on: one for each code, with base price and window. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from carriers.money import Money
from connector.quotes.adjustments import adjustment_key
from connector.quotes.answers import PASSING, AccountAnswer, KeptRate, UsualService
from connector.quotes.base_price import base_price, in_currency
from connector.quotes.decision import Withheld
from connector.quotes.stand_in import stood_in
from connector.quotes.windows import Dates
from connector.rules.classes import ClassOf
from connector.rules.facts import Priced, Silent, Source, Step
from connector.shop_settings import ShopSettings
from connector.words.reason import Reason

_TABLES = frozenset({"rate_table"})
"""Kinds of connections that are a table of the merchant's."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rate that a service's offer is made from, whose it is, and its price in the cart's currency."""

    rate: KeptRate
    account_id: str
    kind: str
    priced: Priced

    def kept_back(self, reason: Reason) -> Withheld:
        """Not shown, and why."""
        return Withheld(carrier=self.rate.carrier, service=self.rate.service, account_id=self.account_id, reason=reason)

    def service(self, class_of: ClassOf, dates: Dates) -> Priced:
        """As rules see it."""
        rate, priced = self.rate, self.priced
        source: Source = rate.stand_in or ("table" if self.kind in _TABLES else "live")
        window = dates.window(self.account_id, rate)
        earliest, latest = (None, None) if window is None else dates.moments(window)
        return Priced(
            priced.code,
            priced.price,
            priced.steps,
            rate.carrier,
            rate.service,
            self.account_id,
            source,
            class_of(rate.carrier, rate.service, rate.transit_days),
            rate.transit_days,
            earliest,
            latest,
        )


def choose(
    currency: str,
    settings: ShopSettings,
    adjustments: Mapping[str, tuple[int, int]],
    answers: Sequence[AccountAnswer],
) -> tuple[dict[str, Chosen], tuple[Withheld, ...]]:
    """The cheapest rate for each service code; the others with the reason."""
    chosen: dict[str, Chosen] = {}
    withheld: list[Withheld] = []
    for answer in answers:
        for rate in answer.rates:
            seen = adjustments.get(adjustment_key(answer.account_id, rate.carrier, rate.service))
            priced = base_price(service_code(rate.carrier, rate.service), rate, settings, currency, seen)
            if isinstance(priced, Reason):
                withheld.append(
                    Withheld(
                        carrier=rate.carrier,
                        service=rate.service,
                        account_id=answer.account_id,
                        reason=priced,
                    )
                )
                continue
            priced = stood_in(priced, rate, settings)
            mine = Chosen(rate, answer.account_id, answer.carrier, priced)
            other = chosen.setdefault(priced.code, mine)
            if other is not mine:
                cheaper, dearer = (mine, other) if mine.priced.price < other.priced.price else (other, mine)
                chosen[priced.code] = cheaper
                withheld.append(dearer.kept_back(Reason("dearer_double", {"price": dearer.rate.price})))
    return chosen, tuple(withheld)


def safety_services(
    settings: ShopSettings, currency: str, class_of: ClassOf
) -> tuple[list[Priced], tuple[Withheld, ...]]:
    """The merchant's safety rates in the cart's currency; those without an exchange rate with the reason."""
    found: list[Priced] = []
    withheld: list[Withheld] = []
    for rate in settings.safety_rates:
        price = Money.parse(rate.amount, rate.currency)
        priced = in_currency(Priced(rate.code, price, (Step.to(Reason("step_safety"), price),)), settings, currency)
        if isinstance(priced, Reason):
            withheld.append(Withheld(carrier=rate.name, reason=priced))
            continue
        of_class = rate.service_class or class_of("", rate.name, None)
        found.append(priced._replace(name=rate.name, source="safety", service=rate.name, service_class=of_class))
    return found, tuple(withheld)


def silent_carriers(answers: Sequence[AccountAnswer], class_of: ClassOf) -> tuple[Silent, ...]:
    """The carriers whose prices are missing through a failure, each with what it usually offers, where that is known.

    A known "no service" is an answer. Where older or learned prices stand in for all that a carrier usually offers,
    nothing is missing.
    """
    found: dict[str, Silent] = {}
    for answer in answers:
        if not answer.has_gap or answer.covered or answer.missing == ():
            continue
        named = [each.carrier for each in answer.problems if each.code in PASSING and each.carrier]
        for carrier in named or [answer.carrier]:
            offers = None if answer.missing is None else _offers(carrier, answer.missing, class_of)
            known = found.get(carrier)
            if known is not None:  # By another account: what neither of them tells is missing.
                offers = None if offers is None or known.offers is None else known.offers | offers
            found[carrier] = Silent(carrier, offers)
    return tuple(found.values())


def _offers(carrier: str, missing: Sequence[UsualService], class_of: ClassOf) -> frozenset[tuple[str, str]]:
    """Code and class of a carrier's own services; of all, where its name is another one in prices than in faults."""
    own = [each for each in missing if each.carrier.casefold() == carrier.casefold()]
    return frozenset(
        [
            (service_code(each.carrier, each.service), class_of(each.carrier, each.service, each.transit_days))
            for each in own or missing
        ]
    )


@lru_cache(maxsize=2048)
def service_code(carrier: str, service: str) -> str:
    """A stable code such as `usps-groundadvantage`: no date, price or id in it."""
    return re.sub(r"[\W_]+", "-", f"{carrier}-{service}".casefold()).strip("-") or "shipping"


@lru_cache(maxsize=2048)
def service_name(carrier: str, service: str) -> str:
    """A stable name such as `USPS Ground Advantage`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", service.replace("_", " "))
    return " ".join(words.split()) if words.casefold().startswith(carrier.casefold()) else f"{carrier} {words}".strip()
