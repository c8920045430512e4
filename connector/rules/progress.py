"""How far a cart is from free shipping, for a widget: never more hopeful than the checkout. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from carriers.money import Money, exponent
from connector.rules.facts import CallFacts
from connector.rules.thresholds import Level, Ready, in_currency
from connector.rules.thresholds_counted import Counted, counted
from connector.rules.thresholds_scope import NotFree, excluded, holding
from connector.words.reason import Reason

# Currencies whose smallest amount that shops display is larger than ISO 4217's minor unit (in minor units).
_DISPLAYED = {"HUF": 100, "TWD": 100, "IDR": 100, "COP": 100, "IRR": 100, "UZS": 100}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a cart stands.

    `reached`: something is free already; `free_class` and `free_services` say what (both empty: the cheapest service).
    `missing` and `limit` belong to the next tier that frees something, else to the next one that reduces a price
    (`next_is_free` False), whose class is `next_class`; None where there is none. `tier` counts the tiers that are
    reached. `why` names what stands in the way, such as an excluded item. `marks` say what was not known.
    """

    reached: bool = False
    tier: int = 0
    free_class: str = ""
    free_services: tuple[str, ...] = ()
    missing: Money | None = None
    limit: Money | None = None
    next_class: str = ""
    next_services: tuple[str, ...] = ()
    next_is_free: bool = True
    counted: Money | None = None
    why: Reason | None = None
    marks: tuple[Reason, ...] = ()

    def say(self, language: str = "en") -> str:
        """One sentence for a buyer; empty where there is nothing to say."""
        if self.missing is not None and (self.next_is_free or not self.reached):
            said = {"missing": self.missing}
            if not self.next_is_free:
                return Reason("progress_missing_reduced", said).say(language)
            if self.reached:
                return Reason("progress_missing_more", said).say(language)
            return Reason("progress_missing", said).say(language)
        if self.reached:
            return Reason("progress_reached").say(language)
        return "" if self.why is None else Reason("progress_excluded").say(language)


@dataclass(frozen=True, slots=True)
class _Rung:
    each: Ready
    level: Level
    limit: Money
    amount: Counted

    @property
    def is_reached(self) -> bool:
        return self.amount.amount >= self.limit

    @property
    def is_free(self) -> bool:
        return self.level.price.minor == 0


def progress(
    thresholds: Sequence[Ready],
    call: CallFacts,
    display_currency: str | None = None,
    rate: Decimal | None = None,
    smallest: int | None = None,
) -> Progress:
    """Progress of a call, thresholds that the store itself applies included.

    Amounts are in the call's currency, or in `display_currency` at `rate` (what one unit of the call's currency is in
    it), rounded up to the smallest amount that is displayed: `smallest` minor units, else what is usual there. Without
    a rate they stay in the call's currency.
    """
    kept, passed = holding(thresholds, call, by_store_too=True)
    rungs: list[_Rung] = []
    for each in kept:
        amount = counted(call, each.rule)
        for level in each.levels:
            limit = in_currency(level.limit, call.currency, call.rates)
            if limit is not None:
                rungs.append(_Rung(each, level, limit, amount))
    if not rungs:
        return Progress(why=_in_the_way(thresholds, call, passed))
    reached = [rung for rung in rungs if rung.is_reached]
    best = max((each for each in reached if each.is_free), key=lambda rung: rung.limit.minor, default=None)
    ahead = [rung for rung in rungs if not rung.is_reached]
    ahead = [rung for rung in ahead if rung.is_free] or ahead
    following = min(ahead, key=lambda rung: rung.limit.minor - rung.amount.amount.minor, default=None)

    def shown(money: Money) -> Money:
        return displayed(money, display_currency, rate, smallest)

    last = following or best
    return Progress(
        reached=best is not None,
        tier=len(reached),
        free_class=best.level.service_class if best else "",
        free_services=tuple(sorted(best.level.services)) if best else (),
        missing=None if following is None else shown(following.limit - following.amount.amount),
        limit=None if following is None else shown(following.limit),
        next_class="" if following is None else following.level.service_class,
        next_services=() if following is None else tuple(sorted(following.level.services)),
        next_is_free=following is None or following.is_free,
        counted=None if last is None else last.amount.amount,
        marks=() if last is None else last.amount.marks,
    )


def displayed(
    money: Money, currency: str | None = None, rate: Decimal | None = None, smallest: int | None = None
) -> Money:
    """An amount as a widget shows it: in another currency where its rate is known, rounded up to what is displayed."""
    into, part, whole = money.currency, 1, 1
    if currency is not None and currency != money.currency and rate is not None:
        if not rate.is_finite() or rate <= 0:
            raise ValueError("an exchange rate is greater than 0")
        into = currency
        part, whole = rate.as_integer_ratio()
        part *= 10 ** exponent(into)
        whole *= 10 ** exponent(money.currency)
    unit = smallest or _DISPLAYED.get(into, 1)
    return Money(-(-money.minor * part // (whole * unit)) * unit, into)


def free_from(thresholds: Sequence[Ready], call: CallFacts, language: str = "en") -> str:
    """Such as: Free shipping from 50.00 EUR; for a page on which no cart is known; empty without a threshold."""
    kept, _ = holding(thresholds, call, by_store_too=True)
    limits = [
        limit
        for each in kept
        for level in each.levels
        if level.price.minor == 0 and (limit := in_currency(level.limit, call.currency, call.rates)) is not None
    ]
    if not limits:
        return ""
    return Reason("progress_from", {"amount": min(limits, key=lambda limit: limit.minor)}).say(language)


def _in_the_way(thresholds: Sequence[Ready], call: CallFacts, passed: Sequence[NotFree]) -> Reason | None:
    """The reason that a buyer can do something about, or at least should know: what is excluded."""
    names = {each.rule.name: each for each in thresholds}
    for found in passed:
        each = names.get(found.rule)
        if each is not None and (why := excluded(each, call)) is not None and why == found.why:
            return why
    return passed[0].why if passed else None
