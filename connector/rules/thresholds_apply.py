"""What thresholds make of a call's prices: what is free, what costs the difference, and what a failure may not free.

Runs after all price rules and before anything is hidden, sorted or dropped. Pure; docs/thresholds.md is its law.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from carriers.money import Money
from connector.rules.facts import CallFacts, Priced, Silent
from connector.rules.thresholds import Level, Ready, in_currency
from connector.rules.thresholds_counted import Counted, counted
from connector.rules.thresholds_scope import NotFree, holding
from connector.words.reason import Param, Reason

RANKS = {"economy": 0, "standard": 1, "express": 2, "overnight": 3}
"""Service classes by speed."""

_NO_SPEED = frozenset({"freight", "local_delivery", "pickup"})  # Nobody compares them by their days.
_SURE = frozenset({"live", "held", "table"})
"""Sources that are a carrier's own answer: just now, from fresh memory, or from a rate table."""

STEPS = frozenset({"step_threshold_free", "step_threshold_price", "step_threshold_difference", "step_threshold_slower"})
"""The codes of the steps that are made here."""


class Applied(NamedTuple):
    """The services with their new prices, the thresholds that freed nothing, and what to know of the amount."""

    services: list[Priced]
    passed: list[NotFree]
    notes: tuple[Reason, ...] = ()


class _New(NamedTuple):
    price: Money
    why: Reason


def apply(
    thresholds: Sequence[Ready],
    call: CallFacts,
    services: Sequence[Priced],
    safety: Sequence[Priced] = (),
    *,
    by_store_too: bool = False,
) -> Applied:
    """The services, in their order, after every tier that is reached.

    `safety` are the merchant's safety rates in the call's currency: where the carrier of a freed class is silent and
    nothing stands in, the one of that class appears. `by_store_too` also applies what is published as the store's own
    discount, for showing what the checkout will take off.
    """
    if not thresholds:
        return Applied(list(services), [])
    kept, passed = holding(thresholds, call, by_store_too=by_store_too)
    notes: dict[str, Reason] = {}
    least: dict[str, _New] = {}
    added: dict[str, Priced] = {}
    for each in kept:
        amount = counted(call, each.rule)
        for level in each.levels:
            limit = in_currency(level.limit, call.currency, call.rates)
            if limit is None:
                why = Reason("threshold_no_rate", {"wanted": each.rule.currency, "found": call.currency})
                passed.append(NotFree(each.rule.name, why))
                break
            notes |= {mark.code: mark for mark in amount.marks}
            if amount.amount < limit:
                missing = {"missing": limit - amount.amount, "limit": limit, "counted": amount.amount}
                passed.append(NotFree(each.rule.name, Reason("condition_subtotal_below", missing)))
                break  # The levels above it ask for more.
            found, stand_in, why_not = _Level(each, level, limit, amount, call).on(services, safety)
            for new in stand_in:
                added.setdefault(new.code, new)
            for code, new_price in found.items():
                if code not in least or new_price.price < least[code].price:
                    least[code] = new_price
            if why_not is not None:
                passed.append(NotFree(each.rule.name, why_not))
    priced = [_lowered(service, least) for service in (*services, *added.values())]
    return Applied(priced, passed, tuple(notes.values()))


def price_before(service: Priced) -> Money | None:
    """What a service cost before a threshold lowered it; None where none did."""
    for number, step in enumerate(service.steps):
        if step.reason.code in STEPS and number:
            return service.steps[number - 1].price
    return None


def _lowered(service: Priced, least: dict[str, _New]) -> Priced:
    new = least.get(service.code)
    return service if new is None or new.price >= service.price else service.then(new.why, new.price)


class _Found(NamedTuple):
    prices: dict[str, _New]
    added: list[Priced]
    why_not: Reason | None


class _Level(NamedTuple):
    """One tier that is reached, for one call."""

    each: Ready
    level: Level
    limit: Money
    amount: Counted
    call: CallFacts

    def on(self, services: Sequence[Priced], safety: Sequence[Priced]) -> _Found:
        """The prices that this tier gives; a safety rate that stands in for its class; why it frees nothing."""
        free, why_not = self._class(services)
        added: list[Priced] = []
        if not free:
            known = {service.code for service in services}
            if self._may_be_missing():
                added = self._stand_ins([each for each in safety if each.code not in known])
            if not added:
                return _Found({}, [], why_not)
            free = added
        price = in_currency(self.level.price, self.call.currency, self.call.rates) or Money.zero(self.call.currency)
        prices = {each.code: _New(min(price, each.price), self._why(price)) for each in free}
        cheapest = min(free, key=lambda each: each.price.minor)
        for service in services:
            if service.code not in prices:
                new = self._beside(service, free, cheapest, price)
                if new is not None:
                    prices[service.code] = new
        return _Found(prices, added, None)

    def _why(self, price: Money) -> Reason:
        said: dict[str, Param] = {
            "name": self.each.rule.name,
            "limit": self.limit,
            "counted": self.amount.amount,
        }
        if price.minor == 0:
            return Reason("step_threshold_free", said)
        return Reason("step_threshold_price", said)

    # --- which services are of the class ------------------------------------------------------------------------------

    def _class(self, services: Sequence[Priced]) -> tuple[list[Priced], Reason | None]:
        level = self.level
        if not level.frees_cheapest:
            free = [each for each in services if level.names(each.code, each.service_class)]
            if free:
                return free, None
            silent = self._may_be_missing()
            if silent is not None:
                return [], Reason("threshold_class_silent", {"carrier": silent.carrier or "?"})
            return [], Reason("threshold_class_not_offered")
        if not services:
            return [], Reason("threshold_class_not_offered")
        cheapest = min(services, key=lambda each: each.price.minor)
        for silent in self.call.silent:
            if cheapest.source != "safety" and not _is_slowest(cheapest, silent):
                return [], Reason("threshold_cheapest_unknown", {"carrier": silent.carrier or "?"})
        return [cheapest], None

    def _may_be_missing(self) -> Silent | None:
        """A silent carrier that may offer what this tier frees."""
        for silent in self.call.silent:
            if silent.offers is None or self.level.frees_cheapest:
                return silent
            if any(self.level.names(code, service_class) for code, service_class in silent.offers):
                return silent
        return None

    def _stand_ins(self, safety: Sequence[Priced]) -> list[Priced]:
        """The merchant's own rates for this class; for the cheapest service, the cheapest of them."""
        if self.level.frees_cheapest:
            return [min(safety, key=lambda each: each.price.minor)] if safety else []
        return [each for each in safety if self.level.names(each.code, each.service_class)]

    # --- the others ---------------------------------------------------------------------------------------------------

    def _beside(self, service: Priced, free: Sequence[Priced], cheapest: Priced, price: Money) -> _New | None:
        """What a service outside the class costs; None: as it is."""
        speed = _speed(service, free)
        said: dict[str, Param] = {"name": self.each.rule.name, "limit": self.limit}
        if speed < 0:
            return _New(min(price, service.price), Reason("step_threshold_slower", said))
        if speed == 0 or self.each.rule.faster == "full_price":
            return None
        saved = cheapest.price - min(price, cheapest.price)
        left = service.price - saved
        said = {"name": self.each.rule.name, "saved": saved}
        if left.minor > 0:
            return _New(left, Reason("step_threshold_difference", said))
        if service.source in _SURE and cheapest.source in _SURE:
            return _New(Money.zero(service.price.currency), Reason("step_threshold_difference", said))
        return None


def _is_slowest(cheapest: Priced, silent: Silent) -> bool:
    """Whether the cheapest that is left is of the class that would be free anyway, whatever the carrier offers."""
    rank = RANKS.get(cheapest.service_class)
    if rank is None:
        return silent.offers is not None and all(code == cheapest.code for code, _ in silent.offers)
    if rank == 0:
        return True
    if silent.offers is None:
        return False
    return all(RANKS.get(service_class, -1) >= rank for _, service_class in silent.offers)


def _speed(service: Priced, free: Sequence[Priced]) -> int:
    """1: faster than all of the class, -1: slower than all of it, 0: neither, or not known."""
    if service.service_class in _NO_SPEED or any(each.service_class in _NO_SPEED for each in free):
        return 0
    ranks = [RANKS.get(each.service_class) for each in (service, *free)]
    if None not in ranks:
        own, others = ranks[0], ranks[1:]
        faster = all(own > other for other in others)  # type: ignore[operator]
        slower = all(own < other for other in others)  # type: ignore[operator]
        return 1 if faster else -1 if slower else 0
    days = [each.transit_days for each in (service, *free)]
    if None in days:
        return 0
    mine, theirs = days[0], days[1:]
    if all(mine < other for other in theirs):  # type: ignore[operator]
        return 1
    return -1 if all(mine > other for other in theirs) else 0  # type: ignore[operator]
